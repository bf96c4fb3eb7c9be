"""`cleanplate detect` and `restore` on a tiny shot: what is written, what is kept, and going on."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin_core.cli import main
from plugin_core.errors import SettingsError
from plugin_core.images import read_plate
from plugin_core.restore.find_list import Entry, FindList
from tests.plugin_core.pictures_on_disk import save, spec_of

HEIGHT, WIDTH, FIRST, LAST, DIRTY = 96, 128, 1001, 1007, 1004


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pan in half-float EXR with alpha, dirt on frame DIRTY and a scratch on all; the truth beside it."""
    folder = tmp_path_factory.mktemp("shot")
    random = np.random.default_rng(3)
    coarse = random.uniform(0.1, 0.6, (HEIGHT // 8, 2 * WIDTH // 8, 3)).astype(np.float32)
    world = cv2.resize(coarse, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for frame in range(FIRST, LAST + 1):
        left = 2 * (frame - FIRST)
        picture = np.ones((HEIGHT, WIDTH, 4), np.float32)
        picture[..., :3] = world[:, left : left + WIDTH]
        if frame == DIRTY:
            cv2.ellipse(picture, ((50, 40), (12, 7), 20), (0.9, 0.9, 0.9, 1), -1)
        picture[:, 90:92, :3] = 0.02
        spec = spec_of(WIDTH, HEIGHT, "RGBA", "half", timeCodeRate=24)
        save(folder / f"plate.{frame}.exr", (spec, picture.astype(np.float16)))
    np.save(folder / "truth.npy", world[:, 2 * (DIRTY - FIRST) :][:, :WIDTH])
    return folder


def test_detect_writes_mattes(shot: Path, tmp_path: Path) -> None:
    mattes = tmp_path / "m.####.exr"
    plate = f"{shot}/plate.####.exr"
    assert main(["detect", "dirt", "--plate", plate, "--matte", str(mattes), "--frames", "1003-1004"]) == 0
    dirty, clean = (read_plate(tmp_path / f"m.{frame}.exr").rgb[..., 0] for frame in (1004, 1003))
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(truth, ((50, 40), (12, 7), 20), 1, -1)
    assert dirty[truth > 0].mean() > 0.9 and dirty[truth == 0].sum() < 20 and not clean.any()
    assert main(["detect", "dirt", "--plate", plate, "--matte", str(mattes)]) == 2  # they are there
    spared = str(tmp_path / "spared.png")
    cv2.imwrite(spared, np.full((HEIGHT, WIDTH), 255, np.uint8))
    again = ["--frames", "1004", "--protect", spared, "--overwrite"]
    assert main(["detect", "dirt", "--plate", plate, "--matte", str(mattes), *again]) == 0
    assert not read_plate(tmp_path / "m.1004.exr").rgb.any()
    assert main(["qc", "--result", str(mattes)]) == 2  # mattes have nothing to be held against


def test_restore_repairs_keeps_the_rest_and_goes_on(shot: Path, tmp_path: Path) -> None:
    out, look = tmp_path / "c.####.exr", tmp_path / "look"
    base = ["restore", "--plate", f"{shot}/plate.####.exr", "--output", str(out), "--repair-grain", "off"]
    base += ["--frames", "1003-1005"]
    assert main([*base, "--review", str(look)]) == 0
    before, after = read_plate(shot / f"plate.{DIRTY}.exr"), read_plate(tmp_path / f"c.{DIRTY}.exr")
    truth = np.load(shot / "truth.npy")
    near = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(near, ((50, 40), (12, 7), 20), 1, -1)
    near[:, 90:92] = 1
    near = cv2.dilate(near, np.ones((9, 9), np.uint8))
    assert (after.rgb == before.rgb)[near == 0].all()
    assert (after.parts[0].channel(3) == before.parts[0].channel(3)).all()
    assert after.parts[0].spec.get_int_attribute("timeCodeRate") == 24
    error = np.abs(after.rgb - truth).max(axis=2)
    assert error.max() < 0.1 and np.abs(before.rgb - truth).max() > 0.3
    told = json.loads((look / "finds.json").read_text("utf-8"))
    assert {find["kind"] for find in told["finds"] if find["frame"] == DIRTY} == {"dirt", "scratch"}
    assert list(look.glob("finds.*.png"))

    assert main(["qc", "--result", str(out), "--json", str(tmp_path / "qc.json")]) == 0
    report = json.loads((tmp_path / "qc.json").read_text("utf-8"))
    assert {check["name"]: check["verdict"] for check in report["checks"]} == dict.fromkeys(
        ("frames", "untouched", "repaired", "finite", "finds"), "ok"
    )
    assert [frame["finds"] for frame in report["frames"]] == [1, 2, 1]
    assert report["frames"][1]["repaired"] > report["frames"][0]["repaired"] > 0
    assert main(["qc", "--result", str(out), "--truth", str(out)]) == 2
    assert main(["review", "--result", str(out), "--page", str(tmp_path / "page")]) == 0
    page = (tmp_path / "page" / "review.html").read_text("utf-8")
    assert "cleanplate restore --plate" in page and "Repaired, %" in page

    # What is missing comes again, the same; what was changed by hand is not replaced.
    written = {frame: (tmp_path / f"c.{frame}.exr").read_bytes() for frame in (1003, 1004, 1005)}
    assert main(base) == 2
    (tmp_path / "c.1004.exr").unlink()
    times = {frame: (tmp_path / f"c.{frame}.exr").stat().st_mtime_ns for frame in (1003, 1005)}
    assert main([*base, "--resume"]) == 0
    again = read_plate(tmp_path / "c.1004.exr")
    assert (again.rgb == after.rgb).all()
    assert times == {frame: (tmp_path / f"c.{frame}.exr").stat().st_mtime_ns for frame in times}
    assert main([*base, "--resume", "--sensitivity", "0.9"]) == 4  # another key
    (tmp_path / "c.1005.exr").write_bytes(written[1003])
    assert main([*base, "--resume"]) == 2
    assert main(["qc", "--result", str(out)]) == 9  # pixels differ where nothing was found


def test_a_list_of_finds_says_what_is_repaired(shot: Path, tmp_path: Path) -> None:
    edited = tmp_path / "finds.json"
    own = {"frame": 1004, "kind": "dirt", "box": [10, 70, 6, 5]}
    edited.write_text(json.dumps({"version": 1, "plate": "x", "finds": [own]}), "utf-8")
    out = tmp_path / "c.####.exr"
    base = ["restore", "--plate", f"{shot}/plate.####.exr", "--output", str(out), "--frames", "1004"]
    assert main([*base, "--finds", str(edited)]) == 0
    before, after = read_plate(shot / "plate.1004.exr").rgb, read_plate(tmp_path / "c.1004.exr").rgb
    rows, columns = np.nonzero((before != after).any(axis=2))
    assert rows.size and rows.min() > 60 and rows.max() < 80 and columns.max() < 22
    assert main([*base, "--smallest", "9", "--largest", "5", "--overwrite"]) == 2


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (
            '{"version": 1, "finds": [{"frame": 1, "kind": "rain", "box": [0, 0, 1, 1]}]}',
            "find 1 has a wrong kind",
        ),
        ('{"version": 1, "finds": [{"frame": 1, "kind": "dirt"}]}', "find 1 lacks its box; a find has"),
        (
            '{"version": 1, "finds": [{"frame": 1, "kind": "dirt", "box": [0, 0, 0, 1]}]}',
            "box.2: greater than",
        ),
        ('{"version": 2, "finds": []}', "its version should be 1, got 2"),
        ('{"version": 1}', 'it has no list "finds"'),
    ],
)
def test_a_list_that_is_wrong_is_refused_in_a_sentence(tmp_path: Path, listed: str, told: str) -> None:
    (tmp_path / "finds.json").write_text(listed, "utf-8")
    with pytest.raises(SettingsError, match=re.escape(told)):
        FindList.read(tmp_path / "finds.json")


def test_finds_beyond_the_picture_are_told() -> None:
    there = [Entry(frame=1, kind="dirt", box=(0, 0, 9, 9)), Entry(frame=2, kind="dirt", box=(-4, 3, 5, 2))]
    off = [Entry(frame=9, kind="dirt", box=(0, 0, 9, 9)), Entry(frame=1, kind="dirt", box=(64, 0, 4, 4))]
    assert sorted(one.frame for one in FindList([*there, *off]).beyond(range(1, 3), 64, 48)) == [1, 9]
