"""Painted key frames: made once, carried everywhere, the same however a shot is rendered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.cli import main
from plugin_core.errors import Interrupted, WriteError
from plugin_core.images import read_plate, write_plate
from plugin_core.job.settings import Run
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.progress.watch import Phase
from plugin_core.regions.islands import Islands
from plugin_core.render import key_files, key_painting
from plugin_core.render.key_files import KeyFiles, Made
from plugin_core.render.key_frames import KeyFrame, Span, choose_key_frames, span_of
from plugin_core.render.plan import make_plan
from plugin_core.render.render import FrameDone, render
from plugin_core.render.sources import open_sources

from ..shots import QUICK, ShotOnDisk, differing, make_shot, read, run_toy, same_files
from ..shots import write_matte as put_matte
from ..shots import write_plate as put_plate
from ..toy_network import ToyNetwork
from .test_patch_files import channels

PAINT = QUICK.model_copy(update={"propagate": 6, "paint": "auto"})
FRAMES = range(1, 13)
HOLE = np.s_[20:40, 30:60]


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    """A locked-off camera before a textured wall; the hole stands, so that no frame shows what it hides."""
    shot = make_shot(tmp_path, 1, 12)
    wall = np.random.default_rng(1).random((64, 96, 4), np.float32)
    matte = np.zeros((64, 96), np.uint8)
    matte[HOLE] = 255
    for frame in FRAMES:
        put_plate(shot.plate(frame), wall)
        put_matte(shot.matte(frame), matte)
    return shot


@pytest.fixture
def painted(monkeypatch) -> list[tuple[int, int]]:
    """Sizes of the pictures that are completed, as it happens."""
    calls: list[tuple[int, int]] = []
    complete = key_painting.complete

    def counted(picture, *given, **more):
        calls.append(picture.shape[:2])
        return complete(picture, *given, **more)

    monkeypatch.setattr(key_painting, "complete", counted)
    return calls


def keys_of(shot: ShotOnDisk, name: str = "out") -> list[Path]:
    return sorted((shot.folder / name).glob(".cleanplate/*/paint/*.exr"))


def detail(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture[HOLE][..., :3].astype(np.float32), axis=1)).mean())


def agree_where_they_were_copied(told: Mapping[str, np.ndarray], plate: np.ndarray, key: Path) -> None:
    """Check that a key frame shows what the plate has at the places that are told, but for the seams."""
    here = told["A"] > 0
    assert here[HOLE].all() and here.sum() == here[HOLE].sum()
    x = np.rint(told["R"] * plate.shape[1] - 0.5).astype(int)[here]
    y = np.rint((1 - told["G"]) * plate.shape[0] - 0.5).astype(int)[here]
    assert not here[y, x].any(), "nothing is copied out of the hole"
    shown, fetched = (values[..., :3].astype(np.float32) for values in (read(key)[here], plate[y, x]))
    assert np.corrcoef(shown.ravel(), fetched.ravel())[0, 1] > 0.98


# Which frames are painted


def holes(*frames: int, box: tuple[int, int, int, int] = (10, 10, 20, 20)) -> dict[int, Islands]:
    return {frame: (Box(*box),) if frame in frames else () for frame in range(1, 201)}


def chosen(found: dict[int, Islands], *takes: tuple[int, int], search: int = 48) -> list[KeyFrame]:
    return list(choose_key_frames(found, takes, search=search, width=100, height=100))


def test_each_stretch_of_a_take_has_one_key_frame_painted_from_the_middle_outward():
    keys = chosen(holes(*range(1, 201)), (1, 40), (41, 140))
    assert [key.frame for key in keys] == [20, 56, 88, 124]
    assert [key.parents for key in keys] == [(), (88,), (), (88,)]


def test_a_key_frame_stands_where_its_hole_touches_the_edge_least():
    found = holes(*range(1, 41)) | {frame: holes(1, box=(0, 10, 20, 20))[1] for frame in range(13, 24)}
    assert [key.frame for key in chosen(found, (1, 40))] == [24]


def test_frames_without_a_hole_are_no_key_frames_and_far_ones_have_no_parents():
    assert chosen(holes(), (1, 100)) == []
    keys = chosen(holes(2, 100), (1, 100))
    assert [key.frame for key in keys] == [2, 100] and all(key.parents == () for key in keys)


def test_a_frame_lies_between_the_key_frames_that_are_near_enough():
    keys = [20, 60, 150]
    assert span_of(keys, 20, (1, 200), 48) == Span(20, 20, 20, 20)
    assert span_of(keys, 5, (1, 200), 48) == Span(None, 20, 1, 20)
    assert span_of(keys, 40, (1, 200), 48) == Span(20, 60, 20, 60)
    assert span_of(keys, 90, (1, 200), 48) == Span(60, None, 60, 105)
    assert span_of(keys, 199, (1, 200), 48) is None
    assert span_of(keys, 40, (30, 50), 48) is None, "those of another take"


# What becomes of them


class Still(ToyNetwork):
    """Sees the same grey on every frame, so that what it says of paint's low frequencies is the same, too."""

    def step(self, frame, *given, **more):
        output = super().step(frame, *given, **more)
        return replace(output, fill=np.zeros_like(frame))


