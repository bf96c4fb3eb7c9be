"""Synthetic shots with everything known: plate, matte, clean background, exact flow and visibility.

A shot is a background picture under a moving camera (pan, zoom, roll, a little perspective) with up to two
soft-edged objects moving over it. All layers move by homographies, so the flow between any two frames is
exact everywhere, in the hole too. Exposure drifts, and grain is added to what the network sees, never to what
it is held against.

Conventions are those of `models.vinet`: channels B, G, R, range -1..1, masks 1 in the hole, flow x first.
A shot depends on nothing but (seed, index), so a training run is resumed by its number of shots alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .synthetic_holes import hole_masks
from .synthetic_pictures import Picture, Pictures

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]
_SAMPLE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True)
class ShotSettings:
    """What a shot may look like.

    Attributes:
        size: side of the square frame in pixels.
        frames: number of frames.
        motion: scale of all motion; 0 gives a locked-off camera and objects that stand still.
        largest_hole: largest side of the hole as a fraction of the frame's.
        objects: largest number of moving objects.
    """

    size: int = 128
    frames: int = 7
    motion: float = 1.0
    largest_hole: float = 0.55
    objects: int = 2


@dataclass(frozen=True)
class Shot:
    """A synthetic shot.

    Attributes:
        clean: what lies behind the hole and around it, without grain, (N, 3, H, W), -1..1.
        seen: the same with grain, as a camera gives it, (N, 3, H, W).
        masks: (N, 1, H, W), 1 in the hole.
        layers: which layer each pixel of `clean` shows, (N, H, W); 0 is the background.
        to_picture: each layer's and frame's homography from frame to layer pixels, (L, N, 3, 3).
    """

    clean: Floats
    seen: Floats
    masks: Floats
    layers: NDArray[np.uint8]
    to_picture: Matrix

    @property
    def plate(self) -> Floats:
        """The shot with a flat mid-grey object in the hole, (N, 3, H, W)."""
        return self.seen * (1 - self.masks)

    def flow(self, target: int, source: int, stride: int = 1) -> tuple[Floats, Floats]:
        """Exact flow from one frame's clean background to another's, and whether the source shows it.

        Args:
            target, source: frame numbers.
            stride: the flow is sampled at the centres of cells of this many pixels; its values are in cells.

        Returns:
            flow (2, H / stride, W / stride); visibility (1, H / stride, W / stride), 1 where the point is
            inside the source frame, outside the source's hole and not behind another layer.
        """
        size = self.clean.shape[-1]
        centres = np.arange(0, size, stride) + (stride - 1) / 2
        xs, ys = np.meshgrid(centres, centres)
        points = np.stack((xs, ys, np.ones_like(xs)), axis=-1)
        nearest = np.ix_(*(2 * [np.minimum(centres.astype(int), size - 1)]))
        shown = self.layers[target][nearest]
        there = np.zeros((*xs.shape, 2))
        for layer, homographies in enumerate(self.to_picture):
            moved = points @ (np.linalg.inv(homographies[source]) @ homographies[target]).T
            where = shown == layer
            there[where] = (moved[..., :2] / moved[..., 2:])[where]
        flow = (there - points[..., :2]) / stride
        visible = self._visible(shown, there, source)
        return flow.transpose(2, 0, 1).astype(np.float32), visible[None].astype(np.float32)

    def _visible(self, shown: NDArray[np.uint8], there: Matrix, source: int) -> NDArray[np.bool_]:
        size = self.clean.shape[-1]
        at = there.round().astype(int)
        inside = ((at >= 0) & (at < size)).all(axis=-1)
        x, y = at.clip(0, size - 1)[..., 0], at.clip(0, size - 1)[..., 1]
        return np.asarray(inside & (self.masks[source, 0, y, x] == 0) & (self.layers[source][y, x] == shown))


def make_shot(pictures: Pictures, settings: ShotSettings, seed: int, index: int) -> Shot:
    """Shot number `index` of the endless series `seed`."""
    rng = np.random.default_rng([seed, index])
    size, count = settings.size, settings.frames
    still = rng.random() < 0.2
    motion = 0.0 if still else settings.motion * rng.uniform(0.2, 1) * size / 128
    texture, matrices = _background(rng, pictures, size, count, motion)
    frames = [_sample(texture, matrix, size) for matrix in matrices]
    drift = np.linalg.inv(matrices) @ matrices[0] @ np.array([size / 2, size / 2, 1])
    layers = np.zeros((count, size, size), np.uint8)
    to_picture = [matrices]
    for number in range(1, 1 + int(rng.integers(0, settings.objects + 1))):
        canvas, placed = _object(rng, pictures, size, count, motion)
        to_picture.append(placed)
        for t in range(count):
            over = cv2.warpPerspective(
                canvas, placed[t], (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            )
            alpha = over[..., 3:].astype(np.float32) / 255
            frames[t] = (frames[t] * (1 - alpha) + over[..., :3] * alpha).astype(np.uint8)
            layers[t][alpha[..., 0] > 0.5] = number
    masks = hole_masks(rng, size, count, drift[:, :2] / drift[:, 2:], settings.largest_hole)
    clean = _grade(rng, np.stack(frames))
    return Shot(
        clean, _add_grain(rng, clean), masks[:, None].astype(np.float32), layers, np.stack(to_picture)
    )


def _background(
    rng: np.random.Generator, pictures: Pictures, size: int, count: int, motion: float
) -> tuple[Picture, Matrix]:
    """A picture level, flipped at random, and each frame's homography into it."""
    pyramid = pictures.choose(rng)
    height, width = pyramid[0].shape[:2]
    largest = min(height, width) / (1.2 * size)
    scale = float(np.exp(rng.uniform(np.log(0.4), np.log(max(0.5, min(4.0, largest))))))
    level = int(np.clip(np.floor(np.log2(max(scale, 1) * 1.2)), 0, len(pyramid) - 1))
    picture = pyramid[level][:, :: int(rng.choice((1, -1)))]
    scale /= 2**level
    height, width = picture.shape[:2]
    half = 0.5 * scale * size
    centre = [rng.uniform(min(half, side / 2), max(side - half, side / 2)) for side in (width, height)]
    path = np.array(centre) + scale * _walk(rng, count, 3.0 * motion)
    zoom = scale * np.exp(_walk(rng, count, 0.004 * motion)[:, 0])
    roll = rng.normal(0, 0.1) + _walk(rng, count, 0.004 * motion)[:, 0]
    tilt = rng.normal(0, 0.04 / size, 2) + _walk(rng, count, 0.002 * motion / size)
    return np.ascontiguousarray(picture), _homographies(path, zoom, roll, tilt, size)


