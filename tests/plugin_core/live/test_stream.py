"""`cleanplate stream` from bytes to bytes: what is not filled keeps its bits, and every end is told."""

from __future__ import annotations

import os
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from plugin_core.errors import ImageError, Interrupted, MissingFramesError, SettingsError, WriteError
from plugin_core.live.decoded import Decoded
from plugin_core.live.picture import Picture
from plugin_core.live.pixel_format import FORMATS, Layout
from plugin_core.live.run import Matte
from plugin_core.live.source import Asked
from plugin_core.live.y4m import can_hold, parsed

from .streams import GREEN, Run, noise

W, H, N = 33, 22, 5
BOX = Matte(box=(5, 4, 11, 8))
HOLE = np.zeros((H, W), bool)
HOLE[4:12, 5:16] = True
RAW = Asked("-", size=(W, H), rate=Fraction(25))


def raw(pixels: str, **fields) -> Asked:
    return Asked("-", size=(W, H), pixels=pixels, **fields)


@pytest.mark.parametrize("name", [name for name, pixels in FORMATS.items() if not pixels.alpha])
def test_only_the_hole_changes_in_any_format(monkeypatch, name):
    layout = Layout(W, H, FORMATS[name])
    frames = noise(N, layout.size)
    out = Run(monkeypatch, b"".join(frames))(raw(name), BOX, y4m=False)
    assert len(out) == N * layout.size
    for index, frame in enumerate(frames):
        done = out[index * layout.size :][: layout.size]
        before, after = (layout.views(np.frombuffer(bytearray(f), np.uint8)) for f in (frame, done))
        for plane, filled, (across, down, _) in zip(before, after, layout.pixels.planes, strict=True):
            shared = [
                HOLE[y :: 1 << down, x :: 1 << across] for y in range(1 << down) for x in range(1 << across)
            ]
            touched = np.zeros(plane.shape[:2], bool)
            for part in shared:
                touched[: part.shape[0], : part.shape[1]] |= part
            assert np.array_equal(plane[~touched], filled[~touched]), name
            assert (plane[touched] != filled[touched]).any()
    if name == "rgb24":
        assert (np.frombuffer(out, np.uint8).reshape(N, H, W, 3)[:, HOLE] == GREEN).all()


@pytest.mark.parametrize("name", [name for name, pixels in FORMATS.items() if pixels.alpha])
def test_a_matte_as_alpha_goes_no_farther(monkeypatch, name):
    layout = Layout(W, H, FORMATS[name])
    frame = np.frombuffer(bytearray(noise(1, layout.size)[0]), np.uint8)
    picture = Picture(layout, frame)
    picture.alpha()[...] = np.where(HOLE, (1 << layout.pixels.bits) - 1, 0)
    run = Run(monkeypatch, frame.tobytes())
    out = Picture(layout.opaque, np.frombuffer(run(raw(name), Matte(), y4m=False), np.uint8))
    assert "a" not in out.layout.pixels.name.removesuffix("le")
    far = np.s_[14:]
    assert np.array_equal(picture.without_alpha().rgb()[far], out.rgb()[far])
    middle = out.rgb()[6:10, 8:12].astype(int).reshape(-1, 3).mean(axis=0)
    assert np.abs(middle - GREEN).max() < 30, middle


def test_y4m_keeps_its_header_and_its_tags(monkeypatch, capsys):
    header = b"YUV4MPEG2 W%d H%d F24000:1001 It A4:3 C420mpeg2 XYSCSS=420MPEG2\n" % (W, H)
    layout = Layout(W, H, FORMATS["yuv420p"])
    frames = noise(N, layout.size)
    run = Run(monkeypatch, header + b"".join(b"FRAME Ip\n" + frame for frame in frames))
    out = run(Asked("-"), BOX)
    first, _, rest = out.partition(b"\n")
    words = first.split(b" ")
    assert words[0] == b"YUV4MPEG2" and sorted(words) == sorted(header.strip().split(b" "))
    assert len(rest) == N * (layout.size + 6) and run.pace.frames == N and run.pace.behind <= 2
    assert rest[6 : 6 + W] == frames[0][:W], "a row above the hole"
    told = capsys.readouterr().err
    assert "The video is interlaced" in told
    assert f"{W}x{H} yuv420p, 23.976 fps; model painter on cpu" in told and f"{N} frames, " in told


