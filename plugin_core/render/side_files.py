"""The files that a render writes beside its frames: none takes the place of anything else of the same job."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path

from ..clips.clip import holds
from ..clips.movie_read import is_movie
from ..clips.sequence import FileSequence
from ..errors import CleanplateError, InputError
from ..job.settings import Run, Shot, matte_names
from ..state.folder import movie_folder, output_folder
from .reference_files import find_references
from .sources import output_of, patch_of, plate_of


def check_side_files(shot: Shot, run: Run, job_file: str | None = None, beside: Collection[str] = ()) -> None:
    """Refuse a state to hand on, a progress file or a job to write, under the name of anything else.

    To be called before the first of them is opened. Raises InputError.

    Args:
        shot, run: as asked for.
        job_file: where the job is written; None for nowhere.
        beside: clips and files that are read beside the shot's pictures.
    """
    files = (
        ("State file", run.state_out),
        ("Progress file", run.progress_file),
        ("Job file", job_file),
    )
    for what, text in files:
        if text is not None:
            _check(what, Path(text), shot, run)
            if any(holds(name, Path(text)) for name in beside):
                raise InputError(f"{what} {text} is a file that is read; give another.")


def _check(what: str, path: Path, shot: Shot, run: Run) -> None:
    if any(holds(clip, path) for clip in (shot.plate, *matte_names(shot))):
        raise InputError(f"{what} {path} is a file of the plate or of a matte; give another.")
    if path.resolve() in _references(shot):
        raise InputError(f"{what} {path} is a reference frame; give another.")
    for kind, sequence in _written(shot, run):
        if holds(sequence, path):
            raise InputError(f"{what} {path} is {kind}; give another.")
    for folder in _kept(shot):
        if path.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"{what} {path} lies where the render keeps its journal and states; give another."
            )
    others = {
        "the state handed in": run.state_in,
        "the state handed on": run.state_out if what != "State file" else None,
        "the cancel file": run.cancel_file,
        "the OpenColorIO configuration": shot.ocio_config,
    }
    for name, other in others.items():
        if other is not None and Path(other).resolve() == path.resolve():
            raise InputError(f"{what} {path} is {name}, too; give another.")
    if path.resolve().is_relative_to(Path(run.model).resolve()) and Path(run.model).is_dir():
        raise InputError(f"{what} {path} lies in the model's folder; give another.")


def _references(shot: Shot) -> set[Path]:
    """Return the files of reference frames; none where the render itself will say why not."""
    with contextlib.suppress(CleanplateError):
        return {path.resolve() for path in find_references(shot.reference).values()}
    return set()


def _written(shot: Shot, run: Run) -> Iterator[tuple[str, str]]:
    """Yield what is written, and the pattern that names its files."""
    for sequence in _output(shot):
        yield "a frame of the output", str(sequence)
    if is_movie(shot.output):
        yield "the output", shot.output
    with contextlib.suppress(CleanplateError):
        patch = patch_of(shot, plate_of(shot))
        if patch is not None:
            yield "a frame of the patch", str(patch)
    if run.debug is not None:
        path = Path(run.debug)
        inside = path.is_dir() or not path.suffix
        yield "a frame of the debug layers", str(path / "debug.####.exr" if inside else path)


def _kept(shot: Shot) -> Iterator[Path]:
    if is_movie(shot.output):
        yield movie_folder(Path(shot.output))
    for sequence in _output(shot):
        yield output_folder(sequence)


def _output(shot: Shot) -> Iterator[FileSequence]:
    """Yield the sequence that is written; none for a movie, and where the render itself will say why not."""
    with contextlib.suppress(CleanplateError):
        if not is_movie(shot.output):
            yield output_of(shot.output, lambda: plate_of(shot))
