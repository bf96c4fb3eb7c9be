"""Frames handed over in memory: the pixels of files, pulled on demand, with a state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from plugin_core import Model, Reporters, Settings, Stop, api, fill
from plugin_core.errors import (
    CleanplateError,
    ImageError,
    InputError,
    Interrupted,
    MissingFramesError,
    SettingsError,
    StateError,
    WriteError,
)
from plugin_core.job.settings import Run
from tests.plugin_core.guided_network import GuidedNetwork
from tests.plugin_core.shots import QUICK, bits, hole, make_shot, picture, read, run_toy
from tests.plugin_core.toy_network import ToyNetwork

pytestmark = pytest.mark.usefixtures("no_sync")

SEARCHING = QUICK.model_copy(update={"propagate": 2})
PAINTING = QUICK.model_copy(update={"propagate": 6, "paint": "auto", "matte_union": 1})


@pytest.fixture
def model() -> Model:
    return Model(ToyNetwork(), Run(model="toy", device="cpu"))


class Tensor:
    """What NumPy takes as an array, and is none; like a tensor of another library."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._values


def shown(frame: int) -> np.ndarray:
    return (np.clip(picture(frame)[:, :, :3], 0, 1) * 255).astype(np.uint8)


def movie(path: Path, pictures: list[np.ndarray], pixels: str) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=24, pix_fmt={"rgb24": "bgr0", "gray": "gray"}[pixels])
        stream.height, stream.width = pictures[0].shape[:2]
        for each in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(each, format=pixels)))
        file.mux(stream.encode())


def pulled(count: int, told: list[int]) -> Iterator[np.ndarray]:
    for frame in range(1, count + 1):
        told.append(frame)
        yield shown(frame)


@pytest.mark.parametrize(("extension", "settings", "last"), [(".png", PAINTING, 12), (".exr", SEARCHING, 12)])
def test_the_pixels_are_those_of_files(
    tmp_path: Path, model: Model, extension: str, settings: Settings, last: int
) -> None:
    shot = make_shot(tmp_path, last=last, empty=(4,), extension=extension)
    run_toy(shot.shot(cuts=[9]), settings)
    frames = [read(shot.plate(frame))[:, :, :3] for frame in range(1, last + 1)]
    mattes = (Tensor(hole(frame, empty=frame == 4) > 0) for frame in range(1, last + 1))
    there = sorted(tmp_path.iterdir())
    filled = list(fill(map(Tensor, frames), mattes, settings, model=model, cuts=[9], folder=tmp_path))
    assert sorted(tmp_path.iterdir()) == there, "the temporary folder is gone"
    assert len(filled) == last
    for frame, (before, after) in enumerate(zip(frames, filled, strict=True), start=1):
        assert (after.shape, after.dtype) == (before.shape, before.dtype)
        written = read(shot.written(frame))[:, :, :3]
        np.testing.assert_array_equal(bits(after), bits(written), err_msg=f"frame {frame}")
        near = [each for each in (frame - 1, frame, frame + 1) if settings.matte_union or each == frame]
        outside = np.max([hole(each, empty=each == 4) for each in near], axis=0) == 0
        np.testing.assert_array_equal(bits(after)[outside], bits(before)[outside])
    assert any((after != before).any() for after, before in zip(filled, frames, strict=True))


def test_frames_are_pulled_on_demand_and_forgotten(tmp_path: Path) -> None:
    model = Model(GuidedNetwork())
    told: list[int] = []
    mattes = (hole(frame) for frame in range(1, 41))
    frames = fill(pulled(40, told), mattes, SEARCHING, model=model, folder=tmp_path)
    assert not told, "nothing is done before the first is asked for"
    most = 0
    for number, _ in enumerate(frames, start=1):
        assert told[-1] <= min(40, number + 6 + 2), "as far ahead as the network and the search look"
        most = max(most, len(list(tmp_path.rglob("frames.*.npy"))))
    assert number == 40 and most <= 6 + 2 + 8 + 12 + 1
    assert not list(tmp_path.iterdir())


def test_a_state_goes_on_where_it_stands(tmp_path: Path, model: Model) -> None:
    mattes = [hole(frame) for frame in range(1, 29)]
    state = tmp_path / "shot.state"

    def asked(settings: Settings = SEARCHING, mattes: list[np.ndarray] = mattes) -> Iterator[np.ndarray]:
        return fill(pulled(28, []), mattes, settings, model=model, state=state, folder=tmp_path)

    whole = list(fill(pulled(28, []), mattes, SEARCHING, model=model))
    with contextlib.closing(asked()) as first:
        parts = [next(first) for _ in range(23)]
    assert [path.name for path in tmp_path.iterdir()] == ["shot.state"]
    with pytest.raises(StateError, match="grow"):
        next(asked(SEARCHING.model_copy(update={"grow": 2})))
    with pytest.raises(StateError, match="made with another plate or matte: frame 22 differs"):
        next(asked(mattes=[*mattes[:21], np.roll(mattes[21], 1, axis=0), *mattes[22:]]))
    parts += list(asked())
    np.testing.assert_array_equal(parts, whole)
    assert not list(asked()), "all is filled"
    with pytest.raises(StateError, match=r"stands after frame 28, and the frames handed over are 1-12"):
        next(fill(pulled(12, []), mattes[:12], SEARCHING, model=model, state=state))


