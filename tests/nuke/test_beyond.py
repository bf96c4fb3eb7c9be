"""Beside plate, matte and Render: shadows, references, patch, checks, repairs, old scripts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from plugin_core.images import read_header, read_plate

from .conftest import FRAMES, SIZE, Comp, sample, write_exr
from .test_render import grown, result_folder, status
from .test_review import core_that_notes

THREE = {"range": "custom", "first": 1001, "last": 1003}


def job_of(comp: Comp, version: str = "v001") -> dict:
    return json.loads((result_folder(comp, version) / "job" / "job.json").read_text("utf-8"))


@pytest.mark.slow
def test_patch_and_shadow_in_the_comp(comp, monkeypatch):
    from cleanplate_nuke import flow
    from cleanplate_nuke import result as of_node

    previews, preview = [], of_node.preview

    def noted(node, request, frame):
        preview(node, request, frame)
        comp.host.picture(node, frame)
        previews.append((frame, node["result_last"].value()))

    monkeypatch.setattr(flow, "PREVIEW_SECONDS", 0)
    monkeypatch.setattr(of_node, "preview", noted)
    node = comp.node(**THREE, patch=True)
    node["show"].setValue("source")
    assert status(node) == "There is no source to show: switch 'patch' on and press Render."
    node["show"].setValue("result")
    comp.host.press(node, "do_check")
    comp.host.pump(lambda: not status(node).startswith(("There is no", "Looking")))
    assert status(node).startswith(("Before you render: ", "Looked at: ")), status(node)
    shadow = comp.read("matte")
    shadow["file"].setValue(comp.path("shadow", 0).as_posix().replace(".0.exr", ".%04d.exr"))
    for frame in FRAMES:
        below = np.zeros(SIZE[::-1], np.float32)
        below[90:100, 20:60] = 1
        write_exr(comp.path("shadow", frame), {"A": below})
    node.setInput(2, shadow)
    comp.render(node)
    assert comp.host.messages == []
    assert previews == [(frame, frame) for frame in range(1001, 1004)], "frames are seen as they come"
    shot = job_of(comp)["shot"]
    assert shot["shadow_matte"].endswith("/shadow/shadow.%04d.exr") and shot["layers"] == ["source"]
    plate, result = sample("plate", 1002), read_plate(result_folder(comp) / "clean.1002.exr").rgb
    assert (result[92:98, 25:55] != plate[92:98, 25:55]).any(), "the shadow is filled too"
    assert set(read_header(result_folder(comp) / "clean.1002.exr").channels) == {"R", "G", "B", "Z"}
    names = read_header(result_folder(comp) / "patch" / "patch.1002.exr").channels
    assert {"R", "G", "B", "A"} < set(names) and [name for name in names if name.startswith("source")]
    comp.host.press(node, "do_patch")
    (merge,) = comp.host.module.allNodes("Merge2")
    assert status(node) == f"{merge.name()} lays the patch over the plate."
    shown = comp.host.picture(merge, 1002)
    merged = np.stack([shown.channels[f"rgba.{name}"] for name in ("red", "green", "blue")], axis=2)
    np.testing.assert_allclose(merged, result, atol=2e-3)
    inside = ~grown(sample("matte", 1002) < 0.5, 4)
    for view in ("source", "confidence"):
        node["show"].setValue(view)
        of_view = comp.host.picture(node, 1002)
        red, green = (of_view.channels[f"rgba.{name}"] for name in ("red", "green"))
        np.testing.assert_array_equal(red[:10, :10], plate[:10, :10, 0], "the plate around the hole")
        # A draft looks for no real pixels: all of the hole is the network's: red there, black here.
        assert (np.median(red[inside]) > 2 * np.median(green[inside])) == (view == "source")
        assert (np.median(red[inside]) == 0) == (view == "confidence")
    node["show"].setValue("result")
    node["patch"].setValue(False)
    assert status(node) == "patch was on, now is off: Render fills every frame again."


@pytest.mark.slow
def test_a_frame_painted_by_hand_goes_before_what_was_filled(comp):
    node = comp.node(**THREE, quality="standard", real_pixels=False)
    comp.host.frame(1002)
    comp.host.press(node, "do_reference")
    assert "has no clean plate of frame 1002; press Render first" in comp.host.messages.pop()
    comp.render(node)
    comp.host.press(node, "do_reference")
    write = comp.host.module.toNode("Write1")
    assert status(node) == "Paint frame 1002 above Write1, then press Render."
    assert write.input(0).Class() == "RotoPaint" and write.input(0).input(0).Class() == "Read"
    base = result_folder(comp) / "painted" / "base.1002.exr"
    painted_on = base.read_bytes()
    painted = result_folder(comp) / "reference" / "ref.1002.exr"
    hole = sample("matte", 1002) > 0.5

    def stroke(picture):
        color = {"rgba.red": 0.9, "rgba.green": 0.1, "rgba.blue": 0.9}
        planes = {name: np.where(hole, color[name], picture.channels[name]) for name in color}
        return picture.changed(channels={**picture.channels, **planes})

    write.input(0)._stroke = stroke
    comp.render(node)
    assert set(read_header(painted).channels) == {"R", "G", "B"} and write["disable"].value()
    assert [path.name for path in painted.parent.iterdir()] == [painted.name]
    assert comp.host.messages == [] and "Reference frames changed on frame 1002" in status(node)
    for frame in (1002, 1003):
        result = read_plate(result_folder(comp) / f"clean.{frame}.exr").rgb
        inside = ~grown(sample("matte", frame) < 0.5, 4)
        assert np.median(np.abs(result[inside] - (0.9, 0.1, 0.9))) < 0.05, frame
    from cleanplate_nuke import beside
    from cleanplate_nuke.request import read_request

    written_at = painted.stat().st_mtime_ns
    beside.write_painted(node, read_request(node))
    assert painted.stat().st_mtime_ns == written_at, "what was not painted on stays as it is"
    assert base.read_bytes() == painted_on, "what is painted on is no clean plate that holds the strokes"
    node["reference"].setValue("/refs/ref.%04d.exr")
    comp.host.press(node, "do_reference")
    assert "names files, /refs/ref.%04d.exr; name a folder, or nothing" in comp.host.messages.pop()


@pytest.mark.slow
def test_film_damage_is_repaired_without_a_matte(comp):
    node = comp.node(**THREE, mode="repair film damage")
    node.setInput(1, None)
    spoiled = sample("plate", 1002).copy()
    spoiled[20:25, 30:36] = 4
    write_exr(comp.path("plate", 1002), {**dict(zip("RGB", np.moveaxis(spoiled, 2, 0), strict=True))})
    comp.render(node)
    assert comp.host.messages == [] and status(node).startswith("Filled frames 1001-1003")
    assert job_of(comp)["do"] == "restore" and "matte" not in job_of(comp)["shot"]
    result = read_plate(result_folder(comp) / "clean.1002.exr").rgb
    assert np.abs(result[21:24, 31:35] - sample("plate", 1002)[21:24, 31:35]).max() < 0.5
    for knob in ("grow", "paint", "patch"):
        assert not node[knob].enabled()
    node["sensitivity"].setValue(0.8)
    assert status(node) == "repairing was 0.5, now is 0.8: Render fills every frame again."
    node["mode"].setValue("find film damage")
    node["version"].setValue(2)
    comp.render(node)
    assert job_of(comp, "v002")["do"] == "detect" and comp.host.messages == []
    matte = read_plate(result_folder(comp, "v002") / "clean.1002.exr").rgb
    assert matte[21:24, 31:35].min() > 0.5 and matte.mean() < 0.1


@pytest.mark.slow
def test_another_aspect_keeps_what_is_matted_at_its_size(comp):
    node = comp.node(**THREE, mode="another aspect", paint="off")
    comp.host.press(node, "do_render")
    assert "has no aspect: type the new one into 'aspect', such as 9:16 or 1.85." in comp.host.messages.pop()
    node["aspect"].setValue("wide")
    comp.render(node)
    assert "wide" in comp.host.messages.pop() and not node["has_result"].value()
    node["aspect"].setValue("1:1")
    comp.render(node)
    assert comp.host.messages == [] and status(node).startswith("Filled frames 1001-1003")
    job = job_of(comp)
    assert (job["do"], job["retarget"]) == ("retarget", {"aspect": "1:1", "keep": "squeeze"})
    result = read_plate(result_folder(comp) / "clean.1002.exr").rgb
    assert result.shape[:2] == (SIZE[1], SIZE[1])
    matte, plate = sample("matte", 1002), sample("plate", 1002)
    rows, columns = np.nonzero(matte >= 1)
    row, column = rows[len(rows) // 2], columns[len(columns) // 2]
    assert (result[row] == plate[row, column]).all(axis=1).any(), "its pixels are the plate's"
    shown = comp.host.picture(node, 1002)
    assert shown.channels["rgba.red"].shape == result.shape[:2]
    assert all(node[knob].enabled() for knob in ("grow", "paint", "aspect", "keep"))
    assert not any(node[knob].enabled() for knob in ("patch", "sensitivity"))
    node["keep"].setValue("crop")
    assert status(node) == "background was squeeze, now is crop: Render fills every frame again."


def test_check_names_the_fault_and_the_frame_and_go_to_frame_goes_there(comp):
    report = {
        "checks": [
            {"name": "frames", "verdict": "ok", "found": "all there", "frames": []},
            {"name": "detail", "verdict": "look", "found": "soft on frame 1002", "frames": [1002]},
            {
                "name": "seam",
                "verdict": "FAULT",
                "found": "a step on frame 1007 (3.1)",
                "frames": [1007, 1003],
            },
        ]
    }
    said = ("The matte is empty on frames 1004-1006: they stay.", "Another.")
    report["warnings"] = [{"code": "matte_empty", "message": message} for message in said]
    printed = f"print({json.dumps(json.dumps(report))})\nsys.exit(9 if sys.argv[1] == 'qc' else 0)"
    core = core_that_notes(comp.folder, printed)
    node = comp.node(command=core.as_posix(), **THREE)
    comp.host.press(node, "do_goto")
    assert "The status names no frame. Press Check first." in comp.host.messages.pop()
    comp.host.press(node, "do_check")
    comp.host.pump(lambda: status(node).startswith("Before"))
    assert status(node) == f"Before you render: {said[0]} (1 more in the log.)"
    job = result_folder(comp) / "job" / "job.json"
    assert (comp.folder / "asked").read_text() == f"probe --job {job} --json"
    comp.host.press(node, "do_goto")
    assert comp.host.frame() == 1004
    (result_folder(comp) / "clean.1001.exr").touch()
    comp.host.press(node, "do_check")
    comp.host.pump(lambda: status(node).startswith("Fault"))
    assert status(node) == "Fault: seam: a step on frame 1007 (3.1)."
    assert (comp.folder / "asked").read_text() == f"qc --job {job} --json --quiet"
    comp.host.press(node, "do_goto")
    assert comp.host.frame() == 1007 and comp.host.messages == []


@pytest.mark.slow
def test_a_script_made_with_0_1_opens_and_renders(comp, new_host):
    # As the plug-in of 0.1 and 0.2 made it, saved by the stand-in.
    text = Path(__file__).with_name("layout1.nk").read_text("utf-8").replace("FOLDER", comp.folder.as_posix())
    path = comp.folder / "comp_v001.nk"
    path.write_text(text, "utf-8")
    comp = Comp(comp.folder, new_host())
    comp.host.scriptOpen(path.as_posix())
    node = comp.host.module.toNode("VINetInpaint1")
    assert node.knob("paint") is None and node["grow"].value() == 3
    node["grow"].setValue(2)  # what Nuke calls then finds its way without the new knobs
    comp.render(node)
    assert comp.host.messages == [] and status(node).startswith("Filled frames 1001-1003 (3 of 3)")
    assert node["cleanplate_node"].value() == 3 and node["paint"].value() == "auto"
    names = {inside.name() for inside in node.nodes()}
    assert {"write", "shadow"} < names and not {"write_plate", "write_matte"} & names
    comp.render(node)
    assert status(node).startswith("Nothing to do")
