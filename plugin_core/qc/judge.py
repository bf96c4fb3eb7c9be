"""Judge what `cleanplate qc` found of a shot against its limits."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..clips.sequence import compact
from .judge_frames import SHOWN_FRAMES, judge_frames
from .report import Check, FrameFound, Limits, Verdict, change_ratio

SOFT_BELOW, SMOOTH_BELOW = 0.3, 0.45
"""Means of a shot below these are told of: fewer than 2 in 100 frames of untouched footage are."""


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
        return (frames_there(found),)
    checks = [frames_there(found), _untouched(found, exact), _filled(found), _finite(found)]
    checks += [_patch(found, exact)] if any(frame.patch for frame in found) else []
    if not any(frame.hole for frame in found):
        return (*checks, Check("fill", "-", "the matte is empty on every frame"))
    checks += [
        _ratio("seam", found, limits.seam, "the step across the matte's edge, times that around it"),
        _flicker(found, limits.flicker),
        *judge_frames(found, limits),
        _soft("sharpness", found, limits.sharpness, SOFT_BELOW, "softer"),
        _soft("noise", found, limits.noise, SMOOTH_BELOW, "smoother"),
    ]
    return tuple(checks + ([_truth(found, limits.psnr_db)] if has_truth else []))


def frames_there(found: tuple[FrameFound, ...]) -> Check:
    """Judge whether every frame is there and can be used."""
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


def _patch(found: tuple[FrameFound, ...], exact: str) -> Check:
    missing, unlike = (tuple(f.frame for f in found if f.patch == state) for state in ("missing", "unlike"))
    if missing:
        return Check("patch", "FAULT", f"missing: {compact(missing)}", len(missing), missing)
    if exact:
        return Check("patch", "-", exact)
    if unlike:
        words = f"merged over the plate it is not the result on frames {compact(unlike)}"
        return Check("patch", "look", words, len(unlike), unlike)
    return Check("patch", "ok", "merged over the plate it is the result", 0)


def _ratio(name: str, found: tuple[FrameFound, ...], limit: float, words: str) -> Check:
    mean = _mean(getattr(frame, name) for frame in found)
    if math.isnan(mean):
        return Check(name, "-", "nothing to measure: the matte is too thin or fills the picture")
    worst = _worst(found, name)
    verdict: Verdict = "FAULT" if mean > limit else "ok"
    return Check(name, verdict, f"{mean:.2f} (limit {limit:g}): {words}; {_most(worst)}", mean, worst, limit)


def _flicker(found: tuple[FrameFound, ...], limit: float) -> Check:
    fill, around = (
        _mean(getattr(frame, name) for frame in found) for name in ("fill_change", "plate_change")
    )
    ratio = change_ratio(fill, around)
    if math.isnan(ratio):
        return Check("flicker", "-", "nothing to measure: no two frames in a row have a matte")
    worst = _worst(found, "flicker")
    words = f"{ratio:.2f} (limit {limit:g}): change beyond motion, times that around; {_most(worst)}"
    return Check("flicker", "FAULT" if ratio > limit else "ok", words, ratio, worst, limit)


def _soft(name: str, found: tuple[FrameFound, ...], limit: float | None, usual: float, short: str) -> Check:
    mean = _mean(getattr(frame, name) for frame in found)
    if math.isnan(mean):
        return Check(name, "-", "nothing to measure: the matte is too thin or fills the picture")
    least = usual if limit is None else limit
    below: Verdict = "look" if limit is None else "FAULT"
    words = f"the fill is {short} than what surrounds it" if mean < least else "as what surrounds it"
    worst = _worst(found, name, largest=False)
    verdict = below if mean < least else "ok"
    return Check(name, verdict, f"{mean:.2f} (at least {least:g}): {words}", mean, worst, least)


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
    return tuple(frame.frame for frame in ranked[:SHOWN_FRAMES])


def _most(worst: tuple[int, ...]) -> str:
    return f"most on frame {worst[0]}"


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