def test_progress_and_stop(tmp_path: Path, model: Model) -> None:
    class Heard:
        def __init__(self) -> None:
            self.events: list[dict[str, Any]] = []

        def report(self, event: dict[str, Any]) -> None:
            self.events.append(event)

        def close(self) -> None: ...

    heard, stop, state = Heard(), Stop(), tmp_path / "s.state"
    given: dict[str, Any] = {"model": model, "reporters": Reporters([heard]), "stop": stop, "state": state}
    frames = fill(map(shown, range(1, 6)), hole(1) > 0, QUICK, **given)
    next(frames)
    next(frames)
    stop.request()
    with pytest.raises(Interrupted, match="before frame 3"):
        next(frames)
    assert [event["frame"] for event in heard.events if event["event"] == "frame"] == [1, 2]
    assert heard.events[-1]["event"] == "error" and state.is_file()
    assert len(list(fill([shown(n) for n in range(1, 6)], hole(1), QUICK, model=model, state=state))) == 3


def test_types_shapes_and_color(model: Model) -> None:
    """Four channels, 16 bits, floats, mattes of any kind; a color space by its name; no hole at all."""
    linear = [picture(frame) for frame in (1, 2, 3)]
    soft = [hole(1).astype(np.float32)[:, :, None] / 255] * 3
    for frames, more in (
        (linear, {}),
        (linear, {"colorspace": "ACEScg"}),
        ([(np.clip(one, 0, 1) * 65535).astype(">u2") for one in linear], {}),
        ([one.astype(np.float16) for one in linear], {"colorspace": "display"}),
    ):
        kept = [one.copy() for one in frames]
        filled = list(fill(iter(frames), soft, QUICK, model=model, **more))
        for before, was, after in zip(frames, kept, filled, strict=True):
            np.testing.assert_array_equal(before, was)
            assert after.shape == before.shape and after.dtype == before.dtype.newbyteorder("=")
            np.testing.assert_array_equal(after[..., 3], before[..., 3])
            assert (after != before).any()
    empty = np.zeros_like(hole(1))
    none = list(fill(linear, empty, QUICK, model=model))
    np.testing.assert_array_equal(none, linear)
    none[0][:] = 7
    assert (linear[0] != 7).any()


class Broken:
    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("it lies on a graphics card")


SHAPE = r"frames\[1\] is \(9, 96, 3\) uint8; expected \(64, 96, 3\) uint8, as frames\[0\] is\."


@pytest.mark.parametrize(
    ("frames", "mattes", "kind", "said"),
    [
        ([shown(1), shown(2)[:9]], [hole(1)] * 2, ImageError, SHAPE),
        ([shown(1).transpose(2, 0, 1)], [hole(1)], ImageError, r"\[0\] is \(3, 64, 96\) uint8; expected"),
        ([shown(1).astype(float)], [hole(1)], ImageError, r"float64; expected .* uint8, uint16, float16 or"),
        ([picture(1), Broken(), picture(3)], [hole(1)] * 3, ImageError, r"frames\[1\] can't be taken"),
        ([shown(1), Broken()], [hole(1)] * 2, ImageError, r"frames\[1\] can't be taken as an array \(it "),
        ([shown(1)], [hole(1), hole(2)[:, :-2]], ImageError, r"is 96x64 and matte mattes\[1\] is 94x64"),
        ([shown(1)], [hole(1)] * 3, MissingFramesError, r"frames ended after 1, expected 3"),
        ([shown(1)] * 3, [hole(1)] * 2, InputError, r"more frames than the 2 mattes"),
        ([shown(1)], [], InputError, "nothing to fill"),
        ([], hole(1), InputError, "nothing to fill"),
        ([shown(1)], 3, InputError, "mattes is of type int"),
        ([shown(1)], [np.full_like(hole(1), 255)], InputError, "covers the whole picture"),
    ],
)  # fmt: skip
def test_what_can_not_be_filled_is_said_in_a_sentence(
    model: Model, frames: list[object], mattes: object, kind: type[CleanplateError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        list(fill(frames, mattes, QUICK, model=model))


def test_what_makes_no_sense_is_refused_at_once(tmp_path: Path, model: Model) -> None:
    with pytest.raises(SettingsError):
        fill([], [], threads=0)
    with pytest.raises(WriteError, match="Can't make a folder in"):
        next(fill([shown(1)], hole(1), QUICK, model=model, folder=tmp_path / "none"))

    def breaking() -> Iterator[np.ndarray]:
        yield shown(1)
        raise KeyError("the caller's own")

    with pytest.raises(KeyError):
        list(fill(breaking(), [hole(1)] * 3, QUICK, model=model))


def test_the_page_s_example_runs(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "open_model", lambda *asked: model)
    movie(tmp_path / "plate.mkv", [shown(n) for n in (1, 2, 3)], "rgb24")
    movie(tmp_path / "matte.mkv", [hole(n) for n in (1, 2, 3)], "gray")
    page = (Path(__file__).parents[3] / "docs" / "arrays.md").read_text("utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    exec(compile(code, "docs/arrays.md", "exec"), {})
    with av.open("clean.mkv") as file:
        clean = [each.to_ndarray(format="rgb24") for each in file.decode(video=0)]
    assert len(clean) == 3
    for number, after in enumerate(clean, start=1):
        changed = (after != shown(number)).any(axis=2)
        assert changed.any() and not changed[[0, 1, -2, -1]].any()