def test_headers_that_are_read_and_refused():
    for pixels in FORMATS.values():
        if can_hold(pixels):
            layout = Layout(64, 48, pixels, full=pixels.name.startswith("gray"))
            line = parsed(b"YUV4MPEG2 W64 H48", "x")
            assert line.layout.pixels.name == "yuv420p" and line.rate is None
            from plugin_core.live.y4m import Header

            written = Header(layout, Fraction(30)).line()
            assert parsed(written[:-1], "x").layout == layout
    for bad, why in (
        (b"RIFF", "no y4m header"),
        (b"YUV4MPEG2 W64", "no width and height"),
        (b"YUV4MPEG2 Wx H2", "which can't be read"),
        (b"YUV4MPEG2 W2 H2 C420p99", "C420p99"),
    ):
        with pytest.raises(ImageError, match=why):
            parsed(bad, "x")
    with pytest.raises(SettingsError, match="1 to 16384"):
        parsed(b"YUV4MPEG2 W99999 H2", "x")


def test_a_matte_as_alpha_before_each_frame_or_by_a_second_pipe(monkeypatch, tmp_path):
    frames = np.frombuffer(b"".join(noise(N, W * H * 3)), np.uint8).reshape(N, H, W, 3)
    matte = np.where(HOLE, 255, 0).astype(np.uint8)
    wanted = frames.copy()
    wanted[:, HOLE] = GREEN
    rgba = np.concatenate([frames, np.broadcast_to(matte[None, ..., None], (N, H, W, 1))], axis=3)
    assert Run(monkeypatch, rgba.tobytes())(raw("rgba"), Matte()) == wanted.tobytes()

    pairs = b"".join(matte.tobytes() + frame.tobytes() for frame in frames)
    assert Run(monkeypatch, pairs)(raw("gray+rgb"), Matte()) == wanted.tobytes()

    second = tmp_path / "matte.y4m"
    header = b"YUV4MPEG2 W%d H%d F25:1 Cmono\n" % (W, H)
    second.write_bytes(header + (b"FRAME\n" + (255 - matte).tobytes()) * N)
    inverted = Matte(stream=str(second), invert=True)
    assert Run(monkeypatch, frames.tobytes())(RAW, inverted) == wanted.tobytes()

    second.write_bytes(header + (b"FRAME\n" + matte.tobytes()) * 2)
    run = Run(monkeypatch, frames.tobytes())
    with pytest.raises(MissingFramesError, match="ended after 2 frames"):
        run(RAW, Matte(stream=str(second)))
    assert run.out == wanted[:2].tobytes(), "what is whole goes out"
    second.write_bytes(b"YUV4MPEG2 W8 H8 F25:1 Cmono\nFRAME\n" + bytes(64))
    with pytest.raises(ImageError, match="is 8x8; expected 33x22"):
        Run(monkeypatch, frames.tobytes())(RAW, Matte(stream=str(second)))
    with pytest.raises(SettingsError, match="has no matte"):
        Run(monkeypatch, frames.tobytes())(RAW, Matte())


