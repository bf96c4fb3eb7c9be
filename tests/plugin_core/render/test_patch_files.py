"""The patch: merged over the plate it is the output, and it is written, kept and resumed like it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.errors import InputError, Interrupted, StateError, WriteError
from plugin_core.images import read_plate
from plugin_core.images import write_plate as put_plate
from plugin_core.job.job import Job
from plugin_core.job.settings import Run
from plugin_core.probe.forecast import forecast
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.qc.check import check
from plugin_core.qc.pictures import QcShot
from plugin_core.render.delivery import render as deliver
from plugin_core.render.render import render

from ..shots import (
    HEIGHT,
    QUICK,
    WIDTH,
    ShotOnDisk,
    leftovers,
    make_shot,
    picture,
    read,
    run_toy,
    same_files,
    write_plate,
)
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
SOFT = QUICK.model_copy(update={"grow": 2, "feather": 3, "grain": "auto"})
LAST = 8


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, LAST, empty=(3,))


def patched(shot: ShotOnDisk, name: str = "out", **fields: object) -> object:
    return shot.shot(name, patch=str(patches(shot, name)), **fields)


def patches(shot: ShotOnDisk, name: str = "out") -> Path:
    return shot.folder / f"{name}_patch" / "p.####.exr"


def patch_file(shot: ShotOnDisk, frame: int, name: str = "out") -> Path:
    return patches(shot, name).with_name(f"p.{frame:04d}.exr")


def channels(path: Path) -> tuple[dict[str, np.ndarray], oiio.ImageSpec]:
    """A file's channels over its display window, as floats, and what it says of itself."""
    picture = oiio.ImageBuf(str(path))
    spec = picture.spec().copy()
    whole = np.zeros((spec.full_height, spec.full_width, spec.nchannels), np.float32)
    y, x = spec.y - spec.full_y, spec.x - spec.full_x
    whole[y : y + spec.height, x : x + spec.width] = picture.get_pixels(oiio.FLOAT)
    return {name: whole[..., number] for number, name in enumerate(spec.channelnames)}, spec


def over(patch: np.ndarray, plate: np.ndarray) -> np.ndarray:
    return patch[..., :3] + plate * (1 - patch[..., 3:])


def rgba(found: dict[str, np.ndarray], layer: str = "") -> np.ndarray:
    return np.dstack([found[f"{layer}{name}"] for name in "RGBA"])


def plate_of(shot: ShotOnDisk, frame: int) -> np.ndarray:
    return channels(shot.plate(frame))[0]


def rgb(found: dict[str, np.ndarray]) -> np.ndarray:
    return np.dstack([found[name] for name in "RGB"])


@pytest.mark.parametrize("paint", ["network", "off"])
def test_merged_over_the_plate_a_patch_gives_the_output(shot, paint):
    settings = SOFT.model_copy(update={"paint": paint, "propagate": 4})
    run_toy(patched(shot), settings)
    run_toy(shot.shot("layers", layers=["patch"]), settings)
    run_toy(shot.shot("plain"), settings)
    same_files(shot, "out", "plain")
    for frame in range(1, LAST + 1):
        plate, clean = rgb(plate_of(shot, frame)), rgb(channels(shot.written(frame, "plain"))[0])
        found, spec = channels(patch_file(shot, frame))
        alone = rgba(found)
        np.testing.assert_allclose(over(alone, plate), clean, rtol=2e-3, atol=1e-3)
        unlike = (clean != plate).any(axis=2)
        assert not (unlike & (alone[..., 3] == 0)).any()
        assert str(spec.format) == "half" and spec.getattribute("smpte:TimeCode") is not None
        layered, spec = channels(shot.written(frame, "layers"))
        np.testing.assert_array_equal(rgba(layered, "patch."), alone)
        np.testing.assert_array_equal(rgb(layered), clean)
        np.testing.assert_array_equal(layered["Z"], plate_of(shot, frame)["Z"])
        assert spec.get_string_attribute("Copyright") == "test"
        if frame == 3:
            assert not alone.any() and (channels(patch_file(shot, 3))[1].width == 1)
        elif paint == "network":
            assert set(np.unique(alone[..., 3])) > {0, 1} and alone[..., 3].sum() > 300


def test_a_patch_may_hold_all_of_the_plate(shot):
    run_toy(patched(shot), SOFT)
    boxed = {frame: channels(patch_file(shot, frame))[0] for frame in (2, 3)}
    whole = patched(shot).model_copy(update={"patch_window": "plate"})
    with pytest.raises(StateError, match="whole patches"):
        run_toy(whole, SOFT, resume=True)
    run_toy(whole, SOFT, overwrite=True)
    for frame, found in boxed.items():
        planes, spec = channels(patch_file(shot, frame))
        assert (spec.x, spec.y, spec.height, spec.width) == (0, 0, *plate_of(shot, frame)["R"].shape)
        assert np.array_equal(rgba(planes), rgba(found))


