"""A render's folder of journal and states: which it is, and what is cleaned up in it."""

from __future__ import annotations

from pathlib import Path

from ..disk.atomic import remove_leftovers
from ..job.settings import Run
from ..state.folder import chunk_folder, output_folder
from .sources import Sources


def state_folder(sources: Sources, chunk: str | None = None) -> Path:
    """Return the folder that holds the journal and the saved states of one output, or of one chunk of it."""
    if chunk is None:
        return output_folder(sources.output)
    return chunk_folder(sources.output, sources.first, sources.last)


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
