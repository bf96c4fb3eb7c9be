"""Reference frames: what somebody painted on one frame shows on all that see the place, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_core.clips.sequence import FileSequence
from plugin_core.errors import CleanplateError
from plugin_core.images import read_header
from plugin_core.job.settings import Run
from plugin_core.probe.forecast import forecast
from plugin_core.progress.reporters import Reporters
from plugin_core.render.plan import make_plan
from plugin_core.render.reference_reach import reach_of
from plugin_core.render.sources import open_sources
from plugin_core.state.folder import journal_path, output_folder
from plugin_core.state.journal import Journal

from ..pictures_on_disk import save, spec_of
from ..shots import QUICK, ShotOnDisk, make_shot, read, run_toy, same_files
from ..shots import write_matte as put_matte
from ..shots import write_plate as put_plate
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
LAST = 44
SETTINGS = QUICK.model_copy(update={"propagate": 6, "exposure": "0"})
LEFT, TOP, WIDTH, HEIGHT = 60, 20, 24, 20
RED = (2.0, 0.1, 0.1)


def wall(frame: int) -> NDArray[np.float32]:
    """A wall that the camera pans along, a pixel a frame."""
    small = np.random.default_rng(1).random((18, 60, 3), np.float32)
    whole = cv2.resize(small, (300, 64), interpolation=cv2.INTER_CUBIC)
    picture = np.zeros((64, 96, 4), np.float32)
    picture[..., :3] = whole[:, 10 + frame : 106 + frame]
    return picture


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    """A wall, and a thing that hangs on it, so that no frame shows what is behind."""
    shot = make_shot(tmp_path_factory.mktemp("references"), 1, LAST)
    for frame in range(1, LAST + 1):
        picture, matte = wall(frame), np.zeros((64, 96), np.uint8)
        place = np.s_[TOP : TOP + HEIGHT, LEFT - frame : LEFT - frame + WIDTH]
        picture[place][..., :3] = 0.02
        matte[place] = 255
        put_plate(shot.plate(frame), picture)
        put_matte(shot.matte(frame), matte)
    return shot


def marked(frame: int, color: tuple[float, ...] = RED, x: int = 10, y: int = 8) -> NDArray[np.float32]:
    """The clean wall with a mark of 4x4 pixels in the hole."""
    picture = wall(frame)
    picture[TOP + y : TOP + y + 4, LEFT - frame + x : LEFT - frame + x + 4, :3] = color
    return picture


def put(shot: ShotOnDisk, name: str, frame: int, picture: NDArray[np.float32] | None = None) -> str:
    """Write a whole plate as a reference into a folder, and return that."""
    put_plate(shot.folder / name / f"ref.{frame:04d}.exr", marked(frame) if picture is None else picture)
    return str(shot.folder / name)


def middle(path: Path) -> tuple[float, float]:
    """The column and row of the mark's middle."""
    rows, columns = np.nonzero(read(path)[..., 0].astype(np.float32) > 1.4)
    return float(columns.mean()), float(rows.mean())


class Told(Reporters):
    """Remembers what was told."""

    def __init__(self) -> None:
        super().__init__([])
        self.shares: Mapping[str, float] = {}

    def origins(self, message: str, shares: Mapping[str, float]) -> None:
        self.shares = shares


def test_a_mark_follows_the_background_and_shows_nowhere_else(shot):
    told = Told()
    for name, picture in (("marked", None), ("bare", wall(5))):
        given = put(shot, name, 5, picture)
        run_toy(shot.shot(f"out-{name}", "1-9", reference=given), SETTINGS, reporters=told)
    assert told.shares["referenced"] > 0.95
    for frame in range(1, 10):
        plate = read(shot.plate(frame)).astype(np.float32)
        with_mark, bare = (
            read(shot.written(frame, f"out-{name}")).astype(np.float32) for name in ("marked", "bare")
        )
        there = LEFT - frame + 10 + 1.5, TOP + 8 + 1.5
        assert np.hypot(*np.subtract(middle(shot.written(frame, "out-marked")), there)) < 0.3
        near = np.zeros((64, 96), np.bool_)
        near[TOP + 6 : TOP + 14, LEFT - frame + 8 : LEFT - frame + 16] = True
        np.testing.assert_allclose(with_mark[~near], bare[~near], atol=2e-3)
        np.testing.assert_allclose(bare[..., :3], wall(frame)[..., :3], atol=0.03)
        outside = read(shot.matte(frame))[..., 0] == 0
        np.testing.assert_array_equal(with_mark[outside], plate[outside])


