"""Make the page of a shot: one pass over plate, matte and result measures frames and makes their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..color.display import Display
from ..disk.atomic import replacing
from ..job.job import Job
from ..qc.check import Checking, QcShot, Tell
from ..qc.report import Limits, Report
from .decisions import decision_beside
from .facts import command_of, facts
from .page import rendered
from .pictures import Encoder
from .place import Place
from .record import FramePictures, frame_rate, outline_of, record, shot_name

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
        job: how the shot was rendered.
        place: where the page goes.
        name: of the shot; None for its output's.
        limits: what passes.

    Raises:
        CleanplateError: plate or matte can't be opened.
    """

    def __init__(self, job: Job, place: Place, name: str | None = None, limits: Limits | None = None) -> None:
        self.shot = QcShot(job)
        self.name = shot_name(job) if name is None else name
        self.display = Display(self.shot.color)
        self._job = job
        self._place = place
        self._limits = limits or Limits()
        self._checking = Checking(self.shot, self._limits)
        self._pictures: list[FramePictures] = []
        self._rate = 24.0
        self._encoder: Encoder | None = None

    def look(self, frame: int) -> None:
        """Measure the next frame and make its pictures."""
        looked = self._checking.look(frame)
        if self._encoder is None:
            self._rate = frame_rate(looked)
            self._encoder = Encoder(self.display, self._rate)
        layers = self._encoder.frame(looked)
        for layer in layers:
            self._place.keep(frame, layer)
        boxes = {layer.name: list(layer.box) for layer in layers}
        size = sum(len(layer.data) for layer in layers)
        self._pictures.append(FramePictures(frame, boxes, outline_of(looked), size))

    def write(self, live: dict[str, Any] | None = None) -> Report:
        """Write the page as far as it is; returns what was found.

        Args:
            live: how far a render is that still runs; None for one that has ended.
        """
        report = self._checking.report()
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
        return report


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


def write_review(
    job: Job,
    place: Place,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    tell: Tell = lambda doing: None,
) -> Report:
    """Write the page of a shot that was rendered; returns what was found.

    Raises:
        CleanplateError: plate or matte can't be read, or the page can't be written.
    """
    review = Review(job, place, name, limits)
    for frame in review.shot.frames:
        tell(f"frame {frame}")
        review.look(frame)
    return review.write()
