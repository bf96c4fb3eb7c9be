"""The macro's buttons over a stand-in core: all that can go wrong around it, and the host's rules."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from plugin_core.cli import _parser
from plugin_core.cli.options import job_of

from .host import INTEGER, Host, lupa


def places(folder: Path, name: str = "VINetInpaint") -> Path:
    return folder / "cleanplate" / "sh010" / name


def job(folder: Path, name: str = "VINetInpaint") -> dict:
    return json.loads((places(folder, name) / "run" / "job.json").read_text("utf-8"))


def is_as_before(host: Host) -> bool:
    """The macro's Savers pass through, the artist's own does not."""
    own = [host.call("passes", name) for name in (b"CleanplatePlate", b"CleanplateMatte")]
    return all(own) and not host.call("passes", b"FinalSaver") and bool(host.call("is_at_rest"))


def test_the_job_says_what_is_set(host, folder):
    given = {"Grow": 4, "Feather": 3, "InvertMatte": 1, "MatteChannel": 2, "Color": 3, "ColorName": "ACEScg"}
    given |= {
        "SearchFrames": 12,
        "Quality": 2,
        "Grain": 1,
        "Paint": 1,
        "Reference": "Comp:refs",
        "Patch": 1,
        "Device": 1,
        "Model": "other",
        "Range": 1,
        "First": 11,
        "Last": 12,
    }
    for control, value in given.items():
        host.set(control, value)
    assert host.press("Render") == "Done: frames 11-12. Color: ACEScg (as set)"
    root = places(folder)
    assert job(folder) == {
        "version": 1,
        "shot": {
            "plate": str(root / "plate" / "plate.####.exr"),
            "matte": str(root / "matte" / "matte.####.exr"),
            "output": str(root / "clean" / "clean.####.exr"),
            "frames": "11-12",
            "colorspace": "ACEScg",
            "reference": str(folder / "refs"),
            "patch": str(root / "patch" / "patch.####.exr"),
            "layers": ["source"],
        },
        "settings": {
            "paint": "network",
            "grow": 4,
            "feather": 3,
            "matte_invert": True,
            "matte_channel": "luminance",
            "grain": "auto",
            "quality": "high",
            "propagate": 12,
        },
        "run": {
            "model": "other",
            "device": "cpu",
            "resume": True,
            "overwrite": False,
            "progress_file": str(root / "run" / "progress.jsonl"),
            "cancel_file": str(root / "run" / "cancel"),
        },
    }
    from plugin_core.job.job import Job

    settings = Job.read(root / "run" / "job.json").settings
    assert settings.matte_invert and (settings.working_size, settings.propagate) == (1536, 12)


def test_a_comp_made_with_0_1_renders(new_host, small, command, folder):
    """Its macro is the one of then, with the scripts of now."""
    host = new_host(10, 13, **small, setting=Path(__file__).with_name("macro_0_1.setting"))
    host.fault("older", True)
    host.set("Cleanplate", str(command))
    host.set("Grow", 4)
    assert host.press("Render").startswith("Done: frames 10-13")
    assert job(folder)["settings"] == {"grow": 4, "feather": 0}, "what was 0 then stays 0"
    assert "reference" not in job(folder)["shot"] and "patch" not in job(folder)["shot"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, {}),
        ({"RealPixels": 0}, {"propagate": 0}),
        ({"Quality": 1}, {"quality": "draft"}),
        ({"Quality": 1, "SearchFrames": 20}, {"quality": "draft"}),
        ({"SearchFrames": 20}, {"propagate": 20}),
    ],
)
def test_real_pixels_are_asked_for(host, folder, given, asked):
    for control, value in given.items():
        host.set(control, value)
    host.press("Render")
    assert (job(folder).get("settings") or {}) == asked


def test_the_loader_shows_each_frame_at_its_time_also_when_the_range_shrinks(host):
    assert host.press("Render").startswith("Done: frames 10-13")
    host.set("Range", 1)
    host.set("First", 12)
    host.set("Last", 13)
    assert host.press("Render").startswith("Done: frames 12-13")
    for frame in (13, 10, 12, 11):
        assert host.look(frame)[0, 0, 0] == np.float32(0.5 * frame / 10)
    assert host.get("CleanplateResult", "Revision") >= 2


@pytest.mark.parametrize(
    ("depth", "reason"), [(INTEGER, "display (auto: the plate's pixels are integers)"), (7, "linear (auto: ")]
)
def test_color_is_explained(new_host, small, command, folder, depth, reason):
    host = new_host(10, 10, depth=depth, **small)
    host.set("Cleanplate", str(command))
    assert reason in host.press("Render")
    assert job(folder)["shot"]["colorspace"] == reason.split()[0]


@pytest.mark.parametrize("which", ["plate", "matte"])
def test_a_render_that_does_not_start(host, which):
    host.fault("refuse", f"Cleanplate{which.title()}".encode())
    assert host.press("Render") == (
        f"Fusion did not start to render the {which}. Is it connected? The Console says more."
    )
    assert is_as_before(host)


def test_frames_that_are_not_written_are_named_and_old_files_do_not_count(host, folder):
    assert host.press("Render").startswith("Done")
    host.fault("skip", host.lua.table_from({10: True, 11: True, 13: True}))
    host.fault("slow_clock", 1)
    message = host.press("Render")
    assert message.startswith("Fusion did not write frames 10-11,13 of the plate (expected ")
    assert str(places(folder) / "plate" / "plate.0010.exr") in message
    assert is_as_before(host)


def test_a_render_that_begins_a_moment_later_is_waited_for(host):
    host.fault("late", 5)
    assert host.press("Render").startswith("Done")


def test_a_saver_that_hangs_is_given_up(host):
    host.set("Patience", 2)
    host.fault("hang", 12)
    host.fault("slow_clock", 10)
    message = host.press("Render")
    assert message.startswith("Fusion wrote no frame of the plate in 2 minutes (frame 12 was next)")
    assert "aborted" in host.said() and is_as_before(host)


def test_cancel_while_fusion_renders(host, folder):
    host.fault("hang", 11)
    host.on_wait = lambda: (places(folder) / "run" / "cancel").touch()
    assert host.press("Render") == "Canceled while Fusion rendered the plate."
    assert "aborted" in host.said() and is_as_before(host)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("crash", "Fatal: the card has gone (exit code 139; log: "),
        ("busy", "Another render writes it. (exit code 7; log: "),
    ],
)
def test_a_core_that_fails(host, monkeypatch, how, message):
    monkeypatch.setenv("FAKE_CORE", how)
    assert host.press("Render").startswith(message)
    assert is_as_before(host)
    monkeypatch.setenv("FAKE_CORE", "")
    assert host.press("Render").startswith("Done"), "the next one is not held up"


def test_the_cancel_button_stops_a_running_core(host, monkeypatch):
    monkeypatch.setenv("FAKE_CORE", "wait")

    def press_cancel() -> None:
        if "Cleanplate: Cleanplate renders frames 10-13" in host.said():
            host.on_wait = None
            host.call("press", host.macro, b"Cancel")

    host.on_wait = press_cancel
    assert host.press("Render") == "Stopped before frame 10. Press Render to go on."
    assert "Cleanplate: Stopped. Press Render to go on." in host.said()
    assert "Cleanplate: reading mattes 3/12" in host.said()


def test_a_second_render_of_the_same_tool_is_refused(host, folder):
    run = places(folder) / "run"
    run.mkdir(parents=True)
    (run / "started").touch()
    for button in ("Render", "Check"):
        assert host.press(button).startswith("This tool is being rendered already")
    host.fault("slow_clock", 5)
    assert "has not answered yet" in host.press("Cancel")
    assert host.press("Render").startswith("Done")


def test_a_cleanplate_that_is_not_there(host, folder):
    host.set("Cleanplate", str(folder / "nothing"))
    assert host.press("Render") == (
        f"There is no cleanplate at {folder}/nothing; set Path to cleanplate, or leave it empty."
    )


def test_a_command_that_can_not_run(host, folder):
    broken = folder / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    host.set("Cleanplate", str(broken))
    assert "(exit code 12" in host.press("Render")


def test_an_old_installation_is_named(new_host, small, scripts):
    (scripts / "Cleanplate" / "installed.json").write_text('{"command": "/gone/cleanplate"}')
    assert new_host(10, 10, **small).press("Render") == (
        "Cleanplate is no longer at /gone/cleanplate; run `cleanplate install fusion` again, or set its path."
    )


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [(13, 10, "The range runs backwards (13 to 10)"), (-5, 10, "The range starts at -5")],
)
def test_ranges_that_can_not_be(new_host, small, first, last, message):
    assert new_host(first, last, **small).press("Render").startswith(message)


def test_update_writes_from_the_playhead_on(host, folder):
    host.host[b"now"] = 12.0
    assert host.press("Update").startswith("Done")
    assert any("were not written yet" in line for line in host.said())
    host.host[b"saver_files"] = host.lua.table_from([])
    assert host.press("Update").startswith("Done: frames 10-13")
    written = sorted(Path(bytes(file).decode()).name for file in host.host[b"saver_files"].values())
    assert written == ["matte.0012.exr", "matte.0013.exr", "plate.0012.exr", "plate.0013.exr"]


def test_the_buttons_give_the_macro_or_a_tool_in_it(host):
    host.host[b"give_group"] = True
    assert host.press("Render").startswith("Done")


def test_two_macros_in_one_comp_keep_apart(host, folder, command):
    second = host.paste("_1")
    host.call("set", second, b"Cleanplate", str(command).encode())
    host.call("press", second, b"Render")
    assert host.get("CleanplateControls_1", "Status").startswith("Done")
    assert job(folder, "VINetInpaint_1")["shot"]["output"].startswith(str(places(folder, "VINetInpaint_1")))
    assert not places(folder).exists()


def test_an_ungrouped_macro_works_on(host):
    code = host.call("button_code", host.macro, b"Render")
    host.call("ungroup", host.macro)
    host.call("run_text", code, b"CleanplateControls")
    assert host.status().startswith("Done")


def test_a_part_that_was_deleted_is_named(host):
    code = host.call("button_code", host.macro, b"Render")
    host.call("ungroup", host.macro)
    host.call("delete", b"CleanplateLoader")
    host.call("run_text", code, b"CleanplateControls")
    assert "Cleanplate: The tool CleanplateLoader is missing in CleanplateControls" in "\n".join(host.said())


def test_reveal_opens_the_folder(host, folder):
    assert host.press("Reveal").startswith("Nothing was rendered to")
    host.press("Render")
    host.press("Reveal")
    assert list(host.host[b"opened"].values()) == [f"Open {places(folder)}/".encode()]


def test_review_asks_the_core_for_a_page_and_for_the_browser(host, folder):
    assert host.press("Review").startswith("Nothing was rendered to")
    host.press("Render")
    assert host.press("Review").startswith("The review page opens in the browser")
    asked = places(folder) / "run" / "asked"
    until = time.monotonic() + 20
    while not (asked.exists() and asked.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    assert asked.read_text() == "review --job job.json --open --quiet"


def test_a_chosen_folder_may_use_a_path_map(host, folder):
    host.set("Folder", "Comp:renders")
    assert host.press("Render").startswith("Done")
    assert (folder / "renders" / "VINetInpaint" / "clean" / "clean.0013.exr").exists()


def test_a_folder_that_can_not_be_made(host, folder):
    (folder / "file").touch()
    host.set("Folder", str(folder / "file"))
    assert host.press("Render").startswith("Can't make the folder ")


def test_scripts_that_are_missing_are_said(host, scripts):
    (scripts / "Cleanplate" / "cleanplate.lua").unlink()
    host.call("press", host.macro, b"Render")
    assert "its scripts are not in any folder" in host.said()[-1]


def test_where_lua_may_start_nothing_the_artist_runs_the_command(host, folder):
    host.call("sandbox")
    assert host.press("Update").startswith("There is no clean plate in ")
    host.set("Grow", 4)
    host.set("InvertMatte", 1)
    host.set("Grain", 1)
    host.set("Quality", 1)
    said, _, line = host.press("Render").partition("press Update:  ")
    assert said.startswith("This Resolve lets no script start Cleanplate.")
    words = shlex.split(line)
    assert words[:2] == ["cleanplate", "render"]
    given = _parser().parse_args(words[1:])
    assert (given.grow, given.matte_invert, given.resume, given.frames) == (4, True, True, "10-13")
    assert given.feather == 2, "spelled out, or a cleanplate.toml would say it"
    settings = job_of(given).settings
    assert (settings.grain, settings.working_size, settings.propagate) == ("auto", 256, 0)
    assert given.output == str(places(folder) / "clean" / "clean.####.exr")
    assert is_as_before(host)
    clean = places(folder) / "clean"
    clean.mkdir()
    for frame in (10, 11, 13):
        shutil.copy(given.plate.replace("####", f"{frame:04d}"), clean / f"clean.{frame:04d}.exr")
    assert host.press("Update") == "Shown: frames 10-13; not there yet: 12"
    assert host.look(13)[0, 0, 0] == np.float32(0.65)
    assert "Ctrl-C" in host.press("Cancel")
    assert str(places(folder)) in host.press("Reveal")
    assert "cleanplate review --open --result " in host.press("Review")


def test_the_cancel_script_of_the_menu(host, folder, scripts):
    text = (scripts / "Comp" / "Cleanplate" / "Cancel.lua").read_bytes()
    host.call("run_text", text, None)
    assert "select the VINet Inpaint tool first" in host.said()[-1]
    host.host[b"active"] = host.macro
    host.call("run_text", text, None)
    assert (places(folder) / "run" / "cancel").exists()


def test_the_stand_in_is_strict(host):
    for wrong in (
        "comp:Rendr({})",
        "comp:Render({ Begin = 1 })",
        'comp:FindTool("CleanplateLoader"):SetInput("Clp", "x")',
        'comp:FindTool("CleanplateLoader"):SetInput("Clip", 1)',
        "comp.Name = 'x'",
        "nothing()",
        "bmd.sleep(1)",
        "app:GetResolve()",
        'comp:FindTool("CleanplateControls"):SetInput("Color", 4)',
    ):
        with pytest.raises(lupa.LuaError, match="stand-in"):
            host.call("run_text", wrong.encode(), None)
