"""Measures the released classifier with the box's own code, on the validation faces as they are and as a bad camera has them, and writes its card."""

import argparse
import json
import re
import subprocess
from pathlib import Path

from expression import card, places, prepared

SIMULATED = re.compile(r"mood filter +by (\w+) where (\w+) is right, at 5 fps: +([\d.]+) % right")


def main() -> None:
    """From the crops of `make models-data` and `models/` to models/evaluation.json and models/README.md."""
    parser = argparse.ArgumentParser(prog="pipeline.py eval", description=__doc__)
    parser.add_argument("--moodbox", type=Path, default=places.ROOT / "target" / "release" / "moodbox", help="the host tool")
    moodbox = parser.parse_args().moodbox
    data = prepared.report()
    card.require_made_from(card.classifier()["made_from"], data)
    figures = {"data": data, "fer2013_validation": evaluated(moodbox, places.CROPS, "--perturb")}
    if has_several(places.NEW_CROPS):
        figures["fer2013_new"] = evaluated(moodbox, places.NEW_CROPS)
    if card.has_raters():
        figures["ferplus_validation"] = evaluated(moodbox, places.CROPS_BY_VOTES, "--labels", "ferplus")
        if has_several(places.NEW_CROPS_BY_VOTES):
            figures["ferplus_new"] = evaluated(moodbox, places.NEW_CROPS_BY_VOTES, "--labels", "ferplus")
        figures["ferplus_validation_by_fer2013"] = evaluated(moodbox, places.CROPS_BY_VOTES)
        figures["mood_right"] = mood_right()
    places.EVALUATION.write_text(json.dumps(figures, indent=1) + "\n")
    card.CARD.write_text(card.text())
    print(f"written to {places.EVALUATION} and {card.CARD}")


def has_several(crops: Path) -> bool:
    """Whether there are the two faces at least that `moodbox eval fer` wants: training may have a copy of each."""
    return sum(1 for _ in crops.glob("*/*.png")) > 1


def mood_right() -> dict[str, dict[str, float]]:
    """Percent of a simulated day in which the box is right about the mood, by its answer and by whose labels are true."""
    command = ["cargo", "test", "--quiet", "--package", "moodbox-core", "--test", "mood_simulation", "--", "--nocapture"]
    done = subprocess.run(command, cwd=places.ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    right = {}
    for answer, truth, percent in SIMULATED.findall(done.stdout):
        right.setdefault(answer, {})[truth] = float(percent)
    return right


def evaluated(moodbox: Path, folder: Path, *options: str) -> dict:
    """What `moodbox eval fer` measures on a folder of labelled crops."""
    command = [str(moodbox), "eval", "fer", str(folder), "--models", str(places.ROOT / "models"), "--json", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
