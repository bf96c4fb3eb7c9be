"""Plates that are looked at again: from memory, from a file, and only then from the plate."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.motion import crop_store
from plugin_core.motion.crop_store import CropStore

SHAPE = (8, 10, 3)
BYTES = 8 * 10 * 3 * 2


class Plates:
    """Counts how often each frame is read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __call__(self, frame: int) -> np.ndarray:
        self.read.append(frame)
        return pixels(frame)


def pixels(frame: int) -> np.ndarray:
    return (np.arange(240).reshape(SHAPE) + 1000 * frame).astype(np.float16)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Three frames fit into memory, five into the file."""
    monkeypatch.setattr(crop_store, "MEMORY_BYTES", 3 * BYTES)
    monkeypatch.setattr(crop_store, "FILE_BYTES", 5 * BYTES)


def look(store: CropStore, frames: range) -> None:
    part = Box(2, 3, 7, 6)
    for frame in frames:
        np.testing.assert_array_equal(store.crop(frame), pixels(frame))
        np.testing.assert_array_equal(store.crop(frame, part), pixels(frame)[3:6, 2:7])


def test_what_was_read_once_is_not_read_again():
    plates = Plates()
    store = CropStore(plates)
    for _ in range(3):
        look(store, range(8))
    assert plates.read == list(range(8))


def test_what_has_no_room_is_read_again_and_the_nearest_stay():
    plates = Plates()
    store = CropStore(plates)
    look(store, range(20))
    store.near(19)
    look(store, range(20))
    plates.read.clear()
    look(store, range(16, 20))
    assert plates.read == []
    look(store, range(4))
    assert set(plates.read) <= set(range(4)) and plates.read


def test_dropped_frames_give_their_places_to_others():
    plates = Plates()
    store = CropStore(plates)
    look(store, range(8))
    store.keep(range(6, 9))
    store.near(12)
    look(store, range(8, 14))
    look(store, range(6, 14))
    assert plates.read == list(range(14))
    file = store._filed._file
    assert file is not None and file.seek(0, 2) <= 5 * BYTES


def test_a_full_disk_costs_only_time(monkeypatch):
    plates = Plates()
    store = CropStore(plates)
    monkeypatch.setattr(crop_store._File, "_write", refuse)
    look(store, range(8))
    look(store, range(8))
    assert len(plates.read) > 8
    store.close()
    store.close()


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")
