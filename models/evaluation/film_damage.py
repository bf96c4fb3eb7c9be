"""Damage as film has it, laid over clean pictures, so that what is damaged is known exactly.

Pieces stand on single frames: a sprite's alpha, turned, of 6 to 30 % of the picture's height, nearly white or
nearly black. Running scratches are vertical lines a pixel or two wide that stay for the whole run and wander
by a fraction of a pixel from frame to frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.errors import InputError

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Fit = Literal["sprite", "piece"]

VISIBLE = 25
"""Pixels that damage changed by more than this of 255 count as damaged."""

_WHITE, _BLACK = (215, 250), (5, 35)
_SIZES = (0.06, 0.30)


@dataclass(frozen=True)
class Damaged:
    """A run of pictures and its damage.

    Attributes:
        truth: (H, W, 3) 8-bit, as they were.
        pictures: the same with damage.
        dirt, scratches: (H, W), what each kind changed by more than `VISIBLE`.
        touched: (H, W), what was changed at all.
    """

    truth: Sequence[Picture] = field(repr=False)
    pictures: list[Picture] = field(repr=False)
    dirt: list[Mask] = field(repr=False)
    scratches: list[Mask] = field(repr=False)
    touched: list[Mask] = field(repr=False)


def read_sprites(folder: Path) -> list[Picture]:
    """Read a folder's sprites (8-bit gray, white is damage), by name. Raises InputError where none is."""
    read = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(folder.glob("*.png"))]
    if not read or any(one is None for one in read):
        raise InputError(f"{folder} holds no sprites: expected 8-bit gray PNG pictures, white is damage.")
    return [np.asarray(one, np.uint8) for one in read]


def damaged(
    truth: Sequence[Picture],
    sprites: Sequence[Picture],
    *,
    seed: int,
    pieces: float = 5,
    scratches: int = 2,
    fit: Fit = "piece",
) -> Damaged:
    """Lay damage over pictures.

    Args:
        truth: (H, W, 3) 8-bit each, of one size.
        sprites: to choose from.
        seed: the same gives the same damage.
        pieces: a frame, on average.
        scratches: that run through all of them.
        fit: what is 6 to 30 % of the height: the whole `sprite` with its empty margin, or the `piece` in it.
    """
    random = np.random.default_rng(seed)
    width = truth[0].shape[1]
    lines = [_Line.drawn(random, width) for _ in range(scratches)]
    result = Damaged(truth, [], [], [], [])
    for clean in truth:
        picture = clean.astype(np.float32)
        for _ in range(random.poisson(pieces)):
            _lay_piece(picture, sprites[int(random.integers(len(sprites)))], random, fit)
        dirt = _change(picture, clean)
        before = picture.copy()
        for line in lines:
            line.lay(picture, random)
        scratched = np.abs(picture - before).max(axis=2) > VISIBLE
        seen = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        result.pictures.append(seen)
        result.dirt.append((dirt > VISIBLE) & ~scratched)
        result.scratches.append(scratched & (_change(seen, clean) > VISIBLE))
        result.touched.append((seen != clean).any(axis=2))
    return result


def _change(picture: NDArray[np.generic], clean: Picture) -> NDArray[np.float32]:
    return np.asarray(np.abs(picture.astype(np.float32) - clean.astype(np.float32)).max(axis=2), np.float32)


def _lay_piece(picture: NDArray[np.float32], sprite: Picture, random: np.random.Generator, fit: Fit) -> None:
    """Lay one piece into a picture (H, W, 3) of 0..255, in place."""
    height, width = picture.shape[:2]
    size = random.uniform(*_SIZES) * height
    tone = np.float32(random.uniform(*(_WHITE if random.random() < 0.5 else _BLACK)))
    angle, x, y = random.uniform(0, 360), random.uniform(0, width), random.uniform(0, height)
    rows, columns = np.nonzero(sprite > 12)
    if not rows.size:
        return
    if fit == "piece":
        sprite = sprite[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    long = max(sprite.shape)
    scale = size / long
    if scale < 1:
        shrunk = max(1, round(sprite.shape[1] * scale)), max(1, round(sprite.shape[0] * scale))
        sprite = np.asarray(cv2.resize(sprite, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
        scale = 1.0
    turn = cv2.getRotationMatrix2D(((sprite.shape[1] - 1) / 2, (sprite.shape[0] - 1) / 2), angle, scale)
    turn[:, 2] += x - (sprite.shape[1] - 1) / 2, y - (sprite.shape[0] - 1) / 2
    alpha = cv2.warpAffine(sprite, turn, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    picture += alpha[..., None] * (tone - picture)


@dataclass
class _Line:
    """One running scratch: where it is now, and how it looks."""

    x: float
    wide: float
    tone: float
    strength: float
    slant: float

    @classmethod
    def drawn(cls, random: np.random.Generator, width: int) -> _Line:
        white = random.random() < 0.5
        return cls(
            x=random.uniform(0.05, 0.95) * width,
            wide=random.uniform(1, 2),
            tone=random.uniform(*(_WHITE if white else _BLACK)),
            strength=random.uniform(0.5, 0.9),
            slant=random.uniform(-2, 2),
        )

    def lay(self, picture: NDArray[np.float32], random: np.random.Generator) -> None:
        """Lay it into a picture, in place, and let it wander on."""
        height, width = picture.shape[:2]
        self.x += random.normal(0, 0.3)
        middles = self.x + self.slant * (np.arange(height, dtype=np.float32) / height - 0.5)
        away = np.abs(np.arange(width, dtype=np.float32)[None] - middles[:, None])
        alpha = self.strength * np.clip(self.wide / 2 + 0.5 - away, 0, 1).astype(np.float32)
        picture += alpha[..., None] * (np.float32(self.tone) - picture)
