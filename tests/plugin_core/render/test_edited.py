"""Work of others in the output: what was painted there, or is of no render of ours, is never replaced."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from plugin_core.errors import InputError, WriteError
from plugin_core.job.settings import Run
from plugin_core.probe.forecast import forecast
from plugin_core.progress.reporters import JsonLines, Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.delivery import render as deliver
from plugin_core.render.render import render
from plugin_core.state.journal import Journal

from ..shots import QUICK, ShotOnDisk, hole, make_shot, picture, run_toy, same_files, write_matte, write_plate
from ..toy_network import ToyNetwork
from .test_resume import Killed, KilledNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LAST = 10


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    """A shot that is rendered."""
    made = make_shot(tmp_path, 1, LAST)
    run_toy(made.shot(), checkpoint_every=2)
    return made


def paint(shot: ShotOnDisk, frame: int) -> bytes:
    """Paint over a frame of the output, as an artist would."""
    write_plate(shot.written(frame), picture(frame + 50))
    return shot.written(frame).read_bytes()


def notes(shot: ShotOnDisk, **run: object) -> str:
    stream = io.StringIO()
    run_toy(shot.shot(), reporters=Reporters([JsonLines(stream)]), checkpoint_every=2, **run)
    told = (json.loads(line) for line in stream.getvalue().splitlines())
    return "\n".join(event["message"] for event in told if event["event"] == "note")


def change_matte(shot: ShotOnDisk, frame: int) -> None:
    matte = hole(frame)
    matte[25:28, 30:34] = 0
    write_matte(shot.matte(frame), matte)


def fresh(shot: ShotOnDisk, name: str = "fresh") -> None:
    run_toy(shot.shot(name))


def others_are_of(shot: ShotOnDisk, name: str, kept: set[int]) -> None:
    for frame in set(range(1, LAST + 1)) - kept:
        same_files(shot, "out", name, range(frame, frame + 1))


@pytest.mark.parametrize("run", [{}, {"resume": True}])
def test_a_painted_frame_is_refused_by_name_and_stays(shot, run):
    painted = [paint(shot, frame) for frame in (3, 4)]
    match = "frames 3-4 were changed since they were written.*--keep-edited.*--overwrite"
    with pytest.raises(InputError, match=match):
        run_toy(shot.shot(), **run)
    assert [shot.written(frame).read_bytes() for frame in (3, 4)] == painted
    # Other settings would have a host start again: it is told of the frames first.
    other = QUICK.model_copy(update={"grow": 5})
    with pytest.raises(InputError, match=match):
        run_toy(shot.shot(), other, **run)
    assert forecast(shot.shot(), other, Run(), ToyNetwork()).action == "occupied"
    told = forecast(shot.shot(), QUICK, Run(), ToyNetwork())
    assert (told.action, told.rendered, told.edited, told.missing) == ("occupied", "1-2,5-10", "3-4", "")
    assert "frames 3-4 were changed" in str(told) and "rendered 1-2,5-10, edited 3-4, missing none" in str(
        told
    )


def test_a_render_goes_on_around_painted_frames_and_the_rest_is_exact(shot):
    painted = {frame: paint(shot, frame) for frame in (4, 9)}
    assert "Frames 4,9 were changed since they were written: kept" in notes(shot, keep_edited=True)
    change_matte(shot, 10)
    told = forecast(shot.shot(), QUICK, Run(keep_edited=True), ToyNetwork())
    assert told.action == "resume" and told.edited == "4,9" and told.begin <= 4
    again = [done.frame for done in run_toy(shot.shot(), keep_edited=True)]
    assert again == list(range(told.begin, LAST + 1))
    fresh(shot)
    others_are_of(shot, "fresh", {4, 9})
    assert {frame: shot.written(frame).read_bytes() for frame in painted} == painted
    # What was rendered around is still someone else's, until its file is removed.
    with pytest.raises(InputError, match="frames 4,9 were changed"):
        run_toy(shot.shot(), resume=True)
    for frame in painted:
        shot.written(frame).unlink()
    run_toy(shot.shot(), resume=True)
    same_files(shot, "out", "fresh")


def test_a_start_again_replaces_paint_only_where_that_is_not_kept(shot):
    painted = paint(shot, 5)
    other = QUICK.model_copy(update={"feather": 3})
    run_toy(shot.shot("fresh"), other)
    run_toy(shot.shot(), other, overwrite=True, keep_edited=True)
    others_are_of(shot, "fresh", {5})
    assert shot.written(5).read_bytes() == painted
    assert "Frame 5 was changed since it was written: replaced" in notes(shot, overwrite=True)
    run_toy(shot.shot("fresh"), overwrite=True)
    same_files(shot, "out", "fresh")


def test_frames_of_nobody_beyond_what_is_rendered(tmp_path):
    shot = make_shot(tmp_path, 1, LAST)
    run_toy(shot.shot(frames="1-4"))
    painted = paint(shot, 8)
    with pytest.raises(InputError, match="frame 8 is of no render of ours"):
        run_toy(shot.shot(), resume=True)
    told = forecast(shot.shot(), QUICK, Run(), ToyNetwork())
    assert (told.rendered, told.edited, told.missing) == ("1-4", "8", "5-7,9-10")
    run_toy(shot.shot(), keep_edited=True)
    fresh(shot)
    others_are_of(shot, "fresh", {8})
    assert shot.written(8).read_bytes() == painted


def test_a_folder_of_nobody_is_gone_around(tmp_path):
    shot = make_shot(tmp_path, 1, LAST, empty=tuple(range(1, LAST + 1)))
    painted = {frame: paint(shot, frame) for frame in (1, 6)}
    run_toy(shot.shot(), keep_edited=True)
    fresh(shot)
    others_are_of(shot, "fresh", {1, 6})
    assert {frame: shot.written(frame).read_bytes() for frame in painted} == painted


def test_a_frame_painted_while_the_render_runs(shot):
    change_matte(shot, 10)
    frames = render(
        shot.shot(), QUICK, Run(resume=True, checkpoint_every=2), ToyNetwork(), Reporters([]), Stop()
    )
    next(frames)
    painted = paint(shot, LAST)
    with pytest.raises(WriteError, match=r"clean\.0010\.exr was changed while the render ran"):
        list(frames)
    assert shot.written(LAST).read_bytes() == painted
    run_toy(shot.shot(), keep_edited=True)
    fresh(shot)
    others_are_of(shot, "fresh", {LAST})


def test_a_frame_that_is_no_picture_any_more_comes_again_with_a_word(shot):
    os.truncate(shot.written(7), 100)
    assert "Frame 7 can't be read any more: rendered again" in notes(shot, resume=True)
    fresh(shot)
    same_files(shot, "out", "fresh")


@pytest.mark.parametrize("after", [2, 7])
def test_a_killed_start_again_takes_only_what_it_was_given(shot, after):
    """A frame that was painted after the kill is not what it was allowed to replace."""
    paint(shot, 9)
    with pytest.raises(Killed):
        run_toy(shot.shot(), overwrite=True, network=KilledNetwork(after))
    painted = paint(shot, 10)
    with pytest.raises(InputError, match="frame 10 was changed"):
        run_toy(shot.shot(), resume=True)
    run_toy(shot.shot(), keep_edited=True)
    fresh(shot)
    others_are_of(shot, "fresh", {10})
    assert shot.written(10).read_bytes() == painted


@pytest.mark.parametrize("torn", [False, True])
def test_a_kill_between_a_frames_line_and_its_name(shot, monkeypatch, torn):
    """Its line is there, its file is not, or it is the one from before: neither is anyone else's."""
    change_matte(shot, 10)
    append = Journal.append

    def die(journal: Journal, entry) -> None:
        append(journal, entry)
        if entry.frame == 8:
            raise Killed

    monkeypatch.setattr(Journal, "append", die)
    with pytest.raises(Killed):
        run_toy(shot.shot(), resume=True, checkpoint_every=2)
    monkeypatch.undo()
    if torn:
        journal = shot.folder / "out" / ".cleanplate" / "clean.#.exr" / "journal.jsonl"
        journal.write_bytes(journal.read_bytes()[:-30])
    run_toy(shot.shot(), resume=True)
    fresh(shot)
    same_files(shot, "out", "fresh")


