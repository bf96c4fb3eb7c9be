"""The operator in the real bpy, with the real core and the shipped model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest

from .conftest import FRAMES, SIZE, display, fake_core, read_picture, sample, start, write_picture

pytestmark = [pytest.mark.slow, pytest.mark.installed]

QUICK = {"quality": "DRAFT", "device": "cpu"}
_REACH = 4
"""Pixels that the matte is grown and feathered by, by the extension's defaults."""


def outside(matte: np.ndarray) -> np.ndarray:
    """Where a pixel is surely none of the hole's: (H, W)."""
    hole = np.pad(matte > 0, _REACH)
    near = np.zeros(matte.shape, bool)
    for y in range(2 * _REACH + 1):
        for x in range(2 * _REACH + 1):
            near |= hole[y : y + matte.shape[0], x : x + matte.shape[1]]
    return ~near


def mattes() -> list[np.ndarray]:
    return [sample("matte", index) for index in range(FRAMES)]


def render(blender, folder: Path, name: str, frames, space: str = "Linear Rec.709") -> list[np.ndarray]:
    paths = blender.render(name=name, frames=list(frames), folder=str(folder / f"render {name}"), space=space)
    return [read_picture(path) for path in paths]


def compare(before, after, holes: list[np.ndarray], tolerance: float = 0.0) -> None:
    """Outside the matte both are the same; inside something else is to be seen, and no hole is left."""
    assert len(before) == len(after) == len(holes)
    for index, (was, now, matte) in enumerate(zip(before, after, holes, strict=True)):
        kept, filled = outside(matte), matte > 0.9
        assert kept.any() and filled.any()
        assert np.abs(was[kept] - now[kept]).max() <= tolerance, index
        assert np.abs(was[filled] - now[filled])[:, :3].mean() > 0.01, index
        assert np.isfinite(now).all() and now[filled][:, :3].max() > 0.01, index


def two_strips(
    blender, shot, tmp_path, start: int = 1, count: int = FRAMES, **plate_properties
) -> tuple[list[str], list[str]]:
    """A saved file with a plate strip `sh010` and a matte strip above it."""
    blender.new_file(size=SIZE, save_as=str(tmp_path / "cut_v003.blend"))
    plate, matte = shot.plate(count=count), shot.matte(count=count)
    blender.images(name="sh010", files=plate, channel=1, start=start, **plate_properties)
    blender.images(name="sh010 matte", files=matte, channel=2, start=start)
    return plate, matte


def files(folder: Path, pattern: str = "*.exr") -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(pattern)}


@pytest.mark.every_blender
def test_a_plain_sequence_from_the_first_press_to_a_changed_matte(blender, shot, tmp_path):
    _, matte = two_strips(blender, shot, tmp_path, start=-3)
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "sh010"
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"] and not done["busy"], done
    assert done["message"].startswith(f"Filled {FRAMES} of {FRAMES} frames")
    strips = blender.strips()
    result = strips["sh010 clean"]
    assert result["span"] == strips["sh010"]["span"] == [-3, -3 + FRAMES]
    assert result["channel"] == 3 and not result["select"]
    assert result["files"] == [f"clean.{1001 + i}.exr" for i in range(FRAMES)]
    assert not (folder / "plate").exists() and not (folder / "matte").exists(), "no child was needed"
    frames = range(-3, -3 + FRAMES)
    pictures = render(blender, tmp_path, "sh010", frames)
    assert np.array_equal(pictures[2][..., :3], sample("plate", 2)), "the plate itself, as it is on disk"
    compare(pictures, render(blender, tmp_path, "sh010 clean", frames), mattes())

    before = files(folder / "clean")
    assert blender.inpaint(**QUICK)["message"].startswith("Nothing to do")
    assert files(folder / "clean") == before and blender.strips() == strips

    shot.change_matte(matte, FRAMES - 1)
    blender.save()
    blender.reopen()
    done = blender.inpaint(**QUICK)
    assert f"Matte changed on frame {-3 + FRAMES - 1}" in done["message"], "as the timeline numbers it"
    assert blender.strips() == strips, "the same strip"
    after = files(folder / "clean")
    changed = [name for name in before if before[name] != after[name]]
    assert f"clean.{1001 + FRAMES - 1}.exr" in changed
    now = render(blender, tmp_path, "sh010 clean", [frames[-1]])[0]
    gone = (sample("matte", FRAMES - 1) > 0.9) & (read_picture(matte[-1])[..., 0] == 0)
    gone &= outside(read_picture(matte[-1])[..., 0])
    assert gone.any() and np.array_equal(now[gone], pictures[-1][gone])