@pytest.mark.slow
def test_paint_is_sharp_stands_still_and_is_painted_once(shot, painted):
    run_toy(shot.shot("network"), PAINT.model_copy(update={"paint": "network"}))
    run_toy(shot.shot(), PAINT, network=Still())
    assert len(keys_of(shot)) == 3, "one for every four frames: a search of 6 is short"
    assert len(painted) == 1, "the others show what is carried into them"
    copied = sorted((shot.folder / "out").glob(".cleanplate/*/paint/copied/copied.*.exr"))
    assert [path.stem[-4:] for path in copied] == ["0006"], "what is carried was not copied"
    agree_where_they_were_copied(channels(copied[0])[0], read(shot.plate(6)), keys_of(shot)[1])
    truth = detail(read(shot.plate(1)))
    assert (
        detail(read(shot.written(6, "network"))) < 0.3 * truth < 0.8 * truth < detail(read(shot.written(6)))
    )
    first = read(shot.written(1))[HOLE]
    for frame in FRAMES[1:]:
        np.testing.assert_allclose(read(shot.written(frame))[HOLE], first, atol=2e-3)
    told = Told()
    run_toy(shot.shot(), PAINT, overwrite=True, reporters=told)
    assert len(painted) == 1 and Phase.PAINTING in told.phases, "they are there"


@pytest.mark.slow
def test_it_is_told_on_which_frames_somebody_enters_the_hole(shot):
    class Origins(Reporters):
        message, shares = "", dict[str, float]()

        def origins(self, message: str, shares: Mapping[str, float]) -> None:
            self.message, self.shares = message, dict(shares)

    told = Origins([])
    run_toy(shot.shot("alone"), PAINT, network=Still(), reporters=told)
    assert "entered" not in told.shares
    for frame in FRAMES[6:]:  # he comes from the right, and stands half behind the hole
        plate, left = read(shot.plate(frame)).astype(np.float32), max(48, 90 - 12 * (frame - 6))
        plate[16:50, left : left + 26] = 0.05
        put_plate(shot.plate(frame), plate)
    run_toy(shot.shot(), PAINT, network=Still(), reporters=told)
    assert told.shares["entered"] > 0.03
    assert "left to the network where something enters the hole (frames " in told.message, told.message


