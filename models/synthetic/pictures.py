"""Pictures that synthetic shots are cut from: a folder of photographs, or procedural texture without one.

Every picture is 8-bit B, G, R, display-referred, with a pyramid of halved sizes, so that a layer sampled at a
coarse scale does not alias. Scene-linear EXR stills are exposed and tone-mapped to display once, on loading.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_EIGHT_BIT = (".jpg", ".jpeg", ".png")
_SMALLEST = 200

log = logging.getLogger(__name__)


class Pictures:
    """A set of pictures in memory, each as a pyramid.

    Args:
        folders: every .jpg, .png and .exr below them is used; what can't be read as color is skipped with a
            warning. None gives `procedural` pictures only.
        procedural: how many textures are generated besides the photographs.
        seed: of the procedural textures.
        longest: photographs are reduced to this many pixels on their longer side.
        without: files of these names, without their suffix, are left out.
        only: if given, all others are.

    Raises:
        ValueError: the folder holds no usable picture.
    """

    def __init__(
        self,
        *folders: Path,
        procedural: int = 12,
        seed: int = 0,
        longest: int = 2048,
        without: Collection[str] = (),
        only: Collection[str] = (),
    ) -> None:
        found = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
        found = [path for path in found if path.stem not in without and (not only or path.stem in only)]
        photographs = [pic for pic in (_load(path, longest) for path in found) if pic is not None]
        if folders and not photographs:
            named = ", ".join(map(str, folders))
            raise ValueError(f"No usable picture (.jpg, .png, .exr) in {named}; name another folder.")
        self.photographs = len(photographs)
        textures = [procedural_texture(np.random.default_rng([seed, i])) for i in range(procedural)]
        self._pyramids = [_pyramid(p) for p in photographs + textures]

    def __len__(self) -> int:
        return len(self._pyramids)

    def choose(self, rng: np.random.Generator) -> list[Picture]:
        """A random picture's pyramid, full size first. Photographs are nine times as likely as textures."""
        if self.photographs and (self.photographs == len(self) or rng.random() < 0.9):
            return self._pyramids[int(rng.integers(self.photographs))]
        return self._pyramids[int(rng.integers(self.photographs, len(self)))]


def _load(path: Path, longest: int) -> Picture | None:
    if path.suffix.lower() in _EIGHT_BIT:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    elif path.suffix.lower() == ".exr":
        picture = _load_linear(path)
    else:
        return None
    if picture is None or min(picture.shape[:2]) < _SMALLEST:
        log.warning("skipped %s: not a color picture of at least %d pixels", path.name, _SMALLEST)
        return None
    scale = longest / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)


def _load_linear(path: Path) -> Picture | None:
    """A scene-linear EXR, exposed so that its median lands at mid grey and rolled off to display."""
    import OpenImageIO as oiio

    source = oiio.ImageInput.open(str(path))
    if source is None:
        oiio.geterror()
        return None
    names = list(source.spec().channelnames)
    pixels = source.read_image(oiio.FLOAT)
    source.close()
    if pixels is None or not {"R", "G", "B"} <= set(names):
        return None
    linear = np.nan_to_num(pixels[..., [names.index(c) for c in "BGR"]], posinf=1e4, neginf=0).clip(0, 1e4)
    return tone_map(linear)


def tone_map(linear: NDArray[np.float32]) -> Picture:
    """Scene-linear (H, W, 3) to 8-bit display: median to 0.18, a soft shoulder, the sRGB-like 1/2.2 power."""
    exposed = linear * (0.18 / max(float(np.median(linear)), 1e-4))
    display = (exposed * (1 + exposed / 16) / (1 + exposed)) ** (1 / 2.2)
    return (255 * display.clip(0, 1)).round().astype(np.uint8)


def _pyramid(picture: Picture) -> list[Picture]:
    levels = [picture]
    while min(levels[-1].shape[:2]) >= 2 * _SMALLEST:
        height, width = levels[-1].shape[:2]
        smaller = cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(smaller, np.uint8))
    return levels


