"""Make the frames of the lake shot: `write_lake(folder)`."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.disk.atomic import replacing
from plugin_core.sample import frame_path, lake
from plugin_core.sample.lake import HEIGHT, WIDTH

Plane = NDArray[np.float32]

_LOWEST = 260  # no row from here on has anything of the microphone
_SHUTTER, _INSTANTS = 0.5, 7  # a 180 degree shutter, and how many instants it averages
_GRAIN_CODES = 1.6  # of 255, one standard deviation
_MATTE_SLACK = 0.004  # covers less than this is no microphone


def write_lake(folder: Path) -> tuple[str, str, str]:
    """Write plate/, matte/ and clean/ into `folder`: frames 1001 to 1024, 640x360, 8-bit PNG.

    Plate and clean plate are RGB as a screen shows them (sRGB); the matte is one channel, 255 where the
    microphone is, motion blur and all. Where it is 0 the two plates are the same, grain too.

    Returns:
        The three patterns, with #### for the frame number.
    """
    photograph = _linear(_decoded(Path(__file__).with_name("lake.jpg").read_bytes()))
    plate, matte, clean = (folder / kind / f"{kind}.####.png" for kind in ("plate", "matte", "clean"))
    patterns = str(plate), str(matte), str(clean)
    for files in (plate, matte, clean):
        files.parent.mkdir(parents=True, exist_ok=True)
    for frame in range(lake.FIRST, lake.LAST + 1):
        for pattern, picture in zip(patterns, _frame(photograph, frame - lake.FIRST), strict=True):
            _write(frame_path(pattern, frame), picture)
    return patterns


def _frame(photograph: Plane, time: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Plate (H, W, 3), matte (H, W) and clean plate, blue first, at `time` frames from the first."""
    clean = _seen(photograph, time)
    cover, light = np.zeros((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH, 3), np.float32)
    top = np.s_[:_LOWEST]
    for instant in range(_INSTANTS):
        at = time + _SHUTTER * (instant + 0.5) / _INSTANTS - _SHUTTER / 2
        alpha, color = _microphone(at)
        cover[top] += alpha / _INSTANTS
        light[top] += color * (alpha / _INSTANTS)[..., np.newaxis]
    held = cover > _MATTE_SLACK
    cover[~held], light[~held] = 0, 0
    plate = clean * (1 - cover)[..., np.newaxis] + light
    grain = np.random.default_rng(round(1000 + time)).normal(0, _GRAIN_CODES, clean.shape).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.6) * np.float32(1.8)
    return _stored(plate, grain), np.where(held, np.uint8(255), np.uint8(0)), _stored(clean, grain)


def _seen(photograph: Plane, time: float) -> Plane:
    """What a handheld camera sees of the photograph: a slow pan to the right that breathes."""
    left = 40 + 8.5 * time + 1.7 * math.sin(time / 2.9)
    top = 100 + 0.9 * time + 2.2 * math.sin(time / 3.7 + 1)
    turned, zoom = 0.006 * math.sin(time / 5), 1.25
    cosine, sine = math.cos(turned) / zoom * 1.45, math.sin(turned) / zoom * 1.45
    back = np.array([[cosine, -sine, left], [sine, cosine, top]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(photograph, back, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.maximum(seen, 0)


def _microphone(time: float) -> tuple[Plane, Plane]:
    """Cover and linear color, blue first, of a furry microphone on its boom: rows above `_LOWEST`."""
    swing = 0.5 - 0.5 * math.cos(2 * math.pi * time / 34)
    x, y = 150 + 330 * swing, 168 + 26 * math.sin(time / 4.1)
    rows, columns = np.mgrid[:_LOWEST, :WIDTH].astype(np.float32)
    tilt = 0.25 + 0.1 * math.sin(time / 6)
    along = (columns - x) * math.cos(tilt) + (rows - y) * math.sin(tilt)
    across = -(columns - x) * math.sin(tilt) + (rows - y) * math.cos(tilt)
    fur, shade = _fur(along, across)
    # The pole goes up to the right, out of the picture, and gets thicker towards the operator.
    reach = np.array(
        [math.cos(-0.98 + 0.06 * math.sin(time / 6)), math.sin(-0.98 + 0.06 * math.sin(time / 6))]
    )
    down = (columns - x) * reach[0] + (rows - y) * reach[1]
    beside = -(columns - x) * reach[1] + (rows - y) * reach[0]
    thick = 3.2 + 0.006 * np.maximum(down, 0)
    pole = np.clip((thick - np.abs(beside)) + 0.5, 0, 1) * (down > 0)
    round_light = np.sqrt(np.clip(1 - (beside / thick) ** 2, 0, 1))
    glint = 0.5 * np.exp(-(((beside + 0.45 * thick) / (0.22 * thick)) ** 2))
    metal = (0.02 + 0.05 * round_light + glint * 0.5)[..., np.newaxis] * np.array(
        [1.1, 1.0, 0.95], np.float32
    )
    wool = shade[..., np.newaxis] * np.array([0.105, 0.11, 0.12], np.float32)
    cover = np.maximum(fur, pole)
    color = np.where(fur[..., np.newaxis] > 0.02, wool, metal)
    return cover, color


def _fur(along: Plane, across: Plane) -> tuple[Plane, Plane]:
    """Cover and shade of the windshield: a capsule whose rim is made of hairs."""
    half_length, radius = 34.0, 21.0
    outside = np.hypot(np.maximum(np.abs(along) - half_length, 0), across)
    angle = np.arctan2(across, along)
    table = np.random.default_rng(7).random(720).astype(np.float32)
    hairs = np.interp((angle + along * 0.02) * 720 / (2 * math.pi), np.arange(720), table, period=720)
    rim = radius + 5 * hairs.astype(np.float32) - 2.5
    cover = np.clip((rim - outside) / 2.2, 0, 1).astype(np.float32)
    strands = np.random.default_rng(8).random((64, 256)).astype(np.float32)
    mapped = np.float32(1.7) * along + 128, np.float32(0.5) * across + 32
    texture = cv2.remap(strands, *mapped, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    rounded = np.sqrt(np.clip(1 - (across / (radius + 4)) ** 2, 0, 1))
    lit = 0.35 + 0.9 * rounded * np.clip(0.75 - across / radius * 0.5, 0.1, 1.2)
    return cover, (lit * (0.55 + 0.9 * texture)).astype(np.float32)


def _decoded(file: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _linear(codes: NDArray[np.uint8]) -> Plane:
    """sRGB codes as linear light."""
    return srgb_to_linear(codes.astype(np.float32) / np.float32(255))


def srgb_to_linear(shown: Plane) -> Plane:
    """sRGB values, 0..1, as linear light (IEC 61966-2-1)."""
    return np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _stored(linear: Plane, grain_codes: Plane) -> NDArray[np.uint8]:
    """Linear light as sRGB codes, with grain."""
    light = np.clip(linear, 0, 1)
    codes = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.clip(np.rint(codes + grain_codes), 0, 255).astype(np.uint8)


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    done, encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
