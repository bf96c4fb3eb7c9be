"""How a render begins: in which folder, over what, what it leaves when it can't; and a range that grows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from plugin_core.cli import _parser, main
from plugin_core.cli.options import job_of
from plugin_core.errors import CleanplateError, ImageError, InputError, SettingsError, StateError
from plugin_core.job.settings import Run, Shot, with_options
from plugin_core.probe.forecast import forecast
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.delivery import render

from ..shots import QUICK, ShotOnDisk, hole, make_shot, picture, run_toy, same_files, write_matte, write_plate
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LOOKING = QUICK.model_copy(update={"propagate": 2})


def render_all(shot: Shot) -> None:
    """Render to a sequence or a movie."""
    list(render(shot, QUICK, Run(), ToyNetwork(), Reporters([]), Stop()))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def add_frames(shot: ShotOnDisk, first: int, last: int) -> ShotOnDisk:
    for frame in range(first, last + 1):
        write_plate(shot.plate(frame), picture(frame))
        write_matte(shot.matte(frame), hole(frame))
    return ShotOnDisk(shot.folder, min(first, shot.first), max(last, shot.last))


@pytest.mark.parametrize("settings", [QUICK, LOOKING], ids=["toy", "searching"])
def test_a_shot_that_has_grown_on_disk_simply_resumes(tmp_path, settings):
    shot = make_shot(tmp_path, 1, 12)
    run_toy(shot.shot(), settings, checkpoint_every=1)
    longer = add_frames(shot, 13, 18)
    told = forecast(longer.shot(), settings, Run(), ToyNetwork())
    again = [done.frame for done in run_toy(longer.shot(), settings, resume=True)]
    assert told.action == "resume" and "frames on disk are 1-18, and were 1-12" in str(told)
    assert again == list(range(told.begin, 19)) and again[0] > 1
    run_toy(longer.shot("fresh"), settings)
    same_files(longer, "out", "fresh")
    assert run_toy(longer.shot(), settings, resume=True) == []
    # Frames before the first are another shot's beginning: all of it is rendered again, without --overwrite.
    earlier = add_frames(longer, -1, 0)
    assert len(run_toy(earlier.shot(), settings, resume=True)) == 20
    shutil.rmtree(shot.folder / "fresh")
    run_toy(earlier.shot("fresh"), settings)
    same_files(earlier, "out", "fresh")


def test_handles_far_behind_a_range_change_nothing_of_it(tmp_path):
    shot = make_shot(tmp_path, 1, 20)
    run_toy(shot.shot(frames="1-8"), QUICK)
    longer = add_frames(shot, 21, 22)
    assert run_toy(longer.shot(frames="1-8"), QUICK, resume=True) == []
    assert run_toy(longer.shot(frames="1-8"), QUICK, resume=True) == [], "and is known from then on"
    # A range inside the one before it is another render, which would not be the same pixels.
    with pytest.raises(StateError, match=r"first frame is 1, this render has 3.*--overwrite"):
        run_toy(longer.shot(frames="3-8"), QUICK, resume=True)


def test_other_settings_are_offered_a_new_start(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    run_toy(shot.shot())
    with pytest.raises(StateError, match=r"grow is 0, this render has 2.*start again with --overwrite"):
        run_toy(shot.shot(), QUICK.model_copy(update={"grow": 2}), resume=True)


def test_one_of_two_ways_to_begin(tmp_path):
    with pytest.raises(SettingsError, match=r"resume goes on .* overwrite starts again; give one of them"):
        Run(resume=True, overwrite=True)
    assert with_options({"resume": True, "debug": "x"}, {"overwrite": True}) == {
        "resume": False,
        "overwrite": True,
        "debug": "x",
    }
    shot = make_shot(tmp_path, 1, 2)
    assert main([*shot.arguments("out", "--resume", "--overwrite")]) == 2
    assert not (tmp_path / "out").exists()
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"shot": shot.shot().model_dump(exclude_none=True), "run": {"resume": True}}))
    asked = job_of(_parser().parse_args(["render", "--job", str(job), "--overwrite"]))
    assert asked.run.overwrite and not asked.run.resume


@pytest.mark.parametrize(
    "output", ["file/clean.####.exr", "file/deeper/clean.####.exr", "file", "file/clean.mov"]
)
def test_a_file_where_a_folder_is_meant_is_said_to_be_one(tmp_path, output):
    shot = make_shot(tmp_path, 1, 2, extension=".png")
    (tmp_path / "file").write_bytes(b"mine")
    asked = shot.shot().model_copy(update={"output": str(tmp_path / output).replace(".exr", ".png")})
    for look in (lambda: render_all(asked), lambda: forecast(asked, QUICK, Run(), ToyNetwork())):
        with pytest.raises(InputError, match=r"file is a file\. Give a folder"):
            look()
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_folder_that_holds_another_sequence_of_the_same_name(tmp_path):
    shot = make_shot(tmp_path, 1, 6)
    out = tmp_path / "out"
    out.mkdir()
    write_plate(out / "plate.0101.exr", picture(3))
    asked = shot.shot().model_copy(update={"output": str(out)})
    before = tree(tmp_path)
    for run in ({}, {"overwrite": True}, {"keep_edited": True}):
        with pytest.raises(
            InputError, match=r"another sequence of the same name.*frame 101.*clean\.####\.exr"
        ):
            run_toy(asked, **run)
    with pytest.raises(InputError, match="another sequence"):
        forecast(asked, QUICK, Run(), ToyNetwork())
    assert tree(tmp_path) == before
    (out / "plate.0101.exr").unlink()
    run_toy(asked.model_copy(update={"frames": "1-6"}))
    # What renders of ours left there, of whatever settings and range, is no other sequence.
    other = QUICK.model_copy(update={"grow": 1})
    run_toy(asked.model_copy(update={"frames": "1-3"}), other, overwrite=True)
    run_toy(asked.model_copy(update={"frames": "1-2"}), overwrite=True)
    # Whoever names the files means them.
    write_plate(out / "plate.0101.exr", picture(3))
    run_toy(asked.model_copy(update={"output": str(out / "plate.####.exr")}), overwrite=True)


def refuse_everything(shot: ShotOnDisk) -> None:
    for frame in range(1, 4):
        matte = hole(frame)
        matte[:] = 255
        write_matte(shot.matte(frame), matte)


def damage_the_first(shot: ShotOnDisk) -> None:
    content = shot.plate(1).read_bytes()
    shot.plate(1).write_bytes(content[: len(content) * 2 // 3])


def name_another_size(shot: ShotOnDisk) -> None:
    write_plate(shot.plate(3), picture(3, (32, 32)))


@pytest.mark.parametrize("spoil", [refuse_everything, damage_the_first, name_another_size])
@pytest.mark.parametrize("movie", [False, True])
def test_a_start_that_fails_leaves_no_folder(tmp_path, spoil, movie):
    shot = make_shot(tmp_path, 1, 3, extension=".png")
    spoil(shot)
    before = tree(tmp_path)
    asked = shot.shot("new/deeper")
    if movie:
        asked = asked.model_copy(update={"output": str(tmp_path / "new" / "deeper" / "clean.mov")})
    with pytest.raises(CleanplateError) as refused:
        render_all(asked)
    assert isinstance(refused.value, (InputError, ImageError)) and tree(tmp_path) == before
