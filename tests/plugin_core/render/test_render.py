"""Rendering a shot: what is written, what stays the plate's, and which pictures a frame is filled from."""

from __future__ import annotations

import shutil
import threading

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.job.settings import Run, Settings
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render import render as render_module
from plugin_core.render.pipeline import Pipeline

from ..shots import (
    HEIGHT,
    QUICK,
    WIDTH,
    bits,
    differing,
    hole,
    leftovers,
    make_shot,
    picture,
    read,
    run_toy,
    same_files,
    write_matte,
    write_plate,
)
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def report(self, event: dict) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.events.append({"event": "closed"})

    def notes(self) -> str:
        return " ".join(event["message"] for event in self.events if event["event"] == "note")


def listening() -> tuple[render_module.Reporters, Listener]:
    listener = Listener()
    return render_module.Reporters([listener]), listener


def test_outside_the_matte_every_channel_is_the_plates_bit_for_bit(tmp_path):
    shot = make_shot(tmp_path, 1001, 1008)
    done = run_toy(shot.shot(), Settings(working_size=64, context=16, grow=2, feather=3))
    assert [frame.frame for frame in done] == list(range(1001, 1009))
    for frame in done:
        assert frame.path == shot.written(frame.frame) and frame.seconds >= 0
        before, after = read(shot.plate(frame.frame)), read(frame.path)
        assert after.dtype == np.float16
        changed = (bits(before) != bits(after)).any(axis=2)
        around = np.zeros_like(changed)
        rows, columns = np.nonzero(hole(frame.frame))
        around[rows.min() - 5 : rows.max() + 6, columns.min() - 5 : columns.max() + 6] = True
        assert changed[hole(frame.frame) > 0].mean() > 0.9
        assert not (changed & ~around).any()
        np.testing.assert_array_equal(bits(before)[:, :, 3], bits(after)[:, :, 3], "depth passes through")
    assert leftovers(tmp_path) == []


