"""Change the expression of a portrait by moving its landmarks.

A face is a dict of named landmark groups, each an (n, 2) array in pixels. An expression is a dict of
movements in units of the distance between the pupils, so that one expression fits every face:

    corner_up, corner_out   mouth corners up, and outwards
    close                   0..1, how far parted lips close
    open, upper_up          lower lip and jaw down, upper lip up
    brow_in_up, brow_out_up inner and outer ends of the brows up
    brow_close              brows towards each other
    lid, low_lid            upper lid up, lower lid down
    brow_dark, furrow       0..1, darker brows, and the shadow of a frown between them
"""

import cv2
import numpy as np

LIP_PARAMETER = np.linspace(-1, 1, 11)[1:-1]
# The lower lip is a little shorter to move at its ends than a parabola, as a real jaw shows.
LIP_MIDDLE = 1 - LIP_PARAMETER**2
LID_ARCH = np.array([0.6, 0.95, 1.0, 0.95, 0.6])
CHIN = 17
MOUTH_TOP_BGR = np.float32([24, 20, 42])
MOUTH_BOTTOM_BGR = np.float32([58, 56, 112])


def pupil_distance(face):
    return float(np.linalg.norm(face["iris"][1] - face["iris"][0]))


def movements(face, expression):
    """The displacement of every landmark, in pixels."""
    amount = lambda name: expression.get(name, 0.0)
    unit = pupil_distance(face)
    move = {name: np.zeros_like(points) for name, points in face.items()}

    corner_drop = -amount("corner_up") * np.abs(LIP_PARAMETER) ** 1.5
    spread = amount("corner_out") * np.sign(LIP_PARAMETER) * np.abs(LIP_PARAMETER)
    for name in ("upper_lip", "upper_inner"):
        move[name][:] = np.c_[spread, corner_drop - amount("upper_up") * LIP_MIDDLE]
    for name in ("lower_lip", "lower_inner"):
        move[name][:] = np.c_[spread, corner_drop + amount("open") * LIP_MIDDLE**0.7]
    corner_y = -amount("corner_up") + 0.12 * amount("open")
    for name in ("corners", "inner_corners"):
        move[name][:] = [[-amount("corner_out"), corner_y], [amount("corner_out"), corner_y]]

    # The chin follows the lower lip, the jaw fades out towards the ears.
    from_chin = ((face["oval"] - face["oval"][CHIN]) ** 2).sum(axis=1)
    move["oval"][:, 1] = 0.8 * amount("open") * np.exp(-from_chin / (0.62 * unit) ** 2)

    inward = np.linspace(0, 1, 5)
    brow_y = -(amount("brow_in_up") * inward**1.3 + amount("brow_out_up") * (1 - inward))
    for side, sign in (("l", 1), ("r", -1)):
        for edge in ("low", "up"):
            move[f"brow_{side}_{edge}"][:] = np.c_[sign * amount("brow_close") * inward, brow_y]
        move[f"eye_{side}_up"][:, 1] = -amount("lid") * LID_ARCH
        move[f"eye_{side}_low"][:, 1] = amount("low_lid") * LID_ARCH

    for points in move.values():
        points *= unit
    gap = (face["lower_inner"] - face["upper_inner"]) * amount("close")
    move["upper_inner"] += 0.35 * gap
    move["upper_lip"] += 0.25 * gap
    move["lower_inner"] -= 0.62 * gap
    move["lower_lip"] -= 0.45 * gap
    return move


def thin_plate(target, source, shape, step=2):
    """For each pixel of `shape` (rows, columns), where in the source picture it comes from."""
    kernel = lambda r2: np.where(r2 > 0, r2 * np.log(r2 + 1e-12), 0)
    n = len(target)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = kernel(((target[:, None] - target[None]) ** 2).sum(-1)) + 1e-6 * np.eye(n)
    system[:n, n:] = np.c_[np.ones(n), target]
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.r_[source, np.zeros((3, 2))])

    rows, columns = shape
    gy, gx = np.mgrid[0 : rows + step : step, 0 : columns + step : step]
    grid = np.c_[gx.ravel(), gy.ravel()].astype(float)
    offset = kernel(((grid[:, None] - target[None]) ** 2).sum(-1)) @ weights[:n]
    offset += np.c_[np.ones(len(grid)), grid] @ weights[n:] - grid
    offset = offset.reshape(gx.shape + (2,)).astype(np.float32)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    offset = cv2.remap(offset, x / step, y / step, cv2.INTER_LINEAR)
    return x, y, offset


