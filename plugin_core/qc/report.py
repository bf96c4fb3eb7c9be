"""What `cleanplate qc` found: frame by frame and check by check, as text and as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from .patch import PatchState

Verdict = Literal["ok", "look", "FAULT", "-"]


@dataclass(frozen=True)
class Limits:
    """What passes. Ratios are the fill's over its surroundings', see `qc.surroundings`.

    `detail`, `outline`, `intruder` and `swim` judge each frame: those beyond are named, and a shot is at
    fault where more than a twentieth of its frames are (`intruder`: where one is). The others judge the mean.

    Attributes:
        seam: largest step across the hole's edge.
        flicker: largest change beyond motion.
        detail: least fine detail of the fill's softest part, over that of the softest around.
        outline: strongest line that follows the matte's edge, over those beside it.
        intruder: most that a frame may differ from both its neighbors, 0..1.
        swim: most of the texture that may not follow the motion.
        sharpness, noise: least sharpness and grain; None tells of what is far below, and faults nothing.
        psnr_db: least PSNR inside the hole against a true clean plate; None for none.
    """

    seam: float = 2.5
    flicker: float = 2.5
    detail: float = 0.7
    outline: float = 2.0
    intruder: float = 0.3
    swim: float = 0.15
    sharpness: float | None = None
    noise: float | None = None
    psnr_db: float | None = None


@dataclass(frozen=True)
class FrameFound:
    """What one frame showed; NaN where there was nothing to measure.

    Attributes:
        frame: its number.
        state: "ok", "missing" or "unreadable" (with another size counted as such).
        problem: why it can't be read.
        touched: pixels outside the hole that are not the plate's.
        not_finite: pixels of the fill that are NaN or infinite.
        unfilled: the hole still holds the plate, every pixel of it.
        hole: pixels of the hole.
        patch: whether the fill alone is there and gives the result; empty where nobody asked for it.
        origins: of these, by where they came from; empty where no render's journal says it.
        seam, outline, detail, sharpness, noise: ratios, see the modules of these names.
        intruder: how far the frame stands alone between its neighbors, 0..1.
        fill_change, plate_change: warping errors to the next frame, in the hole and around it.
        fill_swim, plate_swim: shares of texture that do not follow the motion to the next frame.
        hole_psnr_db, hole_ssim, psnr_db, ssim: against the true clean plate, in the hole and on the frame.
    """

    frame: int
    state: Literal["ok", "missing", "unreadable"] = "ok"
    problem: str = ""
    touched: int = 0
    not_finite: int = 0
    unfilled: bool = False
    hole: int = 0
    patch: PatchState = ""
    origins: Mapping[str, int] = field(default_factory=dict)
    seam: float = math.nan
    outline: float = math.nan
    detail: float = math.nan
    sharpness: float = math.nan
    noise: float = math.nan
    intruder: float = math.nan
    fill_change: float = math.nan
    plate_change: float = math.nan
    fill_swim: float = math.nan
    plate_swim: float = math.nan
    hole_psnr_db: float = math.nan
    hole_ssim: float = math.nan
    psnr_db: float = math.nan
    ssim: float = math.nan

    def measured(self, scores: Mapping[str, Any]) -> FrameFound:
        """Return it with measures, by the name of their field."""
        return replace(self, **scores)

    @property
    def flicker(self) -> float:
        """Change beyond motion, the fill's over its surroundings'."""
        return change_ratio(self.fill_change, self.plate_change)

    @property
    def swim(self) -> float:
        """Texture that does not follow the motion: how much more of the fill's than of its surroundings'."""
        return self.fill_swim - self.plate_swim


def change_ratio(fill: float, around: float) -> float:
    """Return how many times more a fill changes than its surroundings: of squared errors, a plain ratio."""
    floor = 1 / 255
    return (math.sqrt(fill) + floor) / (math.sqrt(around) + floor)


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: what.
        verdict: "ok"; "look": worth a look; "FAULT"; "-": could not be checked.
        found: in words.
        value: the number behind it, NaN for none.
        frames: those to look at, the worst first.
        limit: what the number was held against, NaN for none.
    """

    name: str
    verdict: Verdict
    found: str
    value: float = math.nan
    frames: tuple[int, ...] = ()
    limit: float = math.nan


@dataclass(frozen=True)
class Measure:
    """A number of each frame, for plots.

    Attributes:
        name, title: of it.
        about: what it is.
        values: of the frames in order, NaN where there is none.
        limit: what it was held against, NaN for none.
        least: whether that is the least that passes.
    """

    name: str
    title: str
    about: str
    values: tuple[float, ...]
    limit: float = math.nan
    least: bool = False


@dataclass(frozen=True)
class Report:
    """All that was found of a result.

    Attributes:
        result: the sequence or movie.
        frames, checks: what was found.
        notes: what else to know.
        origins: where the holes' pixels came from, in words; empty where nobody noted it.
        measures: what was measured of a result that is no render.
    """

    result: str
    frames: tuple[FrameFound, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    origins: str = ""
    measures: tuple[Measure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check found a fault."""
        return not self._with("FAULT")

    @property
    def headline(self) -> str:
        """The end of it in one line: faults, and what asks for a look."""
        faults, looks = self._with("FAULT"), self._with("look")
        told = [f"faults: {', '.join(faults)}"] if faults else []
        told += [f"look at: {', '.join(looks)}"] if looks else []
        return "; ".join(told) or "no faults"

    def lines(self) -> list[str]:
        """The report as text, a line for each check."""
        width = max(len(check.name) for check in self.checks)
        rows = [f"{check.verdict:5}  {check.name:{width}}  {check.found}" for check in self.checks]
        holes = [f"holes: {self.origins}"] if self.origins else []
        return [self.result, *rows, *holes, *(f"note: {note}" for note in self.notes), self.headline]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, NaN as null."""
        return {
            "passed": self.passed,
            "headline": self.headline,
            "result": self.result,
            "checks": [_plain(asdict(check)) for check in self.checks],
            "origins": self.origins,
            "notes": list(self.notes),
            "frames": [
                _plain(asdict(found) | {"flicker": found.flicker, "swim": found.swim} | more)
                for found, more in zip(self.frames, self._measured(), strict=True)
            ],
        }

    def _measured(self) -> list[dict[str, float]]:
        names = [one.name for one in self.measures]
        rows = zip(*(one.values for one in self.measures), strict=True) if names else [()] * len(self.frames)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _with(self, verdict: Verdict) -> list[str]:
        return [check.name for check in self.checks if check.verdict == verdict]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