def test_integers_are_met_within_their_rounding(tmp_path):
    shot = make_shot(tmp_path, 1, 4, extension=".png")
    run_toy(patched(shot), SOFT)
    for frame in range(1, 5):
        plate, clean = rgb(plate_of(shot, frame)), rgb(channels(shot.written(frame))[0])
        found, spec = channels(patch_file(shot, frame))
        merged = np.clip(over(rgba(found), plate), 0, 1)
        assert np.abs(merged - clean).max() <= 0.5 / 255 + 1e-5 and str(spec.format) == "float"


def test_a_shot_without_holes_has_empty_patches_and_layers(tmp_path):
    shot = make_shot(tmp_path, 1, 3, empty=(1, 2, 3))
    run_toy(patched(shot))
    run_toy(shot.shot("layers", layers="patch"))
    for frame in (1, 2, 3):
        assert not rgba(channels(patch_file(shot, frame))[0]).any()
        assert shot.written(frame).read_bytes() == shot.plate(frame).read_bytes()
        assert not rgba(channels(shot.written(frame, "layers"))[0], "patch.").any()


def test_however_it_is_rendered_the_patches_are_those_of_one_go(shot):
    run_toy(patched(shot, "whole"), SOFT, checkpoint_every=2)
    state = str(shot.folder / "a.state")
    run_toy(patched(shot, "chunks"), SOFT, chunk="1-4", state_out=state)
    run_toy(patched(shot, "chunks"), SOFT, chunk="5-8", state_in=state)
    stop = Stop()
    going = render(patched(shot, "cut"), SOFT, Run(checkpoint_every=2), ToyNetwork(), Reporters([]), stop)
    list(itertools.islice(going, 3))
    stop.request(130)
    with pytest.raises(Interrupted):
        list(going)
    run_toy(patched(shot, "cut"), SOFT, resume=True, checkpoint_every=2)
    patch_file(shot, 5, "whole").unlink()
    assert forecast(patched(shot, "whole"), SOFT, Run(checkpoint_every=2), ToyNetwork()).begin == 5
    again = run_toy(patched(shot, "whole"), SOFT, resume=True, checkpoint_every=2)
    assert [done.frame for done in again] == [5, 6, 7, 8], "a frame and its patch are one thing"
    for name in ("chunks", "cut"):
        same_files(shot, name, "whole")
        for frame in range(1, LAST + 1):
            assert patch_file(shot, frame, name).read_bytes() == patch_file(shot, frame, "whole").read_bytes()
    assert leftovers(shot.folder) == []
    assert run_toy(patched(shot, "whole"), SOFT, resume=True, checkpoint_every=2) == []


class Killed(BaseException):
    """Nothing catches it."""


def test_a_kill_between_a_patch_and_its_frame_is_resumed(shot, monkeypatch):
    run_toy(patched(shot, "whole"), SOFT)
    replace = Path.replace

    def dying(path: Path, target: Path) -> Path:
        if Path(target).name == "p.0004.exr":
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(Killed):
            run_toy(patched(shot), SOFT)
    assert shot.written(4).is_file() and not patch_file(shot, 4).exists()
    run_toy(patched(shot), SOFT, resume=True)
    same_files(shot, "out", "whole")
    for frame in range(1, LAST + 1):
        assert patch_file(shot, frame).read_bytes() == patch_file(shot, frame, "whole").read_bytes()


def test_a_patch_that_is_not_ours_is_never_replaced_unasked(shot):
    write_plate(patch_file(shot, 2), picture(7))
    theirs = patch_file(shot, 2).read_bytes()
    with pytest.raises(InputError, match=r"Patch .*frame 2 is of no render of ours"):
        run_toy(patched(shot))
    assert not shot.written(1).exists()
    run_toy(patched(shot), keep_edited=True)
    assert patch_file(shot, 2).read_bytes() == theirs and patch_file(shot, 1).is_file()
    with pytest.raises(InputError, match="Patch"):
        run_toy(patched(shot), resume=True)
    told = forecast(patched(shot), QUICK, Run(), ToyNetwork())
    assert told.action == "occupied" and "patch" in told.reasons[0]
    assert run_toy(patched(shot), keep_edited=True) == [], "kept files are as good as ours"
    run_toy(patched(shot), overwrite=True)
    assert patch_file(shot, 2).read_bytes() != theirs
    with pytest.raises(InputError, match="already"):
        run_toy(patched(shot))
    run_toy(patched(shot), resume=True)


def test_patches_are_added_to_a_render_that_had_none(shot):
    run_toy(shot.shot(), checkpoint_every=2)
    run_toy(patched(shot), resume=True, checkpoint_every=2)
    assert all(patch_file(shot, frame).is_file() for frame in range(1, LAST + 1))
    assert run_toy(shot.shot(), resume=True) == []


