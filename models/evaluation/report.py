"""What an evaluation found: means by kind of hole, tables to read, JSON to keep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .cases import Case
from .scores import Scores

MOTIONS = ("moving", "stationary", "truth")

_HEADS = {
    "moving": "Moving holes",
    "stationary": "Stationary holes",
    "truth": "Real object against a true clean plate",
}
_COLUMNS = (
    ("hole_psnr", "hole PSNR", 1.0, ".2f"),
    ("hole_ssim", "hole SSIM", 1.0, ".4f"),
    ("hole_e_warp", "hole E_warp", 1e3, ".2f"),
    ("detail", "detail", 1.0, ".2f"),
    ("texture", "texture", 1.0, ".2f"),
    ("detail_flicker", "detail flicker", 1.0, ".2f"),
    ("psnr", "PSNR", 1.0, ".2f"),
    ("ssim", "SSIM", 1.0, ".4f"),
    ("e_warp", "E_warp", 1e3, ".3f"),
)
_OF_EACH_CASE = (
    ("Hole PSNR of each case (dB)", "hole_psnr"),
    ("Detail of each case (1: as the truth)", "detail"),
)
LPIPS_NOTE = "LPIPS is not measured: its weights are not ours to ship and none are at hand."


@dataclass(frozen=True)
class Results:
    """Scores by method and case.

    Attributes:
        cases: in order.
        scores: method -> case key -> scores.
    """

    cases: tuple[Case, ...]
    scores: Mapping[str, Mapping[str, Scores]]

    @property
    def methods(self) -> list[str]:
        """The rows, in order."""
        return list(self.scores)

    def of(self, motion: str) -> list[Case]:
        """Return the cases of one kind of hole."""
        return [case for case in self.cases if case.motion == motion]

    def mean(self, method: str, score: str, cases: Iterable[Case]) -> float:
        """Return a score's mean over cases that have it; NaN for none."""
        by_case = self.scores.get(method, {})
        values = [getattr(by_case[case.key], score) for case in cases if case.key in by_case]
        finite = [value for value in values if math.isfinite(value)]
        return sum(finite) / len(finite) if finite else math.nan


def tables(results: Results) -> str:
    """Return all tables as text."""
    blocks = [_mean_table(results, motion) for motion in MOTIONS if results.of(motion)]
    by_case = (_case_table(results, *of) for of in _OF_EACH_CASE)
    return "\n\n".join([*blocks, *by_case])


def _mean_table(results: Results, motion: str) -> str:
    cases = results.of(motion)
    clips = len({case.clip for case in cases})
    title = f"{_HEADS[motion]}: mean of {_counted(len(cases), 'case')} on {_counted(clips, 'clip')}"
    rows = [["method", *(head for _, head, _, _ in _COLUMNS)]]
    for method in results.methods:
        means = (results.mean(method, name, cases) for name, *_ in _COLUMNS)
        formats = ((scale, form) for _, _, scale, form in _COLUMNS)
        rows.append(
            [
                method,
                *(_number(mean * scale, form) for mean, (scale, form) in zip(means, formats, strict=True)),
            ]
        )
    return f"{title} (dB; E_warp in 1e-3)\n{aligned(rows)}"


def _case_table(results: Results, title: str, name: str) -> str:
    methods = [method for method in results.methods if method != "truth"]
    rows = [["case", *methods]]
    for case in results.cases:
        cells = (results.scores[method].get(case.key) for method in methods)
        rows.append([case.key, *(_number(getattr(one, name), ".2f") if one else "-" for one in cells)])
    return f"{title}\n{aligned(rows)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"


def aligned(rows: list[list[str]], words: tuple[int, ...] = (0,)) -> str:
    """Return rows as columns: those of `words` to the left, numbers to the right, a line under the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *(line.rstrip() for line in lines[1:])])


def as_json(results: Results) -> dict[str, Any]:
    """Return everything as plain values, NaN as null."""
    means = {
        motion: {
            method: {name: _plain(results.mean(method, name, results.of(motion))) for name in Scores.names()}
            for method in results.methods
        }
        for motion in MOTIONS
        if results.of(motion)
    }
    scores = {
        method: {
            key: {name: _plain(value) for name, value in asdict(one).items()} for key, one in by_case.items()
        }
        for method, by_case in results.scores.items()
    }
    return {"cases": [asdict(case) for case in results.cases], "means": means, "scores": scores}


def _plain(value: float) -> float | None:
    return round(value, 8) if math.isfinite(value) else None