def test_a_chunk_that_is_tried_again_leaves_paint_alone(tmp_path):
    shot = make_shot(tmp_path, 1, LAST)
    state = str(tmp_path / "a.state")
    run_toy(shot.shot(), chunk="1-5", state_out=state)
    run_toy(shot.shot(), chunk="6-10", state_in=state)
    painted = paint(shot, 7)
    with pytest.raises(InputError, match="frame 7 was changed"):
        run_toy(shot.shot(), chunk="6-10", state_in=state, resume=True)
    change_matte(shot, 10)
    state = str(tmp_path / "b.state")
    run_toy(shot.shot(), chunk="1-5", state_out=state, resume=True)
    run_toy(shot.shot(), chunk="6-10", state_in=state, resume=True, keep_edited=True)
    fresh(shot)
    others_are_of(shot, "fresh", {7})
    assert shot.written(7).read_bytes() == painted
    # Frames of chunks are ours, but not of a whole render: that one starts again, and knows paint from them.
    with pytest.raises(InputError, match="are not of a render that could be resumed"):
        run_toy(shot.shot(), keep_edited=True)
    run_toy(shot.shot(), overwrite=True, keep_edited=True)
    others_are_of(shot, "fresh", {7})
    assert shot.written(7).read_bytes() == painted


def test_copied_and_touched_frames_are_nobodys_edit(shot):
    os.utime(shot.written(3), (1, 1))
    shot.written(4).write_bytes(shot.written(4).read_bytes())
    told = forecast(shot.shot(), QUICK, Run(), ToyNetwork())
    assert (told.action, told.rendered, told.edited) == ("nothing", "1-10", "")
    assert run_toy(shot.shot(), resume=True) == []