def test_a_full_disk_leaves_frame_and_patch_in_step(shot, monkeypatch):
    from plugin_core.render import writer

    real = writer.write_plate

    def failing(plate, path, **more):
        if path == shot.written(4):
            raise WriteError("full")
        return real(plate, path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_plate", failing)
        with pytest.raises(WriteError, match="full"):
            run_toy(patched(shot))
    assert not shot.written(4).exists() and not patch_file(shot, 4).exists()
    assert leftovers(shot.folder) == []


@pytest.mark.parametrize(("extension", "fields"), [(".exr", {"layers": "patch"}), (".exr", {}), (".png", {})])
def test_qc_holds_the_patch_against_the_result(tmp_path, extension, fields):
    shot = make_shot(tmp_path, 1, 3, extension=extension, empty=(2,))
    asked = shot.shot(**fields) if fields else patched(shot)
    run_toy(asked, SOFT)

    def told() -> tuple[str, tuple[int, ...]]:
        checks = check(QcShot(Job(shot=asked, settings=SOFT))).checks
        return next((one.verdict, one.frames) for one in checks if one.name == "patch")

    assert told() == ("ok", ())
    edited = read_plate(shot.written(3))
    everywhere = np.ones((HEIGHT, WIDTH), np.bool_)
    put_plate(edited.with_rgb(np.zeros((HEIGHT, WIDTH, 3), np.float32), everywhere), shot.written(3))
    assert told() == ("look", (3,))
    if not fields:
        patch_file(shot, 1).unlink()
        assert told() == ("FAULT", (1,))


@pytest.mark.parametrize(
    ("names", "types", "cut", "tile"),
    [
        (("Y",), ("half",), 0, 0),
        (("R", "G", "B", "Z", "id"), ("half", "half", "half", "float", "uint"), 0, 0),
        (("R", "G", "B", "A"), ("half",) * 4, 0, 16),
        (("R", "G", "B", "patch.R", "patch.A"), ("float",) * 5, 0, 0),
        (("R", "G", "B"), ("half",) * 3, 5, 0),
    ],
    ids=["gray", "mixed types", "tiled", "layers of its own", "windows that differ"],
)
def test_plates_of_any_kind_take_layers(tmp_path, names, types, cut, tile):
    shot = make_shot(tmp_path, 1, 2)
    for frame in (1, 2):
        pixels = np.concatenate([picture(frame)[..., :3], np.full((HEIGHT, WIDTH, 2), 7, np.float32)], axis=2)
        spec = oiio.ImageSpec(WIDTH, HEIGHT, len(names), types[0])
        spec.channelnames, spec.channelformats = names, tuple(map(oiio.TypeDesc, types))
        spec.attribute("compression", "pxr24")
        spec.tile_width = spec.tile_height = tile
        whole = oiio.ImageBuf(spec)
        whole.set_pixels(oiio.ROI(), np.ascontiguousarray(pixels[..., : len(names)]))
        if cut:
            part = oiio.ROI(cut + frame, WIDTH - cut, cut, HEIGHT - frame)
            whole = oiio.ImageBufAlgo.cut(whole, part)
            whole.specmod().x, whole.specmod().y = cut + frame, cut
            whole.set_full(0, WIDTH, 0, HEIGHT, 0, 1)
        assert whole.write(str(shot.plate(frame))), whole.geterror()
    for asked in (shot.shot(layers=["patch", "source"]), patched(shot, "alone")):
        run_toy(asked, SOFT)
        checks = {one.name: one for one in check(QcShot(Job(shot=asked, settings=SOFT))).checks}
        assert {checks[name].verdict for name in ("frames", "patch", "untouched")} == {"ok"}
    spec = channels(shot.written(1))[1]
    assert spec.get_string_attribute("compression") == "zip", "pxr24 would cut places off"


@pytest.mark.parametrize(
    ("output", "fields", "told"),
    [
        ("clean.####.exr", {"patch": "plate/plate.####.exr"}, "overwrite the plate"),
        ("clean.####.exr", {"patch": "out/clean.####.exr"}, "overwrite the output"),
        ("clean.####.exr", {"patch": "p/p.####.png"}, "EXR sequence"),
        ("clean.####.exr", {"patch": "p/p.exr"}, "EXR sequence"),
        ("clean.mov", {"patch": "p/p.####.exr"}, "movie, which has no layers"),
        ("clean.mov", {"layers": ["patch"]}, "movie, which has no layers"),
    ],
)
def test_what_can_not_be_is_refused_in_one_sentence(shot, output, fields, told):
    if "patch" in fields:
        fields = {"patch": str(shot.folder / fields["patch"])}
    asked = shot.shot().model_copy(
        update={"output": str(shot.folder / "out" / output), **fields},
    )
    with pytest.raises(InputError, match=told):
        list(deliver(asked, QUICK, Run(), ToyNetwork(), Reporters([]), Stop()))
    assert not (shot.folder / "p").exists()


def test_layers_need_a_format_that_has_them(tmp_path):
    shot = make_shot(tmp_path, 1, 2, extension=".png")
    with pytest.raises(InputError, match=r"\.png has none"):
        run_toy(shot.shot(layers=["patch"]))
    run_toy(patched(shot, layers="patch"))
    with pytest.raises(InputError, match="would overwrite the patch"):
        run_toy(patched(shot), overwrite=True, debug=str(patches(shot)))
    assert read(shot.written(1)).shape[2] == 3
