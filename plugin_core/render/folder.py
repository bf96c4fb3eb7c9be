"""A render's folder of journal and states: which it is, and what is cleaned up in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..clips.movie_read import is_movie
from ..disk.atomic import remove_leftovers
from ..disk.folders import leaving_no_empty, remove_own
from ..errors import CleanplateError
from ..job.settings import Run, Shot
from ..state.folder import (
    chunk_folder,
    finds_path,
    job_path,
    journals_of,
    movie_folder,
    output_folder,
)
from ..state.journal import files_noted
from .sources import Sources, output_of, patch_of, plate_of


def state_folder(sources: Sources, chunk: str | None = None) -> Path:
    """Return the folder that holds the journal and the saved states of one output, or of one chunk of it."""
    if chunk is None:
        return output_folder(sources.output)
    return chunk_folder(sources.output, sources.first, sources.last)


def is_folder(output: str) -> bool:
    """Whether an output is given as a folder, in which the plate's own name is used."""
    return Path(output).is_dir() or not Path(output).suffix


@contextlib.contextmanager
def leaving_nothing_behind(shot: Shot, asked: Shot) -> Iterator[None]:
    """Where a render ends before its first frame, remove the folders and notes that it has made.

    Args:
        shot: what is rendered.
        asked: the same as it was asked for, where that is a movie.
    """
    try:
        root = output_folder(output_of(shot.output, lambda: plate_of(shot)))
    except CleanplateError:
        yield  # `open_sources` says what is wrong, and makes nothing
        return
    is_new = not root.exists()
    with contextlib.ExitStack() as stack:
        stack.enter_context(leaving_no_empty(root))
        with contextlib.suppress(CleanplateError):
            patch = patch_of(shot, plate_of(shot))
            if patch is not None:
                stack.enter_context(leaving_no_empty(patch.folder))
        try:
            yield
        except BaseException:
            if is_new:
                _forget_nothing(root, asked)
            raise


def _forget_nothing(root: Path, asked: Shot) -> None:
    """Remove the journals of an output, and its job, unless they tell of a frame."""
    journals = journals_of(root)
    if any(any(files_noted(path)) or any(path.parent.glob("state.*.safetensors")) for path in journals):
        return
    for path in reversed(journals):
        remove_own(path.parent, [path, finds_path(path.parent)])
    remove_own(root, [job_path(root)])
    if is_movie(asked.output):
        folder = movie_folder(Path(asked.output))
        remove_own(folder, [job_path(folder)])


def clean_up(sources: Sources, run: Run, folder: Path) -> None:
    """Remove what a killed render of this output left half-written.

    Args:
        sources: of the render.
        run: of the render.
        folder: its journal's.
    """
    output = sources.output
    remove_leftovers(folder, lambda path: True)
    # Other chunks of this output may be writing theirs now.
    ours = {output.path(frame).name for frame in range(sources.first, sources.last + 1)}
    remove_leftovers(output.folder, lambda path: path.name in ours)
    patch = sources.patch
    if patch is not None:
        those = {patch.path(frame).name for frame in range(sources.first, sources.last + 1)}
        remove_leftovers(patch.folder, lambda path: path.name in those)
    if run.state_out is not None:
        state_out = Path(run.state_out)
        remove_leftovers(state_out.parent, lambda path: path.name == state_out.name)