def test_one_sender_of_both_pipes_is_never_waited_for_on_the_wrong_one(monkeypatch, tmp_path):
    """FFmpeg opens both before it writes, and may be a frame ahead on either."""
    frames, pipes = noise(N, W * H), [str(tmp_path / name) for name in ("plate", "matte")]
    header = b"YUV4MPEG2 W%d H%d F25:1 Cmono\n" % (W, H)
    matte = np.where(HOLE, 255, 0).astype(np.uint8).tobytes()
    for pipe in pipes:
        os.mkfifo(pipe)

    def send() -> None:
        with Path(pipes[0]).open("wb", 0) as plates, Path(pipes[1]).open("wb", 0) as mattes:
            mattes.write(header + b"FRAME\n" + matte)
            plates.write(header)
            for number, frame in enumerate(frames):
                plates.write(b"FRAME\n" + frame)
                if number < N - 1:
                    mattes.write(b"FRAME\n" + matte)

    sender = threading.Thread(target=send)
    sender.start()
    out = Run(monkeypatch)(Asked(pipes[0]), Matte(stream=pipes[1]))
    sender.join(20)
    assert len(out) == len(header) + N * (W * H + 6)
    assert out[len(header) + 6 :][:W] == frames[0][:W]


def test_an_end_inside_a_frame_is_told_and_whole_frames_go_out(monkeypatch):
    size = W * H * 3
    data = b"".join(noise(3, size))
    run = Run(monkeypatch, data[: 2 * size + 100])
    with pytest.raises(ImageError, match=f"ended inside frame 3, after 100 of its {size} bytes"):
        run(RAW, BOX)
    assert len(run.out) == 2 * size
    run = Run(monkeypatch, b"YUV4MPEG2 W8 H8 F25:1 C444\nFRAME\n" + bytes(192) + b"garbage\n")
    with pytest.raises(ImageError, match="no frame begins after frame 1"):
        run(Asked("-"), BOX)
    with pytest.raises(ImageError, match="nothing came"):
        Run(monkeypatch)(Asked("-"), BOX)
    with pytest.raises(ImageError, match="no line of text"):
        Run(monkeypatch, bytes(5000))(Asked("-"), BOX)
    assert Run(monkeypatch)(RAW, BOX) == b""
    with pytest.raises(SettingsError, match="lies outside the video, which is 33x22"):
        Run(monkeypatch, data)(RAW, Matte(box=(W, 0, 4, 4)))


def test_rgb_goes_out_as_y4m_where_that_is_asked_for(monkeypatch, capsys):
    frame = np.full((H, W, 3), (200, 120, 40), np.uint8)
    out = Run(monkeypatch, frame.tobytes())(RAW, BOX, y4m=True)
    header, _, rest = out.partition(b"\n")
    sent = Picture(parsed(header, "x").layout, np.frombuffer(rest[6:], np.uint8)).rgb().astype(int)
    assert b" F25:1 C444 " in header and len(rest) == 6 + 3 * W * H
    assert np.abs(sent[~HOLE] - frame[~HOLE]).max() <= 3 and np.abs(sent[HOLE] - GREEN).max() <= 3
    assert "y4m has no RGB" in capsys.readouterr().err


