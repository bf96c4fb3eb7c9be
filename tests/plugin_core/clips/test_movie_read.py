from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from plugin_core.clips.movie_read import MovieReader, is_movie
from plugin_core.errors import ImageError, MissingFramesError
from plugin_core.images import Storage, output_notes, read_plate, stored, write_plate

pytestmark = pytest.mark.slow

W, H, COUNT = 96, 64, 40
BT709, BT601 = 1, 5
LIMITED, FULL = 1, 2
STEP = 5
LUMA = {BT709: (0.2126, 0.7152, 0.0722), BT601: (0.299, 0.587, 0.114)}


def picture(index: int) -> NDArray[np.uint8]:
    """A picture whose color tells its number: two flat halves, so that subsampled chroma does not blur it."""
    rgb = np.empty((H, W, 3), np.uint8)
    index %= COUNT
    rgb[:, : W // 2] = (10 + index * STEP, 200 - index * 3, 60)
    rgb[:, W // 2 :] = (40, 20 + index * 4, 220 - index * STEP)
    return rgb


def to_yuv(rgb: NDArray[np.uint8], matrix: int, full: bool, bits: int) -> list[NDArray[np.uint16]]:
    """Y, Cb, Cr by the formula of ITU-R BT.709 / BT.601, independent of the library that converts back."""
    kr, kg, kb = LUMA[matrix]
    red, green, blue = (rgb[..., c] / 255.0 for c in range(3))
    luma = kr * red + kg * green + kb * blue
    chroma = [(blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)]
    top = (1 << bits) - 1
    scale = 1 << (bits - 8)
    if full:
        planes = [luma * top, *(c * top + 128 * scale for c in chroma)]
    else:
        planes = [(16 + 219 * luma) * scale, *((128 + 224 * c) * scale for c in chroma)]
    return [np.clip(np.rint(plane), 0, top).astype(np.uint16) for plane in planes]


def frame_of(
    index: int, layout: str, matrix: int | None, color_range: int, alpha: bool = False
) -> av.VideoFrame:
    rgb = picture(index)
    if layout == "gbrp10le":
        frame = av.VideoFrame(W, H, layout)
        for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
            rows = np.zeros((H, plane.line_size // 2), np.uint16)
            rows[:, :W] = np.rint(rgb[..., channel] / 255 * 1023)
            plane.update(rows.tobytes())
    elif layout.startswith(("rgb", "gbr", "bgr")):
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=layout)
    else:
        bits = 10 if "10" in layout else 8
        planes = to_yuv(rgb, matrix or BT601, color_range == FULL, bits)
        if "420" in layout:
            planes[1:] = [plane[::2, ::2] for plane in planes[1:]]
        elif "422" in layout:
            planes[1:] = [plane[:, ::2] for plane in planes[1:]]
        if alpha:
            planes.append(np.full((H, W), (index * 25) % 1024, np.uint16))
        frame = av.VideoFrame(W, H, layout)
        for plane, values in zip(frame.planes, planes, strict=True):
            kind = np.uint16 if bits > 8 else np.uint8
            rows = np.zeros((plane.height, plane.line_size // np.dtype(kind).itemsize), kind)
            rows[:, : values.shape[1]] = values
            plane.update(rows.tobytes())
    if matrix is not None:
        frame.colorspace = matrix
    frame.color_range = color_range
    return frame


@pytest.fixture
def make_movie(tmp_path: Path) -> Callable[..., Path]:
    def make(
        name: str, codec: str, layout: str, *, matrix: int | None = BT709, color_range: int = LIMITED,
        options: dict[str, str] | None = None, count: int = COUNT, times: list[int] | None = None,
    ) -> Path:  # fmt: skip
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, rate=Fraction(24000, 1001), options=options or {})
            stream.width, stream.height, stream.pix_fmt = W, H, layout
            stream.codec_context.gop_size = 12
            stream.codec_context.color_range = color_range
            if matrix is not None:
                stream.codec_context.colorspace = matrix
            for index in range(count):
                frame = frame_of(index, layout, matrix, color_range, alpha="yuva" in layout)
                frame.pts = times[index] if times else index
                frame.time_base = Fraction(1001, 24000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


def error_of(reader: MovieReader, number: int) -> float:
    """Largest error in levels of 255, away from the edge between the two colors."""
    away = [4, W // 4, W // 2 - 8, W // 2 + 8, W - 5]
    difference = reader.read(number).rgb * 255 - picture(number - 1)
    return float(np.abs(difference[4:-4, away]).max())


H264 = {"qp": "0", "preset": "ultrafast"}
LOSSLESS = [
    ("a.mp4", "libx264", "yuv444p", BT709, LIMITED, H264, 1.6),
    ("a.mp4", "libx264", "yuv444p", BT709, FULL, H264, 1.6),
    ("a.mkv", "libx264", "yuv444p", BT601, LIMITED, H264, 1.6),
    ("a.mkv", "ffv1", "yuv420p", BT601, FULL, {}, 1.6),
    ("a.mkv", "ffv1", "yuv444p10le", BT709, LIMITED, {}, 0.4),
    ("a.mkv", "ffv1", "bgr0", None, FULL, {}, 0.0),
    ("a.mov", "prores_ks", "yuv444p10le", BT709, LIMITED, {"profile": "4"}, 0.8),
    ("a.mkv", "ffv1", "yuv444p10le", BT709, FULL, {}, 0.4),
    ("a.mkv", "ffv1", "gbrp10le", None, FULL, {}, 0.15),
    ("a.mkv", "ffv1", "yuv420p10le", BT601, LIMITED, {}, 0.6),
    ("a.mp4", "libx264", "yuv420p", None, LIMITED, H264, 1.6),
]


@pytest.mark.parametrize(("name", "codec", "layout", "matrix", "levels", "options", "bound"), LOSSLESS)
def test_color_follows_matrix_and_range_of_the_file(
    make_movie: Callable[..., Path], name: str, codec: str, layout: str, matrix: int | None, levels: int,
    options: dict[str, str], bound: float,
) -> None:  # fmt: skip
    path = make_movie(name, codec, layout, matrix=matrix, color_range=levels, options=options, count=6)
    with MovieReader(path) as reader:
        assert max(error_of(reader, number) for number in reader.frames) <= bound
        kind = "uint16" if "10" in layout else "uint8"
        assert reader.read(1).header.types == (kind,) * 3


@pytest.mark.parametrize(
    ("name", "codec", "layout", "options"),
    [
        ("a.mp4", "libx264", "yuv420p", {"crf": "4", "bf": "3", "preset": "fast"}),
        ("a.mkv", "libx264", "yuv420p", {"crf": "4", "bf": "3", "preset": "fast"}),
        ("a.ts", "libx264", "yuv420p", {"crf": "4", "bf": "3", "preset": "fast"}),
        ("a.mov", "prores_ks", "yuv444p10le", {}),
        ("a.mxf", "mpeg2video", "yuv422p", {"b": "8000000", "bf": "2"}),
        ("a.avi", "mjpeg", "yuvj420p", {"qscale": "1"}),
        ("a.webm", "libvpx-vp9", "yuv420p", {"lossless": "1", "cpu-used": "8"}),
    ],
)
def test_any_order_gives_the_same_frames(
    make_movie: Callable[..., Path], name: str, codec: str, layout: str, options: dict[str, str]
) -> None:
    color_range = FULL if "yuvj" in layout else LIMITED
    matrix = BT601 if "yuvj" in layout else BT709
    path = make_movie(name, codec, layout, options=options, color_range=color_range, matrix=matrix)
    with MovieReader(path) as reader:
        assert str(reader.frames) == f"1-{COUNT}"
        assert (reader.width, reader.height) == (W, H)
        in_order = {number: reader.read(number).rgb for number in reader.frames}
        nearest = [min(range(COUNT), key=lambda i, n=n: apart(in_order[n], i)) + 1 for n in reader.frames]
        assert nearest == list(reader.frames)
        order = [COUNT, 1, 20, 19, 18, 39, 2, 40, 40, 1, *random.Random(0).sample(range(1, COUNT + 1), 15)]
        for number in order:
            np.testing.assert_array_equal(reader.read(number).rgb, in_order[number])


def test_dnxhr_frames_have_their_numbers(tmp_path: Path) -> None:
    """Larger than the other movies here: the codec takes none so small."""
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("dnxhd", rate=24, options={"profile": "dnxhr_hqx"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv422p10le"
        for index in range(20):
            gray = np.full((180, 320, 3), 10 + 10 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(gray, format="rgb24").reformat(format="yuv422p10le")
            frame.pts, frame.time_base = index, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with MovieReader(path) as reader:
        assert str(reader.frames) == "1-20"
        for number in (20, 1, 7, 8, 3):
            assert reader.read(number).rgb.mean() * 255 == pytest.approx(10 * number, abs=1)


def apart(rgb: NDArray[np.float32], index: int) -> float:
    return float(np.abs(rgb[8:-8, 8 : W // 2 - 8] * 255 - picture(index)[8:-8, 8 : W // 2 - 8]).mean())


@pytest.mark.parametrize("name", ["a.mov", "a.mp4", "a.mkv"])
@pytest.mark.parametrize(("start", "hidden"), [(100, 0), (-5, 5)])
def test_start_offsets_and_edit_lists_do_not_shift_the_numbers(
    make_movie: Callable[..., Path], name: str, start: int, hidden: int
) -> None:
    """The first frame that a player shows is 1: what an edit list hides is not counted (MKV has none)."""
    hidden = 0 if name == "a.mkv" else hidden
    options = {"crf": "4", "bf": "3", "preset": "fast"}
    path = make_movie(name, "libx264", "yuv420p", options=options, times=list(range(start, start + COUNT)))
    with MovieReader(path) as reader:
        assert len(reader.frames) == COUNT - hidden
        for number in (20, 1, len(reader.frames), 2):
            shown = min(range(COUNT), key=lambda index, n=number: apart(reader.read(n).rgb, index))
            assert shown == number - 1 + hidden


def test_a_rate_that_is_not_constant_is_told(make_movie: Callable[..., Path]) -> None:
    with MovieReader(make_movie("a.mkv", "ffv1", "yuv444p", count=4, times=[0, 1, 5, 6])) as reader:
        assert "no constant frame rate" in reader.read(2).notes[0]
    with MovieReader(make_movie("b.mkv", "ffv1", "yuv444p", count=4)) as reader:
        assert reader.read(2).notes == ()


def test_uneven_times_are_counted_one_by_one(make_movie: Callable[..., Path]) -> None:
    times = [0, 1, 5, 6, 7, 20, 21, 40, 41, 42]
    path = make_movie("a.mkv", "ffv1", "yuv444p", count=10, times=times)
    with MovieReader(path) as reader:
        assert len(reader.frames) == 10
        assert max(error_of(reader, number) for number in (10, 3, 6, 7, 1, 8)) <= 1.6


def test_frame_rate_and_size_are_told(make_movie: Callable[..., Path]) -> None:
    with MovieReader(make_movie("a.mov", "prores_ks", "yuv444p10le", count=3)) as reader:
        header = reader.read(2).header
        assert reader.fps == pytest.approx(24000 / 1001)
        assert (header.width, header.height, header.channels, header.format) == (
            W,
            H,
            ("R", "G", "B"),
            "movie",
        )


def test_alpha_comes_along(make_movie: Callable[..., Path]) -> None:
    path = make_movie("a.mkv", "ffv1", "yuva444p10le", count=4)
    with MovieReader(path) as reader:
        plate = reader.read(4)
        assert plate.header.channels == ("R", "G", "B", "A")
        np.testing.assert_allclose(plate.parts[0].channel(3) / 65535, 75 / 1023, atol=1e-3)
        assert error_of(reader, 4) <= 0.4


@pytest.mark.parametrize("extension", [".png", ".tif", ".dpx"])
def test_frame_is_written_as_a_picture(
    make_movie: Callable[..., Path], tmp_path: Path, extension: str
) -> None:
    with MovieReader(make_movie("a.mkv", "ffv1", "yuv444p10le", count=2)) as reader:
        plate = reader.read(2)
    where = np.zeros((H, W), np.bool_)
    where[:4] = True
    filled = plate.with_rgb(np.ones((H, W, 3), np.float32), where)
    write_plate(filled, tmp_path / f"out{extension}")
    np.testing.assert_array_equal(read_plate(tmp_path / f"out{extension}").rgb, filled.rgb)
    assert (filled.rgb[:4] == 1).all()
    with pytest.raises(
        ImageError, match=r"uint16 pixels can't be written as \.exr.*--bit-depth half or float"
    ):
        output_notes(plate.header, ".exr")
    codes = stored(filled, Storage(bit_depth="float", encoding="srgb_rec709_display"))
    write_plate(codes, tmp_path / "codes.exr")
    values = read_plate(tmp_path / "codes.exr").rgb
    np.testing.assert_array_equal(np.rint(values.astype(np.float64) * 65535), np.rint(filled.rgb * 65535.0))


@pytest.mark.parametrize("number", [0, COUNT + 1, -1])
def test_frame_outside_the_movie_is_refused(make_movie: Callable[..., Path], number: int) -> None:
    with MovieReader(make_movie("a.mkv", "ffv1", "yuv420p")) as reader:
        with pytest.raises(ImageError, match=rf"has frames 1-40; frame {number} is not in it"):
            reader.read(number)
        assert error_of(reader, 3) <= 1.6


def test_what_is_no_movie_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mov").write_text("no movie " * 100)
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mov", "empty.mp4"):
        with pytest.raises(ImageError, match=f"{name} can't be opened"):
            MovieReader(tmp_path / name)
    with pytest.raises(MissingFramesError, match="is not there"):
        MovieReader(tmp_path / "gone.mov")


def test_movie_of_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mov"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), format="s16", layout="mono")
        silence.rate = 48000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    with pytest.raises(ImageError, match="no video in it"):
        MovieReader(path)


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_truncated_movie_is_refused_or_ends_early(make_movie: Callable[..., Path], share: float) -> None:
    """A stream that can be cut anywhere has fewer frames; one with its index at the end can't be opened."""
    for name, codec in (("a.mkv", "ffv1"), ("a.mp4", "libx264")):
        path = make_movie(name, codec, "yuv420p")
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        try:
            reader = MovieReader(path)
        except ImageError:
            continue
        with reader:
            assert len(reader.frames) < COUNT
            assert error_of(reader, 2) <= 3


def test_memory_does_not_grow_with_length(make_movie: Callable[..., Path]) -> None:
    path = make_movie("a.mp4", "libx264", "yuv420p", options={"preset": "ultrafast"}, count=600)
    process = psutil.Process()
    with MovieReader(path) as reader:
        for number in range(1, 101):
            reader.read(number)
        early = process.memory_info().rss
        for number in range(101, 601):
            reader.read(number)
        assert process.memory_info().rss - early < 20 << 20


def test_movies_are_told_by_extension() -> None:
    assert is_movie("a.MOV") and is_movie(Path("b/c.mp4")) and is_movie("a.####.mxf")
    assert not is_movie("a.####.exr") and not is_movie("mov")


FUZZ = """
import faulthandler, random, resource, sys
from pathlib import Path
from plugin_core.errors import ImageError
from plugin_core.clips.movie_read import MovieReader
faulthandler.dump_traceback_later(90, exit=True)
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
path = Path(sys.argv[1])
whole, refused = path.read_bytes(), 0
for seed in range(int(sys.argv[2])):
    rng, data = random.Random(seed), bytearray(whole)
    for _ in range(rng.choice((1, 8, 64))):
        data[rng.randrange(len(data) if seed % 2 else min(3000, len(data)))] = rng.randrange(256)
    if seed % 5 == 0:
        del data[rng.randrange(len(data)) :]
    path.write_bytes(data)
    try:
        with MovieReader(path) as reader:
            for number in (1, reader.frames.last, 1):
                assert reader.read(number).rgb.shape == (reader.height, reader.width, 3)
    except ImageError as error:
        assert 0 < len(str(error)) < 1000
        refused += 1
print("survived", refused > 0)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on memory")
@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.mov", "prores_ks", "yuv444p10le"),
        ("b.mp4", "libx265", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
    ],
)
def test_damaged_movie_gives_frames_or_an_error(
    make_movie: Callable[..., Path], name: str, codec: str, layout: str
) -> None:
    """In a process of its own: no crash, no hang, no memory without end."""
    quiet = {"x265-params": "log-level=0"} if codec == "libx265" else {}
    path = make_movie(name, codec, layout, count=8, options=quiet)
    command = [sys.executable, "-c", FUZZ, str(path), "40"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "survived True"


def test_a_damaged_frame_is_never_a_made_up_picture(make_movie: Callable[..., Path]) -> None:
    """A bit flipped in the pixels of an H.264 movie: each frame is as it was, or an error."""
    path = make_movie("a.mp4", "libx264", "yuv420p", options={"crf": "4", "bf": "3"}, count=12)
    whole = path.read_bytes()
    with MovieReader(path) as reader:
        good = {number: reader.read(number).rgb.tobytes() for number in reader.frames}
    refused = 0
    for seed in range(20):
        rng, data = random.Random(seed), bytearray(whole)
        data[rng.randrange(len(data) // 4, len(data) * 3 // 4)] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        for number in (12, 6, 1):
            try:
                with MovieReader(path) as reader:
                    assert reader.read(number).rgb.tobytes() == good[number]
            except ImageError:
                refused += 1
    assert refused > 5
