"""What `cleanplate qc` found: frame by frame, judged against limits, as text and as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..clips.sequence import compact

Verdict = Literal["ok", "look", "FAULT", "-"]

_SHOWN_FRAMES = 5


@dataclass(frozen=True)
class Limits:
    """What passes. Ratios are the fill's over its surroundings', see `qc_measures`.

    A shot is at fault beyond `seam`, `flicker`, and below `psnr_db`. A fill that is softer or smoother than
    its surroundings is told of, and is at fault only where `sharpness` or `noise` were given.

    Attributes:
        seam: largest step across the hole's edge, mean of the shot.
        flicker: largest change beyond motion, over the shot.
        sharpness, noise: least fine detail and grain, mean of the shot; None tells below half and 0.6.
        psnr_db: least PSNR inside the hole against a true clean plate, mean of the shot; None for none.
    """

    seam: float = 2.5
    flicker: float = 2.5
    sharpness: float | None = None
    noise: float | None = None
    psnr_db: float | None = None


SOFT_BELOW, SMOOTH_BELOW = 0.5, 0.6
"""Real footage held against itself stays above these (and below 1.7 and 2.5)."""


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
        seam, sharpness, noise: ratios, see `qc_measures`.
        fill_change, plate_change: warping errors to the next frame, in the hole and around it.
        hole_psnr_db, hole_ssim, psnr_db, ssim: against the true clean plate, in the hole and on the frame.
    """

    frame: int
    state: Literal["ok", "missing", "unreadable"] = "ok"
    problem: str = ""
    touched: int = 0
    not_finite: int = 0
    unfilled: bool = False
    hole: int = 0
    seam: float = math.nan
    sharpness: float = math.nan
    noise: float = math.nan
    fill_change: float = math.nan
    plate_change: float = math.nan
    hole_psnr_db: float = math.nan
    hole_ssim: float = math.nan
    psnr_db: float = math.nan
    ssim: float = math.nan

    @property
    def flicker(self) -> float:
        """Change beyond motion, the fill's over its surroundings'."""
        return change_ratio(self.fill_change, self.plate_change)


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
        frames: those to look at.
    """

    name: str
    verdict: Verdict
    found: str
    value: float = math.nan
    frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """All that was found of a result."""

    result: str
    frames: tuple[FrameFound, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check found a fault."""
        return all(check.verdict != "FAULT" for check in self.checks)

    def lines(self) -> list[str]:
        """The report as text, a line for each check."""
        width = max(len(check.name) for check in self.checks)
        rows = [f"{check.verdict:5}  {check.name:{width}}  {check.found}" for check in self.checks]
        faults = [check.name for check in self.checks if check.verdict == "FAULT"]
        end = f"faults: {', '.join(faults)}" if faults else "no faults"
        return [self.result, *rows, *(f"note: {note}" for note in self.notes), end]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, NaN as null."""
        return {
            "passed": self.passed,
            "result": self.result,
            "checks": [_plain(asdict(check)) for check in self.checks],
            "notes": list(self.notes),
            "frames": [_plain(asdict(found) | {"flicker": found.flicker}) for found in self.frames],
        }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def judge(
    frames: Iterable[FrameFound], limits: Limits, *, exact: str = "", has_truth: bool = False
) -> tuple[Check, ...]:
    """Judge what was found.

    Args:
        frames: of the shot.
        limits: what passes.
        exact: why pixels outside the hole can't be held against the plate's bit for bit; empty if they can.
        has_truth: whether there was a true clean plate.
    """
    found = tuple(frames)
    if all(frame.state != "ok" for frame in found):
        return (_frames_there(found),)
    checks = [_frames_there(found), _untouched(found, exact), _filled(found), _finite(found)]
    if not any(frame.hole for frame in found):
        return (*checks, Check("fill", "-", "the matte is empty on every frame"))
    checks += [
        _ratio("seam", found, limits.seam, "the step across the matte's edge, times that around it"),
        _flicker(found, limits.flicker),
        _detail("sharpness", found, limits.sharpness, SOFT_BELOW, "softer"),
        _detail("noise", found, limits.noise, SMOOTH_BELOW, "smoother"),
    ]
    return tuple(checks + ([_truth(found, limits.psnr_db)] if has_truth else []))


def _frames_there(found: tuple[FrameFound, ...]) -> Check:
    missing = tuple(frame.frame for frame in found if frame.state == "missing")
    damaged = tuple(frame.frame for frame in found if frame.state == "unreadable")
    if missing:
        return Check("frames", "FAULT", f"missing: {compact(missing)}", len(missing), missing)
    if damaged:
        why = next(frame.problem for frame in found if frame.state == "unreadable")
        return Check("frames", "FAULT", f"can't be used: {compact(damaged)} ({why})", len(damaged), damaged)
    return Check("frames", "ok", f"all {len(found)} are there", 0)


def _untouched(found: tuple[FrameFound, ...], exact: str) -> Check:
    touched = tuple(frame.frame for frame in found if frame.touched)
    total = sum(frame.touched for frame in found)
    if touched:
        words = f"{total} pixels outside the matte differ from the plate on frames {compact(touched)}"
        return Check("untouched", "FAULT", words, total, touched)
    if exact:
        return Check("untouched", "-", exact)
    return Check("untouched", "ok", "outside the matte every pixel is the plate's, bit for bit", 0)


def _filled(found: tuple[FrameFound, ...]) -> Check:
    left = tuple(frame.frame for frame in found if frame.unfilled)
    if left:
        words = f"the hole still holds the plate on frames {compact(left)}"
        return Check("filled", "FAULT", words, len(left), left)
    return Check("filled", "ok", "every hole holds something else than the plate", 0)


def _finite(found: tuple[FrameFound, ...]) -> Check:
    bad = tuple(frame.frame for frame in found if frame.not_finite)
    total = sum(frame.not_finite for frame in found)
    if bad:
        return Check("finite", "FAULT", f"{total} pixels are NaN or infinite on {compact(bad)}", total, bad)
    return Check("finite", "ok", "no NaN, no infinity in the fill", 0)


def _ratio(name: str, found: tuple[FrameFound, ...], limit: float, words: str) -> Check:
    mean = _mean(getattr(frame, name) for frame in found)
    if math.isnan(mean):
        return Check(name, "-", "nothing to measure: the matte is too thin or fills the picture")
    worst = _worst(found, name)
    verdict: Verdict = "FAULT" if mean > limit else "ok"
    return Check(name, verdict, f"{mean:.2f} (limit {limit:g}): {words}; {_most(worst)}", mean, worst)


def _flicker(found: tuple[FrameFound, ...], limit: float) -> Check:
    fill, around = (
        _mean(getattr(frame, name) for frame in found) for name in ("fill_change", "plate_change")
    )
    ratio = change_ratio(fill, around)
    if math.isnan(ratio):
        return Check("flicker", "-", "nothing to measure: no two frames in a row have a matte")
    worst = _worst(found, "flicker")
    words = f"{ratio:.2f} (limit {limit:g}): change beyond motion, times that around; {_most(worst)}"
    return Check("flicker", "FAULT" if ratio > limit else "ok", words, ratio, worst)


def _detail(name: str, found: tuple[FrameFound, ...], limit: float | None, usual: float, short: str) -> Check:
    mean = _mean(getattr(frame, name) for frame in found)
    if math.isnan(mean):
        return Check(name, "-", "nothing to measure: the matte is too thin or fills the picture")
    least = usual if limit is None else limit
    below: Verdict = "look" if limit is None else "FAULT"
    words = f"the fill is {short} than what surrounds it" if mean < least else "as what surrounds it"
    worst = _worst(found, name, largest=False)
    verdict = below if mean < least else "ok"
    return Check(name, verdict, f"{mean:.2f} (at least {least:g}): {words}", mean, worst)


def _truth(found: tuple[FrameFound, ...], least: float | None) -> Check:
    names = ("hole_psnr_db", "hole_ssim", "psnr_db", "ssim")
    psnr, ssim, whole, whole_ssim = (_mean(getattr(frame, name) for frame in found) for name in names)
    if math.isnan(psnr):
        return Check("truth", "-", "nothing to compare")
    worst = _worst(found, "hole_psnr_db", largest=False)
    words = (
        f"{psnr:.2f} dB, SSIM {ssim:.4f} in the hole; {whole:.2f} dB, SSIM {whole_ssim:.4f} on the frame"
        + ("" if least is None else f" (at least {least:g} dB in the hole)")
    )
    return Check("truth", "FAULT" if least is not None and psnr < least else "ok", words, psnr, worst)


def _worst(found: tuple[FrameFound, ...], name: str, *, largest: bool = True) -> tuple[int, ...]:
    known = [frame for frame in found if math.isfinite(getattr(frame, name))]
    ranked = sorted(known, key=lambda frame: getattr(frame, name), reverse=largest)
    return tuple(frame.frame for frame in ranked[:_SHOWN_FRAMES])


def _most(worst: tuple[int, ...]) -> str:
    return f"most on frame {worst[0]}"


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