def test_on_frames_out_of_focus_it_is_as_soft_as_what_is_around_the_hole(tmp_path):
    shot, wall = make_shot(tmp_path, 1, 6), np.zeros((128, 160, 4), np.float32)
    noise = cv2.GaussianBlur(np.random.default_rng(2).random((128, 160, 3), np.float32), (0, 0), 0.8)
    wall[..., :3] = np.clip(0.3 + noise - 0.5, 0, 1)
    matte = np.zeros((128, 160), np.uint8)
    hole = np.s_[46:82, 60:100]
    matte[hole] = 255
    seen = {frame: cv2.GaussianBlur(wall, (0, 0), 2.0) if frame > 3 else wall for frame in range(1, 7)}
    for frame, picture in seen.items():
        with_thing = picture.copy()
        with_thing[hole][..., :3] = 0.02
        put_plate(shot.plate(frame), with_thing)
        put_matte(shot.matte(frame), matte)
    run_toy(shot.shot("out", reference=put(shot, "focus", 1, wall)), SETTINGS)
    for frame, truth in seen.items():
        filled = read(shot.written(frame, "out")).astype(np.float32)
        error, lost = (np.abs(picture - truth)[hole][..., :3].mean() for picture in (filled, wall))
        assert error < (0.01 if frame < 4 else 0.4 * lost), f"frame {frame}"


@pytest.mark.parametrize("paint", ["off", "auto"])
def test_however_the_rest_is_painted_the_mark_is_there(shot, paint):
    settings = SETTINGS.model_copy(update={"paint": paint})
    run_toy(shot.shot(f"out-{paint}", "4-6", reference=put(shot, paint, 5)), settings)
    for frame in (4, 6):
        there = LEFT - frame + 11.5, TOP + 9.5
        assert np.hypot(*np.subtract(middle(shot.written(frame, f"out-{paint}")), there)) < 0.3


def test_without_a_search_for_real_pixels_it_is_carried_too_and_the_layers_say_so(shot):
    settings = SETTINGS.model_copy(update={"propagate": 0})
    given = {"reference": put(shot, "alone", 5), "layers": ("source",)}
    run_toy(shot.shot("out-alone", "8-9", **given), settings)
    for frame in (8, 9):
        path = shot.written(frame, "out-alone")
        x, y = LEFT - frame + 11, TOP + 9
        assert np.hypot(*np.subtract(middle(path), (x + 0.5, y + 0.5))) < 0.3
        names, pixel = read_header(path).channels, read(path)[y, x]
        told = {name: pixel[names.index(f"source.{name}")] for name in ("class", "frame")}
        assert told == {"class": 2, "frame": 5}


def test_it_is_told_which_frames_each_reaches_and_how_much_of_them(shot):
    picture = wall(5)
    picture[TOP : TOP + 10, LEFT - 5 : LEFT + 40, :3] = 0.5  # the upper half of the hole
    picture[TOP + 10 : TOP + HEIGHT, LEFT - 5 : LEFT - 5 + WIDTH, :3] = 0.02  # there it is as it was
    asked = shot.shot("out-reach", "3-6", cuts=(6,), reference=put(shot, "reach", 5, picture))
    plan = make_plan(open_sources(asked, dry=True), asked, SETTINGS, ToyNetwork())
    reached = reach_of(plan, lambda *told: None)[5]
    assert sorted(reached) == [3, 4, 5], "not beyond the cut"
    assert all(0.45 < share < 0.75 for share in reached.values())


def test_it_is_carried_over_any_distance(shot):
    given = put(shot, "far", 2)
    run_toy(shot.shot("out-far", f"{LAST - 1}-{LAST}", reference=given), SETTINGS)
    for frame in (LAST - 1, LAST):
        there = LEFT - frame + 11.5, TOP + 9.5
        assert np.hypot(*np.subtract(middle(shot.written(frame, "out-far")), there)) < 0.6


