"""The cases that a model is scored on: which frames of which clip, under which hole.

A case holds no pixels. Its hole is drawn from a few numbers, all relative to the picture, so that the same
case serves every resolution. `standard_cases` makes the cases of any clip from its name and length alone;
`evaluation_cases.json` holds those of the clips that the project measures itself on, so that a change of the
rule can't change them unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Motion = Literal["moving", "stationary", "truth"]
Mask = NDArray[np.bool_]

LIST_PATH = Path(__file__).with_name("evaluation_cases.json")
MIN_FRAMES, MAX_FRAMES = 12, 60
"""A shorter clip gives no case; of a longer one this many frames are used."""

SHAPES = ("figure", "blob", "ellipse", "box", "wire")


@dataclass(frozen=True)
class Hole:
    """A synthetic hole. Lengths are fractions: of the picture's height, but x and speed of its width.

    Attributes:
        shape: one of `SHAPES`.
        height, width: of the hole, both in picture heights.
        x, y: its middle on the first frame.
        speed: picture widths a frame; it turns round at the picture's edges. 0: it stands.
        bob: picture heights it goes up and down as it moves.
        seed: decides the outline of a blob and the lean of a wire.
    """

    shape: str
    height: float
    width: float
    x: float
    y: float
    speed: float = 0.0
    bob: float = 0.0
    seed: int = 0

    def mask(self, frame: int, width: int, height: int) -> Mask:
        """Return the hole (height, width) on the case's frame number `frame`, counted from 0."""
        middle = np.array([self._x(frame) * width, self._y(frame) * height])
        drawn = np.zeros((height, width), np.uint8)
        for outline in self._outlines(frame):
            points = np.round((middle + outline * height) * 16).astype(np.int32)
            cv2.fillPoly(drawn, [points], 1, lineType=cv2.LINE_8, shift=4)
        return drawn.astype(np.bool_)

    def _x(self, frame: int) -> float:
        """Back and forth between a tenth of the picture from either edge."""
        low, high = 0.1, 0.9
        phase = (self.x - low + self.speed * frame) % (2 * (high - low)) if self.speed else self.x - low
        return low + (phase if phase <= high - low else 2 * (high - low) - phase)

    def _y(self, frame: int) -> float:
        return self.y + self.bob * float(np.sin(0.45 * frame))

    def _outlines(self, frame: int) -> list[NDArray[np.float64]]:
        """Closed outlines about the hole's middle, (N, 2), in picture heights."""
        half = np.array([self.width, self.height]) / 2
        if self.shape == "figure":
            return [piece * half for piece in _figure(0.5 * frame if self.speed else 0.4)]
        if self.shape == "wire":
            return [_wire(self.height, self.width, self.seed)]
        if self.shape == "box":
            return [np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * half]
        return [_round(self.seed if self.shape == "blob" else None) * half]


def _round(seed: int | None) -> NDArray[np.float64]:
    """A circle of radius 1, or a blob that fits into it."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    if seed is not None:
        rng = np.random.default_rng(seed)
        waves = (rng.normal(0, 0.22 / k, 2) @ [np.cos(k * angle), np.sin(k * angle)] for k in range(2, 7))
        radius += np.sum(list(waves), axis=0)
        radius /= np.abs(radius).max()
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]


def _figure(phase: float) -> list[NDArray[np.float64]]:
    """A walker within -1..1: head, body, and two legs that swing with the phase."""
    swing = 0.55 * np.sin(phase)
    head = _round(None) * [0.3, 0.16] + [0, -0.84]
    body = np.array([[-0.55, -0.62], [0.55, -0.62], [0.6, -0.1], [0.42, 0.25], [-0.42, 0.25], [-0.6, -0.1]])
    legs = [
        np.array([[-0.35, 0.15], [0.35, 0.15], [side + 0.24, 1.0], [side - 0.24, 1.0]])
        for side in (swing, -swing)
    ]
    return [head, body, *legs]


def _wire(length: float, thickness: float, seed: int) -> NDArray[np.float64]:
    """A thin quadrilateral: `length` long, `thickness` thick, leaning by the seed."""
    lean = np.random.default_rng(seed).uniform(0, np.pi)
    along, across = np.array([np.cos(lean), np.sin(lean)]), np.array([-np.sin(lean), np.cos(lean)])
    ends = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return np.array([(a * length * along + b * thickness * across) / 2 for a, b in ends])


@dataclass(frozen=True)
class Case:
    """One thing to fill and to score.

    Attributes:
        clip: folder name of the clip.
        name: unique within the clip.
        motion: "moving" or "stationary" for a synthetic hole over the plate; "truth" for the clip's own matte
            against its true clean plate.
        first, count: frames of the clip, by their position in it (0 is the first on disk).
        hole: None for "truth".
    """

    clip: str
    name: str
    motion: Motion
    first: int
    count: int
    hole: Hole | None = None

    @property
    def key(self) -> str:
        """`clip/name`."""
        return f"{self.clip}/{self.name}"

    def shortened(self, frames: int) -> Case:
        """Return the case with at most that many frames; of a real object's case the middle ones."""
        if self.count <= frames:
            return self
        skipped = 0 if self.motion != "truth" else (self.count - frames) // 2
        return replace(self, first=self.first + skipped, count=frames)


