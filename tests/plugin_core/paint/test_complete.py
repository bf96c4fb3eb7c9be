from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_core.errors import InputError
from plugin_core.paint import search, vote
from plugin_core.paint.complete import Completion, Source, complete
from plugin_core.paint.lay import copied, painted

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def textured(height: int = 72, width: int = 96, seed: int = 0) -> Floats:
    """Blotches with grain, every pixel unlike the others."""
    random = np.random.default_rng(seed)
    rough = cv2.resize(random.random((height // 6, width // 6, 3), np.float32), (width, height))
    return np.asarray(0.3 + 0.4 * rough + 0.03 * random.standard_normal((height, width, 3)), np.float32)


def hole_in(shape: tuple[int, ...], rows: slice, columns: slice) -> Bools:
    hole = np.zeros(shape[:2], bool)
    hole[rows, columns] = True
    return hole


def middle(shape: tuple[int, ...]) -> Bools:
    return hole_in(shape, slice(26, 46), slice(36, 60))


def same(one: Completion, other: Completion) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))


def test_pixels_are_copied_exactly_and_from_nowhere_else() -> None:
    picture = textured()
    hole = middle(picture.shape)
    borrow = ~cv2.dilate(hole.astype(np.uint8), np.ones((9, 9))).astype(bool)
    borrow[:, :20] = False
    other = Source(textured(seed=1), hole_in(picture.shape, slice(10, 60), slice(5, 80)))
    found = complete(picture, hole, borrow, others=[other])
    plates = [100 * picture, 100 * other.picture]
    result = copied(found, *plates[:1], plates[1:])
    rows, columns = found.box.slices
    assert np.array_equal(found.hole, hole[rows, columns])
    assert np.array_equal(found.source >= 0, found.hole)
    for y, x in np.argwhere(found.hole):
        source, at = found.source[y, x], (found.y[y, x], found.x[y, x])
        assert (borrow, other.may_borrow)[source][at]
        assert np.array_equal(result[y, x], plates[source][at])
    assert np.array_equal(result[~found.hole], plates[0][rows, columns][~found.hole])
    assert np.array_equal(painted(found, *plates[:1], plates[1:])[~found.hole], result[~found.hole])


def test_what_lies_in_the_hole_and_the_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = textured()
    hole = middle(picture.shape)
    first = complete(picture, hole, ~hole)
    # Parts small enough that there are many.
    monkeypatch.setattr(search, "_AT_ONCE", 100)
    monkeypatch.setattr(vote, "_ROWS", 5)
    picture[hole] = 1e3
    threads = cv2.getNumThreads()
    try:
        for count in (1, 2, 8):
            cv2.setNumThreads(count)
            with ThreadPoolExecutor(count) as workers:
                second = complete(picture, hole, ~hole, workers=workers)
            assert same(first, second)
            assert painted(first, picture).tobytes() == painted(second, picture).tobytes()
    finally:
        cv2.setNumThreads(threads)


def test_an_edge_crosses_the_hole() -> None:
    picture = textured() * 0.2
    picture[36:] += 0.6
    hole = middle(picture.shape)
    result = painted(complete(picture, hole, ~hole), picture).mean(axis=2)
    rows = np.arange(result.shape[0]) + 25
    assert result[rows < 34].max() < 0.45
    assert result[rows > 37].min() > 0.45


def test_a_shore_crosses_the_hole() -> None:
    """A thin line between two kinds of texture, as far as the hole is wide from one side to the other."""
    picture = textured(192, 288) * 0.3
    picture[100:] += 0.15
    picture[96:100] += 0.5
    hole = hole_in(picture.shape, slice(66, 130), slice(94, 194))
    result = painted(complete(picture, hole, ~hole), picture).mean(axis=2)
    assert (result[30:36].max(axis=0) > 0.5).mean() > 0.95


def test_what_touches_little_of_the_hole_does_not_fill_it() -> None:
    picture = textured(144, 192) * 0.3 + 0.6
    hole = hole_in(picture.shape, slice(52, 92), slice(72, 120))
    picture[60:84, 116:] -= 0.6  # a sixth of the hole's border
    result = painted(complete(picture, hole, ~hole), picture)[1:-1, 1:-1].mean(axis=2)
    assert (result < 0.4).mean() < 0.3


def test_a_gradient_crosses_the_hole_without_bands() -> None:
    ramp = np.linspace(0.1, 0.9, 96, dtype=np.float32)
    picture = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (72, 96, 3)))
    hole = middle(picture.shape)
    found = complete(picture, hole, ~hole)
    result = painted(found, picture)
    rows, columns = found.box.slices
    assert np.abs(result - picture[rows, columns]).max() < 0.02
    assert np.unique(result[10, 1:-1, 0]).size >= hole[36].sum()


