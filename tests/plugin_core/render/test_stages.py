"""Ways to find pixels: a stage that paints one value shows what becomes of what any stage gives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest

from plugin_core.color.color_map import ColorMap
from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.errors import Interrupted
from plugin_core.job.settings import Settings, Shot
from plugin_core.network.contract import Mask, Picture, StepOutput
from plugin_core.patch import Patch
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.progress.text import plain
from plugin_core.regions.hole import Hole
from plugin_core.render import stages
from plugin_core.render.plan import Plan
from plugin_core.render.render import FrameDone
from plugin_core.schedule import Schedule
from plugin_core.state.journal import Entry, Journal

from ..shots import QUICK, ShotOnDisk, bits, hole, make_shot, picture, read, run_toy, same_files, write_plate
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LINEAR = ColorMap("linear")
PLAIN = QUICK.model_copy(update={"exposure": "0"})
"""The network's range is that of the plate's own values."""


def run(shot: Shot, settings: Settings = PLAIN, **more: Any) -> list[FrameDone]:
    return run_toy(shot, settings, **more)


@dataclass
class Painter:
    """Paints a value into every hole.

    Attributes:
        value: in the network's range; a frame's number adds a thousandth.
        confidence, grain: of every pixel.
        looks: frames that it looks at on each side.
        stop: asked for while this frame is painted.
    """

    value: float = 0.25
    origin: str = "painted"
    confidence: float = 1
    grain: float = 1
    looks: int = 0
    stop: tuple[int, Stop] | None = None
    known: list[Patch | None] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    closed: int = 0

    def looks_at(self, frame: int) -> Iterable[int]:
        return range(frame - self.looks, frame + self.looks + 1)

    def paints(self, frame: int) -> dict[int, Fingerprint]:
        return {}

    def references(self, frame: int) -> tuple[int, ...]:
        return ()

    def find(self, frame: int, hole: Hole, known: Patch | None, watch: Callable[[], None]) -> Patch | None:
        if self.stop is not None and frame == self.stop[0]:
            self.stop[1].request(143)
        watch()
        self.asked.append(frame)
        self.known.append(known)
        shape = hole.alpha.shape
        value = np.full((*shape, 3), self.value + frame / 1000, np.float32)
        share, grain = (np.full(shape, part, np.float32) for part in (self.confidence, self.grain))
        return Patch(hole.box, value, share, grain)

    def close(self) -> None:
        self.closed += 1


class Watching(ToyNetwork):
    """Remembers what it was shown to fill."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Picture, Mask]] = []

    def step(self, frame: Picture, mask: Mask, *given, **more) -> StepOutput:
        self.seen.append((frame.copy(), mask.copy()))
        return super().step(frame, mask, *given, **more)


SHARES = {"found": 0.5, "painted": 0.25, "guessed": 0.25}


@dataclass
class Told:
    """Remembers what was told."""

    events: list[dict[str, Any]]

    def report(self, event: dict[str, Any]) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass


def journal_of(shot: ShotOnDisk) -> list[Entry]:
    path = next(shot.written(1).parent.rglob("journal.jsonl"))
    journal = Journal(path, {})
    return Journal(path, journal.found_key() or {}).read() or []


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 12)


@pytest.fixture
def paint(monkeypatch):
    """Makes these stages those of every render."""

    def use(*painters: Painter) -> None:
        def opens(painter: Painter) -> Callable[..., Painter]:
            return lambda plan, before: painter

        monkeypatch.setattr(stages, "STAGES", tuple(map(opens, painters)))

    return use


def filled(shot: ShotOnDisk, frame: int, name: str = "out") -> np.ndarray:
    """The hole's pixels (n, 3) as they were written, in the network's range."""
    pixels = read(shot.written(frame, name))[..., :3].astype(np.float32)
    return LINEAR.to_network(pixels)[hole(frame) > 0]


def test_what_is_sure_is_what_comes_out_and_the_network_knows_it(shot, paint):
    painter, network = Painter(), Watching()
    paint(painter)
    run(shot.shot(), network=network)
    for frame in range(1, 13):
        np.testing.assert_allclose(filled(shot, frame), 0.25 + frame / 1000, atol=2e-3)
        plate, clean = read(shot.plate(frame)), read(shot.written(frame))
        np.testing.assert_array_equal(bits(plate[hole(frame) == 0]), bits(clean[hole(frame) == 0]))
    assert not any(mask.any() for _, mask in network.seen), "nothing is left to fill"
    assert sorted(painter.asked) == list(range(1, 13)), "each frame was asked for once"
    assert painter.closed == 1


@pytest.mark.parametrize("confidence", [0.0, 0.5, 0.7])
def test_what_is_not_sure_is_blended_with_the_networks_picture(shot, paint, confidence):
    paint()
    run(shot.shot("alone"))
    paint(Painter(confidence=confidence))
    run(shot.shot())
    for frame in (1, 7):
        alone = filled(shot, frame, "alone")
        mixed = alone + (0.25 + frame / 1000 - alone) * confidence
        np.testing.assert_allclose(filled(shot, frame), mixed, atol=3e-3)


def test_the_first_stage_stands_before_the_second_which_is_told_of_it(shot, paint):
    first, second = Painter(confidence=0.5), Painter(value=-0.5)
    paint(first, second)
    run(shot.shot())
    np.testing.assert_allclose(filled(shot, 4), (0.254 - 0.496) / 2, atol=3e-3)
    assert first.known == [None] * 12 and all(known.confidence.max() == 0.5 for known in second.known)


