"""The live mode on a synthetic pan: what it leaves alone, what it remembers, what it forgets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_core.api import Model, fill
from plugin_core.errors import InputError, SettingsError
from plugin_core.job.settings import Settings
from plugin_core.live.causal import CausalFiller
from tests.plugin_core.toy_network import ToyNetwork

Picture = NDArray[np.uint8]

WIDTH, HEIGHT, STEP_PX = 200, 160, 4
HOLE = slice(56, 104), slice(80, 120)
EXACT = Settings(grow=0, feather=0)


@pytest.fixture(scope="module")
def street() -> Picture:
    rng = np.random.default_rng(7)
    coarse, fine = (rng.integers(0, 256, size, dtype=np.uint8) for size in ((20, 60, 3), (80, 240, 3)))
    wide = [cv2.resize(part, (600, HEIGHT), interpolation=cv2.INTER_CUBIC) for part in (coarse, fine)]
    return cv2.addWeighted(wide[0], 0.7, wide[1], 0.3, 0)


def frame(street: Picture, number: int) -> tuple[Picture, Picture, NDArray[np.bool_]]:
    """The clean plate, the plate with a green object, its matte."""
    clean = np.ascontiguousarray(street[:, STEP_PX * number : STEP_PX * number + WIDTH])
    plate, matte = clean.copy(), np.zeros((HEIGHT, WIDTH), np.bool_)
    matte[HOLE] = True
    plate[matte] = (0, 255, 0)
    return clean, plate, matte


def error(one: Picture, other: Picture, where: NDArray[np.bool_]) -> float:
    return float(np.abs(one[where].astype(float) - other[where]).mean())


def filler() -> CausalFiller:
    return CausalFiller(ToyNetwork(), WIDTH, HEIGHT, EXACT)


def test_what_was_seen_once_stays(street: Picture) -> None:
    ours, again = filler(), filler()
    for number in range(24):
        clean, plate, matte = frame(street, number)
        kept = plate.copy()
        filled = ours.step(plate, matte)
        assert (filled[~matte] == plate[~matte]).all()
        assert (plate == kept).all()
        assert (filled == again.step(plate, matte.astype(np.uint8) * 255)).all()
    assert ours.stats.known == 1  # the hole is 40 px wide, and the street has moved by 92
    assert not ours.stats.network
    assert error(filled, clean, matte) < 4
    # The camera stops: nothing is asked of anyone, and nothing moves.
    still = [ours.step(plate, matte) for _ in range(30)]
    assert error(still[-1], clean, matte) < 4
    assert error(still[-1], still[2], matte) < 0.5
    assert ours.stats.age > 25
    assert set(ours.stats.ms) == {"motion", "memory"}


def test_a_cut_forgets(street: Picture) -> None:
    ours, fresh = filler(), filler()
    for number in range(8):
        ours.step(*frame(street, number)[1:])
    ours.cut()
    for number in range(40, 43):
        _, plate, matte = frame(street, number)
        assert (ours.step(plate, matte) == fresh.step(plate, matte)).all()


def test_an_object_that_comes_in_covers_what_was_seen(street: Picture) -> None:
    ours = filler()
    clean, plate, matte = frame(street, 0)
    nothing = np.zeros_like(matte)
    assert (ours.step(clean, nothing) == clean).all()
    filled = ours.step(plate, matte)
    assert ours.stats.known == 1
    assert error(filled, clean, matte) < 1


@pytest.mark.parametrize(
    ("plate", "matte", "said"),
    [
        (np.zeros((HEIGHT, 100, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.bool_), "The frame is"),
        (np.zeros((HEIGHT, WIDTH, 3), np.float32), np.zeros((HEIGHT, WIDTH), np.bool_), "The frame is"),
        (np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH, 3), np.uint8), "The matte is"),
    ],
)
def test_other_sizes_are_refused(plate: Picture, matte: Picture, said: str) -> None:
    with pytest.raises(InputError, match=said):
        filler().step(plate, matte)


class Pulled:
    """Arrays that tell how many of them were taken."""

    def __init__(self, arrays: list[Any]) -> None:
        self.arrays = arrays
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        for array in self.arrays:
            self.count += 1
            yield array


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_frames_in_memory_are_filled_without_looking_ahead(street: Picture, kind: str) -> None:
    frames = [frame(street, number) for number in range(12)]
    # A cut at the seventh frame: back to where the camera was.
    frames = frames[:6] + frames[2:6]
    plates = [plate for _, plate, _ in frames]
    if kind == "uint16":
        plates = [plate.astype(np.uint16) * np.uint16(257) for plate in plates]
    elif kind == "float32":
        plates = [(plate / np.float32(255)) ** np.float32(2.2) for plate in plates]
    settings = Settings(grow=0, feather=0, look_ahead=0)
    pulled, mattes = Pulled(plates), Pulled([matte for *_, matte in frames])
    model = Model(ToyNetwork())
    ours = filler()
    for number, filled in enumerate(fill(pulled, mattes, settings, model=model, cuts=[7])):
        assert (pulled.count, mattes.count) == (number + 1, number + 1)
        if number == 6:
            ours.cut()
        _, plate, matte = frames[number]
        expected = ours.step(plate, matte)
        given = plates[number]
        assert filled.dtype == given.dtype
        assert (filled[~matte] == given[~matte]).all()
        if kind == "uint8":
            assert np.abs(filled.astype(int) - expected).max() <= 1
        elif kind == "uint16":
            assert np.abs(filled / 257 - expected)[matte].mean() < 1
    assert number == 9


def test_what_needs_later_frames_is_refused(street: Picture) -> None:
    _, plate, matte = frame(street, 0)
    model = Model(ToyNetwork())
    for settings, state, said in (
        (Settings(look_ahead=0, matte_union=1), None, "can't join mattes"),
        (Settings(look_ahead=0), "shot.state", "no state is kept"),
    ):
        with pytest.raises(SettingsError, match=said):
            list(fill([plate], [matte], settings, model=model, state=state))
    with pytest.raises(InputError, match="more frames than mattes"):
        list(fill([plate, plate], [matte], Settings(look_ahead=0), model=model))