@pytest.mark.slow
def test_however_it_is_rendered_a_painted_shot_is_that_of_one_go(shot, painted, monkeypatch):
    run_toy(shot.shot("whole"), PAINT)
    once = len(painted)
    state = str(shot.folder / "a.state")
    run_toy(shot.shot("chunks"), PAINT, chunk="1-5", state_out=state)
    run_toy(shot.shot("chunks"), PAINT, chunk="6-12", state_in=state)
    same_files(shot, "chunks", "whole")
    assert len(painted) == 2 * once, "chunks share them"
    run_toy(shot.shot("part", frames="7-9"), PAINT)
    assert [path.read_bytes() for path in keys_of(shot, "part")] == [
        path.read_bytes()
        for path in keys_of(shot, "whole")
        if (keys_of(shot, "part")[0].parent / path.name).is_file()
    ]
    stop = Stop()
    rendering = run_toy_lazily(shot, "resumed", stop)
    next(rendering)
    stop.request(130)
    with pytest.raises(Interrupted):
        list(rendering)
    run_toy(shot.shot("resumed"), PAINT, resume=True)
    same_files(shot, "resumed", "whole")


def run_toy_lazily(shot: ShotOnDisk, name: str, stop: Stop) -> Iterator[FrameDone]:
    return render(shot.shot(name), PAINT, Run(), ToyNetwork(), Reporters([]), stop)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the file", "before the note", "between them"])
def test_a_kill_while_a_key_frame_is_made_leaves_nothing_wrong(shot, monkeypatch, when):
    run_toy(shot.shot("whole"), PAINT)
    with monkeypatch.context() as patched:
        if when == "before the file":
            patched.setattr(key_files, "write_plate", dying)
        elif when == "before the note":
            patched.setattr(key_files, "replacing", dying_for_notes(key_files.replacing))
        else:
            patched.setattr(Path, "replace", dying_for_exr(Path.replace))
        with pytest.raises((WriteError, Killed)):
            run_toy(shot.shot(), PAINT)
    run_toy(shot.shot(), PAINT, resume=True)
    same_files(shot, "out", "whole")
    assert [p.read_bytes() for p in keys_of(shot)] == [p.read_bytes() for p in keys_of(shot, "whole")]


class Killed(BaseException):
    """Nothing catches it."""


def dying(*given, **more):
    raise Killed


def dying_for_notes(replacing):
    def maybe(path, **more):
        if path.suffix == ".json":
            raise Killed
        return replacing(path, **more)

    return maybe


def dying_for_exr(replace):
    def maybe(path, target):
        if Path(target).name.startswith("paint.") and Path(target).suffix == ".exr":
            raise Killed
        return replace(path, target)

    return maybe


@pytest.mark.slow
def test_a_changed_plate_has_its_key_frames_painted_anew(shot, painted):
    run_toy(shot.shot(), PAINT)
    once = len(painted)
    assert run_toy(shot.shot(), PAINT, resume=True) == [] and len(painted) == once
    put_plate(shot.plate(12), np.random.default_rng(2).random((64, 96, 4), np.float32))
    run_toy(shot.shot("fresh"), PAINT)
    again = [done.frame for done in run_toy(shot.shot(), PAINT, resume=True)]
    assert again and len(painted) >= 3 * once
    same_files(shot, "out", "fresh")


@pytest.mark.slow
def test_a_key_frame_changed_by_hand_is_kept_and_shows_on_the_frames_beside_it(shot, painted):
    run_toy(shot.shot(), PAINT)
    run_toy(shot.shot("before"), PAINT)
    path = keys_of(shot)[-1]
    plate = read_plate(path)
    mark = np.full((4, 4, 3), 3.0, np.float32)
    write_plate(plate.with_patch(mark, np.ones((4, 4), np.bool_), 40, 28), path)
    edited = path.read_bytes()
    run_toy(shot.shot(), PAINT, resume=True)
    assert path.read_bytes() == edited
    np.testing.assert_allclose(read(shot.written(12))[28:32, 40:44, :3], 3, atol=0.02)
    changed = differing(shot, "out", "before")
    assert changed and changed[-1] == 12
    run_toy(shot.shot(), PAINT, overwrite=True)
    assert path.read_bytes() == edited