def _walk(rng: np.random.Generator, count: int, speed: float) -> Matrix:
    """A smooth path, (count, 2), zero at frame 0: a steady speed with some sway and shake."""
    t = np.arange(count)[:, None]
    steady = rng.normal(0, speed, 2) * t
    sway = rng.normal(0, 2 * speed, 2) * np.sin(rng.uniform(0.05, 0.5) * t + rng.uniform(0, 6.3))
    shake = rng.normal(0, 0.08 * speed, (count, 2))
    path: Matrix = steady + sway + shake
    return np.asarray(path - path[:1])


def _homographies(path: Matrix, zoom: Matrix, roll: Matrix, tilt: Matrix, size: int) -> Matrix:
    """Frame pixels to picture pixels: centre, tilt, turn and scale, then move to the path."""
    middle = (size - 1) / 2
    matrices = np.zeros((len(path), 3, 3))
    for t, matrix in enumerate(matrices):
        cos, sin = zoom[t] * np.cos(roll[t]), zoom[t] * np.sin(roll[t])
        place = np.array([[cos, -sin, path[t, 0]], [sin, cos, path[t, 1]], [0, 0, 1]])
        bend = np.array([[1, 0, 0], [0, 1, 0], [tilt[t, 0], tilt[t, 1], 1]])
        matrix[:] = place @ bend @ np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, 1]])
    return matrices


def _sample(picture: Picture, matrix: Matrix, size: int) -> Picture:
    frame = cv2.warpPerspective(
        picture, matrix, (size, size), flags=_SAMPLE, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(frame, np.uint8)


def _object(
    rng: np.random.Generator, pictures: Pictures, size: int, count: int, motion: float
) -> tuple[Picture, Matrix]:
    """A soft-edged cut-out, (s, s, 4) with alpha, and each frame's homography into it."""
    side = int(size * rng.uniform(0.2, 0.6))
    pyramid = pictures.choose(rng)
    level = pyramid[int(rng.integers(len(pyramid)))]
    y, x = (int(rng.integers(0, max(1, full - side))) for full in level.shape[:2])
    texture = cv2.resize(level[y : y + side, x : x + side], (side, side))
    alpha = 255 * hole_masks(rng, side, 1, np.zeros((1, 2)), 0.95)[0]
    alpha = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.5, 2.5))
    path = np.full(2, side / 2) + rng.uniform(-0.45, 0.45, 2) * size + _walk(rng, count, 4.0 * motion)
    roll = rng.uniform(-0.4, 0.4) + _walk(rng, count, 0.01 * motion)[:, 0]
    matrices = _homographies(path, np.ones(count), roll, np.zeros((count, 2)), size)
    return np.dstack((texture, alpha)), matrices


def _grade(rng: np.random.Generator, frames: Picture) -> Floats:
    """8-bit (N, H, W, 3) to -1..1 (N, 3, H, W): one grade for the shot and a slow exposure drift over it."""
    power = float(np.exp(rng.normal(0, 0.25)))
    gain = np.exp(rng.normal(0, 0.1)) * np.exp(rng.normal(0, 0.06, 3))
    t = np.arange(len(frames))
    drift = np.exp(rng.normal(0, 0.004) * t + 0.01 * rng.random() * np.sin(0.5 * t))
    graded = np.empty((len(frames), 3, *frames.shape[1:3]), np.float32)
    levels = np.linspace(0, 1, 256) ** power
    for n, c in np.ndindex(graded.shape[:2]):
        table = (2 * (gain[c] * drift[n] * levels).clip(0, 1) - 1).astype(np.float32)
        graded[n, c] = table[frames[n, ..., c]]
    return graded


_GRAIN = np.random.default_rng(7).standard_normal(1 << 20, dtype=np.float32)
"""One stretch of noise, read from random places: drawing it anew costs more than rendering the shot."""


def _add_grain(rng: np.random.Generator, clean: Floats) -> Floats:
    if rng.random() < 0.4:
        return clean
    strength = np.float32(rng.uniform(0.005, 0.04))
    seen = clean.copy()
    size = seen[0].size
    noise = _GRAIN if size < len(_GRAIN) else np.resize(_GRAIN, 2 * size)
    for frame in seen:
        begin = int(rng.integers(len(noise) - size))
        frame += strength * noise[begin : begin + size].reshape(frame.shape)
    return seen