def test_lights_keep_their_values() -> None:
    picture = textured()
    plate = picture.copy()
    lights = np.zeros(picture.shape[:2], bool)
    lights[::9, ::8] = True
    picture[lights], plate[lights] = 1, 40
    hole = middle(picture.shape)
    result = painted(complete(picture, hole, ~hole), plate)[1:-1, 1:-1]
    bright = result[result > 5]
    assert bright.size > 0
    assert np.all(np.abs(bright - 40) < 0.5)
    assert np.all(result >= 0)
    assert np.all(result[result <= 5] < 1.2)


def test_known_pixels_stay_and_lead() -> None:
    picture = textured() * 0.1
    hole = middle(picture.shape)
    picture[:12] += 0.8
    known = np.zeros(hole.shape, np.float32)
    known[32:40, 44:52] = 1
    picture[32:40, 44:52] += 0.8
    found = complete(picture, hole, ~hole, known=known)
    stays = (known == 1)[found.box.slices]
    assert np.all(found.source[stays] == -1)
    assert np.array_equal(painted(found, picture)[stays], picture[known == 1])


def test_another_frame_that_shows_what_the_hole_hides_is_taken_as_it_is() -> None:
    truth = textured()
    hole = middle(truth.shape)
    picture = np.where(hole[..., None], 9, truth).astype(np.float32)
    found = complete(picture, hole, ~hole, others=[Source(truth, np.ones_like(hole))])
    within = np.zeros_like(found.hole)
    within[6:-6, 6:-6] = True
    assert (found.source[within] == 1).mean() > 0.9
    rows, columns = found.box.slices
    error = painted(found, picture, [truth]) - truth[rows, columns]
    assert np.sqrt((error**2).mean()) < 0.03


def test_no_place_is_copied_again_and_again() -> None:
    picture = textured()
    hole = hole_in(picture.shape, slice(16, 56), slice(24, 72))
    found = complete(picture, hole, ~hole)
    uses = np.zeros(hole.shape, np.float32)
    np.add.at(uses, (found.y[found.hole], found.x[found.hole]), 1)
    assert cv2.boxFilter(uses, -1, (7, 7)).max() < 6


@pytest.mark.parametrize(
    ("rows", "columns"),
    [(slice(0, 20), slice(0, 24)), (slice(50, 72), slice(0, 96)), (slice(0, 72), slice(80, 96))],
)
def test_holes_at_the_picture_edge(rows: slice, columns: slice) -> None:
    picture = textured()
    hole = hole_in(picture.shape, rows, columns)
    result = painted(complete(picture, hole, ~hole), picture)
    assert np.isfinite(result).all()
    assert result.min() > 0.1
    assert result.max() < 0.9


@pytest.mark.parametrize("size", [(9, 9), (8, 40), (31, 7), (7, 7)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    picture = textured(36, 48)[: size[0], : size[1]]
    hole = np.zeros(size, bool)
    hole[-1, -1] = True
    if size == (7, 7):
        with pytest.raises(InputError, match="nothing to paint with"):
            complete(picture, hole, ~hole)
    else:
        assert complete(picture, hole, ~hole).source[-1, -1] == 0


def test_refused_with_one_sentence() -> None:
    picture = textured()
    hole = middle(picture.shape)
    with pytest.raises(InputError, match="no 7x7 pixels may be borrowed in 1 picture"):
        complete(picture, hole, np.zeros_like(hole))
    with pytest.raises(InputError, match="the hole is empty"):
        complete(picture, np.zeros_like(hole), ~hole)
    with pytest.raises(InputError, match="96x72 pixels, but known has 95x72"):
        complete(picture, hole, ~hole, known=np.zeros((72, 95), np.float32))


def test_progress_grows_and_can_stop() -> None:
    picture = textured()
    hole = middle(picture.shape)
    shares: list[float] = []
    complete(picture, hole, ~hole, tick=shares.append)
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        complete(picture, hole, ~hole, tick=stop)
    with pytest.raises(KeyboardInterrupt):
        painted(complete(picture, hole, ~hole), picture, tick=stop)
