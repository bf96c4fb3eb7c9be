"""Mattes of another size than the plate: scaled, padded, cropped, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugin_core.errors import ImageError
from plugin_core.images import Matte, Window, fitted, matte_on, read_header

from ..pictures_on_disk import save, spec_of

W, H = 40, 30


@pytest.fixture
def plate(tmp_path: Path):
    """A plate with overscan: 4 pixels around its display window."""
    pixels = np.zeros((H + 8, W + 8, 3), np.float32)
    spec = spec_of(W + 8, H + 8, "RGB", "half", x=-4, y=-4, full_width=W, full_height=H)
    return read_header(save(tmp_path / "plate.exr", (spec, pixels)))


def matte(values: np.ndarray, data: Window | None = None, **more: object) -> Matte:
    height, width = values.shape
    shown = Window(0, 0, width, height)
    return Matte(
        Path("m.exr"), data or shown, more.pop("display", shown), "A", values.astype(np.float32), **more
    )


def block(width: int, height: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    values = np.zeros((height, width), np.float32)
    values[y0:y1, x0:x1] = 1
    return values


def on_display(plate, laid: Matte) -> np.ndarray:
    """The matte within the plate's display window."""
    placed = matte_on(plate, laid)
    assert placed.shape == (H + 8, W + 8)
    return placed[4:-4, 4:-4]


@pytest.mark.parametrize("factor", [2, 3])
def test_scaled_down_by_whole_numbers_is_the_block_of_the_plates_size(plate, factor: int) -> None:
    large = np.kron(block(W, H, 8, 6, 20, 16), np.ones((factor, factor)))
    np.testing.assert_array_equal(
        on_display(plate, fitted(matte(large), plate, "scale")), block(W, H, 8, 6, 20, 16)
    )


def test_scaled_up_keeps_its_place_and_size(plate) -> None:
    laid = on_display(plate, fitted(matte(block(W // 2, H // 2, 4, 3, 10, 8)), plate, "scale"))
    assert (laid[8:14, 10:18] == 1).all() and laid[:4].max() == 0
    assert laid.sum() == pytest.approx(12 * 10, rel=0.05)


def test_padded_lies_in_the_middle_and_nothing_is_filled_around_it(plate) -> None:
    inverted = matte(block(W - 4, H - 6, 8, 6, 20, 16)).inverted()
    laid = on_display(plate, fitted(inverted, plate, "pad"))
    np.testing.assert_array_equal(laid[3:-3, 2:-2], inverted.values)
    assert laid[:3].max() == laid[-3:].max() == laid[:, :2].max() == laid[:, -2:].max() == 0


def test_cropped_is_the_middle(plate) -> None:
    large = np.random.default_rng(1).random((H + 10, W + 6)).astype(np.float32)
    np.testing.assert_array_equal(on_display(plate, fitted(matte(large), plate, "crop")), large[5:-5, 3:-3])


def test_a_data_window_within_the_display_window_counts(plate) -> None:
    """An EXR that is cut to what is in it; inverted, what it lacks is white."""
    shown, data = Window(0, 0, 2 * W, 2 * H), Window(20, 10, 10, 8)
    small = matte(np.ones((8, 10)), data, display=shown)
    laid = on_display(plate, fitted(small, plate, "scale"))
    np.testing.assert_array_equal(laid, block(W, H, 10, 5, 15, 9))
    laid = on_display(plate, fitted(small.inverted(), plate, "scale"))
    np.testing.assert_array_equal(laid, 1 - block(W, H, 10, 5, 15, 9))


@pytest.mark.parametrize(
    ("size", "fit", "said"),
    [
        ((W, H + 1), "refuse", "--matte-fit scale, pad or crop"),
        ((W + 1, H - 1), "pad", "no larger on either side"),
        ((W + 1, H - 1), "crop", "no smaller on either side"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sizes(plate, size: tuple[int, int], fit, said: str) -> None:
    with pytest.raises(ImageError, match=rf"is 40x30 and matte m.exr is {size[0]}x{size[1]}.*{said}"):
        fitted(matte(np.zeros(size[::-1])), plate, fit)


def test_the_right_size_is_left_as_it_is(plate) -> None:
    same = matte(np.zeros((H, W)))
    assert fitted(same, plate, "scale") is same
