"""What is told of mattes that can't be meant, and what is not told of good ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_core.errors import InputError
from plugin_core.job.settings import Settings, Shot
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.text import Event
from plugin_core.render.doubts import picture_doubts
from plugin_core.render.sources import open_sources

from ..pictures_on_disk import save, spec_of
from ..shots import ShotOnDisk, hole, make_shot, run_toy, write_matte

SIZE = (96, 64)


class Heard:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def report(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass

    @property
    def codes(self) -> list[str]:
        return [event["code"] for event in self.events if event["event"] == "note" and "code" in event]


@pytest.fixture
def shot(tmp_path: Path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 4)


def inverted(shot: ShotOnDisk) -> None:
    for frame in range(1, 5):
        write_matte(shot.matte(frame), 255 - hole(frame))


def codes_of(shot: ShotOnDisk, **settings: object) -> list[str]:
    sources = open_sources(shot.shot(), dry=True)
    return [found.code for found in picture_doubts(sources, Settings(**settings))]


def soft(frame: int) -> Iterator[NDArray[np.float32]]:
    """Mattes that are meant: soft edges, motion blur, half a picture of haze."""
    y, x = np.mgrid[0:64, 0:96].astype(np.float32)
    far = np.hypot(x - 40 - frame, y - 32)
    yield np.clip((30 - far) / 10, 0, 1)
    yield np.clip((far - 20) / 60, 0, 1) * (x < 30)
    yield (far < 1.5).astype(np.float32)


def test_a_warning_comes_before_the_first_frame_once_and_with_its_code(shot: ShotOnDisk) -> None:
    inverted(shot)
    heard = Heard()
    run_toy(shot.shot(), reporters=Reporters([heard]))
    kinds = [event["event"] for event in heard.events]
    assert heard.codes == ["matte_inverted"]
    at = next(n for n, event in enumerate(heard.events) if event.get("code"))
    assert at < kinds.index("start") < kinds.index("frame")


def test_strict_refuses_before_anything_is_written(shot: ShotOnDisk) -> None:
    inverted(shot)
    with pytest.raises(InputError, match=r"is it inverted .*Refused because of --strict"):
        run_toy(shot.shot(), strict=True)
    assert not shot.written(1).exists()


def test_strict_lets_what_may_be_meant_pass(shot: ShotOnDisk) -> None:
    write_matte(shot.matte(2), hole(2, empty=True))  # gone for a moment
    heard = Heard()
    run_toy(shot.shot(), reporters=Reporters([heard]), strict=True)
    assert heard.codes == ["matte_flickers"]


def test_a_chunk_without_a_hole_in_a_shot_that_has_one_is_no_doubt(shot: ShotOnDisk) -> None:
    for frame in (1, 2):
        write_matte(shot.matte(frame), hole(frame, empty=True))
    heard = Heard()
    run_toy(shot.shot(), reporters=Reporters([heard]), strict=True, chunk="1-2")
    assert heard.codes == []


@pytest.mark.parametrize("which", [0, 1, 2])
def test_soft_mattes_are_no_doubt(shot: ShotOnDisk, which: int) -> None:
    for frame in range(1, 5):
        values = list(soft(frame))[which]
        write_matte(shot.matte(frame), (values * 255).astype(np.uint8))
    assert codes_of(shot) == []


def test_a_picture_whose_alpha_is_the_matte_is_no_doubt(shot: ShotOnDisk) -> None:
    for frame in range(1, 5):
        rng = np.random.default_rng(frame)
        pixels = np.dstack([rng.random((64, 96, 3)), hole(frame) / 255.0]).astype(np.float32)
        save(shot.matte(frame), (spec_of(96, 64, "RGBA", "uint8"), pixels))
    assert codes_of(shot) == []
    assert codes_of(shot, matte_channel="R") == ["matte_is_picture"]


def test_a_plates_own_alpha_may_be_the_matte(tmp_path: Path) -> None:
    for frame in range(1, 5):
        rng = np.random.default_rng(frame)
        pixels = np.dstack([rng.random((64, 96, 3)), hole(frame) / 255.0]).astype(np.float32)
        save(tmp_path / f"p.{frame:04d}.exr", (spec_of(96, 64, "RGBA", "half"), pixels))
    both = str(tmp_path / "p.####.exr")
    sources = open_sources(Shot(plate=both, matte=both, output=str(tmp_path / "o.####.exr")), dry=True)
    assert list(picture_doubts(sources, Settings())) == []
    (found,) = picture_doubts(sources, Settings(matte_channel="G"))
    assert found.code == "matte_is_plate" and "the same files" in found.message


def test_no_plate_is_read_for_a_good_matte(shot: ShotOnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = open_sources(shot.shot(), dry=True)
    monkeypatch.setattr(type(sources.plate), "plate", None)
    assert list(picture_doubts(sources, Settings())) == []
