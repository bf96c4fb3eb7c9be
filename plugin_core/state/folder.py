"""Where all that is remembered of an output lies: every path in the folder ``.cleanplate`` beside it.

===========================  ==================================================================
``NAME/``                    an output's journal, saved states, locks and job
``NAME/chunk.FIRST_LAST/``   a chunk's own journal and saved states
``.../finds.jsonl``          beside a restoration's journal: the damage that was found on each frame
``NAME/paint/``              painted key frames, and what each was made from
``MOVIE/``                   the pictures that a movie is made of, what it was made of, and its job
``states/``                  states that a farm's chunks hand on
===========================  ==================================================================
"""

from __future__ import annotations

import re
from pathlib import Path

from ..clips.sequence import FileSequence

_BESIDE = ".cleanplate"
_JOURNAL = "journal.jsonl"
_JOB = "job.json"
_FINDS = "finds.jsonl"
_CHUNK = re.compile(r"chunk\.-?[0-9]+_-?[0-9]+")


def output_folder(output: FileSequence) -> Path:
    """Return the folder of one output; the locks of all its chunks lie here.

    Its name has no padding in it: `clean.####.exr` and `clean.%d.exr` name the same files from 1000 on.
    """
    return output.folder / _BESIDE / f"{output.head}#{output.tail}"


def chunk_folder(output: FileSequence, first: int, last: int) -> Path:
    """Return the folder of a chunk of an output, frames `first` to `last`."""
    return output_folder(output) / f"chunk.{first}_{last}"


def paint_folder(output: FileSequence) -> Path:
    """Return the folder of an output's painted key frames: all its chunks take theirs from here."""
    return output_folder(output) / "paint"


def journal_path(folder: Path) -> Path:
    """Return the journal of an output or of a chunk, by its folder."""
    return folder / _JOURNAL


def finds_path(folder: Path) -> Path:
    """Return where a restoration notes what it finds, by its journal's or its movie's folder."""
    return folder / _FINDS


def journals_of(folder: Path) -> list[Path]:
    """Return where the journals of an output and of all its chunks lie; the first need not be there."""
    chunks = [path for path in folder.glob(f"chunk.*/{_JOURNAL}") if _CHUNK.fullmatch(path.parent.name)]
    return [folder / _JOURNAL, *chunks]


def job_path(folder: Path) -> Path:
    """Return the job that a render leaves, by its output's or its movie's folder."""
    return folder / _JOB


def jobs_beside(folder: Path) -> list[Path]:
    """Return the jobs of all outputs in a folder, by name."""
    return sorted(path for path in (folder / _BESIDE).glob(f"*/{_JOB}") if path.is_file())


def movie_folder(movie: Path) -> Path:
    """Return the folder of what a movie is made of."""
    return movie.parent / _BESIDE / movie.name


def movie_frames_folder(movie: Path) -> Path:
    """Return the folder of the pictures that a movie is made of."""
    return movie_folder(movie) / "frames"


def movie_note(movie: Path) -> Path:
    """Return the file that says what a movie was made of."""
    return movie_folder(movie) / "movie.json"


def handed_state(output: Path, name: str) -> Path:
    """Return where a farm's chunk leaves its state: beside the output, where every machine can write.

    Args:
        output: a sequence's pattern, or a folder.
        name: of the state, unlike any other's beside this output.
    """
    folder = output if not output.suffix else FileSequence.parse(output).folder
    return folder / _BESIDE / "states" / f"{name}.state"
