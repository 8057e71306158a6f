"""Make evening.mjpeg, the recording that the demo plays, and evening.json, what happens in it.

    python make_recording.py

The same pinned packages give the same bytes. See README.md for where the faces come from.
"""

import json
from pathlib import Path

import cv2
import numpy as np

from expression import express
from scene import HEIGHT, WIDTH, cut_out, place, room

HERE = Path(__file__).parent
FPS = 4
LENGTH_S = 85
# Kept small: the recording lives in the repository.
JPEG_SETTINGS = [cv2.IMWRITE_JPEG_QUALITY, 54, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
LENS_BLUR = 0.7
SENSOR_NOISE = 0.5
CHANGE_S = 1.2
WALK_S = 1.8

# Collins laughs on her portrait. Hopper looks stern on hers, which the classifier takes for anger; she is put at ease.
EXPRESSIONS = {
    "as taken": {},
    "laughing": {"open": 0.11, "corner_up": 0.02, "lid": -0.02, "low_lid": -0.02, "brow_in_up": 0.03, "brow_out_up": 0.03},
    "at ease": {
        "open": 0.032,
        "upper_up": 0.016,
        "corner_up": -0.015,
        "corner_out": 0.078,
        "brow_in_up": 0.108,
        "brow_out_up": 0.14,
        "lid": -0.023,
        "low_lid": -0.027,
    },
    "shouting": {
        "open": 0.28,
        "upper_up": 0.033,
        "corner_up": 0.012,
        "corner_out": -0.096,
        "brow_in_up": -0.049,
        "brow_out_up": -0.048,
        "lid": -0.045,
    },
}

# `stands` lists (second, where the face's centre is, in pixels of the frame); `scale` is frame pixels per picture pixel.
# `feels` lists (second, expression). The first of each list is how the person comes in.
PEOPLE = [
    {
        "name": "collins",
        "seed": 11,
        "enlarge": 2,
        "scale": 1.38,
        "from_s": 4.2,
        "to_s": 36.2,
        "side": "left",
        "stands": [(0, (262, 232)), (25.7, (192, 234))],
        "feels": [(0, "as taken"), (11.0, "laughing"), (17.0, "as taken"), (30.0, "laughing"), (33.5, "as taken")],
    },
    {
        "name": "hopper",
        "seed": 7,
        "enlarge": 1,
        "scale": 0.67,
        "from_s": 26.2,
        "to_s": 77.6,
        "side": "right",
        "stands": [(0, (446, 246)), (36.4, (340, 246))],
        "feels": [(0, "at ease"), (56.6, "shouting"), (76.1, "at ease")],
    },
]

# Held parts only: comings, goings and changes lie between them. `expression` is null where people differ.
SEGMENTS = [
    (0.0, 4.0, 0, None),
    (6.25, 25.5, 1, "happy"),
    (28.25, 36.0, 2, None),
    (38.5, 56.5, 1, "neutral"),
    (58.25, 76.0, 1, "angry"),
    (79.75, 85.0, 0, None),
]


def ease(t):
    """0 before 0, 1 after 1, with no jerk in between."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * t * (t * (6 * t - 15) + 10)


def expression_at(feels, second):
    blend = dict(EXPRESSIONS[feels[0][1]])
    for start, name in feels[1:]:
        part = ease((second - start) / CHANGE_S)
        target = EXPRESSIONS[name]
        blend = {k: (1 - part) * blend.get(k, 0.0) + part * target.get(k, 0.0) for k in blend.keys() | target.keys()}
    return {k: v for k, v in sorted(blend.items()) if abs(v) > 1e-4}


def place_at(stands, second):
    where = np.array(stands[0][1], float)
    for start, target in stands[1:]:
        where += ease((second - start) / WALK_S) * (np.array(target) - where)
    return where


class Person:
    def __init__(self, plan, faces):
        record = faces[plan["name"]]
        picture = cv2.imread(str(HERE / "faces" / record["picture"]))
        mask = cut_out(picture, record["outline"])
        # A small face is enlarged before it is warped, so that thin lines stay clean.
        k = plan["enlarge"]
        size = (picture.shape[1] * k, picture.shape[0] * k)
        self.picture = cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4) if k > 1 else picture
        self.mask = cv2.resize(mask, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
        self.face = {name: np.array(points) * k for name, points in record["groups"].items()}
        self.teeth = record["teeth"]
        self.plan = plan
        self.centre = self.face["oval"].mean(axis=0)
        self.sway = np.random.default_rng(plan["seed"]).uniform(0, 2 * np.pi, (4, 3))

    def drift(self, which, second):
        """A slow wander within about -1..1."""
        a, b, c = self.sway[which]
        return 0.55 * np.sin(0.61 * second + a) + 0.3 * np.sin(1.37 * second + b) + 0.15 * np.sin(3.1 * second + c)

    def pose(self, second):
        plan = self.plan
        x, y = place_at(plan["stands"], second)
        away = 1 - ease((second - plan["from_s"]) / WALK_S) + ease((second - plan["to_s"]) / WALK_S)
        x += away * 420 * (-1 if plan["side"] == "left" else 1)
        # Steps show while walking.
        y += 5 * np.sin(np.pi * away) * abs(np.sin(2.2 * np.pi * second))
        x += 9 * self.drift(0, second)
        y += 4 * self.drift(1, second)
        scale = plan["scale"] / plan["enlarge"] * (1 + 0.03 * self.drift(2, second))
        tilt = 2.6 * self.drift(3, second)
        matrix = cv2.getRotationMatrix2D(tuple(self.centre), tilt, scale)
        matrix[:, 2] += np.array([x, y]) - self.centre
        return matrix

    def draw(self, view, second):
        if not self.plan["from_s"] <= second <= self.plan["to_s"] + WALK_S:
            return view
        felt = expression_at(self.plan["feels"], second)
        return place(view, express(self.picture, self.face, self.teeth, felt), self.mask, self.pose(second))


def frames():
    """Yield the frames as BGR bytes, in order."""
    faces = json.loads((HERE / "faces" / "landmarks.json").read_text())
    people = [Person(plan, faces) for plan in PEOPLE]
    backdrop = room()
    rng = np.random.default_rng(2)
    for index in range(LENGTH_S * FPS):
        view = backdrop
        for person in people:
            view = person.draw(view, index / FPS)
        view = cv2.GaussianBlur(view, (0, 0), LENS_BLUR)
        noise = rng.normal(0, SENSOR_NOISE, (HEIGHT, WIDTH, 1)).astype(np.float32)
        yield (view + noise).clip(0, 255).astype(np.uint8)


def main():
    with open(HERE / "evening.mjpeg", "wb") as recording:
        for frame in frames():
            ok, jpeg = cv2.imencode(".jpg", frame, JPEG_SETTINGS)
            if not ok:
                raise RuntimeError("cannot encode a frame as jpeg")
            recording.write(jpeg.tobytes())
    keys = ("from_s", "to_s", "people", "expression")
    lines = ",\n".join("    " + json.dumps(dict(zip(keys, segment))) for segment in SEGMENTS)
    (HERE / "evening.json").write_text(f'{{\n  "fps": {FPS},\n  "segments": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