def test_where_the_pixels_came_from_is_noted_and_told(shot, paint):
    paint(Painter(confidence=0.5, origin="found"), Painter(confidence=0.5))
    events: list[dict[str, Any]] = []
    run(shot.shot(), reporters=Reporters([Told(events)]))
    pixels = int((hole(4) > 0).sum())
    noted = {entry.frame: entry.origins for entry in journal_of(shot)}
    assert set(noted) == set(range(1, 13))
    assert noted[4] == {"found": round(pixels / 2), "painted": round(pixels / 4), "guessed": ANY}
    assert sum(noted[4].values()) == pixels
    told = next(event for event in events if event["event"] == "origins")
    assert told["shares"] == {share: pytest.approx(at, abs=0.01) for share, at in SHARES.items()}
    assert told["message"] == "50 % found in other frames, 25 % painted, 25 % guessed by the network"
    assert plain(told) == f"holes: {told['message']}"


def test_a_stage_without_pixels_leaves_the_frame_to_the_others(shot, paint):
    run(shot.shot("alone"))

    class Nothing(Painter):
        def find(self, *_: object) -> None:
            return None

    paint(Nothing())
    run(shot.shot())
    same_files(shot, "out", "alone")


@pytest.mark.parametrize(("share", "grainy"), [(1.0, False), (0.0, True)])
def test_grain_is_added_as_far_as_the_pixels_lack_it(tmp_path, paint, share, grainy):
    size = (256, 192)
    shot = make_shot(tmp_path, 1, 3, size=size)
    random = np.random.default_rng(1)
    for frame in range(1, 4):
        values = np.full((size[1], size[0], 4), 0.4, np.float32)
        values[..., :3] += 0.02 * random.standard_normal(values[..., :3].shape).astype(np.float32)
        write_plate(shot.plate(frame), values)
    paint(Painter(value=-0.2, grain=share))
    run(shot.shot(), PLAIN.model_copy(update={"grain": "auto"}))
    clean = read(shot.written(2))[..., :3].astype(np.float32)[hole(2, size) > 0]
    assert (clean.std() > 0.005) is np.bool_(grainy)


def test_however_it_is_cut_up_a_painted_shot_is_that_of_one_go(shot, paint):
    paint(Painter(confidence=0.5))
    run(shot.shot("whole"))
    state = str(shot.folder / "a.state")
    run(shot.shot(), chunk="1-5", state_out=state)
    run(shot.shot(), chunk="6-12", state_in=state)
    same_files(shot, "out", "whole")
    write_plate(shot.plate(9), picture(3))
    run(shot.shot("whole"), overwrite=True)
    run(shot.shot(), chunk="1-5", state_out=state, resume=True)
    run(shot.shot(), chunk="6-12", state_in=state, resume=True)
    same_files(shot, "out", "whole")


def test_a_change_where_a_stage_looks_is_noticed(shot, paint):
    """Frame 12 is beyond what the network sees of frame 4, and within what a stage looks at for it."""
    settings = PLAIN.model_copy(update={"propagate": 2})
    paint(Painter(looks=1))
    with pytest.raises(ValueError, match=r"for frame \d+ a stage looks at \[0\]"):
        run(shot.shot(), settings)

    class Within(Painter):
        def looks_at(self, frame: int) -> Iterable[int]:
            return range(max(1, frame - 2), min(12, frame + 2) + 1)

    paint(Within())
    run(shot.shot(), settings, overwrite=True, checkpoint_every=1)
    write_plate(shot.plate(12), picture(3))
    again = [done.frame for done in run(shot.shot(), settings, resume=True)]
    assert again == list(range(4, 13)), "6 frames of the network, and 2 of the stage"


def test_a_stop_while_a_stage_works_ends_the_render_between_two_frames(shot, paint):
    paint(Painter())
    run(shot.shot("whole"))
    stop, painter = Stop(), Painter()
    painter.stop = (9, stop)
    paint(painter)
    with pytest.raises(Interrupted, match="go on with --resume") as stopped:
        run(shot.shot(), stop=stop)
    assert stopped.value.exit_code == 143 and 9 not in painter.asked and painter.closed == 1
    paint(Painter())
    run(shot.shot(), resume=True)
    same_files(shot, "out", "whole")


@pytest.mark.parametrize(("frames", "cuts", "warmup"), [(None, (), 0), ("5-20", (11,), 4), ("9-9", (), 0)])
def test_frames_are_asked_for_no_farther_apart_than_the_schedule_spans(tmp_path, paint, frames, cuts, warmup):
    """What stages keep of a frame's surroundings serves the next one, too."""
    shot, painter = make_shot(tmp_path, 1, 24), Painter()
    paint(painter)
    run(shot.shot(frames=frames, cuts=cuts), PLAIN.model_copy(update={"warmup": warmup}))
    jumps = [abs(there - here) for here, there in itertools.pairwise(painter.asked)]
    assert max(jumps, default=0) <= Schedule(first=1, last=24).span == 12


def test_real_pixels_are_the_first_stage_and_left_out_where_none_are_asked_for(shot):
    plan = _plan(shot, PLAIN)
    assert [opens(plan, ()) for opens in stages.STAGES] == [None] * 3
    opened = stages.open_stages(_plan(shot, PLAIN.model_copy(update={"propagate": 2})), lambda: None)
    assert opened.looks_at(5) == {3, 4, 5, 6, 7} and opened.looks_at(1) == {1, 2, 3}
    opened.close()


def _plan(shot: ShotOnDisk, settings: Settings) -> Plan:
    from plugin_core.render.plan import make_plan
    from plugin_core.render.sources import open_sources

    return make_plan(open_sources(shot.shot()), shot.shot(), settings, ToyNetwork())
