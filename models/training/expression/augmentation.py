"""What a face may look like to the box: other light, other places in the crop, other cameras. On whole batches.

Pixels are float in 0..1, [n, 1, h, w]; every image draws its own numbers.
"""

import math

import torch
import torch.nn.functional as F


def harmed(faces: torch.Tensor, strength: float, rng: torch.Generator) -> torch.Tensor:
    """Each face in some other light, by some worse camera; sides are a multiple of 8, `strength` 0..1 scales the chance of each harm."""
    faces = lit(faces, strength, rng)
    faces = degraded(faces, strength, rng)
    return occluded(faces, strength, rng).clamp(0, 1)


def _uniform(count: int, low: float, high: float, rng: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=rng, device=rng.device) * (high - low) + low


def _chance(count: int, share: float, rng: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=rng, device=rng.device) < share


def moved(faces: torch.Tensor, side: int, rng: torch.Generator) -> torch.Tensor:
    """Mirrored, turned by up to 12 degrees, scaled .85..1.2 with some shear and shifted by up to 9 %: how MTCNN's boxes differ."""
    n = len(faces)
    angle = _uniform(n, -12, 12, rng) * math.pi / 180
    scale = torch.exp(_uniform(n, math.log(0.85), math.log(1.2), rng))
    aspect = torch.exp(_uniform(n, -0.06, 0.06, rng))
    shear = _uniform(n, -0.08, 0.08, rng)
    mirror = torch.where(_chance(n, 0.5, rng), -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    theta = torch.zeros(n, 2, 3, device=rng.device)
    theta[:, 0, 0] = cos * mirror * aspect
    theta[:, 0, 1] = -sin + shear
    theta[:, 1, 0] = sin * mirror
    theta[:, 1, 1] = cos / aspect
    theta[:, :, 2] = torch.rand(n, 2, generator=rng, device=rng.device) * 0.36 - 0.18
    grid = F.affine_grid(theta, [n, 1, side, side], align_corners=False)
    return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def lit(faces: torch.Tensor, strength: float, rng: torch.Generator) -> torch.Tensor:
    """Gamma .4..2.3, contrast and brightness, a light from one side, a cast shadow with a soft edge."""
    n = len(faces)

    def column(values: torch.Tensor) -> torch.Tensor:
        return values.view(n, 1, 1, 1)

    gamma = torch.where(_chance(n, 0.35 * strength, rng), torch.exp(_uniform(n, math.log(0.4), math.log(2.3), rng)), faces.new_ones(n))
    faces = faces.clamp(1e-3, 1) ** column(gamma)
    contrast = torch.where(_chance(n, 0.35 * strength, rng), _uniform(n, 0.4, 1.3, rng), faces.new_ones(n))
    brightness = torch.where(_chance(n, 0.35 * strength, rng), _uniform(n, -0.15, 0.15, rng), faces.new_zeros(n))
    mean = faces.mean((1, 2, 3), keepdim=True)
    faces = (faces - mean) * column(contrast) + mean + column(brightness)

    side = faces.shape[-1]
    axis = torch.linspace(-1, 1, side, device=rng.device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    direction = _uniform(n, -math.pi, math.pi, rng)
    across = column(torch.cos(direction)) * x + column(torch.sin(direction)) * y
    slope = torch.where(_chance(n, 0.2 * strength, rng), _uniform(n, 0.2, 0.7, rng), faces.new_zeros(n))
    faces = faces * (1 + column(slope) * across)
    depth = torch.where(_chance(n, 0.1 * strength, rng), _uniform(n, 0.3, 0.7, rng), faces.new_zeros(n))
    edge = torch.sigmoid((across + column(_uniform(n, -0.5, 0.5, rng))) * column(_uniform(n, 4, 20, rng)))
    return faces * (1 - column(depth) * edge)


def degraded(faces: torch.Tensor, strength: float, rng: torch.Generator) -> torch.Tensor:
    """A smaller face enlarged, blur of focus or movement, the blocks of compression, the noise of a sensor."""
    n, side = len(faces), faces.shape[-1]
    faces = faces.clone()
    small = _chance(n, 0.1 * strength, rng).nonzero().squeeze(1)
    if len(small):
        target = int(_uniform(1, 0.4, 0.85, rng) * side)
        shrunk = F.interpolate(faces[small], (target, target), mode="bilinear", antialias=True)
        faces[small] = F.interpolate(shrunk, (side, side), mode="bilinear")
    blurred = _chance(n, 0.1 * strength, rng).nonzero().squeeze(1)
    if len(blurred):
        faces[blurred] = _blurred(faces[blurred], rng)
    blocky = _chance(n, 0.08 * strength, rng).nonzero().squeeze(1)
    if len(blocky):
        faces[blocky] = _compressed(faces[blocky], float(_uniform(1, 0.04, 0.16, rng)))
    deviation = torch.where(_chance(n, 0.5 * strength, rng), _uniform(n, 0, 0.08, rng), faces.new_zeros(n))
    return faces + torch.randn(faces.shape, generator=rng, device=rng.device) * deviation.view(n, 1, 1, 1)


def _blurred(faces: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    sigma = float(_uniform(1, 0.6, 1.6, rng))
    axis = torch.arange(-3, 4, dtype=torch.float32, device=rng.device)
    bell = torch.exp(-(axis**2) / (2 * sigma**2))
    kernel = (bell[:, None] * bell) if _chance(1, 0.6, rng) else torch.diag(torch.ones_like(axis))
    kernel = (kernel / kernel.sum()).view(1, 1, 7, 7)
    return F.conv2d(F.pad(faces, (3, 3, 3, 3), mode="replicate"), kernel)


def _dct() -> torch.Tensor:
    rows = torch.arange(8, dtype=torch.float32)
    basis = torch.cos(math.pi * (2 * rows[None] + 1) * rows[:, None] / 16) / 2
    basis[0] /= math.sqrt(2)
    return basis


DCT = _dct()
# Higher frequencies are cut more coarsely, roughly as in the luminance table of JPEG's annex K.
STEPS = 1 + (torch.arange(8.0)[:, None] + torch.arange(8.0)) * 0.8


def _compressed(faces: torch.Tensor, step: float) -> torch.Tensor:
    n, side = len(faces), faces.shape[-1]
    blocks = faces.view(n, side // 8, 8, side // 8, 8).permute(0, 1, 3, 2, 4)
    basis, quantum = DCT.to(faces.device), (STEPS * step).to(faces.device)
    blocks = basis.T @ (torch.round(basis @ blocks @ basis.T / quantum) * quantum) @ basis
    return blocks.permute(0, 1, 3, 2, 4).reshape(n, 1, side, side)


def occluded(faces: torch.Tensor, strength: float, rng: torch.Generator) -> torch.Tensor:
    """A hand, a cup, a lock of hair: an even patch over up to a quarter of one face in five."""
    n, side = len(faces), faces.shape[-1]
    axis = torch.arange(side, device=rng.device)

    def pixels(low: int, high: int) -> torch.Tensor:
        return torch.randint(low, high, (n, 1), generator=rng, device=rng.device)

    height, width = pixels(side // 8, side // 2), pixels(side // 8, side // 2)
    top, left = pixels(-4, side - 6), pixels(-4, side - 6)
    rows = (axis >= top) & (axis < top + height)
    columns = (axis >= left) & (axis < left + width)
    patch = rows[:, :, None] & columns[:, None, :] & _chance(n, 0.2 * strength, rng)[:, None, None]
    shade = torch.rand(n, 1, 1, generator=rng, device=rng.device).expand(n, side, side)
    return torch.where(patch[:, None], shade[:, None], faces)
