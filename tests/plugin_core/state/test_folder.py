"""Where what is remembered of an output lies."""

from __future__ import annotations

from pathlib import Path

import plugin_core
from plugin_core.clips.sequence import FileSequence
from plugin_core.state import folder

OUT = FileSequence.parse("/show/out/clean.####.exr")
OWN = Path("/show/out/.cleanplate")


def test_an_outputs_folder_has_its_name_without_padding():
    assert folder.output_folder(OUT) == OWN / "clean.#.exr"
    assert folder.output_folder(FileSequence.parse("/show/out/clean.%d.exr")) == OWN / "clean.#.exr"
    assert folder.chunk_folder(OUT, 5, 12) == OWN / "clean.#.exr" / "chunk.5_12"


def test_the_journals_of_an_output_are_its_own_and_its_chunks(tmp_path):
    sequence = FileSequence.parse(tmp_path / "clean.####.exr")
    own = folder.output_folder(sequence)
    chunks = [folder.chunk_folder(sequence, first, first + 3) for first in (-4, 0, 4)]
    for each in (*chunks, own / "chunk.of_mine"):
        each.mkdir(parents=True)
        folder.journal_path(each).touch()
    assert set(folder.journals_of(own)) == {folder.journal_path(each) for each in (own, *chunks)}


def test_a_movies_pictures_and_note_lie_beside_it():
    movie = Path("/show/out/clean.mov")
    assert folder.movie_folder(movie) == OWN / "clean.mov"
    assert folder.movie_frames_folder(movie) == OWN / "clean.mov" / "frames"
    assert folder.movie_note(movie) == OWN / "clean.mov" / "movie.json"


def test_states_are_handed_on_beside_the_output_whether_it_is_a_pattern_or_a_folder():
    expected = OWN / "states" / "sh010.8.state"
    assert folder.handed_state(Path("/show/out/clean.####.exr"), "sh010.8") == expected
    assert folder.handed_state(Path("/show/out"), "sh010.8") == expected


def test_one_module_knows_the_folders_name():
    """Others ask it: a path spelled twice is one day spelled in two ways."""
    root = Path(plugin_core.__file__).parent
    spelled = [path.name for path in root.rglob("*.py") if '".cleanplate"' in path.read_text("utf-8")]
    assert spelled == ["folder.py"]
