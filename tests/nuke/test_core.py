"""The core's process: found, started in an environment of its own, understood, stopped; whatever it does."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from .conftest import Comp, sample

pytestmark = pytest.mark.slow

PLAN = {"event": "plan", "action": "start", "first": 1001, "last": 1009, "from": 1001, "frames": 9}
PREAMBLE = f"""#!{sys.executable}
import json, os, pathlib, signal, sys, time
job = json.loads(pathlib.Path(sys.argv[sys.argv.index("--job") + 1]).read_text("utf-8"))
def tell(**event):
    print(json.dumps(event), flush=True)
def frame(number):
    tell(event="frame", frame=1000 + number, done=number, total=9, seconds=0.1, eta=0.1 * (9 - number))
if "--dry-run" in sys.argv:
    tell(**{{**{PLAN!r}, "reasons": ["nothing is rendered yet"]}})
    sys.exit()
"""


@pytest.fixture
def core(comp: Comp, monkeypatch):
    """A function that puts a program in the core's place and gives a node that uses it."""

    def make(body: str):
        path = comp.folder / "core"
        path.write_text(PREAMBLE + textwrap.dedent(body), "utf-8")
        path.chmod(0o755)
        return comp.node(command=path.as_posix())

    return make


def log_of(comp: Comp) -> str:
    (path,) = comp.folder.rglob("cleanplate.log")
    return path.read_text("utf-8")


def test_the_cancel_button_stops_after_the_frame(comp, core):
    import cleanplate_nuke
    from cleanplate_nuke import flow

    node = core(
        """
        cancel = pathlib.Path(job["run"]["cancel_file"])
        tell(event="phase", phase="plates", what="looking at plates", done=3, total=12, elapsed=2.0)
        for number in range(1, 10):
            frame(number)
            end = time.monotonic() + 60
            while number == 3 and not cancel.exists() and time.monotonic() < end:
                time.sleep(0.01)
            if cancel.exists():
                tell(event="error", message="Stopped after frame 1003; its state is saved.", exit_code=130)
                sys.exit(130)
        """
    )
    comp.host.press(node, "do_render")
    comp.host.pump(lambda: comp.host.tasks and len(comp.host.tasks[-1]._done) == 3)
    comp.host.press(node, "do_render")
    below = cleanplate_nuke.create(node, comp.host.module.toNode("matte"))
    comp.host.press(below, "do_render")
    assert comp.host.messages == [
        "VINetInpaint1 is rendering already; press Cancel first.",
        "VINetInpaint2 needs VINetInpaint1, which is rendering; wait for it.",
    ]
    node.setName("Renamed1")
    comp.host.press(node, "do_cancel")
    assert node["status"].value() == "Stopping..."
    comp.host.pump(lambda: not flow._running)
    assert node["status"].value() == "Cancelled. Stopped after frame 1003; its state is saved."
    assert comp.host.tasks[-1]._done == [11, 22, 33]
    assert "looking at plates 3/12" in comp.host.tasks[-1]._said
    assert any("frame 1003, " in said and said.endswith("0:01 left") for said in comp.host.tasks[-1]._said)
    comp.host.press(node, "do_cancel")
    assert node["status"].value() == "Nothing is rendering."


def test_a_core_that_does_not_stop_is_ended(comp, core, monkeypatch):
    from cleanplate_nuke import core as module

    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    node = core("frame(1)\nwhile True: time.sleep(1)")
    comp.host.cancel_after = 1
    comp.render(node)
    assert "Failed: The core ended unexpectedly (exit code -9)" in node["status"].value()


def test_a_crash_is_one_message_with_the_log_and_the_comp_stays(comp, core):
    node = core(
        """
        frame(1)
        print("thread 3 has died", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
        """
    )
    before = comp.host.picture(node, 1004).channels
    comp.render(node)
    (message,) = comp.host.messages
    assert message.startswith("VINetInpaint1\n\nthread 3 has died\nLog: ") and message.endswith(
        "cleanplate.log"
    )
    assert "thread 3 has died" in log_of(comp)
    assert not node["has_result"].value()
    after = comp.host.picture(node, 1004).channels
    assert all((before[name] == after[name]).all() for name in before)
    assert (after["rgba.red"] == sample("plate", 1004)[..., 0]).all()


