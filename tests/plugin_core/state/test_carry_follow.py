"""A plate that moves and whose exposure drifts: how it did, and that what is carried over follows it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.color.color_map import ColorMap
from plugin_core.job.settings import Settings
from plugin_core.network.contract import Carry, StepOutput
from plugin_core.network.session import Session
from plugin_core.state.carry_follow import Change, all_followed, change_between, followed

from ..batch.test_chunks import state
from ..local_network import LocalNetwork
from ..motion.test_flow import disc, texture
from ..shots import QUICK, ShotOnDisk, read, run_toy, same_files, write_matte, write_plate
from ..toy_network import ToyNetwork

pytestmark = pytest.mark.slow

LINEAR = ColorMap("linear")
HOLE = disc(160, 176, 80, 88, 24)
MATCH = QUICK.model_copy(update={"context": 40})


def seen(at: int, gain: float | tuple[float, ...] = 1.0, hole=HOLE, inside: float = 0.9):
    """A wall seen from `at`, brighter by a factor, with something in front of it."""
    world = cv2.GaussianBlur(texture(160, 240), (0, 0), 3.0)[20:180, 20 + at : 196 + at] ** 2.4 + 0.05
    picture = LINEAR.to_network((world * np.array(gain)).astype(np.float32))
    picture[hole] = inside
    return np.moveaxis(picture, -1, 0).copy(), hole[None].astype(np.float32)


def gain_between(before, here):
    change = change_between(before, here)
    return None if change is None else change.gain


@pytest.mark.parametrize("pan", [0, 2, 5])
@pytest.mark.parametrize("gain", [1.012, 0.97, (1.02, 1.0, 0.98)])
def test_a_change_of_exposure_or_color_is_measured_while_the_camera_moves(pan, gain):
    found = gain_between(seen(0), seen(pan, gain))
    assert found is not None
    np.testing.assert_allclose(found, np.broadcast_to(gain, 3), atol=3e-3)


@pytest.mark.parametrize("pan", [0, 2, 5])
def test_a_steady_plate_is_left_alone(pan):
    found = gain_between(seen(0), seen(pan))
    assert found is None or np.abs(found - 1).max() < 2e-3


def test_noise_is_no_change():
    random = np.random.default_rng(1)
    for _ in range(5):
        (old, mask), (new, _) = seen(0), seen(1)
        noisy = [(p + random.normal(0, 0.02, p.shape)).astype(np.float32) for p in (old, new)]
        found = gain_between((noisy[0], mask), (noisy[1], mask))
        assert found is None or np.abs(found - 1).max() < 2e-3


def test_what_stands_or_moves_in_the_hole_has_no_say():
    still = gain_between(seen(0), seen(2, 1.02))
    changed = gain_between(seen(0, inside=-1.0), seen(2, 1.02, inside=3.0))
    assert still is not None and changed is not None
    np.testing.assert_allclose(still, changed, atol=1e-3)


def test_what_tells_nothing_changes_nothing():
    none = np.zeros_like(HOLE)
    assert gain_between(seen(0, hole=none), seen(0, 1.1, hole=none)) is None
    black = seen(0, 0.001)
    assert gain_between(black, seen(0, 0.0012)) is None
    clipped = tuple(np.minimum(seen(0, gain)[0], 0.99) * 0 + 1 for gain in (1.0, 1.1))
    mask = HOLE[None].astype(np.float32)
    assert gain_between((clipped[0], mask), (clipped[1], mask)) is None
    assert gain_between(seen(0), seen(0, 2.0)) is None, "a flash is no drift"
    small = tuple(
        (picture[:, 60:100, 60:100], mask[:, 60:100, 60:100]) for picture, mask in (seen(0), seen(0))
    )
    assert gain_between(*small) is None


def test_any_crop_with_enough_around_the_hole_measures_the_same():
    far = disc(160, 176, 80, 104, 16)
    before, here = seen(0, hole=far), seen(3, 1.02, hole=far)
    crop = np.s_[:, 16:144, 32:176]
    whole = gain_between(before, here)
    assert whole is not None
    cut = gain_between((before[0][crop], before[1][crop]), (here[0][crop], here[1][crop]))
    np.testing.assert_array_equal(cut, whole)


def test_the_motion_behind_the_hole_is_measured():
    change = change_between(seen(0), seen(4))
    assert change is not None and change.motion is not None and change.gain is None
    inside = change.motion[HOLE[change.box.slices]]
    np.testing.assert_allclose(inside, np.broadcast_to([4.0, 0.0], inside.shape), atol=0.4)


def test_where_nothing_moves_nothing_is_resampled():
    assert change_between(seen(0), seen(0)) is None
    brighter = change_between(seen(0), seen(0, 1.02))
    assert brighter is not None and brighter.motion is None


BOX = Box(8, 4, 40, 28)


def carried(output):
    return Carry({"blocks": np.ones((1, 1, 1), np.float32), "output": output})


def test_only_the_previous_output_is_brightened():
    random = np.random.default_rng(1)
    output = random.uniform(-1.5, 3.0, (1, 3, 32, 48)).astype(np.float32)
    gain = np.array([1.1, 1.0, 0.9], np.float32)
    change = Change(BOX, None, gain)
    found = LocalNetwork().fetch(followed(LocalNetwork(), carried(output), change))
    linear, before = (LINEAR.from_network(np.moveaxis(a, 1, -1)) for a in (found["output"], output))
    np.testing.assert_allclose(linear, before * gain, rtol=1e-3, atol=1e-4)
    assert (found["blocks"] == 1).all()
    none = Carry({"memory": np.ones(3, np.float32)})
    assert followed(ToyNetwork(), none, change) is none


def test_a_change_of_color_is_that_of_the_plate_whatever_the_models_channel_order():
    network = Session.open("vinet", device="cpu", threads=1)
    gain = np.array([1.1, 1.0, 0.9], np.float32)
    (picture, mask), (lit, _) = seen(0), seen(0, tuple(gain))
    found, expected = (
        network.fetch(carry)["output"] * (1 - mask)
        for carry in (
            followed(network, network.start(picture, mask), Change(BOX, None, gain)),
            network.start(lit, mask),
        )
    )
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_previous_output_moves_within_the_box():
    output = np.random.default_rng(1).uniform(-1, 1, (1, 3, 32, 48)).astype(np.float32)
    motion = np.broadcast_to(np.array([3, -2], np.float32), (BOX.height, BOX.width, 2))
    found = LocalNetwork().fetch(followed(LocalNetwork(), carried(output), Change(BOX, motion, None)))
    moved, rest = found["output"], np.ones((32, 48), np.bool_)
    np.testing.assert_allclose(moved[..., 4:28, 8:40], output[..., 2:26, 11:43], atol=1e-5)
    rest[BOX.slices] = False
    np.testing.assert_array_equal(moved[..., rest], output[..., rest])


class Holding(LocalNetwork):
    """Keeps in a hole what it put out there on the frame before: it lags as much as a network can."""

    def step(self, frame, mask, sources, carry) -> StepOutput:
        before = carry.tensors["output"]
        known = carry.tensors["mask"] == 0
        fill = np.where(mask > 0, np.where(known, frame.mean(axis=(1, 2), keepdims=True), before), frame)
        kept = {**super().step(frame, mask, sources, carry).carry.tensors, "output": fill.astype(np.float32)}
        return StepOutput(fill.astype(np.float32), Carry({**kept, "mask": mask}))


@pytest.fixture
def drifting(tmp_path, no_sync) -> ShotOnDisk:
    """A wall that gets brighter by 2 % a frame, and a hole that stands still."""
    shot = ShotOnDisk(tmp_path, 1, 16)
    wall = texture(128, 128)[:128, :128] ** 2.4 * 0.5 + 0.1
    hole = disc(128, 128, 64, 64, 14)
    for frame in range(1, 17):
        lit = wall * 1.02**frame
        lit[hole] = 0.02
        write_plate(shot.plate(frame), np.dstack([lit, np.ones_like(lit[..., 0])]).astype(np.float32))
        write_matte(shot.matte(frame), hole.astype(np.uint8) * 255)
    return shot


def brightness(shot: ShotOnDisk, name: str, frame: int) -> float:
    hole = disc(128, 128, 64, 64, 14)
    return float(read(shot.written(frame, name))[hole][:, :3].astype(np.float32).mean())


def render(shot: ShotOnDisk, name: str, settings: Settings = MATCH, **more) -> None:
    frames = more.pop("frames", None)
    run_toy(shot.shot(name, frames), settings, network=more.pop("network", Holding()), **more)


def test_what_is_carried_follows_the_plate(drifting):
    render(drifting, "on")
    render(drifting, "off", MATCH.model_copy(update={"border_match": "off"}))
    drift = 1.02**14
    assert brightness(drifting, "on", 16) / brightness(drifting, "on", 2) == pytest.approx(drift, rel=0.02)
    assert brightness(drifting, "off", 16) / brightness(drifting, "off", 2) == pytest.approx(1, rel=5e-3)


class Keeping(LocalNetwork):
    """Keeps in a hole what it put out there on the frame before, be it fill or plate."""

    def step(self, frame, mask, sources, carry) -> StepOutput:
        fill = np.where(mask > 0, carry.tensors["output"], frame).astype(np.float32)
        kept = {**super().step(frame, mask, sources, carry).carry.tensors, "output": fill}
        return StepOutput(fill, Carry({**kept, "mask": mask}))


@pytest.fixture
def panning(tmp_path, no_sync) -> ShotOnDisk:
    """A wall that passes by two pixels a frame, and a hole that stands on the screen and has grown once."""
    shot = ShotOnDisk(tmp_path, 1, 16)
    wall = cv2.GaussianBlur(texture(128, 200), (0, 0), 3.0) ** 2.4 * 0.5 + 0.1
    for frame in range(1, 17):
        hole = disc(128, 128, 64, 64, 4 if frame == 1 else 14)
        lit = wall[:128, 2 * frame : 128 + 2 * frame].copy()
        lit[hole] = 0.02
        write_plate(shot.plate(frame), np.dstack([lit, np.ones_like(lit[..., 0])]).astype(np.float32))
        write_matte(shot.matte(frame), hole.astype(np.uint8) * 255)
    return shot


def test_what_is_carried_goes_with_the_camera(panning):
    render(
        panning, "kept", MATCH.model_copy(update={"region": "full", "working_size": 128}), network=Keeping()
    )
    first, later = (read(panning.written(n, "kept"))[..., :3].astype(np.float32) for n in (2, 5))
    with_it = np.abs(first[60:68, 71:76] - later[60:68, 65:70]).mean()
    without = np.abs(first[60:68, 71:76] - later[60:68, 71:76]).mean()
    assert with_it < 0.3 * without


@pytest.mark.parametrize("kind", ["drifting", "panning"])
def test_in_chunks_and_resumed_it_is_that_of_one_go(kind, request):
    shot = request.getfixturevalue(kind)
    render(shot, "whole")
    render(shot, "parts", frames="1-7", state_out=state(shot, 7))
    render(shot, "parts", frames="8-16", state_in=state(shot, 7))
    same_files(shot, "parts", "whole")
    render(shot, "again", checkpoint_every=4)
    shot.written(11, "again").unlink()
    render(shot, "again", resume=True, checkpoint_every=4)
    same_files(shot, "again", "whole")


def test_a_crop_that_was_reduced_measures_it_too(drifting):
    render(drifting, "small", MATCH.model_copy(update={"working_size": 64, "region": "full"}))
    ratio = brightness(drifting, "small", 16) / brightness(drifting, "small", 2)
    assert ratio == pytest.approx(1.02**14, rel=0.05)


def test_where_flows_are_given_all_that_is_remembered_moves_and_the_plate_is_put_back():
    network, (plate, mask) = LocalNetwork(), seen(0)
    random = np.random.default_rng(0)
    arrays = {
        "blocks": random.random((1, 20, 22)).astype(np.float32),
        "output": random.random(plate.shape).astype(np.float32),
        "mask": mask,
        "count": np.float32(3),
        "feedback": np.ones((1, 80, 88), np.float32),
    }
    box = Box(48, 48, 112, 96)
    motion = np.zeros((box.height, box.width, 2), np.float32)
    motion[..., 0] = 8
    carry = network.put(arrays)
    still = network.fetch(all_followed(network, carry, None, (plate, mask), (plate, mask)))
    np.testing.assert_array_equal(still["output"], np.where(mask > 0, arrays["output"], plate))
    np.testing.assert_array_equal(still["blocks"], arrays["blocks"])
    whole = {**arrays, "output": seen(0, hole=np.zeros_like(HOLE))[0]}
    whole = network.fetch(all_followed(network, network.put(whole), None, (plate, mask), (plate, mask)))
    assert still["feedback"][:, 34:46, 38:50].max() < 0.9 * whole["feedback"][:, 34:46, 38:50].min()
    change = Change(box, motion, None)
    moved = network.fetch(all_followed(network, carry, change, (plate, mask), (plate, mask)))
    np.testing.assert_allclose(
        moved["output"][:, 48:96, 48:112], still["output"][:, 48:96, 56:120], atol=1e-5
    )
    np.testing.assert_allclose(moved["blocks"][:, 6:12, 6:14], arrays["blocks"][:, 6:12, 7:15], atol=1e-5)
    np.testing.assert_array_equal(moved["output"][:, :48], still["output"][:, :48])
    assert moved["count"] == 3


@pytest.mark.parametrize("pan", [0, 4])
def test_what_walks_against_the_given_motion_is_not_put_back_and_hidden_where_the_background_stands(pan):
    def moved(box: Box, cell: int) -> tuple[np.ndarray, np.ndarray]:
        size = box.height // cell, box.width // cell
        return np.broadcast_to(np.array([pan, 0], np.float32), (*size, 2)), np.zeros(size, np.bool_)

    before, here = seen(0), seen(pan)
    steady = change_between(before, here, moved)
    for (picture, _), left in ((before, 100), (here, 116)):
        picture[:, 50:120, left : left + 20] = 0.7
    change = change_between(before, here, moved)
    assert steady is not None and steady.trust is not None and steady.trust.min() > 0.9
    assert change is not None and change.trust is not None
    network = LocalNetwork()
    carry = network.put({**network.fetch(network.start(*before)), "mask": np.zeros_like(before[1])})
    carry.tensors["output"][:] = 0.25
    kept = network.fetch(all_followed(network, carry, change, before, here))
    walked, wall = np.s_[:, 70:90, 106:108], np.s_[:, 70:90, 56:58]
    fits = np.roll(before[0], -pan, axis=2)[wall]
    np.testing.assert_allclose(kept["output"][wall], fits, atol=0.1)
    assert (kept["mask"][wall] == 0).all()
    assert (kept["mask"][walked] == (pan == 0)).all()
    np.testing.assert_allclose(kept["output"][walked], 0.25 if pan else 0, atol=0.1)