@pytest.mark.parametrize("extension", [".png", ".tif"])
def test_plain_pictures_of_integers_stay_what_they_are(blender, shot, tmp_path, extension):
    blender.new_file(size=SIZE, save_as=str(tmp_path / "cut.blend"))
    blender.images(name="scan", files=shot.plate(extension), channel=1, start=1)
    blender.images(name="roto", files=shot.matte(".png"), channel=2, start=1)
    assert blender.inpaint(**QUICK)["said"] == ["FINISHED"]
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "scan"
    assert not (folder / "plate").exists() and not (folder / "matte").exists()
    result = blender.strips()["scan clean"]
    assert result["files"][0] == f"clean.1001{extension}" and result["space"] == "sRGB"
    job = json.loads((folder / "job" / "job.json").read_text("utf-8"))
    assert job["shot"]["colorspace"] == "display"
    frames = range(1, 1 + FRAMES)
    before = render(blender, tmp_path, "scan", frames)
    compare(before, render(blender, tmp_path, "scan clean", frames), mattes())


@pytest.mark.every_blender
def test_a_trimmed_moved_plate_far_along_the_timeline(blender, shot, tmp_path):
    start = 250_000
    two_strips(
        blender, shot, tmp_path, start, transform={"offset_x": 12, "offset_y": -4}, frame_offset_start=1
    )
    blender.change(name="sh010", frame_offset_end=1)
    blender.change(name="sh010 matte", transform={"offset_x": 12, "offset_y": -4})
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"], done
    strips = blender.strips()
    assert strips["sh010 clean"]["span"] == strips["sh010"]["span"] == [start + 1, start + FRAMES - 1]
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "sh010"
    assert sorted(files(folder / "plate")) == [f"plate.{1002 + i}.exr" for i in range(FRAMES - 2)]
    assert not (folder / "job" / "copy.blend").exists()
    frames = range(*strips["sh010"]["span"])
    moved = [np.roll(matte, (4, 12), (0, 1)) for matte in mattes()[1:-1]]
    compare(
        render(blender, tmp_path, "sh010", frames), render(blender, tmp_path, "sh010 clean", frames), moved
    )

    # Moved along the timeline the files stay what they are, and the strip follows.
    for name in ("sh010", "sh010 matte"):
        blender.change(name=name, frame_start=40)
    assert blender.inpaint(**QUICK)["message"].startswith("Nothing to do")
    strips = blender.strips()
    assert strips["sh010 clean"]["span"] == strips["sh010"]["span"] == [41, 40 + FRAMES - 1]
    assert "sh010 clean.001" not in strips


