"""Going on: after a stop, after a change, with a state handed in; and what makes nothing necessary."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plugin_core.errors import ImageError, InputError, Interrupted, StateError, WriteError
from plugin_core.job.settings import Run, Settings
from plugin_core.progress.reporters import JsonLines, Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.render import render
from plugin_core.state.saved_state import read_state, write_state

from ..shots import (
    QUICK,
    ShotOnDisk,
    differing,
    hole,
    leftovers,
    make_rendered_shot,
    make_shot,
    picture,
    run_toy,
    same_files,
    write_matte,
    write_plate,
)
from ..state.test_key import FIRST_DEFAULTS
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
STATES = Path("out") / ".cleanplate" / "clean.#.exr"


class StopAfter(Stop):
    """Asks for a stop once it was asked for the n-th time."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self._left = asked

    def requested(self) -> int | None:
        self._left -= 1
        return 143 if self._left < 0 else None


class Killed(BaseException):
    """As sudden as a kill, within one process."""


class KilledNetwork(ToyNetwork):
    """Dies in the step that would be its n-th."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def step(self, *given):
        if self.steps >= self._after:
            raise Killed
        return super().step(*given)


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_rendered_shot(tmp_path, 1, 20)


def rendered_again(shot: ShotOnDisk, **run: object) -> list[int]:
    """Frames that a resume writes."""
    return [done.frame for done in run_toy(shot.shot(), resume=True, **run)]


def change_plate(shot: ShotOnDisk, frame: int, factor: float = 0.5) -> None:
    changed = picture(frame)
    changed[:, :, :3] *= factor
    write_plate(shot.plate(frame), changed)


def test_a_stopped_render_goes_on_to_the_same_pixels(shot):
    for asked in (46, 52, 58, 64, 70):
        shutil.rmtree(shot.folder / "out", ignore_errors=True)
        with pytest.raises(Interrupted) as stopped:
            run_toy(shot.shot(), stop=StopAfter(asked))
        assert stopped.value.exit_code == 143 and "--resume" in str(stopped.value)
        assert leftovers(shot.folder) == []
        written = len(list((shot.folder / "out").glob("*.exr")))
        network = ToyNetwork()
        run_toy(shot.shot(), resume=True, network=network)
        assert network.steps == 20 - written, "the state was saved where it stopped"
        same_files(shot, "out", "whole")


def test_stopped_while_reading_mattes_nothing_is_written(shot):
    with pytest.raises(Interrupted, match="reading mattes"):
        run_toy(shot.shot(), stop=StopAfter(23))
    assert not list((shot.folder / "out").glob("*.exr"))
    run_toy(shot.shot(), resume=True)
    same_files(shot, "out", "whole")


@pytest.mark.parametrize("after", [0, 1, 7, 8, 9, 15, 19])
def test_a_dead_render_goes_on_to_the_same_pixels(shot, after):
    with pytest.raises(Killed):
        run_toy(shot.shot(), network=KilledNetwork(after))
    run_toy(shot.shot(), resume=True)
    same_files(shot, "out", "whole")
    assert leftovers(shot.folder) == []


def test_dying_again_and_again(shot):
    for _ in range(9):
        with pytest.raises(Killed):
            run_toy(shot.shot(), network=KilledNetwork(2), resume=True, checkpoint_every=1)
    assert len(list((shot.folder / "out").glob("*.exr"))) < 20
    run_toy(shot.shot(), resume=True)
    same_files(shot, "out", "whole")


def test_nothing_is_rendered_again_when_nothing_changed(shot):
    run_toy(shot.shot())
    before = {path: path.stat().st_mtime_ns for path in (shot.folder / "out").glob("*.exr")}
    network = ToyNetwork()
    assert rendered_again(shot, network=network) == [] and network.steps == 0
    assert before == {path: path.stat().st_mtime_ns for path in (shot.folder / "out").glob("*.exr")}


def test_touched_and_copied_inputs_are_no_change(shot):
    run_toy(shot.shot())
    os.utime(shot.plate(7), (1, 1))
    content = shot.matte(9).read_bytes()
    shot.matte(9).unlink()
    shot.matte(9).write_bytes(content)
    assert rendered_again(shot) == []


@pytest.mark.parametrize(("frame", "first"), [(1, 1), (7, 1), (12, 6), (20, 14)])
def test_a_changed_plate_is_rendered_from_the_first_frame_it_touches(shot, frame, first):
    run_toy(shot.shot())
    change_plate(shot, frame)
    again = rendered_again(shot, checkpoint_every=1)
    # A state just before the first touched frame may be gone: then a few frames before it come again.
    assert again[-1] == 20 and first - 8 < again[0] <= first and again == list(range(again[0], 21))
    run_toy(shot.shot("clean"))
    same_files(shot, "out", "clean")
    assert differing(shot, "clean", "whole")[0] == first, "what it touches is not guessed too early"


def test_a_changed_matte_is_rendered_from_the_first_frame_it_touches(shot):
    run_toy(shot.shot(), checkpoint_every=1)
    matte = hole(13)
    matte[25:28, 30:34] = 0
    write_matte(shot.matte(13), matte)
    again = rendered_again(shot)
    assert again[0] in (6, 7) and again[-1] == 20
    run_toy(shot.shot("clean"))
    same_files(shot, "out", "clean")
    assert differing(shot, "clean", "whole")[0] == 7


def test_a_changed_handle_counts(tmp_path):
    shot = make_shot(tmp_path, 1, 20)
    run_toy(shot.shot(frames="5-12"), checkpoint_every=1)
    change_plate(shot, 16)
    again = [done.frame for done in run_toy(shot.shot(frames="5-12"), resume=True)]
    assert again == [10, 11, 12]
    run_toy(shot.shot("clean", "5-12"))
    same_files(shot, "out", "clean", range(5, 13))


def test_a_change_under_warm_up(tmp_path):
    shot = make_shot(tmp_path, 1, 14)
    warm = QUICK.model_copy(update={"warmup": 4})
    run_toy(shot.shot(), warm)
    change_plate(shot, 9)
    run_toy(shot.shot(), warm, resume=True)
    run_toy(shot.shot("clean"), warm)
    same_files(shot, "out", "clean")


def test_a_change_before_a_cut_stays_there(tmp_path):
    shot = make_shot(tmp_path, 1, 20)
    run_toy(shot.shot(cuts=(11,)), checkpoint_every=1)
    change_plate(shot, 4)
    run_toy(shot.shot(cuts=(11,)), resume=True)
    run_toy(shot.shot("clean", cuts=(11,)))
    same_files(shot, "out", "clean")


def test_a_stop_between_takes(tmp_path):
    shot = make_shot(tmp_path, 1, 20)
    warm = QUICK.model_copy(update={"warmup": 3})
    run_toy(shot.shot("whole", cuts=(11,)), warm)
    for after in range(9, 20):
        with pytest.raises(Killed):
            run_toy(shot.shot(cuts=(11,)), warm, network=KilledNetwork(after), overwrite=True)
        run_toy(shot.shot(cuts=(11,)), warm, resume=True)
        same_files(shot, "out", "whole")


def test_lost_and_shortened_outputs_come_again(shot):
    run_toy(shot.shot())
    shot.written(5).unlink()
    with shot.written(15).open("r+b") as stream:
        stream.truncate(100)
    assert rendered_again(shot)[0] <= 5
    same_files(shot, "out", "whole")


def test_more_frames_of_the_same_render(shot):
    run_toy(shot.shot(frames="1-8"))
    assert [done.frame for done in run_toy(shot.shot(), resume=True)] == list(range(9, 21))
    same_files(shot, "out", "whole")


def test_a_journal_cut_short_loses_one_frame(shot):
    run_toy(shot.shot(), checkpoint_every=1)
    journal = shot.folder / STATES / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    assert rendered_again(shot) == [20]
    same_files(shot, "out", "whole")


@pytest.mark.parametrize(
    "rubbish", [b"\xff\xfe\x00 rubbish\n", b'{"frame": 3}\n[1]\n{"frame": "x", "size": 1}\n']
)
def test_rubbish_in_the_journal_is_passed_over(shot, rubbish):
    run_toy(shot.shot())
    journal = shot.folder / STATES / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + rubbish)
    assert rendered_again(shot) == []


def test_a_damaged_checkpoint_is_passed_over(shot):
    with pytest.raises(Killed):
        run_toy(shot.shot(), network=KilledNetwork(18))
    damaged = shot.folder / STATES / "state.16.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert rendered_again(shot)[0] == 9
    same_files(shot, "out", "whole")


def test_other_settings_are_another_render(shot):
    run_toy(shot.shot())
    with pytest.raises(StateError, match="feather is 0, this render has 3"):
        run_toy(shot.shot(), QUICK.model_copy(update={"feather": 3}), resume=True)
    with pytest.raises(StateError, match="model is toy, this render has other"):
        run_toy(shot.shot(), resume=True, network=ToyNetwork("other"))
    same_files(shot, "out", "whole")


def test_a_quality_goes_on_where_its_settings_stopped(shot):
    explicit = QUICK.model_copy(update={"working_size": 256, "propagate": 0})
    run_toy(shot.shot(), explicit)
    assert run_toy(shot.shot(), Settings(quality="draft", context=16, grow=0, feather=0), resume=True) == []


def test_frames_of_nobody_are_not_replaced(shot):
    shot.written(3).parent.mkdir()
    shot.written(3).write_bytes(b"precious")
    for run in ({}, {"resume": True}):
        with pytest.raises(InputError, match="has frames 3 already"):
            run_toy(shot.shot(), **run)
        assert shot.written(3).read_bytes() == b"precious"
    run_toy(shot.shot(), overwrite=True)
    same_files(shot, "out", "whole")


def test_overwrite_starts_again(shot):
    run_toy(shot.shot(), QUICK.model_copy(update={"feather": 3}))
    network = ToyNetwork()
    run_toy(shot.shot(), overwrite=True, network=network)
    assert network.steps == 20
    same_files(shot, "out", "whole")


def test_a_killed_overwrite_never_takes_old_frames_for_its_own(shot):
    run_toy(shot.shot(), QUICK.model_copy(update={"feather": 3}))
    with pytest.raises(Killed):
        run_toy(shot.shot(), overwrite=True, network=KilledNetwork(5))
    run_toy(shot.shot(), resume=True)
    same_files(shot, "out", "whole")


def test_leftovers_of_a_kill_are_removed_and_those_of_others_stay(shot):
    out = shot.folder / "out"
    out.mkdir()
    names = [
        ".cleanplate-clean.0003.0123456789ab.tmp.exr",
        ".cleanplate-clean.0003.0123456789ab.tmp-plain.exr",
        ".cleanplate-other.0003.0123456789ab.tmp.exr",
        ".cleanplate-noextension.0123456789ab.tmp",
    ]
    for name in names:
        (out / name).touch()
    run_toy(shot.shot())
    assert leftovers(out) == sorted(names[2:])


def test_frames_before_a_damaged_one_are_kept(shot):
    whole = shot.plate(15).read_bytes()
    shot.plate(15).write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(ImageError, match=r"plate\.0015\.exr"):
        run_toy(shot.shot())
    # Frame 9 is the first that looks at frame 15.
    same_files(shot, "out", "whole", range(1, 9))
    assert not shot.written(9).exists() and leftovers(shot.folder) == []
    shot.plate(15).write_bytes(whole)
    assert rendered_again(shot) == list(range(9, 21)), "the state was saved"
    same_files(shot, "out", "whole")


def test_a_disk_that_takes_no_more_keeps_what_is_there(shot, monkeypatch):
    from plugin_core.render import writer as frame_writer

    write = frame_writer.write_plate

    def full(plate, path, **more):
        if path.name == "clean.0011.exr":
            raise WriteError(f"{path} can't be written: the disk is full.")
        return write(plate, path, **more)

    monkeypatch.setattr(frame_writer, "write_plate", full)
    with pytest.raises(WriteError, match="disk is full"):
        run_toy(shot.shot())
    same_files(shot, "out", "whole", range(1, 11))
    assert not shot.written(11).exists()
    monkeypatch.undo()
    run_toy(shot.shot(), resume=True)
    same_files(shot, "out", "whole")


def spell_defaults_out(folder: Path) -> None:
    """Write the keys of a journal and its states as the first release did: every setting in them."""
    journal = folder / "journal.jsonl"
    first, *lines = journal.read_text().splitlines()
    key = {**FIRST_DEFAULTS, **json.loads(first)["key"]}
    journal.write_text("\n".join([json.dumps({"key": key}), *lines]) + "\n")
    for path in folder.glob("state.*.safetensors"):
        saved = read_state(path)
        write_state(path, replace(saved, key={**FIRST_DEFAULTS, **saved.key}))


def test_a_render_of_a_version_that_spelled_every_setting_out_goes_on(shot):
    with pytest.raises(Killed):
        run_toy(shot.shot(), network=KilledNetwork(12))
    spell_defaults_out(shot.folder / STATES)
    network = ToyNetwork()
    run_toy(shot.shot(), resume=True, network=network)
    assert network.steps == 12, "it went on from the state after frame 8"
    same_files(shot, "out", "whole")
    assert "grain" not in (shot.folder / STATES / "journal.jsonl").read_text().splitlines()[0]


def test_a_state_of_a_version_that_spelled_every_setting_out_is_taken(shot):
    handed = shot.folder / "a.state"
    run_toy(shot.shot(), chunk="1-8", state_out=str(handed))
    saved = read_state(handed)
    write_state(handed, replace(saved, key={**FIRST_DEFAULTS, **saved.key}))
    run_toy(shot.shot(), chunk="9-20", state_in=str(handed))
    same_files(shot, "out", "whole")


def test_a_resume_hands_the_state_on(shot):
    run_toy(shot.shot("a"), state_out=str(shot.folder / "a.state"))
    run_toy(shot.shot())
    states = shot.folder / STATES
    (states / "state.20.safetensors").unlink()
    run_toy(shot.shot(), resume=True, state_out=str(shot.folder / "b.state"))
    one, other = read_state(shot.folder / "a.state"), read_state(shot.folder / "b.state")
    assert one.frame == other.frame == 20 and one.key == other.key
    for name in one.arrays:
        np.testing.assert_array_equal(one.arrays[name], other.arrays[name])
    assert one.inputs == other.inputs, "a resumed render knows what went into its state"
    same_files(shot, "out", "whole")


def test_a_matte_that_needs_another_crop_is_rendered_again(tmp_path):
    """Pixels of two crops must not mix: all that was filled through the old one comes again."""
    shot = make_shot(tmp_path, 1, 8, size=(256, 128))
    run_toy(shot.shot())
    matte = hole(5, (256, 128))
    matte[:, 240:] = 255
    write_matte(shot.matte(5), matte)
    stream = io.StringIO()
    again = run_toy(shot.shot(), resume=True, reporters=Reporters([JsonLines(stream)]))
    assert [done.frame for done in again] == list(range(1, 9))
    assert "other crops: rendering again from frame 1" in stream.getvalue()
    run_toy(shot.shot("clean"))
    same_files(shot, "out", "clean")


@pytest.mark.parametrize("inner", [17, 10**12])
def test_a_checkpoint_of_another_frame_than_its_name_says(shot, inner):
    """Copied by hand, it would make a resume skip frames, or look for the one before it for ever."""
    with pytest.raises(Killed):
        run_toy(shot.shot(), network=KilledNetwork(14), checkpoint_every=4)
    states = shot.folder / STATES
    forged = replace(read_state(states / "state.12.safetensors"), frame=inner)
    write_state(states / "state.12.safetensors", forged)
    assert rendered_again(shot)[0] == 9, "the one before it is as good"
    same_files(shot, "out", "whole")


def test_a_checkpoint_for_a_crop_that_there_is_none_of(shot):
    with pytest.raises(Killed):
        run_toy(shot.shot(), network=KilledNetwork(14), checkpoint_every=4)
    path = shot.folder / STATES / "state.12.safetensors"
    state = read_state(path)
    foreign = {f"9{name}": array for name, array in state.arrays.items()}
    write_state(path, replace(state, arrays=foreign))
    with pytest.raises(StateError, match="has numbers for the crop '91'"):
        rendered_again(shot)


@pytest.mark.parametrize("matte", ["some", "none"])
def test_a_frame_that_goes_while_the_render_runs_is_told_at_its_end(tmp_path, matte):
    shot = make_shot(tmp_path, 1, 9, empty=tuple(range(1, 10)) if matte == "none" else ())
    frames = render(shot.shot(), QUICK, Run(), ToyNetwork(), Reporters([]), Stop())
    for done in frames:
        if done.frame == 8:
            shot.written(3).unlink()
            shot.written(5).write_bytes(b"short")
            break
    with pytest.raises(WriteError, match="lacks frames 3,5, or has other files there"):
        list(frames)
    assert rendered_again(shot)[0] <= 3
    run_toy(shot.shot("whole"))
    same_files(shot, "out", "whole")


def test_a_frame_of_the_same_size_with_other_bytes_comes_again(shot):
    run_toy(shot.shot())
    content = bytearray(shot.written(6).read_bytes())
    content[-20] ^= 255
    shot.written(6).write_bytes(content)
    assert rendered_again(shot)[0] <= 6
    same_files(shot, "out", "whole")


def test_frames_that_were_touched_or_copied_are_still_done(shot):
    run_toy(shot.shot())
    os.utime(shot.written(7), (1, 1))
    shutil.copyfile(shot.written(9), shot.folder / "copy")
    (shot.folder / "copy").replace(shot.written(9))
    assert rendered_again(shot) == []


def test_a_journal_from_before_contents_were_noted(shot):
    """It tells the files' sizes, which is what counts then."""
    run_toy(shot.shot())
    journal = shot.folder / STATES / "journal.jsonl"
    first, *lines = map(json.loads, journal.read_text("utf-8").splitlines())
    older = [{name: line[name] for name in ("frame", "size", "inputs", "crops")} for line in lines]
    journal.write_text("".join(json.dumps(line) + "\n" for line in (first, *older)), "utf-8")
    assert rendered_again(shot) == []
    shot.written(20).write_bytes(b"short")
    assert rendered_again(shot)[-1] == 20
    same_files(shot, "out", "whole")


@pytest.mark.parametrize("line", ['{"key": 5}', '{"key": ' + "[" * 200_000])
def test_a_journal_of_the_wrong_kind_is_none_and_can_be_overwritten(shot, line):
    run_toy(shot.shot())
    journal = shot.folder / STATES / "journal.jsonl"
    rest = journal.read_bytes().partition(b"\n")[2]
    journal.write_bytes(line.encode() + b"\n" + rest)
    with pytest.raises(InputError, match="are not of a render that could be resumed; use --overwrite"):
        rendered_again(shot)
    assert len(run_toy(shot.shot(), overwrite=True)) == 20
    same_files(shot, "out", "whole")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_nobody_waits_for_a_journal_that_is_a_pipe(shot):
    run_toy(shot.shot())
    journal = shot.folder / STATES / "journal.jsonl"
    journal.unlink()
    os.mkfifo(journal)
    with pytest.raises(StateError, match="a folder, a pipe or a device"):
        rendered_again(shot)
    assert len(run_toy(shot.shot(), overwrite=True)) == 20