def test_half_a_line_of_a_crash_does_not_run_into_an_event(comp, core):
    node = core(
        """
        os.write(2, b"thread 3 ")
        frame(1)
        time.sleep(0.5)
        os.write(2, b"has died")
        os.kill(os.getpid(), signal.SIGSEGV)
        """
    )
    comp.render(node)
    assert comp.host.messages[0].startswith("VINetInpaint1\n\nthread 3 has died\nLog: ")
    assert "thread 3 has died" in log_of(comp).splitlines()


def test_what_the_core_leaves_running_holds_nobody_up(comp, core):
    node = core(
        """
        import subprocess
        frame(1)
        wait = [sys.executable, "-c", "import time; time.sleep(600)"]
        left = subprocess.Popen(wait, stdout=subprocess.DEVNULL)
        pathlib.Path(job["run"]["progress_file"]).with_name("left").write_text(str(left.pid))
        print("it is over", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    comp.render(node)
    (path,) = comp.folder.rglob("left")
    os.kill(int(path.read_text()), signal.SIGKILL)  # raises unless it still runs
    assert "it is over" in comp.host.messages[0]


def test_a_silent_crash_names_the_exit_code(comp, core):
    comp.render(core("os.kill(os.getpid(), signal.SIGKILL)"))
    assert "The core ended unexpectedly (exit code -9)." in comp.host.messages[0]


def test_the_cores_own_sentence_reaches_the_artist(comp):
    node = comp.node(model="nobody")
    comp.render(node)
    (message,) = comp.host.messages
    assert "There is no model" in message or "nobody" in message
    assert "Traceback" not in message and "Log: " in message
    assert node["status"].value().startswith("Failed: ")


def test_other_lines_on_standard_output_do_no_harm(comp, core):
    node = core(
        'print("warning: \\\\udce9 [1, 2]")\nprint("[1, 2]")\nprint("{}")\nframe(9)\ntell(event="done")'
    )
    comp.render(node)
    assert comp.host.messages == [] and node["status"].value().startswith("Filled")


def test_a_warning_of_the_core_stays_on_the_node(comp, core):
    warned = 'tell(event="note", message="Is it inverted?", code="matte_inverted")'
    node = core(f'tell(event="note", message="A note.")\n{warned}\nframe(9)\ntell(event="done")')
    comp.render(node)
    status = node["status"].value()
    assert status.startswith("Filled") and status.endswith("Warning: Is it inverted?")
    assert "A note" not in status


def test_the_child_gets_an_environment_of_its_own(comp, core, monkeypatch):
    nuke_folder = Path(comp.host.module.EXE_PATH).parent
    monkeypatch.setenv("PYTHONHOME", "/opt/Nuke/python")
    monkeypatch.setenv("PYTHONPATH", "/opt/Nuke/plugins")
    monkeypatch.setenv(
        "LD_LIBRARY_PATH", os.pathsep.join([str(nuke_folder / "lib"), "/studio/lib", str(nuke_folder)])
    )
    node = core(
        'pathlib.Path(job["run"]["progress_file"]).with_name("env.json").write_text(json.dumps(dict(os.environ)))'
    )
    comp.render(node)
    (path,) = comp.folder.rglob("env.json")
    seen = json.loads(path.read_text())
    assert "PYTHONHOME" not in seen and "PYTHONPATH" not in seen and seen["PYTHONNOUSERSITE"] == "1"
    assert seen["LD_LIBRARY_PATH"] == "/studio/lib"


def test_a_command_that_is_not_there_is_one_sentence(comp):
    comp.render(comp.node(command="/nowhere/cleanplate"))
    (message,) = comp.host.messages
    assert message.startswith(
        "There is no cleanplate at /nowhere/cleanplate (from the node's 'cleanplate' knob)"
    )
    assert not (comp.folder / "cleanplate").exists(), "nothing was written for it"


def test_a_command_that_is_no_program_is_one_sentence(comp):
    path = comp.folder / "notes.txt"
    path.write_text("hello")
    comp.render(comp.node(command=path.as_posix()))
    assert "notes.txt can't be started: Permission denied" in comp.host.messages[0]


def test_where_the_command_is_looked_for(host, tmp_path, monkeypatch):
    from cleanplate_nuke import command
    from cleanplate_nuke.problem import InpaintError

    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    for name in ("cleanplate", "python3.11"):
        (environment / "bin" / name).touch(0o755)
    own = [str(environment / "bin" / "cleanplate")]
    python = str(environment / "bin" / "python3.11")
    assert command.find_command(str(environment)) == command.find_command(own[0]) == own
    assert command.find_command(python) == [python, "-m", "plugin_core.cli"]
    assert command.find_command()[1:] == ["-m", "plugin_core.cli"], "from $CLEANPLATE"
    monkeypatch.delenv("CLEANPLATE")
    installed = (
        environment / "lib" / "python3.11" / "site-packages" / "cleanplate_hosts" / "nuke" / "x" / "y.py"
    )
    monkeypatch.setattr(command, "__file__", str(installed))
    assert command.find_command() == own
    monkeypatch.setattr(command, "__file__", str(tmp_path / "copied" / "nuke" / "x" / "y.py"))
    monkeypatch.setenv("PATH", str(environment / "bin"))
    assert command.find_command() == own
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InpaintError, match=r"The command cleanplate was not found\. Install Cleanplate"):
        command.find_command()


def test_interrupting_a_terminal_lets_the_core_save_its_state(comp, core):
    from cleanplate_nuke import request, work

    node = core(
        """
        cancel = pathlib.Path(job["run"]["cancel_file"])
        frame(1)
        end = time.monotonic() + 60
        while not cancel.exists() and time.monotonic() < end:
            time.sleep(0.01)
        cancel.with_name("saved").touch()
        """
    )
    asked = request.read_request(node)
    request.write_job(asked, "main")

    class Interrupted:
        def say(self, text):
            pass

        def frame(self, *about):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.fill(asked, "main", Interrupted(), str, lambda: False)
    assert asked.cancel_file("main").with_name("saved").exists()


def test_two_nodes_never_write_one_folder(comp):
    import cleanplate_nuke

    one = comp.node(folder=(comp.folder / "shared").as_posix())
    other = cleanplate_nuke.create(one.input(0), one.input(1))
    other["folder"].setValue((comp.folder / "shared").as_posix())
    comp.render(other)
    assert "VINetInpaint2 and VINetInpaint1 write into the same folder" in comp.host.messages[0]
    assert not (comp.folder / "shared").exists()


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"range": "custom", "first": 9, "last": 3}, "the frame range 9-3 runs backwards"),
        ({"matte_channel": "rgba.red"}, "the matte has no channel 'rgba.red'; it has rgba.alpha"),
    ],
)
def test_what_can_not_be_is_said_before_anything_is_written(comp, knobs, sentence):
    comp.render(comp.node(**knobs))
    assert sentence in comp.host.messages[0]
    assert not (comp.folder / "cleanplate").exists()


def test_a_missing_input_is_named(comp):
    node = comp.node()
    node.setInput(1, None)
    comp.render(node)
    assert comp.host.messages == ["VINetInpaint1 has no matte: connect its 'matte' input."]


def test_a_plate_that_nuke_can_not_render_leaves_nothing_behind(comp):
    node = comp.node()
    comp.path("plate", 1005).unlink()
    comp.render(node)
    assert "VINetInpaint1: Nuke could not write the plate: plate: " in comp.host.messages[0]
    assert node.node("write")["disable"].value()
    assert not list(comp.folder.glob("cleanplate/**/*.exr"))


def test_frames_of_nobody_are_not_replaced(comp):
    node = comp.node(range="custom", first=1001, last=1002)
    precious = comp.folder / "cleanplate" / "comp" / "VINetInpaint1" / "v001" / "clean.1002.exr"
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"precious")
    comp.render(node)
    assert "Raise the node's version, or remove them" in comp.host.messages[0]
    assert precious.read_bytes() == b"precious"


def test_a_node_that_is_deleted_while_it_renders_does_no_harm(comp, core):
    from cleanplate_nuke import flow

    node = core("frame(1)\ntime.sleep(0.3)")
    comp.host.press(node, "do_render")
    comp.host.module.delete(node)
    comp.host.pump(lambda: not flow._running)
    assert comp.host.messages == []
    assert "VINetInpaint1 is gone; its clean plate is in" in comp.host.printed[-1]


def test_closing_nuke_asks_the_core_to_stop(comp, core):
    from cleanplate_nuke import flow

    node = core(
        """
        cancel = pathlib.Path(job["run"]["cancel_file"])
        frame(1)
        end = time.monotonic() + 60
        while not cancel.exists() and time.monotonic() < end:
            time.sleep(0.01)
        sys.exit(130)
        """
    )
    comp.host.press(node, "do_render")
    rendering = flow._running["VINetInpaint1"]
    comp.host.pump(lambda: comp.host.tasks and comp.host.tasks[-1]._done)
    flow._stop_all()
    rendering.join(60)
    comp.host.pump(lambda: not flow._running)
    assert node["status"].value().startswith("Cancelled.")