def test_key_frames_of_another_painter_are_made_anew_unless_mended(shot, monkeypatch, caplog):
    plan = make_plan(open_sources(shot.shot()), shot.shot(), PAINT, ToyNetwork())
    made: list[int] = []

    def see_to_all() -> list[int]:
        files = KeyFiles(plan)
        for key in plan.keys:

            def make(frame: int = key.frame) -> Made:
                made.append(frame)
                return Made(plan.sources.plate.plate(frame), ())

            files.ensure(key, make, {"plate": range(1, 3)}, lambda: None)
        again, made[:] = list(made), []
        return again

    frames = [key.frame for key in plan.keys]
    with caplog.at_level("INFO", key_files.notes.name):
        assert see_to_all() == frames and see_to_all() == []
        mended = KeyFiles(plan).path(frames[0])
        write_plate(read_plate(shot.plate(9)), mended)
        monkeypatch.setattr(key_files, "PAINTER", key_files.PAINTER + 1)
        assert not caplog.records
        assert see_to_all() == frames[1:] and see_to_all() == []
    assert [record.getMessage() for record in caplog.records] == [
        "Another version of the painter made the key frames there are: they are made anew."
    ]
    assert KeyFiles(plan).is_edited(frames[0])


def test_two_processes_never_paint_the_same_key_frame_twice(shot):
    plan = make_plan(open_sources(shot.shot()), shot.shot(), PAINT, ToyNetwork())
    key, made, begun = plan.keys[0], [], threading.Event()

    def make() -> Made:
        made.append(key.frame)
        begun.set()
        threading.Event().wait(0.3)
        return Made(plan.sources.plate.plate(key.frame), ())

    def see_to() -> None:
        KeyFiles(plan).ensure(key, make, {"plate": range(1, 3)}, lambda: None)

    others = [threading.Thread(target=see_to) for _ in range(2)]
    others[0].start()
    begun.wait(10)
    others[1].start()
    for other in others:
        other.join(20)
    assert made == [key.frame] and KeyFiles(plan).holds(key.frame)


def test_off_leaves_the_plate_says_how_much_and_runs_no_network(shot, monkeypatch):
    told = Told()
    for name in ("encode", "start", "step"):
        monkeypatch.setattr(ToyNetwork, name, dying)
    run_toy(shot.shot(), PAINT.model_copy(update={"paint": "off"}), reporters=told)
    for frame in (1, 12):
        np.testing.assert_array_equal(read(shot.written(frame)), read(shot.plate(frame)))
    assert told.notes == ["100 % left as the plate has it"]
    assert keys_of(shot) == []
    off = PAINT.model_copy(update={"paint": "off"})
    run_toy(shot.shot("cut", frames="1-5"), off, state_out=str(shot.folder / "a.state"))
    run_toy(shot.shot("cut", frames="1-12"), off, resume=True)
    same_files(shot, "cut", "out")


class Told(Reporters):
    """Remembers what was told."""

    def __init__(self) -> None:
        super().__init__([])
        self.notes: list[str] = []
        self.phases: set[Phase] = set()

    def origins(self, message: str, shares: Mapping[str, float]) -> None:
        self.notes.append(message)

    def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
        self.phases.add(phase)


@pytest.mark.slow
def test_the_command_makes_the_key_frames_that_a_render_takes(shot, painted, capsys):
    given = [*shot.arguments()[1:], "--propagate", "6", "--grow", "0", "--feather", "0", "--json"]
    del given[given.index("--device") : given.index("--propagate")]
    assert main(["paint", *given]) == 0
    told = json.loads(capsys.readouterr().out)["key_frames"]
    assert [Path(one["path"]) for one in told] == keys_of(shot) and len(painted) == 1
    assert not any(one["edited"] for one in told) and not list((shot.folder / "out").glob("*.exr"))
    run_toy(shot.shot(), PAINT)
    assert len(painted) == 1, "the render takes them as they are"
    assert main(["paint", *given, "--propagate", "0"]) == 2
