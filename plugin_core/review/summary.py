"""What an index says of a shot that has a page: a small JSON beside the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..disk.atomic import replacing
from ..disk.bounded import UnreadableError, load_json
from ..disk.regular import read_regular
from ..qc.report import Report
from .faults import faults

SUMMARY = "summary.json"
_MOST_BYTES = 1 << 22


class Summary(BaseModel):
    """What was found of a shot.

    Attributes:
        shot, output: its name and where its frames are.
        verdict: the worst of its checks.
        headline: faults and looks in one line.
        sentences: what was found, the worst first.
        frames: that were looked at.
        seconds: that they took to render, as far as it was noted.
        moving: whether a moving thumbnail lies beside the page.
    """

    model_config = ConfigDict(strict=True)

    version: Literal[1] = 1
    shot: str
    output: str
    verdict: Literal["ok", "look", "FAULT"]
    headline: str
    sentences: list[str] = []
    frames: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    moving: bool = False

    @classmethod
    def of(cls, shot: str, report: Report, seconds: float, *, moving: bool) -> Summary:
        """Return what a report comes to."""
        found = faults(report)
        verdict: Literal["ok", "look", "FAULT"] = "ok"
        if found:
            verdict = "look" if report.passed else "FAULT"
        return cls(
            shot=shot,
            output=report.result,
            verdict=verdict,
            headline=report.headline,
            sentences=[f"{one['name']}: {one['sentence']}" for one in found],
            frames=len(report.frames),
            seconds=round(seconds, 1),
            moving=moving,
        )

    @classmethod
    def read(cls, folder: Path) -> Summary | None:
        """Return the summary of a page's folder; None where there is none that can be read."""
        path = folder / SUMMARY
        try:
            return cls.model_validate(load_json(read_regular(path, _MOST_BYTES).decode("utf-8"), str(path)))
        except (OSError, UnreadableError, UnicodeDecodeError, ValidationError):
            return None

    def write(self, folder: Path) -> None:
        """Put it beside the page. Raises WriteError."""
        with replacing(folder / SUMMARY) as temporary:
            temporary.write_text(json.dumps(self.model_dump(), indent=1) + "\n", "utf-8", "backslashreplace")