def procedural_texture(rng: np.random.Generator, size: int = 768) -> Picture:
    """A gradient, noise of several sizes, hard-edged shapes, stripes, a repeating pattern, text."""
    ys, xs = np.mgrid[0:size, 0:size].astype(np.float32) / size
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (np.cos(angle) * xs + np.sin(angle) * ys)[..., None]
    picture = (rng.uniform(0.1, 0.9, 3) + ramp * rng.uniform(-0.5, 0.5, 3)).astype(np.float32)
    for cells in (3, 8, 24, 96, 384):
        if rng.random() < 0.7:
            noise = rng.standard_normal((cells, cells, 3)).astype(np.float32)
            noise = np.mean(noise, axis=2, keepdims=True) + 0.3 * noise
            strength = rng.uniform(0.01, 0.12)
            picture += strength * cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(0, 14))):
        _draw_shape(picture, rng)
    if rng.random() < 0.4:
        _draw_stripes(picture, rng, xs, ys)
    if rng.random() < 0.35:
        _draw_pattern(picture, rng)
    for _ in range(int(rng.integers(0, 8))):
        _draw_text(picture, rng)
    return np.asarray((255 * picture.clip(0, 1)).round(), np.uint8)


def _draw_shape(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    size = picture.shape[0]
    color = tuple(float(c) for c in rng.uniform(0, 1, 3))
    a, b = (tuple(int(v) for v in rng.integers(0, size, 2)) for _ in range(2))
    kind = rng.integers(3)
    if kind == 0:
        cv2.rectangle(picture, a, b, color, -1)
    elif kind == 1:
        cv2.circle(picture, a, int(rng.integers(size // 40, size // 5)), color, -1, cv2.LINE_AA)
    else:
        cv2.line(picture, a, b, color, int(rng.integers(2, size // 16)), cv2.LINE_AA)


def _draw_stripes(
    picture: NDArray[np.float32],
    rng: np.random.Generator,
    xs: NDArray[np.float32],
    ys: NDArray[np.float32],
) -> None:
    angle, count = rng.uniform(0, np.pi), rng.uniform(4, 40)
    wave = np.sin(2 * np.pi * count * (np.cos(angle) * xs + np.sin(angle) * ys))
    picture += rng.uniform(0.05, 0.25) * np.sign(wave)[..., None].astype(np.float32)


def _draw_pattern(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Bricks, windows or checks: one small cell repeated over a part of the picture."""
    size = picture.shape[0]
    across, down = (int(side) for side in rng.integers(size // 48, size // 10, 2))
    cell = np.broadcast_to(rng.uniform(-0.3, 0.3, 3).astype(np.float32), (2 * down, 2 * across, 3)).copy()
    joint = max(1, min(across, down) // int(rng.integers(5, 12)))
    kind = rng.integers(3)
    if kind == 0:  # bricks: every other row moved by half a brick
        cell[:joint] = cell[down : down + joint] = 0
        cell[:down, :joint] = cell[down:, across : across + joint] = 0
    elif kind == 1:  # windows
        cell[: down // 2], cell[:, : across // 2] = 0, 0
    else:  # checks
        cell[:down, across:] *= -1
        cell[down:, :across] *= -1
    y, x = (int(begin) for begin in rng.integers(0, size // 2, 2))
    part = picture[y : y + size // 2, x : x + size // 2]
    repeats = (-(-part.shape[0] // (2 * down)), -(-part.shape[1] // (2 * across)), 1)
    part += np.tile(cell, repeats)[: part.shape[0], : part.shape[1]]


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!"


def _draw_text(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A word of random letters, as lettering behind an object looks."""
    size = picture.shape[0]
    word = "".join(rng.choice(list(_LETTERS), int(rng.integers(3, 12))))
    scale = float(rng.uniform(0.6, 4)) * size / 768
    ink = np.zeros((size, size), np.uint8)
    cv2.putText(
        ink,
        word,
        tuple(int(v) for v in rng.integers(0, 3 * size // 4, 2)),
        int(rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX))),
        scale,
        255,
        max(1, int(scale * rng.uniform(1, 4))),
        cv2.LINE_AA,
    )
    share = ink[..., None].astype(np.float32) / 255
    picture[:] = picture * (1 - share) + share * rng.uniform(0, 1, 3).astype(np.float32)
