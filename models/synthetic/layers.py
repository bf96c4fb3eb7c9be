"""Layers of a synthetic shot: a far picture, nearer planes that pass before it, and objects that move alone.

A layer is a picture with an alpha and a homography for every frame. What is random is drawn on the host, by a
NumPy generator; what is many pixels is rendered on the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .holes import hole_masks
from .look import soften
from .motion import Matrix, homographies, shutter_samples, walk
from .pictures import Picture, Pictures


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        texture: (4, h, w) float32: B, G, R in 0..1, premultiplied, and alpha.
        matrices: frame pixels to texture pixels, (N, 3, 3).
        tiled: beyond its edges the texture is mirrored; otherwise there is nothing.
    """

    texture: Tensor
    matrices: Matrix
    tiled: bool

    def render(self, t: int, size: int, shutter: float) -> Tensor:
        """The layer at frame t, (1, 4, size, size), blurred by its own motion."""
        grids = self._grids(shutter_samples(self.matrices, t, shutter, size), size)
        texture = self.texture[None].expand(len(grids), -1, -1, -1)
        padding = "reflection" if self.tiled else "zeros"
        samples = F.grid_sample(texture, grids, padding_mode=padding, align_corners=True)
        return samples if len(samples) == 1 else samples.mean(0, keepdim=True)

    def _grids(self, matrices: Matrix, size: int) -> Tensor:
        """Sampling places for `grid_sample`, (S, size, size, 2), pixel centres at whole numbers."""
        height, width = self.texture.shape[-2:]
        scale = np.diag([2 / (width - 1), 2 / (height - 1), 1])
        scale[:2, 2] = -1
        device = self.texture.device
        whole = torch.from_numpy((scale @ matrices).astype(np.float32)).to(device)[..., None, None]
        axis = torch.arange(size, dtype=torch.float32, device=device)
        along = whole[:, :, 0] * axis + whole[:, :, 1] * axis[:, None] + whole[:, :, 2]
        return torch.stack((along[:, 0] / along[:, 2], along[:, 1] / along[:, 2]), dim=-1)


def far_layer(
    rng: np.random.Generator, pictures: Pictures, size: int, count: int, motion: float, device: torch.device
) -> Layer:
    """The picture behind everything, under a camera that pans, zooms, rolls and tilts."""
    picture, scale = _level(rng, pictures, size)
    path, zoom, roll, tilt = _camera(rng, picture, scale, size, count, motion)
    return Layer(_texture(picture, device), homographies(path, zoom, roll, tilt, size), tiled=True)


def _level(rng: np.random.Generator, pictures: Pictures, size: int) -> tuple[Picture, float]:
    """A picture's level, flipped at random, and how many of its pixels one of the frame's spans."""
    pyramid = pictures.choose(rng)
    largest = min(pyramid[0].shape[:2]) / (1.2 * size)
    scale = float(np.exp(rng.uniform(np.log(0.4), np.log(max(0.5, min(4.0, largest))))))
    level = int(np.clip(np.floor(np.log2(max(scale, 1) * 1.2)), 0, len(pyramid) - 1))
    picture = pyramid[level][:, :: int(rng.choice((1, -1)))]
    return np.ascontiguousarray(picture), scale / 2**level


def _camera(
    rng: np.random.Generator, picture: Picture, scale: float, size: int, count: int, motion: float
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    height, width = picture.shape[:2]
    half = 0.5 * scale * size
    centre = [rng.uniform(min(half, side / 2), max(side - half, side / 2)) for side in (width, height)]
    path = np.array(centre) + scale * walk(rng, count, 3.0 * motion)
    zoom = scale * np.exp(walk(rng, count, 0.004 * motion)[:, 0])
    roll = rng.normal(0, 0.1) + walk(rng, count, 0.004 * motion)[:, 0]
    tilt = rng.normal(0, 0.04 / size, 2) + walk(rng, count, 0.002 * motion / size)
    return path, zoom, roll, tilt


def near_layer(
    rng: np.random.Generator, pictures: Pictures, far: Layer, size: int, device: torch.device
) -> Layer:
    """A plane before the far one that the same camera passes faster: parallax, with a soft, ragged edge."""
    picture, _ = _level(rng, pictures, size)
    side = min(2 * size, *picture.shape[:2])
    alpha = _ragged(rng, side)
    height, width = picture.shape[:2]
    y, x = (int(rng.integers(0, full - side + 1)) for full in (height, width))
    closeness = float(rng.uniform(1.2, 2.5))
    middle = far.matrices @ np.array([(size - 1) / 2, (size - 1) / 2, 1])
    seen = middle[:, :2] / middle[:, 2:]
    speed = float(np.abs(np.linalg.det(far.matrices[0][:2, :2])) ** 0.5)
    path = side / 2 + closeness * (seen - seen[:1]) / speed
    zoom = np.abs(np.linalg.det(far.matrices[:, :2, :2])) ** 0.5 / speed
    roll = np.arctan2(far.matrices[:, 1, 0], far.matrices[:, 0, 0])
    matrices = homographies(path, zoom, roll - roll[:1], np.zeros((len(path), 2)), size)
    texture = _texture(picture[y : y + side, x : x + side], device)
    return Layer(texture * alpha.to(device), matrices, tiled=True)


def _ragged(rng: np.random.Generator, side: int) -> Tensor:
    """An alpha (1, side, side) that covers the part of a square below a wavering line, turned at random."""
    x = np.linspace(0, 1, side)
    line = rng.uniform(0.55, 0.75) + sum(
        rng.normal(0, 0.08 / k) * np.sin(2 * np.pi * k * x + rng.uniform(0, 6.3)) for k in (1, 2, 4, 9)
    )
    covered = np.linspace(0, 1, side)[:, None] > np.asarray(line)[None]
    turned = np.rot90(covered, int(rng.choice((0, 0, 1, 3)))).astype(np.float32)
    return soften(torch.from_numpy(turned.copy())[None, None], float(rng.uniform(0.5, 2.0)))[0]


def moving_object(
    rng: np.random.Generator, pictures: Pictures, size: int, count: int, motion: float, device: torch.device
) -> Layer:
    """A soft-edged cut-out with a path of its own."""
    side = int(size * rng.uniform(0.2, 0.6))
    pyramid = pictures.choose(rng)
    level = pyramid[int(rng.integers(len(pyramid)))]
    y, x = (int(rng.integers(0, max(1, full - side))) for full in level.shape[:2])
    shape = hole_masks(rng, side, 1, np.zeros((1, 2)), 0.9)[0].astype(np.float32)
    alpha = soften(torch.from_numpy(shape)[None, None], float(rng.uniform(0.5, 2.5)))[0]
    picture = level[y : y + side, x : x + side]
    texture = F.interpolate(_texture(picture, torch.device("cpu"))[None], (side, side), mode="bilinear")[0]
    path = np.full(2, side / 2) + rng.uniform(-0.45, 0.45, 2) * size + walk(rng, count, 4.0 * motion)
    roll = rng.uniform(-0.4, 0.4) + walk(rng, count, 0.01 * motion)[:, 0]
    matrices = homographies(path, np.ones(count), roll, np.zeros((count, 2)), size)
    return Layer((texture * alpha).to(device), matrices, tiled=False)


def _texture(picture: NDArray[np.uint8], device: torch.device) -> Tensor:
    """8-bit (h, w, 3) to an opaque texture (4, h, w)."""
    planes = torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1).float() / 255
    return torch.cat((planes, torch.ones_like(planes[:1])))
