"""Make the page of a shot: one pass over plate, matte and result measures frames and makes their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..color.display import Display
from ..disk.atomic import replacing
from ..job.job import Job
from ..qc.check import Tell
from ..qc.report import Limits, Report
from ..state.noted import noted_seconds
from .checker import checker_of
from .decisions import decision_beside
from .facts import command_of, facts
from .moving import MOVING, WIDTH_PX, wanted_frames, write_moving
from .page import rendered
from .pictures import Codes, Encoder, thumbnail
from .place import Folder, Place
from .record import FramePictures, frame_rate, outline_of, record, shot_name
from .sources import sources_picture
from .summary import Summary

_SCRIPTS = (
    "uplot/uPlot.iife.min.js",
    *(
        f"{name}.js"
        for name in (
            "base",
            "pictures",
            "stage",
            "player",
            "plots",
            "faults",
            "notes",
            "about",
            "keys",
            "main",
        )
    ),
)
_STYLES = ("uplot/uPlot.min.css", "review.css")


class Review:
    """The page of one shot while it is made.

    Args:
        job: how the shot was made.
        place: where the page goes.
        name: of the shot; None for its output's.
        limits: what passes, of a render.

    Raises:
        CleanplateError: see `checker_of`.
    """

    def __init__(self, job: Job, place: Place, name: str | None = None, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._checker = checker_of(job, self._limits)
        self.shot = self._checker.pictures
        self.name = shot_name(job) if name is None else name
        self.display = Display(self.shot.color)
        self._job = job
        self._place = place
        self._pictures: list[FramePictures] = []
        self._moving: list[Codes] = []
        self._moves = wanted_frames(self.shot.frames) if isinstance(place, Folder) else set()
        self._rate = 24.0
        self._encoder: Encoder | None = None

    def look(self, frame: int) -> None:
        """Measure the next frame and make its pictures."""
        looked = self._checker.look(frame)
        if self._encoder is None:
            self._rate = frame_rate(looked)
            self._encoder = Encoder(self.display, self._rate)
        layers = self._encoder.frame(looked, sources_picture(looked, self.shot.sources))
        for layer in layers:
            self._place.keep(frame, layer)
        if frame in self._moves:
            self._moving.append(thumbnail(looked, self.display, WIDTH_PX))
        boxes = {layer.name: list(layer.box) for layer in layers}
        size = sum(len(layer.data) for layer in layers)
        self._pictures.append(FramePictures(frame, boxes, outline_of(looked), size))

    @property
    def page(self) -> Path:
        """The page's file."""
        return self._place.page.resolve()

    def all(self, tell: Tell = lambda doing: None) -> Report:
        """Look at every frame and write the page; returns what was found.

        Raises:
            CleanplateError: plate or matte can't be read, or the page can't be written.
        """
        for frame in self.shot.frames:
            tell(f"frame {frame}")
            self.look(frame)
        return self.write()

    def write(self, live: dict[str, Any] | None = None) -> Report:
        """Write the page as far as it is; returns what was found.

        Args:
            live: how far a render is that still runs; None for one that has ended.
        """
        report = self._checker.report()
        page = self._place.page
        data = record(self.name, self.shot, report, self._limits, self._pictures, self._rate)
        contents = list(self._place.contents())
        data |= {
            "inside": bool(contents),
            "display": self.display.name,
            "about": facts(self.shot, self._job, self.display),
            "command": command_of(self._job),
            "decision": decision_beside(page),
            "live": live,
        }
        text = page_text(data, contents)
        with replacing(page) as temporary:
            temporary.write_text(text, "utf-8")
        self._place.tidy()
        if isinstance(self._place, Folder) and live is None:
            self._write_beside(page.parent, report)
        return report

    def _write_beside(self, folder: Path, report: Report) -> None:
        """Write what an index shows of the shot."""
        if self._moving:
            write_moving(folder / MOVING, self._moving)
        noted = noted_seconds(self.shot.sources.output)
        seconds = sum(noted.get(found.frame, 0.0) for found in report.frames)
        Summary.of(self.name, report, seconds, moving=bool(self._moving)).write(folder)


def page_text(data: Mapping[str, Any], contents: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page for what is known of a shot.

    Args:
        data: from `record.record`, and what `Review.write` adds to it.
        contents: names and base64 of its pictures, where they stand in the page.
    """
    return rendered(
        "review.html",
        title=f"{data['shot']}: review",
        data=data,
        scripts=_SCRIPTS,
        styles=_STYLES,
        after=contents,
    )
