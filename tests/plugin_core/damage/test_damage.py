"""Dirt and running scratches on a small panning picture, found and repaired."""

import cv2
import numpy as np
import pytest

from plugin_core.damage import look
from plugin_core.damage.finder import DamageFinder, Search
from plugin_core.damage.look import planes_of

HEIGHT, WIDTH, COUNT, AT = 144, 208, 9, 4


def _world(seed: int = 2) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.uniform(60, 190, (HEIGHT // 8, 3 * WIDTH // 8, 3)).astype(np.float32)
    world = cv2.resize(coarse, (3 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return world + random.normal(0, 3, world.shape).astype(np.float32)


@pytest.fixture(scope="module")
def clean() -> list[np.ndarray]:
    world = _world()
    random = np.random.default_rng(5)
    grain = [random.normal(0, 2, (HEIGHT, WIDTH, 1)) for _ in range(COUNT)]
    return [np.clip(world[:, 3 * t : 3 * t + WIDTH] + grain[t], 0, 255) / 255 for t in range(COUNT)]


def _finder(pictures: list[np.ndarray], search: Search | None = None, take=None, **more) -> DamageFinder:
    def see(frame: int):
        return planes_of(pictures[frame].astype(np.float32))

    return DamageFinder(see, take or (lambda frame: range(COUNT)), search, **more)


@pytest.fixture(scope="module")
def dirty(clean: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The pictures with a white blotch, a black hair on frame AT and a scratch on all; and what is where."""
    pictures = [picture.copy() for picture in clean]
    dirt = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(dirt, ((60, 50), (16, 10), 20), 1, -1)
    hair = np.zeros_like(dirt)
    cv2.polylines(hair, [np.array([[120, 30], [140, 50], [150, 80]], np.int32)], False, 1, 2)
    pictures[AT][dirt > 0] = 0.92
    pictures[AT][hair > 0] = 0.06
    line = np.zeros_like(dirt)
    line[:, 100:102] = 1
    for picture in pictures:
        picture[:, 100:102] = 0.3 * picture[:, 100:102] + 0.7 * 0.95
    return pictures, (dirt | hair) > 0, line > 0


def test_finds_dirt_and_scratches_and_nothing_else(clean, dirty) -> None:
    pictures, dirt, line = dirty
    finder = _finder(pictures)
    damage = finder.find(AT)
    assert (damage.mask("dirt") & dirt).sum() > 0.93 * dirt.sum()
    assert (damage.mask("scratch") & line).sum() > 0.93 * line.sum()
    near = cv2.dilate((dirt | line).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (damage.mask() & ~near).sum() < 5
    assert {find.white for find in damage.finds if find.kind == "dirt"} == {True, False}
    after = finder.find(AT + 1)
    assert after.mask("dirt").sum() < 5  # dirt of the frame before is none of this one
    untouched = _finder(clean).find(AT)
    assert untouched.mask().sum() < 5


def test_the_order_of_asking_changes_nothing(dirty) -> None:
    pictures, _, _ = dirty
    alone = _finder(pictures).find(AT)
    finder = _finder(pictures)
    for frame in (2, 7):
        finder.find(frame)
    again = finder.find(AT)
    assert (again.labels == alone.labels).all() and again.finds == alone.finds


def test_search_narrows_what_is_found(dirty) -> None:
    pictures, dirt, _ = dirty
    white = _finder(pictures, Search(polarity="white")).find(AT)
    assert all(find.white for find in white.finds)
    only = _finder(pictures, Search(kinds=frozenset(["scratch"]))).find(AT)
    assert [find.kind for find in only.finds] == ["scratch"]
    small = _finder(pictures, Search(largest=60)).find(AT)
    assert all(find.pixels < 100 for find in small.finds if find.kind == "dirt")
    assert not _finder(pictures, Search(sensitivity=0)).find(AT).finds
    protected = np.zeros((HEIGHT, WIDTH), np.bool_)
    protected[:, :110] = True
    spared = _finder(pictures, protected=lambda frame: protected).find(AT)
    assert not (spared.mask() & protected).any() and (spared.mask() & dirt).any()


def test_a_cut_and_a_flash_are_no_damage(clean) -> None:
    other = [picture[:, ::-1] * 0.6 for picture in clean]
    cut = clean[:AT] + other[AT:]

    def take(frame: int) -> range:
        return range(AT) if frame < AT else range(AT, COUNT)

    for frame in (AT - 1, AT):
        assert _finder(cut, take=take).find(frame).mask().sum() < 25
    flash = [*clean[:AT], np.clip(clean[AT] + 0.12, 0, 1), *clean[AT + 1 :]]
    for frame in (AT - 1, AT, AT + 1):
        assert _finder(flash).find(frame).mask().sum() < 25


def test_what_moves_too_fast_to_be_followed_is_no_dirt(clean) -> None:
    pictures = [picture.copy() for picture in clean]
    for at, picture in enumerate(pictures):
        picture[60:72, 16 * at + 10 : 16 * at + 22] = 0.97
        picture[30:42, 150:160] = 0.05 if at == AT else picture[30:42, 150:160]
    found = _finder(pictures).find(AT).mask("dirt")
    moving = np.zeros_like(found)
    moving[56:76, 16 * AT + 4 : 16 * AT + 28] = True
    assert not found[moving].any() and found[30:42, 150:160].mean() > 0.9


def test_bands_of_a_frame_give_what_the_whole_does(dirty, monkeypatch) -> None:
    pictures, _, _ = dirty
    whole = _finder(pictures).find(AT)
    monkeypatch.setattr(look, "_BAND_PX", WIDTH * 50)
    banded = _finder(pictures).find(AT)
    assert (banded.labels > 0).sum() > 0
    assert ((banded.labels > 0) != (whole.labels > 0)).sum() <= 3  # sums are rounded in another order


def test_white_on_a_light_colored_ground_is_found(clean) -> None:
    pictures = [
        np.stack([0.92 + 0 * one[..., 0], 0.84 + 0 * one[..., 1], 0.68 + 0.2 * one[..., 2]], -1)
        for one in clean
    ]
    pictures[AT][60:70, 80:95] = 0.88
    damage = _finder(pictures).find(AT)
    assert damage.mask("dirt")[60:70, 80:95].mean() > 0.9 and damage.mask().sum() < 250


def test_a_scratch_behind_something_dark_is_found_where_it_shows(clean) -> None:
    pictures = [np.clip(picture * 0.5 + 0.3, 0, 1) for picture in clean]
    for at, picture in enumerate(pictures):
        picture[:, 100:102] = 0.1
        picture[60:, 90 + at : 130 + at] = 0.09
    found = _finder(pictures).find(AT).mask("scratch")
    assert found[:58, 100:102].mean() > 0.9 and found.sum() < 150


def test_dirt_goes_on_to_the_edge_that_a_pan_brings_in(clean) -> None:
    pictures = [picture.copy() for picture in clean]
    pictures[AT][70:100, WIDTH - 24 :] = 0.05
    found = _finder(pictures, take=lambda frame: range(AT + 1)).find(AT).mask("dirt")
    assert found[70:100, WIDTH - 24 :].mean() > 0.97 and found.sum() < 900


def test_a_scratch_seen_here_and_there_is_found_and_what_crosses_some_frames_is_not(clean) -> None:
    lined = [np.clip(picture * 0.5 + 0.3, 0, 1) for picture in clean]
    plain = [picture.copy() for picture in lined]
    rows = np.arange(HEIGHT) % 32 < 15
    for picture in lined:
        picture[rows, 100:102] = 0.1
    only = Search(kinds=frozenset(["scratch"]))
    found = _finder(lined, only).find(AT).mask()
    assert found[rows, 100:102].mean() > 0.8
    crossed = _finder([*lined[: AT + 2], *plain[AT + 2 :]], only).find(AT).mask()
    assert not crossed.any()
