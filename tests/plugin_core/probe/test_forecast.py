"""A dry run says what a resumed render then does, and why; and it touches nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from plugin_core.cli import main
from plugin_core.errors import MissingFramesError, SettingsError
from plugin_core.job.settings import Run, Settings, Shot
from plugin_core.probe.forecast import Forecast, forecast

from ..render.test_resume import StopAfter
from ..shots import QUICK, ShotOnDisk, hole, make_shot, picture, run_toy, write_matte, write_plate
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 20)


def look(shot: Shot, settings: Settings = QUICK) -> Forecast:
    return forecast(shot, settings, Run(), ToyNetwork())


def on_disk(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


def change_matte(shot: ShotOnDisk) -> None:
    matte = hole(13)
    matte[25:28, 30:34] = 0
    write_matte(shot.matte(13), matte)


def change_plate(shot: ShotOnDisk) -> None:
    write_plate(shot.plate(12), picture(12) * 0.5)


def lose_frame(shot: ShotOnDisk) -> None:
    shot.written(9).unlink()


def change_both(shot: ShotOnDisk) -> None:
    change_matte(shot)
    write_plate(shot.plate(17), picture(17) * 0.5)
    write_plate(shot.plate(18), picture(18) * 0.5)


def lose_and_change(shot: ShotOnDisk) -> None:
    lose_frame(shot)
    write_plate(shot.plate(20), picture(20) * 0.5)


def empty_mattes(shot: ShotOnDisk) -> None:
    for frame in range(1, 21):
        write_matte(shot.matte(frame), hole(frame, empty=True))
    run_toy(shot.shot(), overwrite=True)
    lose_frame(shot)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_matte, "Matte changed on frame 13"),
        (change_plate, "Plate changed on frame 12"),
        (change_both, "Matte changed on frame 13 and plate changed on frames 17-18"),
        (lose_frame, "frame 9 is missing, and what follows goes on from there"),
        (lose_and_change, "Plate changed on frame 20; frame 9 is missing"),
        (empty_mattes, "frame 9 is missing"),
    ],
)
@pytest.mark.parametrize("every", [1, 8])
def test_the_resumed_render_begins_where_it_was_said(
    shot, change: Callable[[ShotOnDisk], None], reason: str, every: int
):
    run_toy(shot.shot(), checkpoint_every=every)
    change(shot)
    before = on_disk(shot.folder)
    told = look(shot.shot())
    assert on_disk(shot.folder) == before
    assert told.action == "resume" and reason in "; ".join(told.reasons)
    again = [done.frame for done in run_toy(shot.shot(), resume=True)]
    assert again == list(range(told.begin, 21)) and told.frames == len(again)
    assert look(shot.shot()).action == "nothing"


def test_a_stopped_render_goes_on_where_it_was_said(shot):
    with pytest.raises(Exception, match="go on with --resume"):
        run_toy(shot.shot(), stop=StopAfter(62))
    told = look(shot.shot())
    assert told.action == "resume" and 1 < told.begin <= 20
    assert run_toy(shot.shot(), resume=True)[0].frame == told.begin


def test_before_the_first_render_no_folder_is_made(shot):
    told = look(shot.shot("new/deeper"))
    assert (told.action, told.begin, told.frames) == ("start", 1, 20)
    assert not (shot.folder / "new").exists()


def test_nothing_to_do_is_said(shot):
    run_toy(shot.shot())
    told = look(shot.shot())
    assert (told.action, told.frames) == ("nothing", 0)
    assert str(told).startswith("Nothing to render: every frame is there")


def test_other_settings_need_overwrite_and_are_named(shot):
    run_toy(shot.shot())
    told = look(shot.shot(), QUICK.model_copy(update={"grow": 3, "feather": 2}))
    assert (told.action, told.begin) == ("overwrite", 1)
    assert "feather was 0, now is 2" in told.reasons and "grow was 0, now is 3" in told.reasons
    run_toy(shot.shot(), QUICK.model_copy(update={"grow": 3, "feather": 2}), overwrite=True)


def test_frames_of_nobody_need_overwrite(shot):
    shot.written(3).parent.mkdir()
    shot.written(3).write_bytes(b"precious")
    told = look(shot.shot())
    assert (
        told.action == "occupied"
        and "with --overwrite" in str(told)
        and "frames 3 of the output are there already" in told.reasons[0]
    )
    assert shot.written(3).read_bytes() == b"precious"


def test_what_stops_a_render_stops_a_dry_run(shot):
    shot.plate(7).unlink()
    with pytest.raises(MissingFramesError, match="lacks frames 7"):
        look(shot.shot())
    with pytest.raises(SettingsError, match="--state-in"):
        forecast(shot.shot(), QUICK, Run(state_in="a.state"), ToyNetwork())


def test_the_command_tells_people_and_machines(shot, bundle_512, capsys):
    arguments = shot.arguments("out", "--model", str(bundle_512), "--dry-run")
    assert main(arguments) == 0
    assert capsys.readouterr().out == "Would render frames 1-20 (20 of 20): nothing is rendered yet.\n"
    assert main([*arguments, "--progress", "json"]) == 0
    *phases, told = map(json.loads, capsys.readouterr().out.splitlines())
    assert {event["phase"] for event in phases} == {"frames", "mattes"}
    assert told["event"] == "plan" and (told["action"], told["from"], told["frames"]) == ("start", 1, 20)
    assert not (shot.folder / "out").exists()