def test_another_size_in_the_middle_is_filled_and_sent_at_the_first(monkeypatch, capsys):
    first = b"YUV4MPEG2 W64 H48 F25:1 C420jpeg\n" + (b"FRAME\n" + bytes([120]) * (64 * 48 * 3 // 2)) * 2
    second = b"YUV4MPEG2 W48 H48 F25:1 C444\n" + (b"FRAME\n" + bytes([120]) * (48 * 48 * 3)) * 2
    run = Run(monkeypatch, first + second)
    out = run(Asked("-"), Matte(box=(4, 4, 20, 20)))
    assert [filler.size for filler in run.fillers] == [(64, 48), (48, 48)]
    assert len(out) == len(b"YUV4MPEG2 W64 H48 F25:1 C420jpeg\n") + 4 * (64 * 48 * 3 // 2 + 6)
    assert "From frame 3 on the video is 48x48, not 64x48" in capsys.readouterr().err


def test_in_real_time_frames_are_dropped_and_the_stream_keeps_its_length(monkeypatch, capsys):
    frames = [bytes([index]) * (W * H * 3) for index in range(12)]
    gate = threading.Semaphore(0)
    run = Run(monkeypatch, b"".join(frames))

    def before() -> None:
        if run.fillers[-1].steps == 1:  # The second frame takes long: until all others have come.
            while run.meter._come < 11:
                time.sleep(0.001)

    run.before = before
    del gate
    out = np.frombuffer(run(raw("rgb24", rate=Fraction(1000)), BOX, realtime=True), np.uint8)
    shown = out.reshape(-1, H, W, 3)[:, 0, 0, 0].tolist()
    assert len(shown) == 12 and shown[0] == 0 and shown[-1] == 11 and sorted(shown) == shown
    assert run.pace.frames + run.pace.dropped == 12 and run.pace.dropped >= 8
    assert f"{run.pace.dropped} dropped" in capsys.readouterr().err


def test_who_reads_goes_away(monkeypatch):
    from plugin_core.live import pipe as pipes

    written = pipes.PipeOut.write
    count = []

    def broken(self, data):
        count.append(1)
        if len(count) > 2:
            self._target.close()
            raise WriteError("Standard output was closed by whoever read it.")
        written(self, data)

    monkeypatch.setattr(pipes.PipeOut, "write", broken)
    run = Run(monkeypatch, b"".join(noise(50, W * H * 3)))
    with pytest.raises(WriteError, match="closed by whoever read it"):
        run(RAW, BOX)
    assert run.pace.frames == 2 and run.fillers[0].steps < 10


def test_a_stop_is_heard_while_nothing_comes(monkeypatch):
    sent = threading.Event()

    def parts():
        yield noise(1, W * H * 3)[0]
        sent.wait(20)

    run = Run(monkeypatch, parts())

    def ask() -> None:
        while not run.pace.frames:
            time.sleep(0.01)
        run.stop.request(143)
        sent.set()

    threading.Thread(target=ask).start()
    with pytest.raises(Interrupted) as stopped:
        run(RAW, BOX)
    assert stopped.value.exit_code == 143 and run.pace.frames == 1


def test_a_movie_goes_in_as_it_is_and_loops(monkeypatch, tmp_path):
    path = tmp_path / "plate.mkv"
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("ffv1", rate=25, width=32, height=24, pix_fmt="yuv420p")
        rng = np.random.default_rng(1)
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(
                rng.integers(60, 190, (36, 32)).astype(np.uint8), format="yuv420p"
            )
            movie.mux(stream.encode(picture))
        movie.mux(stream.encode())
    run = Run(monkeypatch)
    out = run(Asked(str(path)), Matte(box=(0, 0, 8, 8)))
    header, _, rest = out.partition(b"\n")
    assert b" F25:1 C420jpeg" in header and len(rest) == 3 * (32 * 24 * 3 // 2 + 6)
    with av.open(str(path)) as movie:
        luma = next(movie.decode(video=0)).to_ndarray()[:24]
    shown = np.frombuffer(rest[6 : 6 + 32 * 24], np.uint8).reshape(24, 32)
    assert np.array_equal(shown[8:], luma[8:]) and not np.array_equal(shown[:8, :8], luma[:8, :8])

    reader = Decoded(str(path), lambda: None, loop=True)
    begins = [frame.begins for frame, _ in zip(reader, range(7), strict=False)]
    assert begins == [False, False, False, True, False, False, True]
    reader.close()
    run = Run(monkeypatch)
    assert len(run(Asked(str(path)), Matte(box=(0, 0, 8, 8)), y4m=False)) == 3 * 32 * 24 * 3 // 2
    with pytest.raises(MissingFramesError, match="is not there"):
        Run(monkeypatch)(Asked(str(tmp_path / "none.mov")), BOX)
    (tmp_path / "no.mov").write_bytes(b"no movie")
    with pytest.raises(ImageError, match="can't be opened"):
        Run(monkeypatch)(Asked(str(tmp_path / "no.mov")), BOX)
