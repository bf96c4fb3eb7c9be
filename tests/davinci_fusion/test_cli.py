"""The command line for TDs."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from .host import SCRIPTS, Host
from .pictures import sequence


@pytest.fixture
def host(new_host, folder) -> Host:
    picture = np.full((8, 12, 4), 0.5, np.float32)
    patterns = {
        name: str(sequence(folder / "in", name, range(5, 8), lambda _: picture))
        for name in ("plate", "matte")
    }
    return new_host(5, 7, **patterns)


def run(host: Host, *arguments: str) -> tuple[int, list[str]]:
    """Run the command line in the comp; returns its exit code and what it printed."""
    before = len(host.said())
    code = host.call(
        "run_cli", str(SCRIPTS / "Cleanplate").encode() + b"/", *(word.encode() for word in arguments)
    )
    assert host.call("is_at_rest")
    return int(code), host.said()[before:]


def test_render_with_controls_set(host, command, folder):
    code, said = run(
        host,
        "render",
        "--set",
        f"Cleanplate={command}",
        "--set",
        "Range=1",
        "--set",
        "First=6",
        "--set",
        "Last=7",
    )
    assert code == 0
    assert said[-1].startswith("Cleanplate: Done: frames 6-7.")
    assert sorted(path.name for path in folder.rglob("clean.*.exr")) == ["clean.0006.exr", "clean.0007.exr"]


def test_every_tool_of_a_comp_by_name(host, command):
    host.paste("_1")
    assert run(host, "list", "--comp", "shot.comp") == (0, ["VINetInpaint", "VINetInpaint_1"])
    assert run(host, "list", "--tool", "VINetInpaint_1") == (0, ["VINetInpaint_1"])
    code, said = run(host, "render", "--tool", "VINetInpaint_1", "--set", f"Cleanplate={command}")
    assert code == 0 and said[-1].startswith("Cleanplate: Done: frames 5-7")
    assert host.status().startswith("Connect plate"), "the other one was left alone"


def test_a_failure_has_its_exit_code(host, folder):
    code, said = run(host, "update", "--set", f"Cleanplate={folder}/nothing")
    assert code == 1 and "There is no cleanplate at" in said[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "say what to do"),
        (["paint"], 2, "unknown argument paint"),
        (["render", "--tool"], 2, "--tool needs a value"),
        (["render", "--set", "Grow"], 2, "--set takes CONTROL=VALUE"),
        (["render", "--set", "Grow=much"], 2, "control Grow is a number, got much"),
        (["render", "--set", "Gain=1"], 2, "there is no control Gain"),
        (["render", "--tool", "Nobody"], 1, "The comp has no tool Nobody."),
        (["list", "--comp", "gone.comp"], 1, "Can't open gone.comp."),
        (["--help"], 0, "usage: fuscript"),
    ],
)
def test_usage(host, arguments, code, message):
    ended, said = run(host, *arguments)
    assert ended == code and message in said[-1]


def test_a_comp_without_our_tool(host):
    host.call("delete", host.macro)
    host.call("delete", b"CleanplateControls")
    assert run(host, "list") == (1, ["Cleanplate: The comp has no VINet Inpaint tool."])


@pytest.mark.skipif(shutil.which("luajit") is None, reason="luajit is not here")
def test_started_as_fuscript_does_without_a_fusion():
    script = SCRIPTS / "Cleanplate" / "cli.lua"
    ended = subprocess.run(["luajit", str(script), "render"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert (
        ended.stdout
        == "Cleanplate: Fusion does not run, or does not take scripts from outside; start it first.\n"
    )
    assert subprocess.run(["luajit", str(script), "x"], capture_output=True, check=False).returncode == 2