def test_the_header_is_kept(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    run_toy(shot.shot())
    specs = [oiio.ImageBuf(str(path)).spec() for path in (shot.plate(2), shot.written(2))]
    wanted = [
        {item.name: str(item.value) for item in spec.extra_attribs if item.name != "oiio:SourcePath"}
        for spec in specs
    ]
    assert wanted[0] == wanted[1] and "smpte:TimeCode" in wanted[0]
    assert specs[0].channelnames == specs[1].channelnames


def test_the_fill_is_finite_and_the_holes_nans_are_gone(tmp_path):
    shot = make_shot(tmp_path, 1, 8)
    broken = picture(4)
    inside, outside = (30, 40), (3, 5)
    broken[inside], broken[outside] = np.nan, np.inf
    broken[33, 38, 1] = -np.inf
    write_plate(shot.plate(4), broken)
    assert hole(4)[inside] and hole(4)[33, 38] and not hole(4)[outside]
    run_toy(shot.shot())
    for frame in range(1, 9):
        after = read(shot.written(frame)).astype(np.float32)
        filled = after[hole(frame) > 0][:, :3]
        assert np.isfinite(filled).all(), f"frame {frame}"
    before, after = read(shot.plate(4)), read(shot.written(4))
    kept = hole(4) == 0
    np.testing.assert_array_equal(bits(before)[kept], bits(after)[kept])
    assert np.isinf(after[outside].astype(np.float32)[:3]).all()


def test_a_nan_under_the_feather_gets_the_fill_alone(tmp_path):
    shot = make_shot(tmp_path, 1, 4)
    broken = picture(2)
    edge = (HEIGHT // 3 - 1, WIDTH // 4 + 8)
    broken[edge] = np.nan
    write_plate(shot.plate(2), broken)
    run_toy(shot.shot(), Settings(working_size=64, context=16, grow=0, feather=4))
    assert np.isfinite(read(shot.written(2)).astype(np.float32)[edge][:3]).all()


def test_empty_mattes_are_copied_byte_for_byte_and_still_feed_the_recurrence(tmp_path):
    shot = make_shot(tmp_path, 1, 12, empty=(5, 6))
    network = ToyNetwork()
    run_toy(shot.shot(), network=network)
    assert network.steps == 12
    for frame in (5, 6):
        assert shot.written(frame).read_bytes() == shot.plate(frame).read_bytes()

    other = make_shot(tmp_path / "other", 1, 12, empty=(5, 6))
    different = picture(5)
    different[:, :, :3] *= 0.5
    write_plate(other.plate(5), different)
    run_toy(other.shot())
    late = range(12, 13)  # too far from frame 5 to have it as a source: only the carry tells
    assert shot.written(12).read_bytes() != other.written(12).read_bytes(), late


def test_empty_mattes_everywhere_need_no_network(tmp_path):
    shot = make_shot(tmp_path, 1, 4, empty=(1, 2, 3, 4))
    network = ToyNetwork()
    reporters, heard = listening()
    run_toy(shot.shot(), network=network, reporters=reporters)
    assert network.steps == network.encodes == 0
    for frame in range(1, 5):
        assert shot.written(frame).read_bytes() == shot.plate(frame).read_bytes()
    assert "empty on every frame" in heard.notes()


def test_no_frame_is_encoded_twice(tmp_path):
    shot = make_shot(tmp_path, 1, 20)
    network = ToyNetwork()
    run_toy(shot.shot(), network=network)
    assert (network.steps, network.encodes) == (20, 20)


def test_a_still_matte_serves_every_frame(tmp_path):
    shot = make_shot(tmp_path, 1, 6)
    still = tmp_path / "still.png"
    write_matte(still, hole(3))
    for frame in range(1, 7):
        write_matte(shot.matte(frame), hole(3))
    run_toy(shot.shot("numbered"))
    run_toy(shot.shot("still").model_copy(update={"matte": str(still)}))
    same_files(shot, "numbered", "still")


def test_handles_on_disk_are_used(tmp_path):
    shot = make_shot(tmp_path / "all", 1, 15)
    run_toy(shot.shot("part", "5-10"))
    alone = make_shot(tmp_path / "alone", 5, 10)
    run_toy(alone.shot("part"))
    changed = [
        frame
        for frame in range(5, 11)
        if shot.written(frame, "part").read_bytes() != alone.written(frame, "part").read_bytes()
    ]
    assert changed == list(range(5, 11))


def test_the_frames_before_the_range_are_sources_but_not_state(tmp_path):
    shot = make_shot(tmp_path, 1, 15)
    run_toy(shot.shot("whole"))
    run_toy(shot.shot("part", "5-10"))
    assert differing(shot, "whole", "part", range(5, 11)), "the state before frame 5 must not be guessed"


def test_nothing_reaches_across_a_cut(tmp_path):
    """Both takes come out as if the other were not there at all."""
    shot = make_shot(tmp_path / "both", 1, 20)
    first, second = make_shot(tmp_path / "first", 1, 10), make_shot(tmp_path / "second", 11, 20)
    for take in (first, second):
        # The crop is chosen from all mattes on disk; these boxes give both takes the same one.
        run_toy(take.shot())
    run_toy(shot.shot(cuts=(11,)))
    run_toy(shot.shot("uncut"))
    for frame in range(1, 21):
        take = first if frame < 11 else second
        assert shot.written(frame).read_bytes() == take.written(frame).read_bytes(), f"frame {frame}"
    assert differing(shot, "out", "uncut") == list(range(5, 21))


def test_a_cut_outside_the_range_bounds_its_handles(tmp_path):
    shot = make_shot(tmp_path / "long", 1, 20)
    short = make_shot(tmp_path / "short", 8, 13)
    run_toy(shot.shot(frames="8-12", cuts=(8, 14)))
    run_toy(short.shot(frames="8-12"))
    for frame in range(8, 13):
        assert shot.written(frame).read_bytes() == short.written(frame).read_bytes(), f"frame {frame}"


def test_warm_up_runs_over_the_mirrored_start(tmp_path):
    shot = make_shot(tmp_path, 1, 12)
    network = ToyNetwork()
    run_toy(shot.shot("cold"))
    run_toy(shot.shot("warm"), QUICK.model_copy(update={"warmup": 3}), network=network)
    assert network.steps == 15
    assert 1 in differing(shot, "cold", "warm")


def test_warm_up_beyond_a_short_shot(tmp_path):
    shot = make_shot(tmp_path, 1, 2)
    network = ToyNetwork()
    run_toy(shot.shot(), QUICK.model_copy(update={"warmup": 9}), network=network)
    assert network.steps == 11 and shot.written(2).is_file()


def test_one_frame_is_a_shot(tmp_path):
    shot = make_shot(tmp_path, 7, 7)
    assert [done.frame for done in run_toy(shot.shot())] == [7]


def test_negative_frames(tmp_path):
    shot = make_shot(tmp_path, -3, 2)
    run_toy(shot.shot())
    assert shot.written(-3).is_file() and shot.written(-3).name == "clean.-003.exr"


def test_a_little_memory_for_plates_changes_nothing(tmp_path, monkeypatch):
    shot = make_shot(tmp_path, 1, 14)
    run_toy(shot.shot("roomy"))
    for room in (0, 2 * WIDTH * HEIGHT * 4 * 2):
        monkeypatch.setattr("plugin_core.render.reader.PLATE_CACHE_BYTES", room)
        run_toy(shot.shot(f"tight{room}"))
        same_files(shot, "roomy", f"tight{room}")


def test_a_folder_takes_the_plates_own_name(tmp_path):
    shot = make_shot(tmp_path, 1, 2)
    into = tmp_path / "into"
    run_toy(shot.shot().model_copy(update={"output": str(into)}))
    assert sorted(path.name for path in into.glob("*.exr")) == ["plate.0001.exr", "plate.0002.exr"]


def test_plates_and_mattes_given_as_folders(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    given = shot.shot("folders").model_copy(
        update={"plate": str(tmp_path / "plate"), "matte": str(tmp_path / "matte")}
    )
    run_toy(given)
    run_toy(shot.shot("named"))
    same_files(shot, "named", "folders")


def test_jpeg_plates_become_png_in_a_folder_and_say_so(tmp_path):
    shot = make_shot(tmp_path, 1, 3, extension=".jpg")
    reporters, heard = listening()
    into = tmp_path / "into"
    run_toy(shot.shot().model_copy(update={"output": str(into)}), reporters=reporters)
    assert sorted(path.name for path in into.glob("plate*")) == [f"plate.{n:04d}.png" for n in (1, 2, 3)]
    kept = hole(2) == 0
    np.testing.assert_array_equal(read(shot.plate(2))[kept], read(into / "plate.0002.png")[kept])
    assert "lossy" in heard.notes()


def test_jpeg_asked_for_is_written_with_a_note(tmp_path):
    shot = make_shot(tmp_path, 1, 2, extension=".jpg")
    reporters, heard = listening()
    run_toy(shot.shot(), reporters=reporters)
    assert shot.written(1).is_file() and "lossy" in heard.notes()


@pytest.mark.parametrize("extension", [".png", ".tif", ".dpx"])
def test_integer_plates_keep_their_pixels(tmp_path, extension):
    shot = make_shot(tmp_path, 1, 3, extension=extension)
    run_toy(shot.shot())
    kept = hole(2) == 0
    before, after = read(shot.plate(2)), read(shot.written(2))
    np.testing.assert_array_equal(before[kept], after[kept])
    assert (before != after).any()


def test_a_movie_becomes_a_png_sequence(tmp_path):
    shot = make_shot(tmp_path, 1, 8)
    movie = tmp_path / "plate.mkv"
    with av.open(str(movie), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for frame in range(1, 9):
            pixels = (np.clip(picture(frame)[:, :, :3], 0, 1) * 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    into = tmp_path / "into"
    given = shot.shot().model_copy(update={"plate": str(movie), "output": str(into)})
    done = run_toy(given)
    assert [frame.path.name for frame in done] == [f"plate.{frame:04d}.png" for frame in range(1, 9)]
    expected = (np.clip(picture(5)[:, :, :3], 0, 1) * 255).astype(np.uint8)
    kept = hole(5) == 0
    np.testing.assert_array_equal(read(into / "plate.0005.png")[kept], expected[kept])


def test_a_matte_that_is_no_number_is_filled_and_told(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    values = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    values[20:30, 30:40] = np.nan
    for frame in range(1, 4):
        write_plate(tmp_path / "floats" / f"matte.{frame:04d}.exr", values)
    reporters, heard = listening()
    given = shot.shot().model_copy(update={"matte": str(tmp_path / "floats" / "matte.####.exr")})
    run_toy(given, QUICK.model_copy(update={"matte_channel": "R"}), reporters=reporters)
    before, after = read(shot.plate(2)), read(shot.written(2))
    assert (bits(before) != bits(after))[20:30, 30:40].any()
    assert "NaN" in heard.notes()


def test_events_come_in_order(tmp_path):
    shot = make_shot(tmp_path, 1, 4)
    reporters, heard = listening()
    run_toy(shot.shot(), reporters=reporters)
    events = [event for event in heard.events if event["event"] not in ("note", "phase")]
    kinds = [event["event"] for event in events]
    assert kinds == ["start", *["frame"] * 4, "origins", "done"]
    start, last = events[0], events[-3]
    assert (start["total"], start["done"], start["first"], start["last"]) == (4, 0, 1, 4)
    assert (last["frame"], last["done"], last["total"], last["eta"]) == (4, 4, 4, 0.0)


def test_a_render_that_is_let_go_leaves_the_output_free(tmp_path):
    shot = make_shot(tmp_path, 1, 9)
    frames = render_module.render(
        shot.shot(),
        QUICK,
        render_module.Run(),
        ToyNetwork(),
        render_module.Reporters([]),
        render_module.Stop(),
    )
    assert next(frames).frame == 1
    frames.close()
    assert leftovers(tmp_path) == []
    run_toy(shot.shot(), resume=True)
    run_toy(shot.shot("whole"))
    same_files(shot, "out", "whole")


def test_queues_are_bounded(tmp_path, monkeypatch):
    """Reading runs ahead of the network by a few steps, not by the shot."""
    shot = make_shot(tmp_path, 1, 16)
    ahead = []
    read = Pipeline.read
    network = ToyNetwork()

    def watched(self, step):
        ahead.append(step.position - 1 - network.steps)
        return read(self, step)

    monkeypatch.setattr(Pipeline, "read", watched)
    run_toy(shot.shot(), network=network)
    assert max(ahead) <= 3


def test_a_state_folder_does_not_hang_on_the_padding(tmp_path):
    shot = make_shot(tmp_path, 1001, 1003)
    run_toy(shot.shot())
    given = shot.shot().model_copy(update={"output": str(tmp_path / "out" / "clean.%d.exr")})
    network = ToyNetwork()
    run_toy(given, resume=True, network=network)
    assert network.steps == 0, "the same files under another spelling are the same render"


def test_symlinked_plates_render(tmp_path):
    shot = make_shot(tmp_path, 1, 3)
    real = tmp_path / "store"
    shutil.move(tmp_path / "plate", real)
    (tmp_path / "plate").mkdir()
    for frame in range(1, 4):
        shot.plate(frame).symlink_to(real / shot.plate(frame).name)
    run_toy(shot.shot())
    assert read(shot.written(2)).shape == (HEIGHT, WIDTH, 4)


def test_a_frame_is_told_of_when_it_is_written_though_the_next_is_still_read(tmp_path, monkeypatch):
    told, begun, reading = threading.Event(), [], Pipeline.read

    def slowly(pipeline, step):
        begun.append(step.frame)
        assert len(begun) < 2 or told.wait(20), "the first frame was not told of"
        return reading(pipeline, step)

    monkeypatch.setattr(Pipeline, "read", slowly)
    shot = make_shot(tmp_path, 1, 5)
    for _ in render_module.render(shot.shot(), QUICK, Run(), ToyNetwork(), Reporters([]), Stop()):
        told.set()
    assert len(begun) >= 5
