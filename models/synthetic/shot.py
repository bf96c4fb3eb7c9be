"""Synthetic shots with everything known: plate, matte, clean background, exact flow and visibility.

A shot is a far picture under a moving camera (pan, zoom, roll, a little perspective), nearer planes that the
camera passes faster (parallax), and up to two soft-edged objects moving over them, with motion blur and
shadows. All layers move by homographies, so the flow between any two frames is exact everywhere, in the hole
too. Exposure drifts; grain and compression are added to what the network sees, never to what it is held
against.

Conventions are those of `models.network.vinet`: channels B, G, R, range -1..1, masks 1 in the hole, flow x
first. A shot depends on nothing but (seed, index), so a training run is resumed by its number of shots alone;
what is random is drawn on the host, what is many pixels is rendered on the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .holes import hole_masks
from .layers import Layer, far_layer, moving_object, near_layer
from .look import add_grain, compress, grade, shaded
from .motion import Matrix
from .pictures import Pictures

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class ShotSettings:
    """What a shot may look like.

    Attributes:
        size: side of the square frame in pixels.
        frames: number of frames.
        motion: scale of all motion; 0 gives a locked-off camera and objects that stand still.
        largest_hole: largest side of the hole as a fraction of the frame's.
        objects: largest number of moving objects.
        near: largest number of planes before the far one.
    """

    size: int = 128
    frames: int = 7
    motion: float = 1.0
    largest_hole: float = 0.55
    objects: int = 2
    near: int = 1


@dataclass(frozen=True)
class Shot:
    """A synthetic shot, on the device it was made for.

    Attributes:
        clean: what lies behind the hole and around it, without grain, (N, 3, H, W), -1..1.
        seen: the same with grain and compression, as a camera gives it, (N, 3, H, W).
        masks: (N, 1, H, W), 1 in the hole.
        layers: which layer each pixel of `clean` shows, (N, H, W) uint8; 0 is the far picture.
        to_layer: each layer's and frame's homography from frame to layer pixels, (L, N, 3, 3) float64, host.
    """

    clean: Tensor
    seen: Tensor
    masks: Tensor
    layers: Tensor
    to_layer: Matrix

    @property
    def plate(self) -> Tensor:
        """The shot with a flat mid-grey object in the hole, (N, 3, H, W)."""
        return self.seen * (1 - self.masks)

    def flow(self, target: int, source: int, stride: int = 1) -> tuple[Tensor, Tensor]:
        """Exact flow from one frame's clean background to another's, and whether the source shows it.

        Args:
            target, source: frame numbers.
            stride: the flow is sampled at the centres of cells of this many pixels; its values are in cells.

        Returns:
            flow (2, H / stride, W / stride); visibility (1, H / stride, W / stride), 1 where the point is
            inside the source frame, outside the source's hole and not behind another layer.
        """
        size, device = self.clean.shape[-1], self.clean.device
        centres = torch.arange(0, size, stride, device=device) + (stride - 1) / 2
        ys, xs = torch.meshgrid(centres, centres, indexing="ij")
        nearest = centres.long().clamp(max=size - 1)
        shown = self.layers[target][nearest][:, nearest]
        points = torch.stack((xs, ys, torch.ones_like(xs)), dim=-1).double()
        there = torch.zeros_like(points[..., :2])
        for layer, matrices in enumerate(self.to_layer):
            across = torch.from_numpy(np.linalg.inv(matrices[source]) @ matrices[target]).to(device)
            moved = points @ across.T
            there = torch.where((shown == layer)[..., None], moved[..., :2] / moved[..., 2:], there)
        flow = ((there - points[..., :2]) / stride).permute(2, 0, 1).float()
        return flow, self._visible(shown, there, source)[None].float()

    def _visible(self, shown: Tensor, there: Tensor, source: int) -> Tensor:
        size = self.clean.shape[-1]
        at = there.round().long()
        inside = ((at >= 0) & (at < size)).all(dim=-1)
        x, y = at.clamp(0, size - 1).unbind(dim=-1)
        return inside & (self.masks[source, 0][y, x] == 0) & (self.layers[source][y, x] == shown)


def make_shot(
    pictures: Pictures, settings: ShotSettings, seed: int, index: int, device: torch.device = _CPU
) -> Shot:
    """Shot number `index` of the endless series `seed`."""
    rng = np.random.default_rng([seed, index])
    size, count = settings.size, settings.frames
    still = rng.random() < 0.2
    motion = 0.0 if still else settings.motion * rng.uniform(0.2, 1) * size / 128
    shutter = float(rng.choice((0.0, rng.uniform(0.2, 0.7))))
    layers = [far_layer(rng, pictures, size, count, motion, device)]
    near, objects = (int(rng.integers(0, largest + 1)) for largest in (settings.near, settings.objects))
    layers += [near_layer(rng, pictures, layers[0], size, device) for _ in range(near)]
    layers += [moving_object(rng, pictures, size, count, motion, device) for _ in range(objects)]
    frames, labels = _composed(rng, layers, size, count, shutter)
    drift = np.linalg.inv(layers[0].matrices) @ layers[0].matrices[0] @ np.array([size / 2, size / 2, 1])
    masks = hole_masks(rng, size, count, drift[:, :2] / drift[:, 2:], settings.largest_hole)
    clean = grade(rng, frames)
    return Shot(
        clean,
        compress(rng, add_grain(rng, clean)),
        torch.from_numpy(masks[:, None]).to(device).float(),
        labels,
        np.stack([layer.matrices for layer in layers]),
    )


def _composed(
    rng: np.random.Generator, layers: list[Layer], size: int, count: int, shutter: float
) -> tuple[Tensor, Tensor]:
    """The layers over one another, (N, 3, H, W) in 0..1, and which of them each pixel shows, (N, H, W)."""
    frames = torch.cat([layers[0].render(t, size, shutter)[:, :3] for t in range(count)])
    labels = torch.zeros(count, size, size, dtype=torch.uint8, device=frames.device)
    for number, layer in enumerate(layers[1:], start=1):
        over = torch.cat([layer.render(t, size, shutter) for t in range(count)])
        alpha = over[:, 3:]
        if not layer.tiled and rng.random() < 0.5:
            y, x = (int(v) for v in rng.integers(-size // 16, size // 8, 2))
            frames = shaded(frames, alpha, (y, x), float(rng.uniform(1, 5)), float(rng.uniform(0.2, 0.6)))
        frames = frames * (1 - alpha) + over[:, :3]
        labels[alpha[:, 0] > 0.5] = number
    return frames, labels