def soft_polygon(shape, polygon, blur):
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32)[..., None] / 255


def express(picture, face, teeth, expression):
    """The BGR `picture` with the face's expression changed.

    `teeth` says where the edge of the upper teeth lies in the parted lips: 0 at the upper, 1 at the lower.
    """
    if not any(expression.values()):
        return picture
    move = movements(face, expression)
    unit = pupil_distance(face)
    fixed = ("iris", "inner_corners")
    moved = [name for name in face if name not in fixed]
    source = np.concatenate([face[name] for name in moved])
    target = source + np.concatenate([move[name] for name in moved])

    # The teeth belong to the upper jaw: they do not stretch when the mouth opens, but hide when it closes.
    edge = face["upper_inner"] * (1 - teeth) + face["lower_inner"] * teeth
    hidden = teeth if expression.get("close") else 0.0
    edge_moved = edge + move["upper_inner"] * (1 - hidden) + move["lower_inner"] * hidden
    if teeth > 0:
        source, target = np.r_[source, edge], np.r_[target, edge_moved]
    centre = face["oval"].mean(axis=0)
    ring = centre + 1.35 * (face["oval"] - centre)
    source, target = np.r_[source, ring], np.r_[target, ring]

    low = np.floor(source.min(axis=0) - 4).astype(int).clip(0)
    high = np.minimum(np.ceil(source.max(axis=0) + 4).astype(int), picture.shape[1::-1])
    shape = (high[1] - low[1], high[0] - low[0])
    x, y, offset = thin_plate(target - low, source - low, shape)
    inner = centre + 1.25 * (face["oval"] - centre) - low
    offset *= soft_polygon(shape, inner, 0.06 * unit)
    part = picture[low[1] : high[1], low[0] : high[0]]
    warped = cv2.remap(
        part, x + offset[..., 0], y + offset[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)

    parted = expression.get("open", 0.0) + (0 if teeth else max(0.0, expression.get("upper_up", 0.0) - 0.02))
    if parted > 0.02:
        corners = face["inner_corners"] + move["inner_corners"]
        lower = face["lower_inner"] + move["lower_inner"]
        mouth = np.r_[corners[:1], edge_moved, corners[1:], lower[::-1]] - low
        cover = 0.93 * min(1.0, parted / 0.08) * soft_polygon(shape, mouth, max(0.6, 0.014 * unit))
        depth = ((y - mouth[:, 1].min()) / np.ptp(mouth[:, 1])).clip(0, 1)[..., None]
        warped += cover * (MOUTH_TOP_BGR * (1 - depth) + MOUTH_BOTTOM_BGR * depth - warped)

    for side in "lr":
        brow = np.concatenate(
            [face[f"brow_{side}_up"] + move[f"brow_{side}_up"], (face[f"brow_{side}_low"] + move[f"brow_{side}_low"])[::-1]]
        )
        middle = brow.mean(axis=0)
        brow = middle + (brow - middle) * [1, 0.6] - low
        warped *= 1 - expression.get("brow_dark", 0.0) * soft_polygon(shape, brow, 0.03 * unit)

    if expression.get("furrow"):
        left = face["brow_l_low"][4] + move["brow_l_low"][4] - low
        right = face["brow_r_low"][4] + move["brow_r_low"][4] - low
        for start, end in ((left, right), (right, left)):
            along = end - start
            top, bottom = start + 0.22 * along - [0, 0.12 * unit], start + 0.28 * along + [0, 0.10 * unit]
            width = np.array([0.02 * unit, 0])
            line = np.array([top - width, top + width, bottom + width, bottom - width])
            warped *= 1 - expression["furrow"] * soft_polygon(shape, line, 0.035 * unit)

    result = picture.copy()
    result[low[1] : high[1], low[0] : high[0]] = warped.clip(0, 255).astype(np.uint8)
    return result
