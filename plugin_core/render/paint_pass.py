"""Make a shot's key frames and stop: `cleanplate paint`, for an artist to look at them before the render."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError
from ..job.job import Job
from ..network.bundle import Bundle, find_bundle
from ..network.working_size import STANDARD_SIZE
from ..progress.watch import Watch, unwatched
from .delivery import pictures_of
from .key_files import KeyFiles
from .painted import Painted
from .plan import make_plan
from .real_pixels import open_real_pixels
from .references import check_contents, open_references
from .sources import open_sources


@dataclass(frozen=True)
class PaintedFrame:
    """A key frame that is there.

    Attributes:
        frame: its number.
        path: its file.
        edited: whether it was mended by hand, and is kept as it is.
    """

    frame: int
    path: Path
    edited: bool


def paint_job(job: Job, watch: Watch = unwatched) -> list[PaintedFrame]:
    """Make the key frames that rendering a job with ``--paint auto`` takes; those that are there stay.

    Args:
        job: of the shot; its `paint` makes no difference.
        watch: told how it gets on; may raise to stop.

    Returns:
        The key frames of the rendered range, ascending; none where nothing is filled.

    Raises:
        SettingsError: the search for real pixels is off.
        CleanplateError: what a render would raise before its first frame, or a file that can't be written.
    """
    if not job.settings.propagate:
        raise SettingsError(
            "Paint is carried along the motion that the search for real pixels finds, and that is off: leave "
            "out --propagate off, and --quality draft."
        )
    sources = open_sources(pictures_of(job.shot), job.run.chunk, watch=watch)
    asked = {"paint": "auto", "working_size": job.settings.working_size or STANDARD_SIZE}
    network = Bundle.open(find_bundle(job.run.model))
    continues = job.run.state_in is not None
    settings = job.settings.model_copy(update=asked)
    plan = make_plan(
        sources, job.shot, settings, network, continues=continues, watch=lambda frame, hole: watch()
    )
    check_contents(plan, watch)
    references = open_references(plan)
    real = open_real_pixels(plan, [] if references is None else [references])
    if real is None:
        return []
    with closing(real):
        painted = Painted(plan, real.finder, references)
        keys = painted.key_frames(range(sources.first, sources.last + 1), watch)
    files = KeyFiles(plan)
    return [PaintedFrame(key, files.path(key), files.is_edited(key)) for key in keys]
