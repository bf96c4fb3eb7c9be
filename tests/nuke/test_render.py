"""The node rendered end to end, by the real core, on the sample shot."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from plugin_core.images import read_header, read_plate

from .conftest import FRAMES, SIZE, Comp, sample, write_exr, write_shot

pytestmark = pytest.mark.slow


def result_folder(comp: Comp, version: str = "v001") -> Path:
    return comp.folder / "cleanplate" / "comp" / "VINetInpaint1" / version


def written(folder: Path) -> dict[int, tuple[int, bytes]]:
    """Time and content of every clean plate."""
    files = sorted(folder.glob("clean.*.exr"))
    return {int(path.name.split(".")[1]): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def status(node) -> str:
    return node["status"].value()


def test_the_clean_plate_is_in_the_comp(comp):
    node = comp.node()
    comp.render(node)
    assert comp.host.messages == []
    assert status(node) == "Filled frames 1001-1009 (9 of 9): nothing is rendered yet."
    for frame in (FRAMES[0], FRAMES[4]):
        shown = comp.host.picture(node, frame)
        assert shown.bbox == (0, 0, *SIZE) and shown.size == SIZE
        plate, hole = sample("plate", frame), sample("matte", frame) > 0.05
        rgb = np.stack([shown.channels[f"rgba.{name}"] for name in ("red", "green", "blue")], axis=2)
        far = ~grown(hole, 6)
        np.testing.assert_array_equal(rgb[far], plate[far])
        assert np.abs(rgb - plate)[hole].mean() > 0.01
        np.testing.assert_array_equal(shown.channels["depth.Z"], float(np.float16(frame)))
    header = read_header(result_folder(comp) / "clean.1003.exr")
    assert set(header.types) == {"float"} and header.channels == ("R", "G", "B", "Z")


def grown(hole: np.ndarray, pixels: int) -> np.ndarray:
    import cv2

    return cv2.dilate(hole.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def test_a_saved_and_reopened_script_has_nothing_to_do_again(comp, new_host):
    node = comp.node()
    comp.render(node)
    comp.host.scriptSave()
    path = comp.host.root().name()
    comp = Comp(comp.folder, new_host())
    comp.host.scriptOpen(path)
    node = comp.host.module.toNode("VINetInpaint1")
    shown = comp.host.picture(node, 1003).channels["rgba.red"]
    np.testing.assert_array_equal(shown, read_plate(result_folder(comp) / "clean.1003.exr").rgb[..., 0])
    before = written(result_folder(comp))
    inputs = {path: path.stat().st_mtime_ns for path in (result_folder(comp) / "plate").glob("*.exr")}
    comp.render(node)
    assert status(node).startswith("Nothing to do: every frame is there")
    assert written(result_folder(comp)) == before
    assert inputs == {path: path.stat().st_mtime_ns for path in (result_folder(comp) / "plate").glob("*.exr")}


def test_a_changed_matte_renders_from_the_first_frame_it_touches(comp):
    node = comp.node()
    comp.render(node)
    before = written(result_folder(comp))
    looked_at = comp.host.picture(node, 1009).channels["rgba.red"]
    comp.change_matte(1009)
    comp.render(node)
    # How far before the change is the core's to say (tests/plugin_core/probe/test_forecast.py).
    assert re.match(r"Filled frames 100\d-1009 \(\d of 9\): Matte changed on frame 1009", status(node))
    after = written(result_folder(comp))
    assert [frame for frame in before if before[frame][1] != after[frame][1]][-1] == 1009
    shown = comp.host.picture(node, 1009).channels["rgba.red"]
    np.testing.assert_array_equal(shown, read_plate(result_folder(comp) / "clean.1009.exr").rgb[..., 0])
    assert (shown != looked_at).any(), "what Nuke had in memory is not shown again"


def test_other_settings_fill_every_frame_again_and_the_panel_says_so(comp):
    node = comp.node(range="custom", first=1001, last=1003)
    comp.render(node)
    node["grow"].setValue(5)
    assert status(node) == "grow was 2, now is 5: Render fills every frame again."
    node["grow"].setValue(2)
    assert status(node) == "As rendered."
    node["grow"].setValue(5)
    comp.render(node)
    assert status(node) == "Filled frames 1001-1003 (3 of 3): grow was 2, now is 5."


def test_a_higher_version_keeps_the_clean_plate_that_is_there(comp):
    node = comp.node(range="custom", first=1001, last=1003)
    comp.render(node)
    before = written(result_folder(comp))
    node["version"].setValue(2)
    node["grow"].setValue(4)
    comp.render(node)
    assert written(result_folder(comp)) == before
    assert sorted(written(result_folder(comp, "v002"))) == [1001, 1002, 1003]
    # A frame that somebody painted over is not filled again, whatever the knobs say.
    painted = result_folder(comp, "v002") / "clean.1002.exr"
    write_exr(painted, {name: sample("plate", 1003)[..., 0] for name in "RGB"})
    content = painted.read_bytes()
    node["grow"].setValue(6)
    comp.render(node)
    assert "frame 1002 was changed since it was written. Raise the node's version" in comp.host.messages[0]
    assert painted.read_bytes() == content


def test_a_shorter_range_leaves_no_frames_behind_that_the_core_would_look_at(comp):
    node = comp.node()
    comp.render(node)
    for name, value in (("range", "custom"), ("first", 1003), ("last", 1006)):
        node[name].setValue(value)
    comp.render(node)
    assert comp.host.messages == [] and "frames 1003-1006 (4 of 4)" in status(node)
    left = sorted(path.name for path in (result_folder(comp) / "matte").glob("*"))
    assert left == [f"matte.{frame}.exr" for frame in range(1003, 1007)]
    # Outside of the range the plate passes.
    np.testing.assert_array_equal(
        comp.host.picture(node, 1001).channels["rgba.green"], sample("plate", 1001)[..., 1]
    )


def test_update_writes_plate_and_matte_from_the_current_frame_on_only(comp):
    node = comp.node()
    comp.render(node)
    comp.change_matte(1008)
    seen = []
    comp.host.on_frame = lambda write, frame, view: seen.append((write.input(0).name(), frame))
    comp.host.frame(1008)
    comp.render(node, "do_update")
    assert seen == [
        ("plate", 1008),
        ("plate", 1009),
        ("matte", 1008),
        ("matte", 1009),
    ]
    assert "Matte changed on frame 1008" in status(node)


def test_update_of_a_node_that_was_never_rendered_writes_everything(comp):
    comp.host.frame(1008)
    node = comp.node()
    comp.render(node, "do_update")
    assert "frames 1001-1009 (9 of 9)" in status(node)


def test_cancel_in_the_meter_keeps_what_is_there_and_render_goes_on(comp):
    node = comp.node()
    comp.host.cancel_after = 1
    comp.render(node)
    there = sorted(written(result_folder(comp)))
    assert 0 < len(there) < 9 and status(node).startswith("Cancelled. Stopped after frame")
    assert comp.host.messages == [] and node["rendered_with"].value() == ""
    assert (node["result_first"].value(), node["result_last"].value()) == (there[0], there[-1]), "it is seen"
    np.testing.assert_array_equal(
        comp.host.picture(node, 1009).channels["rgba.red"],
        sample("plate", 1009)[..., 0],
        "the plate, where nothing is yet",
    )
    comp.host.cancel_after = None
    comp.render(node)
    assert f"frames from {there[-1] + 1} on are not rendered yet" in status(node)
    once = written(result_folder(comp))
    node["version"].setValue(2)
    comp.render(node)
    from cleanplate_nuke.exr import same_picture

    for frame in once:
        one, other = (result_folder(comp, version) / f"clean.{frame}.exr" for version in ("v001", "v002"))
        assert same_picture(one, other)


def test_cancel_while_nuke_writes_leaves_everything_as_it_was(comp):
    node = comp.node()
    comp.render(node)
    before = written(result_folder(comp))
    inputs = {path: path.read_bytes() for path in result_folder(comp).glob("[mp]*/*.exr")}
    comp.change_matte(1005)
    write_exr(comp.path("plate", 1002), {name: sample("plate", 1003)[..., 0] for name in "RGB"})
    comp.host.root()["proxy"].setValue(True)

    def cancel(write, frame, view):
        if (write.input(0).name(), frame) == ("matte", 1004):
            raise RuntimeError("Cancelled")

    comp.host.on_frame = cancel
    comp.render(node)
    assert status(node).startswith("Cancelled. VINetInpaint1: stopped while writing the matte")
    assert comp.host.messages == [] and written(result_folder(comp)) == before
    assert comp.host.root()["proxy"].value() is True
    assert node.node("write")["disable"].value() and node.node("write").input(0).name() == "plate"
    assert {path: path.read_bytes() for path in result_folder(comp).glob("[mp]*/*.exr")} == inputs
    assert not list(result_folder(comp).rglob("new"))


def test_proxy_mode_does_not_reach_the_files(comp):
    node = comp.node(range="custom", first=1001, last=1002)
    comp.host.root()["proxy"].setValue(True)
    comp.render(node)
    assert comp.host.root()["proxy"].value() is True
    assert read_header(result_folder(comp) / "clean.1001.exr").display_window == (0, 0, *SIZE)


def test_each_view_is_a_shot_of_its_own(comp):
    comp.host.root().addView("right")
    write_shot(comp, "right")
    for frame in FRAMES:
        red, green, blue = np.moveaxis(sample("plate", frame), 2, 0)
        write_exr(comp.path("plate", frame, "right"), {"R": blue, "G": green, "B": red})
    node = comp.node(range="custom", first=1001, last=1003)
    for kind in ("plate", "matte"):
        file = comp.host.module.toNode(kind)["file"]
        file.setValue(file.value().replace("/main/", "/%V/"))
    comp.render(node)
    assert status(node).startswith("main: Filled frames 1001-1003 (3 of 3)") and "right: Filled" in status(
        node
    )
    left, right = (comp.host.picture(node, 1002, view).channels for view in ("main", "right"))
    np.testing.assert_array_equal(left["rgba.green"][:20], right["rgba.green"][:20])
    np.testing.assert_array_equal(left["rgba.red"][:20], right["rgba.blue"][:20])
    assert node.node("result")["file"].value().endswith("/v001/%V/clean.%04d.exr")
    node.showControlPanel()
    assert node["view"].values() == ["all", "main", "right"]
    node["view"].setValue("right")
    comp.render(node)
    assert status(node).startswith("Nothing to do")


def test_overscan_keeps_its_data_window(comp):
    for frame in FRAMES:
        red, green, blue = np.moveaxis(sample("plate", frame), 2, 0)
        write_exr(comp.path("plate", frame), {"R": red, "G": green, "B": blue}, (-16, -8), (160, 112))
        write_exr(comp.path("matte", frame), {"A": sample("matte", frame)}, (-16, -8), (160, 112))
    node = comp.node(range="custom", first=1001, last=1003)
    comp.render(node)
    assert comp.host.messages == []
    header = read_header(result_folder(comp) / "clean.1002.exr")
    assert (header.data_window, header.display_window) == ((-16, -8, 192, 128), (0, 0, 160, 112))
    shown = comp.host.picture(node, 1002)
    assert shown.bbox == (-16, -8, 176, 120)
    np.testing.assert_array_equal(shown.channels["rgba.red"][:20], sample("plate", 1002)[:20, :, 0])


def test_a_bounding_box_that_moves_is_kept_frame_by_frame(comp):
    for frame in FRAMES:
        red, green, blue = np.moveaxis(sample("plate", frame)[:100, frame - 1001 :], 2, 0)
        write_exr(comp.path("plate", frame), {"R": red, "G": green, "B": blue}, (frame - 1001 - 4, 10))
    node = comp.node(range="custom", first=1001, last=1004)
    comp.render(node)
    assert comp.host.messages == []
    for frame in range(1001, 1005):
        assert read_header(result_folder(comp) / f"clean.{frame}.exr").data_window == (
            frame - 1005,
            10,
            1193 - frame,
            100,
        )
    comp.render(node)
    assert status(node).startswith("Nothing to do")


def test_an_unsaved_script_renders_into_a_temporary_folder(new_host, tmp_path, monkeypatch):
    monkeypatch.setenv("NUKE_TEMP_DIR", (tmp_path / "temp").as_posix())
    comp = Comp(tmp_path, new_host())
    write_shot(comp)
    node = comp.node(range="custom", first=1001, last=1002)
    comp.render(node)
    assert "Filled frames 1001-1002" in status(node)
    assert Path(node.node("result")["file"].value()).is_relative_to(tmp_path / "temp")


def test_a_folder_with_spaces_and_letters_of_any_script(comp):
    node = comp.node(
        range="custom", first=1001, last=1002, folder="[file dirname [value root.name]]/Zoë's plates 日本"
    )
    comp.render(node)
    assert comp.host.messages == [] and "Filled frames 1001-1002" in status(node)
    assert sorted(written(comp.folder / "Zoë's plates 日本" / "v001")) == [1001, 1002]


def test_one_node_feeds_another(comp):
    first = comp.node(range="custom", first=1001, last=1003)
    import cleanplate_nuke

    second = cleanplate_nuke.create(first, comp.host.module.toNode("matte"))
    for name, value in {
        "quality": "draft",
        "grow": 0,
        "feather": 0,
        "device": "cpu",
        "range": "custom",
        "first": 1001,
        "last": 1003,
    }.items():
        second[name].setValue(value)
    comp.render(second)
    assert comp.host.messages == [
        "VINetInpaint2 needs VINetInpaint1, which is not rendered yet; render it first."
    ]
    comp.render(first)
    comp.render(second)
    assert len(comp.host.messages) == 1 and "Filled frames 1001-1003" in status(second)
    one, two = (comp.host.picture(node, 1002).channels["rgba.red"] for node in (first, second))
    outside = sample("matte", 1002) <= 0.05
    np.testing.assert_array_equal(one[outside], two[outside])


def test_the_job_is_the_published_one(comp):
    node = comp.node(range="custom", first=1001, last=1002, invert=True)
    node["color"].setValue("ACEScg")
    from cleanplate_nuke import flow, request

    asked = request.read_request(node)
    flow.prepare(node, asked, None)
    from plugin_core.job.job import Job

    job = Job.read(asked.job("main"))
    assert job.shot.colorspace == "ACEScg" and job.shot.frames == "1001-1002"
    assert (job.settings.grow, job.settings.feather, job.settings.matte_invert) == (2, 2, True)
    assert json.loads(asked.job("main").read_text("utf-8"))["version"] == 1


def test_real_pixels_are_asked_for(comp):
    node = comp.node(quality="standard")
    from cleanplate_nuke.request import look_of

    from plugin_core.job.settings import PROPAGATE_FRAMES

    assert look_of(node)["propagate"] == PROPAGATE_FRAMES
    node["search_frames"].setValue(12)
    assert look_of(node)["propagate"] == 12
    node["real_pixels"].setValue(False)
    assert look_of(node)["propagate"] == 0 and not node["search_frames"].enabled()
    node["real_pixels"].setValue(True)
    assert node["search_frames"].enabled()
    node["quality"].setValue("draft")
    assert look_of(node)["propagate"] == 0, "a draft looks for none"
    assert not node["real_pixels"].enabled() and not node["search_frames"].enabled()


def test_the_status_says_that_real_pixels_were_switched_on(comp):
    node = comp.node(range="custom", first=1001, last=1002, quality="standard", real_pixels=False)
    comp.render(node)
    node["real_pixels"].setValue(True)
    assert status(node) == "real pixels was off, now is 48 frames: Render fills every frame again."
    comp.render(node)
    assert status(node) == (
        "Filled frames 1001-1002 (2 of 2): paint was network, now is auto; propagate was 0, now is 48."
    )