def test_the_artists_trims_of_the_result_stay(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.scene_properties(use_preview_range=True, frame_preview_start=2, frame_preview_end=5)
    assert blender.inpaint(range="PREVIEW", **QUICK)["said"] == ["FINISHED"]
    assert blender.strips()["sh010 clean"]["span"] == [2, 6]
    blender.change(name="sh010 clean", frame_offset_start=1, color_multiply=0.5)
    blender.select(names=["sh010 clean"])
    assert blender.inpaint(range="PREVIEW", **QUICK)["message"].startswith("Nothing to do")
    assert blender.strips()["sh010 clean"]["span"] == [3, 6]
    done = blender.inpaint(range="STRIP", **QUICK)
    assert done["message"].startswith(f"Filled {FRAMES} of {FRAMES}"), done
    strips = blender.strips()
    assert strips["sh010 clean"]["span"] == strips["sh010"]["span"], "another range is another strip"
    assert len(strips["sh010 clean"]["files"]) == FRAMES and len(strips) == 3


def test_a_movie_and_a_mask(blender, shot, tmp_path):
    blender.new_file(size=SIZE)
    blender.images(name="scan", files=shot.plate(".png"), channel=1, start=1)
    blender.encode(frames=[1, FRAMES], path=str(tmp_path / "shot.mkv"))
    blender.new_file(size=SIZE, save_as=str(tmp_path / "movie.blend"))
    span = blender.movie(name="shot.mkv", file=str(tmp_path / "shot.mkv"), channel=1, start=11)
    assert span == [11, 11 + FRAMES]
    # A mask's coordinates run over the picture's larger side.
    blender.mask(
        name="Mask",
        channel=2,
        start=11,
        length=FRAMES,
        corners=[(0.3, 0.4), (0.5, 0.4), (0.5, 0.6), (0.3, 0.6)],
    )
    assert blender.chosen() == ["shot.mkv", "Mask"]
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"], done
    assert blender.strips()["shot.mkv clean"]["span"] == span
    frames = range(*span)
    matte = render(blender, tmp_path, "Mask", frames)[0][..., 0]
    matte[0] = 0  # Blender leaves its last pixel, the upper right one, as the memory was
    folder = tmp_path / "cleanplate" / "movie" / "Scene" / "shot.mkv" / "matte"
    for path in folder.iterdir():
        assert np.abs(read_picture(path).max(axis=2) - matte).max() < 1e-4
    assert 0.02 < (matte > 0.9).mean() < 0.2
    compare(
        render(blender, tmp_path, "shot.mkv", frames),
        render(blender, tmp_path, "shot.mkv clean", frames),
        [matte] * FRAMES,
    )


def test_a_meta_strip_and_a_still_matte_of_eight_bits(blender, shot, tmp_path):
    blender.new_file(size=SIZE, save_as=str(tmp_path / "meta.blend"))
    plate, matte = shot.plate(".png"), shot.matte(".png")
    blender.images(name="a", files=plate[:4], channel=1, start=5)
    blender.images(name="b", files=plate[4:], channel=1, start=9)
    assert blender.meta(name="both", strips=["a", "b"], channel=3) == [5, 5 + FRAMES]
    blender.still(name="roto", file=matte[3], channel=4, start=5, length=FRAMES)
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"], done
    assert blender.strips()["both clean"]["span"] == [5, 5 + FRAMES]
    exported = read_picture(tmp_path / "cleanplate" / "meta" / "Scene" / "both" / "matte" / "matte.1003.exr")
    assert np.abs(exported[..., 0] - read_picture(matte[3])[..., 0]).max() < 1e-3, "not decoded as sRGB"
    frames = range(5, 5 + FRAMES)
    before = render(blender, tmp_path, "both", frames)
    assert np.abs(display(before[5][..., :3]) - read_picture(plate[5])[..., :3]).max() < 1e-3
    compare(before, render(blender, tmp_path, "both clean", frames), [sample("matte", 3)] * FRAMES)


@pytest.mark.every_blender
def test_strips_inside_meta_strips(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path, start=5)
    blender.color(name="below", channel=3, start=5, length=FRAMES, rgb=[0, 0, 1])
    blender.meta(name="inner", strips=["sh010", "sh010 matte"], channel=4)
    blender.meta(name="outer", strips=["inner", "below"], channel=2)
    blender.change(name="outer", transform={"scale_x": 0.5}, color_multiply=0.1)
    seen = []
    for moved in (0, 6):
        for name in ("sh010", "sh010 matte"):
            blender.change(name=name, transform={"offset_x": moved})
        done = blender.inpaint(plate="sh010", matte="sh010 matte", **QUICK)
        assert done["said"] == ["FINISHED"], done
        seen.append(blender.meta_contents(name="inner"))
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "sh010"
    exported = read_picture(folder / "plate" / "plate.1001.exr")
    assert np.array_equal(exported[:, 6:, :3], sample("plate", 0)[:, :-6]), "without what is done to the meta"
    assert seen[0] == seen[1] and seen[0]["sh010 clean"] == [3, 5, 5 + FRAMES], "beside its plate"
    blender.change(name="below", channel=9)  # Blender 5.3 moves what would lie where it lies
    blender.separate(name="outer")
    blender.separate(name="inner")
    frames, holes = range(5, 5 + FRAMES), [np.roll(matte, 6, 1) for matte in mattes()]
    before = render(blender, tmp_path, "sh010", frames)
    compare(before, render(blender, tmp_path, "sh010 clean", frames), holes)


def test_what_is_done_in_the_sequencers_own_space_looks_the_same(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path, color_multiply=0.5, use_flip_x=True, blend_alpha=0.7)
    blender.change(name="sh010 matte", use_flip_x=True)
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"], done
    assert "opacity" in done["message"]
    blender.change(name="sh010", blend_alpha=1.0)
    frames = range(1, 1 + FRAMES)
    compare(
        render(blender, tmp_path, "sh010", frames, space=""),
        render(blender, tmp_path, "sh010 clean", frames, space=""),
        [matte[:, ::-1] for matte in mattes()],
        tolerance=2e-3,
    )


def test_a_fade_is_the_strips_and_not_the_pictures(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.animate(name="sh010", path="blend_alpha", values={1: 0.0, 3: 1.0})
    assert blender.inpaint(**QUICK)["said"] == ["FINISHED"]
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "sh010"
    assert not (folder / "plate").exists(), "its files will do"
    blender.change(name="sh010", transform={"offset_x": 2})
    assert blender.inpaint(**QUICK)["said"] == ["FINISHED"]
    first = read_picture(folder / "plate" / "plate.1001.exr")
    assert np.array_equal(first[:, 2:, :3], sample("plate", 0)[:, :-2])


@pytest.mark.every_blender
def test_keyframes_of_a_strip_are_rendered(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.animate(name="sh010", path="transform.offset_x", values={1: 0, FRAMES: 12})
    blender.animate(name="sh010 matte", path="transform.offset_x", values={1: 0, FRAMES: 12})
    blender.animate(name="sh010 matte", path="mute", values={1: False, 3: True})
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"], done
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "sh010"
    for index, moved in ((0, 0), (FRAMES - 1, 12)):
        plate = read_picture(folder / "plate" / f"plate.{1001 + index}.exr")[:, moved:, :3]
        kept = SIZE[0] - moved
        np.testing.assert_allclose(plate, sample("plate", index)[:, :kept], rtol=1e-3, atol=1e-4)
        matte = read_picture(folder / "matte" / f"matte.{1001 + index}.exr")[:, moved:, 0]
        assert np.abs(matte - sample("matte", index)[:, :kept]).max() < 1e-2
    seen = render(blender, tmp_path, "sh010", [4], space="")[0]
    exported = read_picture(folder / "plate" / "plate.1004.exr")
    assert np.abs(seen - exported).max() < 1e-5, "between two pixels as the editor does it"


def test_a_result_that_was_cut_shows_what_is_new_in_every_part(blender, shot, tmp_path):
    _, matte = two_strips(blender, shot, tmp_path)
    assert blender.inpaint(**QUICK)["said"] == ["FINISHED"]
    assert blender.cut(name="sh010 clean", frame=4) == [[1, 4], [4, 1 + FRAMES]]
    names = sorted(name for name in blender.strips() if name.startswith("sh010 clean"))
    before = [
        render(blender, tmp_path / "before", name, [frame])[0]
        for name, frame in zip(names, (2, 6), strict=True)
    ]
    for index in (1, 5):
        shot.change_matte(matte, index)
    blender.select(names=["sh010", "sh010 matte"])
    assert "Matte changed" in blender.inpaint(**QUICK)["message"]
    after = [
        render(blender, tmp_path / "after", name, [frame])[0]
        for name, frame in zip(names, (2, 6), strict=True)
    ]
    assert all((was != now).any() for was, now in zip(before, after, strict=True))
    assert len([name for name in blender.strips() if "clean" in name]) == 2


def test_update_from_the_current_frame_and_other_scenes(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.new_scene(name="Reel / 2", size=SIZE)
    plate, matte = shot.plate(), shot.matte()
    blender.images(name="sh020", files=plate, channel=1, start=1, transform={"offset_x": 2})
    blender.images(name="sh020_m", files=matte, channel=2, start=1, transform={"offset_x": 2})
    blender.color(name="above", channel=3, start=3, length=2, rgb=[1, 0, 0])
    assert blender.inpaint(**QUICK)["said"] == ["FINISHED"]
    assert blender.strips()["sh020 clean"]["channel"] == 4, "the first that is free"
    (folder,) = (tmp_path / "cleanplate" / "cut").glob("Reel*")
    before = files(folder / "sh020" / "plate")
    shot.change_matte(matte, 1)
    shot.change_matte(matte, FRAMES - 1)
    blender.frame(number=FRAMES)
    done = blender.inpaint(from_current=True, **QUICK)
    assert f"Matte changed on frame {FRAMES}" in done["message"], (
        "the other one lies before the current frame"
    )
    after = files(folder / "sh020" / "plate")
    assert [name for name in before if before[name] != after[name]] == [f"plate.{1000 + FRAMES}.exr"]
    done = blender.inpaint(**QUICK)
    assert "Matte changed on frame 2" in done["message"]


def test_files_beside_the_blend_move_with_it(blender, shot, tmp_path):
    project = tmp_path / "Zoë's project"
    project.mkdir()
    shot.folder = project / "in"
    two_strips(blender, shot, project)
    blender.relative_paths()
    done = blender.inpaint(folder="//fills", **QUICK)
    assert done["said"] == ["FINISHED"], done
    assert blender.strips()["sh010 clean"]["directory"].startswith("//fills")
    blender.save()
    moved = tmp_path / "moved"
    project.rename(moved)
    blender.open_file(path=str(moved / "cut_v003.blend"))
    blender.select(names=["sh010 clean"])
    job = json.loads((moved / "fills" / "sh010" / "job" / "job.json").read_text("utf-8"))
    assert str(project) in job["shot"]["output"]
    done = blender.inpaint(folder="", **QUICK)
    assert done["message"].startswith("Nothing to do"), done
    assert len(blender.strips()) == 3


def test_a_file_that_was_never_saved(blender, shot):
    blender.new_file(size=SIZE)
    blender.images(name="p", files=shot.plate(), channel=1, start=1)
    blender.images(name="matte", files=shot.matte(), channel=2, start=1)
    assert blender.inpaint(**QUICK)["said"] == ["FINISHED"]
    assert blender.strips()["p clean"]["directory"].startswith(blender.info()["own_folder"])


def test_the_matte_in_an_alpha_channel_inverted(blender, shot, tmp_path):
    blender.new_file(size=SIZE, save_as=str(tmp_path / "alpha.blend"))
    holdouts = []
    for index in range(FRAMES):
        path = tmp_path / "in" / f"fg.{index + 1:04d}.exr"
        keep = 1 - sample("matte", index)
        write_picture(path, np.dstack([keep * 0, keep * 0, keep * 0, keep]))
        holdouts.append(str(path))
    blender.images(name="sh010", files=shot.plate(), channel=1, start=1)
    blender.images(name="fg", files=holdouts, channel=2, start=1)
    done = blender.inpaint(plate="sh010", matte="fg", matte_from="ALPHA", use_invert=True, **QUICK)
    assert done["said"] == ["FINISHED"], done
    frames = range(1, 1 + FRAMES)
    compare(
        render(blender, tmp_path, "sh010", frames), render(blender, tmp_path, "sh010 clean", frames), mattes()
    )


def test_what_is_done_with_a_clean_plate_painted_on_too(blender, shot, tmp_path):
    _, mattes_on_disk = two_strips(blender, shot, tmp_path, start=-3, count=3)
    below = np.zeros(SIZE[::-1], np.float32)
    below[-14:-6, 8:40] = 1
    shadows = [tmp_path / "in" / f"shadow.{number}.png" for number in (1001, 1002, 1003)]
    for path in shadows:
        write_picture(path, np.dstack([below] * 3), "uint8")
    blender.images(name="shadow", files=[str(path) for path in shadows], channel=3, start=-3)
    blender.settings(plate="sh010", matte="sh010 matte")
    asked = {"paint": "NETWORK", "use_patch": True, "shadow": "shadow", **QUICK}
    assert "no clean plate yet" in blender.press(name="paint_frame")["failed"]
    assert "[Check before Rendering]" in blender.draw(what="panel")
    blender.settings(**QUICK)
    write_picture(Path(mattes_on_disk[1]), 0 * sample("matte", 1))
    looked = blender.press(name="check_result")
    write_picture(Path(mattes_on_disk[1]), sample("matte", 1))
    assert looked["message"] == "Before you render:", looked
    (forgotten,) = [found for found in looked["findings"] if "goes away for a moment" in found[0]]
    assert "on frame -2:" in forgotten[0] and forgotten[1] == -2
    assert blender.inpaint(**asked)["said"] == ["FINISHED"]
    folder = tmp_path / "cleanplate" / "cut" / "Scene" / "sh010"
    job = json.loads((folder / "job" / "job.json").read_text("utf-8"))
    # The sequencer of 4.2 crashes on files with layers.
    layered = blender.version != "4.2"
    assert job["settings"]["paint"] == "network" and bool(job["shot"].get("layers")) == layered
    clean = read_picture(folder / "clean" / "clean.1002.exr")
    assert (clean[-12:-8, 12:36, :3] != sample("plate", 1)[-12:-8, 12:36]).any(), "the shadow is filled too"
    assert len(list((folder / "patch").glob("patch.*.exr"))) == 3
    assert blender.preview(path=str(folder / "clean" / "clean.1002.exr")) == [256, 192]

    # The fill alone over the plate is the clean plate.
    assert blender.press(name="patch_strip")["said"] == ["FINISHED"]
    strips = blender.strips()
    assert strips["sh010 clean"]["mute"] and strips["sh010 patch"]["span"] == [-3, 0]
    (over,) = blender.render(name="sh010", frames=[-2], folder=str(tmp_path / "over"), below=["sh010 patch"])
    assert np.abs(read_picture(over)[..., :3] - clean[..., :3]).max() < 2e-3 * clean.max()
    blender.remove(name="sh010 patch")

    # What is wrong with it, and where.
    checked = blender.press(name="check_result")
    assert checked["message"] == "Checked:", checked
    (detail,) = [found for found in checked["findings"] if found[0].startswith("Fault: detail: ")]
    assert "on 3 of 3 frames (-3--1), worst on " in detail[0] and detail[1] in (-3, -2, -1)
    assert f"[Go to Frame {detail[1]}]" in blender.draw(what="panel")
    assert blender.press(name="go_to_frame", frame=detail[1])["frame"] == detail[1]

    # What is laid over it to be looked at, and taken away again.
    view = "source" if layered else "difference"
    shown = blender.press(name="show", view=view.upper())
    strip = blender.strips()[f"sh010 view: {view}"]
    assert strip["span"] == [-3, 0] and strip["channel"] == 5 and detail in shown["findings"]
    seen = read_picture(folder / "views" / f"{view}.1002.png")
    assert (seen[..., 3] > 0).sum() >= (sample("matte", 1) > 0.5).sum()
    blender.press(name="show", view="PLATE")
    assert f"sh010 view: {view}" not in blender.strips() and blender.strips()["sh010 clean"]["mute"]
    blender.press(name="show", view="RESULT")
    assert not blender.strips()["sh010 clean"]["mute"] and len(blender.strips()) == 4

    # A frame that is opened counts once somebody has painted on it.
    blender.frame(number=-2)
    reference = folder / "reference" / "ref.1002.exr"
    assert blender.press(name="paint_frame")["said"] == ["FINISHED"] and reference.is_file()
    assert blender.show_in_editor() == [True, True, "PAINT"]
    assert blender.inpaint(**asked)["message"].startswith("Nothing to do") and not reference.exists()
    assert blender.press(name="paint_frame")["said"] == ["FINISHED"]
    rows, columns = np.nonzero(sample("matte", 1) > 0.99)
    x, y = int(np.median(columns)), SIZE[1] - 1 - int(np.median(rows))
    assert blender.paint(box=[x - 8, y - 8, x + 8, y + 8], rgb=[0.9, 0.1, 0.9]) == str(reference)
    assert "Reference frames changed on frame -2" in blender.inpaint(**asked)["message"]
    clean = read_picture(folder / "clean" / "clean.1002.exr")
    painted = clean[SIZE[1] - y - 6 : SIZE[1] - y + 4, x - 4 : x + 4, :3]
    assert np.abs(painted - (0.9, 0.1, 0.9)).max() < 0.05
    kept = outside(np.maximum(sample("matte", 1), below))
    assert np.array_equal(clean[kept][:, :3], sample("plate", 1)[kept])


def test_film_damage_is_repaired_without_a_matte(blender, shot, tmp_path):
    blender.new_file(size=SIZE, save_as=str(tmp_path / "scan.blend"))
    plate = shot.plate(".png", count=5)
    dirty = sample("plate", 2).copy()
    dirty[40:46, 60:66] = 4
    write_picture(Path(plate[2]), display(dirty), "uint8")
    blender.images(name="scan", files=plate, channel=1, start=11)
    blender.settings(mode="REPAIR")
    found = blender.inpaint(mode="DETECT")
    assert found["message"].startswith("Searched 5 of 5 frames"), found
    folder = tmp_path / "cleanplate" / "scan" / "Scene" / "scan"
    assert read_picture(folder / "damage" / "damage.1003.png")[42, 62, 0] > 0.5
    assert blender.strips()["scan damage"]["span"] == [11, 16] and len(blender.strips()) == 2
    assert "Sensitivity" in blender.draw(what="panel") and "Grow" not in blender.draw(what="panel")
    done = blender.inpaint(mode="REPAIR", sensitivity=0.6)
    assert done["said"] == ["FINISHED"] and done["message"].startswith("Repaired 5 of 5 frames"), done
    assert json.loads((folder / "job" / "job.json").read_text("utf-8"))["restore"] == {"sensitivity": 0.6}
    assert blender.strips()["scan clean"]["files"][0] == "repaired.1001.png"
    repaired = read_picture(folder / "repaired" / "repaired.1003.png")
    assert np.abs(repaired[41:45, 61:65] - display(sample("plate", 2))[41:45, 61:65]).max() < 0.1
    assert np.array_equal(repaired[60:, 80:], read_picture(plate[2])[60:, 80:])
    assert blender.press(name="check_result")["message"].startswith("Checked")
    assert "[Check]" in blender.draw(what="panel") and "[Paint This Frame]" not in blender.draw(what="panel")
    blender.press(name="show", view="MATTE")
    assert read_picture(folder / "views" / "matte.1003.png")[42, 62, 3] > 0.5, "the find, in red"


def test_effects_scenes_and_modifiers_come_out_as_the_editor_sees_them(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.images(name="back", files=shot.plate()[::-1], channel=3, start=1)
    blender.effect(name="cross", type="CROSS", channel=5, start=1, length=FRAMES, inputs=["sh010", "back"])
    blender.effect(
        name="speed", type="SPEED", channel=6, start=1, length=FRAMES, inputs=["back"], speed_factor=2
    )
    blender.scene_strip(name="cg", channel=7, start=1, length=FRAMES, size=[64, 64])
    blender.images(name="bright", files=shot.plate(), channel=8, start=1)
    blender.modifier(name="bright", type="BRIGHT_CONTRAST", bright=10)
    blender.change(name="bright", use_reverse_frames=True)
    blender.images(name="slow", files=shot.plate(), channel=9, start=1)
    blender.change(name="slow", transform={"rotation": 0.2, "scale_x": 0.9, "scale_y": 0.9, "offset_x": 3})
    begins, ends = blender.retime(name="slow", percent=50)
    assert begins == 1 and ends > 1 + FRAMES + 3, "about twice as long"
    blender.color(name="garbage", channel=10, start=1, length=2 * FRAMES, rgb=[1, 1, 1])
    blender.change(name="garbage", transform={"scale_x": 0.25, "scale_y": 0.25, "offset_y": 20})
    core = fake_core(tmp_path, "sys.exit('cleanplate: enough')")
    frames = [1, 2, FRAMES]
    for name, below in (
        ("cross", ["sh010", "back"]),
        ("speed", ["back"]),
        ("cg", []),
        ("bright", []),
        ("slow", []),
    ):
        matte = "garbage" if name == "slow" else "sh010 matte"
        done = blender.inpaint(plate=name, matte=matte, environ=core, **QUICK)
        assert "enough" in done["failed"], done
        folder = tmp_path / "cleanplate" / "cut" / "Scene" / name / "plate"
        seen = blender.render(name=name, frames=frames, folder=str(tmp_path / name), space="", below=below)
        for frame, path in zip(frames, seen, strict=True):
            picture = read_picture(path)
            assert picture.max() > 0.1
            assert np.abs(read_picture(folder / f"plate.{1000 + frame}.exr") - picture).max() < 1e-5, name
    matte = read_picture(folder.parent / "matte" / "matte.1003.exr")[..., 0]
    rows, columns = np.nonzero(matte > 0.5)
    assert (len(set(rows)), len(set(columns))) == (SIZE[1] // 4, SIZE[0] // 4)
    assert set(np.unique(matte)) <= {0, 1} and rows.mean() < SIZE[1] / 2, "moved up"


@pytest.mark.every_blender
def test_a_studios_own_color_configuration(version, shot, tmp_path, extension_zip):
    config = tmp_path / "studio.ocio"
    config.write_text(ocio.Config.CreateFromBuiltinConfig("cg-config-v2.1.0_aces-v1.3_ocio-v2.3").serialize())
    blender = start(version, tmp_path / "own", extension_zip, OCIO=str(config))
    try:
        for moved, name in ((0, "plain"), (4, "moved")):
            two_strips(blender, shot, tmp_path, transform={"offset_x": moved})
            blender.change(name="sh010 matte", transform={"offset_x": moved})
            done = blender.inpaint(**QUICK, folder=f"//{name}")
            assert done["said"] == ["FINISHED"], done
            job = json.loads((tmp_path / name / "sh010" / "job" / "job.json").read_text("utf-8"))
            assert job["shot"]["colorspace"] == "ACEScg" and job["shot"]["ocio_config"] == str(config)
            frames, holes = range(1, 1 + FRAMES), [np.roll(matte, moved, 1) for matte in mattes()]
            before = render(blender, tmp_path, "sh010", frames, space="ACEScg")
            compare(before, render(blender, tmp_path, "sh010 clean", frames, space="ACEScg"), holes)
    finally:
        blender.close()


@pytest.mark.every_blender
def test_a_file_that_is_worked_on_in_another_space(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path, transform={"offset_x": 4})
    if not blender.working_space(name="ACEScg"):
        pytest.skip("only from Blender 5.0 on")
    blender.change(name="sh010 matte", transform={"offset_x": 4})
    done = blender.inpaint(**QUICK)
    assert done["said"] == ["FINISHED"], done
    job = json.loads((tmp_path / "cleanplate/cut/Scene/sh010/job/job.json").read_text("utf-8"))
    assert job["shot"]["colorspace"] == "ACEScg"
    assert blender.strips()["sh010 clean"]["space"] == "ACEScg"
    frames, holes = range(1, 1 + FRAMES), [np.roll(matte, 4, 1) for matte in mattes()]
    before = render(blender, tmp_path, "sh010", frames, space="ACEScg")
    compare(before, render(blender, tmp_path, "sh010 clean", frames, space="ACEScg"), holes)

    # What the compositor does to a strip is done to the plate.
    blender.compositor(name="sh010")
    core = fake_core(tmp_path, "sys.exit('cleanplate: enough')")
    assert "enough" in blender.inpaint(environ=core, **QUICK)["failed"]
    (seen,) = blender.render(name="sh010", frames=[2], folder=str(tmp_path / "inverted"), space="")
    exported = read_picture(tmp_path / "cleanplate/cut/Scene/sh010/plate/plate.1002.exr")
    assert np.abs(exported - read_picture(seen)).max() < 1e-4
    assert (exported[:, 8:, :3] - before[1][:, 8:, :3]).max() > 0.2, "inverted"
