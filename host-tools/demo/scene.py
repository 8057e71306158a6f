"""The room that the recording shows, and people standing in it."""

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 480
# Lamp light on skin and cloth: a little less blue, and dimmer than a studio (BGR).
LAMP_LIGHT = np.float32([0.80, 0.88, 0.95])


def glow(x, y, radius, strength, colour):
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    fall = strength * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * radius**2))
    return fall[..., None] * np.float32(colour)


def room():
    """A plain living room in the evening as float BGR: window, shelf, picture, lamp."""
    down = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    wall = (1 - down) * np.float32([128, 146, 158]) + down * np.float32([92, 110, 126])
    view = np.repeat(wall, WIDTH, axis=1)

    # The window at dusk, with its frame and sill.
    sky = np.linspace(0, 1, 190, dtype=np.float32)[:, None, None]
    dusk = (1 - sky) * np.float32([112, 72, 48]) + sky * np.float32([118, 128, 176])
    view[46:236, 474:598] = np.repeat(dusk, 124, axis=1)
    rng = np.random.default_rng(3)
    x = 474
    while x < 598:
        width, height = int(rng.integers(14, 30)), int(rng.integers(24, 62))
        view[236 - height : 236, x : min(x + width, 598)] = [70, 58, 54]
        if height > 36:
            view[246 - height : 251 - height, min(x + 5, 594) : min(x + 9, 598)] = [110, 190, 226]
        x += width
    for left, top, right, bottom in ((466, 38, 606, 46), (466, 236, 606, 246), (466, 38, 474, 240), (598, 38, 606, 240), (533, 46, 539, 236), (474, 128, 598, 133)):
        view[top:bottom, left:right] = [176, 190, 198]
    view[246:250, 460:612] = [84, 98, 110]

    # A shelf with books.
    view[150:158, 206:420] = [58, 80, 108]
    view[158:163, 206:420] = [74, 90, 104]
    spines = [[74, 66, 132], [120, 104, 66], [70, 116, 96], [92, 132, 166], [128, 92, 84], [66, 86, 140], [150, 150, 140]]
    x = 216
    while x < 352:
        width, height = int(rng.integers(9, 17)), int(rng.integers(52, 78))
        view[150 - height : 150, x : x + width] = spines[int(rng.integers(len(spines)))]
        view[158 - height : 161 - height, x + 2 : x + width - 2] *= 1.2
        view[150 - height : 150, x + width - 1] *= 0.75
        x += width
    vase = np.array([[376, 150], [368, 128], [374, 112], [379, 104], [391, 104], [396, 112], [402, 128], [394, 150]])
    cv2.fillPoly(view, [vase], (138, 124, 92), cv2.LINE_AA)

    # A floor lamp, and its light on the wall.
    cv2.line(view, (74, 176), (74, HEIGHT), (48, 58, 66), 5, cv2.LINE_AA)
    view = cv2.GaussianBlur(view, (0, 0), 1.6)
    view += glow(74, 140, 150, 78, [0.55, 0.82, 1.0]) + glow(74, 60, 70, 30, [0.5, 0.8, 1.0])
    shade = np.array([[46, 108], [102, 108], [122, 178], [26, 178]])
    lit = np.zeros_like(view)
    cv2.fillPoly(lit, [shade], (186, 226, 246), cv2.LINE_AA)
    cover = cv2.GaussianBlur((lit.max(axis=2) > 0).astype(np.float32), (0, 0), 1.4)[..., None]
    view = view * (1 - cover) + cover * cv2.GaussianBlur(lit, (0, 0), 1.4).clip(0, 250)

    # Corners fall off as with a small lens.
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return view * (1 - 0.22 * (((xx - 320) / 400) ** 2 + ((yy - 240) / 300) ** 2) / 2)[..., None]


def cut_out(picture, outline):
    """A soft mask, 0..1, of the person inside the hand-drawn `outline`."""
    reach = max(3, picture.shape[1] // 45)
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.array(outline, np.int32)], 255)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    # Outside the picture counts as the person, so that the cut at its lower edge stays whole.
    sure = cv2.erode(inside, kernel)
    possible = cv2.dilate(inside, kernel)
    mask = np.full(inside.shape, cv2.GC_BGD, np.uint8)
    mask[possible > 0] = cv2.GC_PR_BGD
    mask[inside > 0] = cv2.GC_PR_FGD
    mask[sure > 0] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    cv2.grabCut(picture, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_MASK)
    person = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    round_kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    person = cv2.morphologyEx(cv2.morphologyEx(person, cv2.MORPH_OPEN, round_kernel), cv2.MORPH_CLOSE, round_kernel)
    # One pixel in, so that no rim of the old background shows.
    person = cv2.erode(person, np.ones((3, 3), np.uint8), borderValue=1)
    return cv2.GaussianBlur(person.astype(np.float32), (0, 0), 1.3)


def place(view, picture, mask, pose):
    """Draw the person over `view`; `pose` is the 2x3 matrix from picture to room."""
    size = (WIDTH, HEIGHT)
    # Shrinking needs a blur first, or the edges crawl from frame to frame.
    shrink = 1 / max(1e-6, np.hypot(pose[0, 0], pose[1, 0]))
    if shrink > 1.05:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.42 * np.sqrt(shrink**2 - 1) + 0.1)
    drawn = cv2.warpAffine(picture, pose, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(mask, pose, size, flags=cv2.INTER_LINEAR)[..., None]
    shadow = cv2.GaussianBlur(np.roll(cover[..., 0], 14, axis=1), (0, 0), 16)[..., None]
    view = view * (1 - 0.30 * shadow)
    return view * (1 - cover) + cover * drawn.astype(np.float32) * LAMP_LIGHT
