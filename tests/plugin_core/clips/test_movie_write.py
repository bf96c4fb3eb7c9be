"""A ProRes 4444 movie: what goes in comes out, or nothing is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.clips.movie_color import from_rgb, to_rgb
from plugin_core.clips.movie_read import MovieReader
from plugin_core.clips.movie_write import MovieLook, check_movie, write_movie
from plugin_core.errors import InputError, WriteError
from plugin_core.images.plate import Group, Part, Plate
from plugin_core.images.read import header_of

W, H, COUNT = 96, 64, 14
LEVEL = 1 / 1023


def plate(index: int, channels: int = 3, kind: str = "uint16", size: tuple[int, int] = (W, H)) -> Plate:
    """A soft picture that is another on every frame."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    waves = [0.5 + 0.4 * np.sin(x / 15 + y / 20 + index / 3 + 2 * c) for c in range(channels)]
    pixels = np.rint(np.stack(waves, axis=2) * np.iinfo(kind).max).astype(kind)
    spec = oiio.ImageSpec(*size, channels, kind)
    if channels == 4:
        spec.alpha_channel = 3
    return Plate(header_of(Path("p"), "movie", [spec]), (Part(spec, (Group(0, pixels),)),))


def plates(*, fail_at: int = -1, **about: object) -> Iterator[Plate]:
    for index in range(COUNT):
        if index == fail_at:
            raise OSError(28, "No space left on device")
        yield plate(index, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_frames_come_back_in_order_and_close(tmp_path: Path, channels: int, kind: str) -> None:
    path = tmp_path / "clean.mov"
    write_movie(plates(channels=channels, kind=kind), COUNT, path, MovieLook())
    with MovieReader(path) as movie:
        assert str(movie.frames) == f"1-{COUNT}"
        for number in (1, 8, COUNT, 2):
            read, written = movie.read(number), plate(number - 1, channels, kind)
            assert np.abs(read.rgb - written.rgb).max() < 8 * LEVEL
            assert np.abs(read.rgb - written.rgb).mean() < 1 * LEVEL
            if channels == 4:
                one, other = (picture.parts[0].channel(3) for picture in (read, written))
                apart = one / np.iinfo(one.dtype).max - other / np.iinfo(other.dtype).max
                assert np.abs(apart).max() < 1.1 * LEVEL
    assert [p.name for p in tmp_path.iterdir()] == ["clean.mov"]


def test_what_the_movie_says_comes_back(tmp_path: Path) -> None:
    look = MovieLook(Fraction(24000, 1001), Fraction(2), "01:00:59:22", primaries=1, transfer=1)
    write_movie(plates(), COUNT, tmp_path / "a.mov", look)
    with MovieReader(tmp_path / "a.mov") as movie:
        header = movie.read(3).header
        assert movie.fps == pytest.approx(24000 / 1001)
        assert header.pixel_aspect == 2.0 and header.color.cicp == (1, 1, 0, 1)
        assert MovieLook.of(movie.read(1)) == look
        spec = movie.read(3).parts[0].spec
        assert spec.get_string_attribute("smpte:TimeCode") == "01:01:00:00"
    with av.open(str(tmp_path / "a.mov")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.profile) == ("prores", "4444")
        assert stream.codec_context.pix_fmt.startswith("yuv444p")


@pytest.mark.parametrize("channels", [3, 4])
def test_the_matrix_there_and_back_is_exact_to_a_level(channels: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 65536, (H, W, channels)).astype(np.uint16)
    back = to_rgb(from_rgb(pixels))
    assert np.abs(back.astype(int) - pixels).max() < 3 * 65535 * LEVEL
    for value in (0, 65535):  # black and white are exact
        flat = np.full((H, W, channels), value, np.uint16)
        np.testing.assert_array_equal(to_rgb(from_rgb(flat)), flat)


@pytest.mark.parametrize("fail_at", [0, 5])
def test_a_movie_that_breaks_off_leaves_the_old_one(tmp_path: Path, fail_at: int) -> None:
    path = tmp_path / "clean.mov"
    path.write_text("old")
    with pytest.raises(WriteError, match="No space left"):
        write_movie(plates(fail_at=fail_at), COUNT, path, MovieLook())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["clean.mov"]


def test_a_movie_that_lacks_frames_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=rf"{COUNT} of {COUNT + 1} frames"):
        write_movie(plates(), COUNT + 1, tmp_path / "a.mov", MovieLook())
    assert not list(tmp_path.iterdir())


LIMITED = """
import resource, signal, sys
from pathlib import Path
from plugin_core.errors import WriteError
from plugin_core.clips.movie_write import MovieLook, write_movie
from tests.plugin_core.clips.test_movie_write import COUNT, plates
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    write_movie(plates(), COUNT, Path(sys.argv[1]), MovieLook())
except WriteError as error:
    print("refused", error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
def test_a_disk_that_takes_no_more_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "a.mov")],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.stdout.startswith("refused"), done.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_no_prores_or_no_integer_is_refused() -> None:
    with pytest.raises(InputError, match=r"ProRes 4444 in a \.mov file, not as \.mp4; give clean\.mov"):
        check_movie(Path("clean.mp4"), is_float=False)
    with pytest.raises(InputError, match=r"floating-point.*clean\.####\.exr"):
        check_movie(Path("clean.mov"), is_float=True)