def test_in_chunks_and_resumed_it_gives_the_same_bytes(shot):
    given = {"reference": put(shot, "two", 3)}
    put(shot, "two", 9, marked(9, (0.1, 0.1, 2.0)))
    run_toy(shot.shot("out-whole", "1-10", **given), SETTINGS)
    state = str(shot.folder / "a.state")
    run_toy(shot.shot("out-chunks", "1-10", **given), SETTINGS, chunk="1-5", state_out=state)
    run_toy(shot.shot("out-chunks", "1-10", **given), SETTINGS, chunk="6-10", state_in=state)
    same_files(shot, "out-chunks", "out-whole", range(1, 11))
    for frame in (9, 10):
        shot.written(frame, "out-whole").unlink()
    run_toy(shot.shot("out-whole", "1-10", **given), SETTINGS, resume=True)
    same_files(shot, "out-whole", "out-chunks", range(1, 11))
    colors = [
        read(shot.written(frame, "out-whole"))[TOP + 9 : TOP + 11, LEFT - frame + 11 : LEFT - frame + 13]
        for frame in (3, 6, 9)
    ]
    red, mixed, blue = (color[..., :3].astype(np.float32).mean(axis=(0, 1)) for color in colors)
    assert red[0] > 1.8 and blue[2] > 1.8, "the nearest one"
    assert 0.2 < mixed[0] < 1.5 and 0.2 < mixed[2] < 1.5, "halfway they dissolve"


def test_changed_references_render_again_what_they_touch_and_nothing_else(shot):
    """The shot is two takes, of which one has references."""
    folder = shot.folder / "changing"
    given = {"cuts": (6,), "reference": put(shot, "changing", 8)}

    def render(name: str = "out-changing", **run: object) -> list[int]:
        asked = shot.shot(name, "1-10", **given)
        return [done.frame for done in run_toy(asked, SETTINGS, **run)]

    def foreseen() -> tuple[str, int, tuple[str, ...]]:
        asked = shot.shot("out-changing", "1-10", **given)
        told = forecast(asked, SETTINGS, Run(), ToyNetwork())
        return told.action, told.begin, told.reasons

    run_toy(shot.shot("out-changing", "1-10", cuts=(6,)), SETTINGS)
    assert foreseen()[:2] == ("resume", 6) and "Reference frames changed on frame 8" in foreseen()[2][0]
    assert render(resume=True) == list(range(6, 11))
    render("out-fresh")
    same_files(shot, "out-changing", "out-fresh", range(1, 11))
    assert foreseen()[0] == "nothing" and render(resume=True) == []
    journal = journal_path(output_folder(FileSequence.parse(shot.output("out-changing"))))
    entries = Journal(journal, Journal(journal, {}).found_key() or {}).read() or []
    knew = {entry.frame: {frame: one.touched for frame, one in entry.references.items()} for entry in entries}
    assert all(knew[frame] == ({} if frame < 6 else {8: True}) for frame in range(1, 11))
    put(shot, "changing", 8, marked(8, (0.1, 2.0, 0.1)))
    assert render(resume=True) == list(range(6, 11))
    put(shot, "changing", 30)  # its take does not reach so far back: the hole has none of it
    (folder / "ref.0008.exr").unlink()
    assert foreseen()[1] == 6
    (folder / "ref.0030.exr").unlink()
    del given["reference"]
    assert render(resume=True) == list(range(6, 11))
    run_toy(shot.shot("out-none", "1-10", cuts=(6,)), SETTINGS)
    same_files(shot, "out-changing", "out-none", range(1, 11))


def test_key_frames_continue_references_and_are_painted_anew_only_where_one_touches_them(shot):
    """The shot is two takes; the reference is a patch, so that the rest of the hole is painted."""
    settings = SETTINGS.model_copy(update={"paint": "auto"})
    pixels = np.zeros((64, 96, 4), np.float32)
    pixels[TOP : TOP + 12, LEFT - 8 : LEFT - 8 + WIDTH] = (*RED, 1)
    (shot.folder / "patched").mkdir()
    spec = spec_of(96, 64, ("R", "G", "B", "A"), "float")
    save(shot.folder / "patched" / "ref.0008.exr", (spec, pixels))
    bare = shot.shot("out-keys", "1-10", cuts=(6,))
    asked = bare.model_copy(update={"reference": str(shot.folder / "patched")})

    def keys(name: str = "out-keys") -> dict[int, bytes]:
        files = (shot.folder / name).glob(".cleanplate/*/paint/*.exr")
        return {int(path.name.split(".")[1]): path.read_bytes() for path in files}

    run_toy(bare, settings)
    without = keys()
    told = forecast(asked, settings, Run(), ToyNetwork())
    assert told.begin == 6 and "aint changed on frame" in told.reasons[0]
    run_toy(asked, settings, resume=True)
    run_toy(asked.model_copy(update={"output": shot.output("out-keys-fresh")}), settings)
    same_files(shot, "out-keys", "out-keys-fresh", range(1, 11))
    changed = {frame for frame, data in keys().items() if without.get(frame) != data}
    assert changed and min(changed) >= 6 and keys() == keys("out-keys-fresh")
    assert min(keys()) < 6, "those of the other take stay"
    frame = min(changed)
    written = read(next((shot.folder / "out-keys").glob(f".cleanplate/*/paint/paint.{frame:04d}.exr")))
    known = written[TOP + 2 : TOP + 10, LEFT - frame + 2 : LEFT - frame + WIDTH - 2, :3].astype(np.float32)
    np.testing.assert_allclose(known, np.broadcast_to(RED, known.shape), atol=0.1)
    assert (
        run_toy(asked, settings, resume=True) == []
        and forecast(asked, settings, Run(), ToyNetwork()).action == "nothing"
    )
    run_toy(bare, settings, resume=True)
    assert keys() == without


