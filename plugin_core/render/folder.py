"""A render's folder of journal and states: which it is, what it must not write over, what is cleaned up."""

from __future__ import annotations

from pathlib import Path

from ..clips.clip import holds
from ..disk.atomic import remove_leftovers
from ..errors import InputError
from ..job.settings import Run, Shot
from ..state.folder import chunk_folder, output_folder
from .sources import Sources


def state_folder(sources: Sources, chunk: str | None = None) -> Path:
    """Return the folder that holds the journal and the saved states of one output, or of one chunk of it."""
    if chunk is None:
        return output_folder(sources.output)
    return chunk_folder(sources.output, sources.first, sources.last)


def protect_inputs(shot: Shot, run: Run) -> None:
    """Raise InputError where the state handed on would be written over a picture of the shot."""
    path = run.state_out
    if path is not None and any(holds(clip, Path(path)) for clip in (shot.plate, shot.matte)):
        raise InputError(f"State file {path} is a file of the plate or matte; give another.")


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
    if run.state_out is not None:
        state_out = Path(run.state_out)
        remove_leftovers(state_out.parent, lambda path: path.name == state_out.name)