def test_a_movie_that_somebody_changed(tmp_path, monkeypatch):
    shot = make_shot(tmp_path, 1, 3, extension=".png")
    movie, other = tmp_path / "clean.mov", tmp_path / "other.mov"

    def go(output: Path, network: ToyNetwork | None = None, **run: object) -> str:
        stream = io.StringIO()
        asked = shot.shot().model_copy(update={"output": str(output)})
        given = asked, QUICK, Run(**run), network or ToyNetwork(), Reporters([JsonLines(stream)]), Stop()
        list(deliver(*given))
        return stream.getvalue()

    def look() -> tuple[str, str, str]:
        asked = shot.shot().model_copy(update={"output": str(movie)})
        told = forecast(asked, QUICK, Run(), ToyNetwork())
        return told.action, told.rendered, told.edited

    go(movie)
    ours = movie.read_bytes()
    assert look() == ("nothing", "1-3", "")
    movie.write_bytes(ours)
    go(movie, resume=True)
    assert movie.read_bytes() == ours, "copied is not changed"
    write_plate(shot.plate(2), picture(40))
    go(other)
    theirs = other.read_bytes()
    movie.write_bytes(theirs)
    with pytest.raises(InputError, match=r"clean\.mov was changed since it was written.*--keep-edited"):
        go(movie, resume=True)
    assert look() == ("occupied", "", "1-3")
    assert "kept as found" in go(movie, keep_edited=True) and movie.read_bytes() == theirs
    assert "replaced" in go(movie, overwrite=True)
    # A kill between the note and the movie's name leaves the old one, which is ours.
    write_plate(shot.plate(2), picture(41))
    replace = Path.replace

    def die(path: Path, target: Path) -> Path:
        if Path(target) == movie:
            raise Killed
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(Killed):
        go(movie, resume=True)
    monkeypatch.undo()
    network = ToyNetwork()
    go(movie, network, resume=True)
    assert network.steps == 0 and look() == ("nothing", "1-3", "")


def test_a_single_picture_that_somebody_painted(tmp_path):
    shot = make_shot(tmp_path, 7, 7)
    asked = shot.shot().model_copy(
        update={"plate": str(shot.plate(7)), "output": str(tmp_path / "clean.exr")}
    )
    run_toy(asked)
    write_plate(tmp_path / "clean.exr", picture(40))
    with pytest.raises(InputError, match="frame 7 was changed since it was written"):
        run_toy(asked, resume=True)
    run_toy(asked, overwrite=True)
    assert run_toy(asked, resume=True) == []