def standard_cases(clip: str, frames: int, *, has_truth: bool = False) -> list[Case]:
    """Return the cases of any clip: two moving and two stationary holes, and its true clean plate.

    Args:
        clip: the clip's name; it seeds shapes, sizes and paths.
        frames: how many frames it has; below `MIN_FRAMES` there is no case but "truth".
        has_truth: whether it has a true clean plate, and a matte.
    """
    cases = [Case(clip, "truth", "truth", 0, min(frames, MAX_FRAMES))] if has_truth else []
    if frames < MIN_FRAMES:
        return cases
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(clip.encode()).digest()[:8], "big"))
    count = min(frames, MAX_FRAMES)
    first = int(rng.integers(0, frames - count + 1))
    kinds: tuple[tuple[str, Motion, tuple[str, ...], float, float], ...] = (
        ("moving-large", "moving", ("figure", "blob", "ellipse"), 0.42, 0.6),
        ("moving-small", "moving", ("box", "ellipse", "blob", "wire"), 0.16, 0.28),
        ("stationary-large", "stationary", ("blob", "ellipse", "figure"), 0.36, 0.5),
        ("stationary-small", "stationary", ("box", "wire", "ellipse", "blob"), 0.14, 0.26),
    )
    for name, motion, shapes, low, high in kinds:
        hole = _random_hole(rng, shapes, low, high, moves=motion == "moving")
        cases.append(Case(clip, f"{name}-{hole.shape}", motion, first, count, hole))
    return cases


def _random_hole(
    rng: np.random.Generator, shapes: tuple[str, ...], low: float, high: float, *, moves: bool
) -> Hole:
    """Draw a hole's numbers; rounded, so that the list on disk holds exactly what is drawn."""
    shape = shapes[int(rng.integers(len(shapes)))]
    height = float(rng.uniform(low, high))
    slim = {"figure": (0.36, 0.46), "box": (0.9, 1.8), "blob": (0.8, 1.2), "ellipse": (0.6, 1.2)}
    width = height * float(rng.uniform(*slim.get(shape, (1.0, 1.0))))
    if shape == "wire":
        height, width = 0.75, 0.022
    room = min(0.5, height / 2 + 0.04)
    return Hole(
        shape=shape,
        height=round(height, 4),
        width=round(width, 4),
        x=round(float(rng.uniform(0.12, 0.4) if moves else rng.uniform(0.3, 0.7)), 4),
        y=round(float(rng.uniform(room, 1 - room)), 4),
        speed=round(float(rng.uniform(0.009, 0.018)), 4) if moves else 0.0,
        bob=round(float(rng.uniform(0.005, 0.02)), 4) if moves else 0.0,
        seed=int(rng.integers(1 << 31)),
    )


def read_list(path: Path = LIST_PATH) -> dict[str, list[Case]]:
    """Read a list of cases, by clip."""
    listed: dict[str, list[Case]] = {}
    for fields in json.loads(path.read_text("utf-8"))["cases"]:
        case = _case(fields)
        listed.setdefault(case.clip, []).append(case)
    return listed


def write_list(cases: list[Case], path: Path) -> None:
    """Write a list of cases that `read_list` reads."""
    path.write_text(json.dumps({"version": 1, "cases": [asdict(case) for case in cases]}, indent=1) + "\n")


def _case(fields: dict[str, Any]) -> Case:
    hole = fields["hole"]
    return Case(**{**fields, "hole": None if hole is None else Hole(**hole)})