def test_a_patch_with_alpha_counts_where_it_has_some(shot):
    frame, hidden = 6, np.s_[TOP + 4 : TOP + 12, LEFT - 6 + 4 : LEFT - 6 + 12]
    pixels = np.zeros((64, 96, 4), np.float32)
    pixels[hidden] = (0.5, 0.25, 0.125, 0.5)  # (1, 0.5, 0.25), half of it
    spec = spec_of(96, 64, ("R", "G", "B", "A"), "float")
    (shot.folder / "patch").mkdir()
    path = save(shot.folder / "patch" / "ref.0006.exr", (spec, pixels))
    settings = SETTINGS.model_copy(update={"paint": "off"})
    run_toy(shot.shot("out-patch", "6-6", reference=str(path)), settings)
    files = shot.plate(frame), shot.written(frame, "out-patch")
    plate, written = (read(each).astype(np.float32) for each in files)
    changed = np.zeros((64, 96), np.bool_)
    changed[hidden] = True
    np.testing.assert_array_equal(written[~changed], plate[~changed])
    mixed = plate[hidden][..., :3] / 2 + (0.5, 0.25, 0.125)
    np.testing.assert_allclose(written[hidden][..., :3], mixed, atol=1e-3)


def saved(path: Path, kind: str = "half", size: tuple[int, int] = (96, 64), **tags: object) -> Path:
    """A picture of random pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(3).random((size[1], size[0], 3), np.float32)
    return save(path, (spec_of(*size, tuple("RGB"), kind, **tags), pixels))


@pytest.mark.parametrize(
    ("name", "how", "told"),
    [
        ("ref.0006.exr", {"size": (90, 64)}, "is 90x64, the plate is 96x64"),
        ("ref.0099.exr", {}, "is of frame 99, and the shot has frames 1-44"),
        ("ref.exr", {}, "has no frame number in its name"),
        ("ref.0006.exr", {}, "differs from its plate on 100 %"),
        ("ref.0006.exr", {"colorspace": "ACEScg"}, "is ACEScg"),
        ("ref.0006.png", {"kind": "uint8"}, "is display-referred"),
        ("nothing", {}, "holds no pictures"),
        ("ref.####.exr", {}, "No reference"),
    ],
)
def test_bad_references_are_refused_in_one_sentence(shot, tmp_path, name, how, told):
    path = tmp_path / name
    if name == "nothing":
        path.mkdir()
    elif "#" not in name:
        saved(path, **how)
    with pytest.raises(CleanplateError, match=told) as error:
        run_toy(shot.shot("out-bad", "1-8", reference=str(path)), SETTINGS)
    assert str(error.value).count("\n") == 0 and not (shot.folder / "out-bad").exists()


def test_one_that_says_nothing_or_is_there_twice_or_broken_is_refused(shot, tmp_path):
    path = tmp_path / "same" / "ref.0006.exr"
    path.parent.mkdir()
    path.write_bytes(shot.plate(6).read_bytes())
    asked = shot.shot("out-bad", "1-8", reference=str(path))
    with pytest.raises(CleanplateError, match="does not differ from its plate"):
        run_toy(asked, SETTINGS)
    path.write_bytes(shot.plate(6).read_bytes()[:900])
    with pytest.raises(CleanplateError, match="damaged"):
        run_toy(asked, SETTINGS)
    with pytest.raises(CleanplateError, match="would overwrite reference"):
        run_toy(asked.model_copy(update={"output": str(path.parent / "ref.####.exr")}), SETTINGS)
    saved(path.parent / "other.0006.exr")
    with pytest.raises(CleanplateError, match="are both of frame 6"):
        run_toy(shot.shot("out-bad", "1-8", reference=str(path.parent)), SETTINGS)
