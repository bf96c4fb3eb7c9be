"""What may happen while it runs: cancelled, quit, no core, a core that fails. In the real bpy."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from plugin_core.cli import main as cleanplate
from tests.held import HELD_BY, Held

from .conftest import FRAMES, SIZE, Blender, bpy_python, fake_core, start
from .test_inpaint import QUICK, two_strips

pytestmark = [pytest.mark.slow, pytest.mark.installed]


def wait_until(condition, seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def children(blender: Blender) -> list[psutil.Process]:
    """Processes of Blender's that run; one that has ended is cleared away when the next is started."""
    started = psutil.Process(blender.process.pid).children(recursive=True)
    return [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def clean_folder(tmp_path: Path) -> Path:
    return tmp_path / "cleanplate" / "cut" / "Scene" / "sh010" / "clean"


@pytest.fixture
def held(tmp_path) -> Held:
    """Where the core of `held_core` waits: it fills no further until it is let go."""
    return Held(tmp_path / "held", "*/clean/clean.1004.exr")


@pytest.fixture
def held_core(tmp_path, held) -> str:
    """The core, which waits in the middle."""
    path = tmp_path / "held_cleanplate"
    given = [f"{name}={value}" for name, value in held.environ().items() if name in HELD_BY]
    path.write_text(f'#!/bin/sh\nexec env {shlex.join([*given, sys.executable])} -m plugin_core.cli "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.every_blender
def test_cancelled_while_filling_and_gone_on(blender, shot, tmp_path, held, held_core):
    two_strips(blender, shot, tmp_path)
    blender.preferences(command=held_core)
    assert blender.begin_aside(**QUICK), "Blender's timer is asked to go on with it"
    assert blender.ticks(until="Filling 3/")["busy"]
    held.wait()
    assert "sh010 clean" not in blender.strips(), "Blender is free meanwhile"
    refused = blender.inpaint(**QUICK)
    assert "is being inpainted" in refused["failed"] and refused["busy"]
    assert len(children(blender)) == 1
    assert blender.ticks(until="Stopping|Filling", cancel=True)["busy"]
    held.go()
    stopped = blender.ticks()
    assert not stopped["busy"] and not stopped["failed"], stopped
    assert "Stopp" in stopped["message"] or "stopped" in stopped["message"], stopped
    assert children(blender) == []
    assert "sh010 clean" not in blender.strips(), "nothing half done is shown"
    there = list(clean_folder(tmp_path).glob("*.exr"))
    assert 3 <= len(there) < FRAMES
    blender.preferences(command="")
    assert blender.begin_aside(**QUICK)
    done = blender.ticks()
    assert done["message"].startswith("Filled"), done
    assert "sh010 clean" in blender.strips()
    assert len(list(clean_folder(tmp_path).glob("*.exr"))) == FRAMES


@pytest.mark.every_blender
def test_the_strip_is_one_step_to_undo(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.settings(grow=5)
    blender.undo_push(message="Grow")
    assert blender.begin_aside(**QUICK)
    assert blender.ticks()["message"].startswith("Filled")
    strips = blender.strips()
    assert "sh010 clean" in strips
    blender.undo()
    assert blender.strips() == {name: strip for name, strip in strips.items() if name != "sh010 clean"}
    assert blender.info()["defaults"]["grow"] == 5, "nothing else is undone with it"
    blender.undo(redo=True)
    assert blender.strips() == strips
    assert blender.inpaint(**QUICK, grow=5)["message"].startswith("Nothing to do")


def test_cancelled_while_the_child_renders(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path, transform={"offset_x": 3})
    assert blender.begin_aside(**QUICK)
    assert blender.ticks(until="Rendering the plate", cancel=True)["busy"]
    stopped = blender.ticks()
    assert stopped["message"].startswith("Stopped before anything"), stopped
    assert children(blender) == []
    folder = clean_folder(tmp_path).parent
    assert not (folder / "job" / "copy.blend").exists() and not clean_folder(tmp_path).exists()


def test_a_bug_of_ours_leaves_nothing_running(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    core = fake_core(
        tmp_path,
        """
if "--dry-run" in sys.argv:
    print(json.dumps({"event": "plan", "action": "start"}), flush=True)
""",
    )
    blender.preferences(command=core["CLEANPLATE"])
    assert blender.begin_aside(**QUICK)
    failed = blender.ticks()
    blender.preferences(command="")
    assert failed["failed"] and "please report it" in failed["message"] and not failed["busy"], failed
    assert children(blender) == [] and blender.inpaint(**QUICK)["said"] == ["FINISHED"]


def test_review_asks_the_core_for_a_page_and_for_the_browser(blender, tmp_path):
    blender.new_file(size=SIZE)
    job = tmp_path / "job" / "job.json"
    job.parent.mkdir()
    assert "Nothing was inpainted yet" in blender.review(log=str(job.with_name("cleanplate.log")))
    job.write_text("{}")
    asked = tmp_path / "asked"
    core = fake_core(tmp_path, f"pathlib.Path({str(asked)!r}).write_text(' '.join(sys.argv[1:]))")
    blender.preferences(command=core["CLEANPLATE"])
    assert blender.review(log=str(job.with_name("cleanplate.log"))) == ["FINISHED"]
    assert wait_until(lambda: asked.exists() and asked.read_text() != "")
    blender.preferences(command="")
    assert asked.read_text() == f"review --job {job} --open --quiet"


def test_another_file_is_opened(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    assert blender.begin_aside(**QUICK)
    assert children(blender) or blender.ticks(until="Looking")["busy"]
    blender.new_file(size=SIZE)
    assert children(blender) == [] and not blender.ticks()["busy"]


_PLAN = """
if "--dry-run" in sys.argv:
    print(json.dumps({"event": "plan", "action": "start", "first": 1001, "last": 1007, "from": 1001,
                      "frames": 7, "reasons": ["nothing is rendered yet"]}))
    sys.exit(0)
"""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("print('cleanplate: No model was found.', file=sys.stderr); sys.exit(4)", "No model was found."),
        (_PLAN + "sys.exit(-9)", "The core ended unexpectedly (exit code"),
        (
            _PLAN + "job = json.loads(pathlib.Path(sys.argv[3]).read_text())\n"
            "open(job['run']['progress_file'], 'w').write(json.dumps({'event': 'error', 'message': "
            "'The device is out of memory.', 'exit_code': 5}) + '\\n'); sys.exit(5)",
            "The device is out of memory.",
        ),
        ("pass", "did not say what it would render"),
    ],
)
def test_a_core_that_fails(blender, shot, tmp_path, body, says):
    two_strips(blender, shot, tmp_path)
    done = blender.inpaint(environ=fake_core(tmp_path, body), **QUICK)
    assert says in done["failed"] and says in done["message"]
    assert done["log"] in done["failed"] and Path(done["log"]).is_file()
    assert sorted(blender.strips()) == ["sh010", "sh010 matte"]
    assert children(blender) == []


def test_no_core(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    done = blender.inpaint(environ={"CLEANPLATE": "/nowhere/cleanplate"}, **QUICK)
    assert "There is no cleanplate at /nowhere/cleanplate (from $CLEANPLATE)" in done["failed"]
    done = blender.inpaint(environ={"CLEANPLATE": "", "PATH": "/nowhere"}, **QUICK)
    assert "cleanplate was not found" in done["failed"]
    blender.preferences(command="/nowhere/else")
    assert "from the preferences" in blender.inpaint(**QUICK)["failed"]
    assert blender.check_command().startswith("refused: There is no cleanplate at /nowhere/else")
    blender.preferences(command=sys.executable)
    assert blender.check_command().startswith("cleanplate 0."), "found, and its version told"
    blender.preferences(command="")
    assert not (tmp_path / "cleanplate").exists(), "nothing was touched"


def test_where_blender_is_a_program_it_is_the_child(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path, transform={"offset_x": 3})
    program = tmp_path / "blender 5"
    program.write_text(
        f"""#!/bin/sh
[ $# = 5 ] && [ "$1 $2 $4" = "--background --python --" ] || exit 9
echo started >> "{tmp_path}/started"
exec "{bpy_python(blender.version)}" "$3" "$5"
"""
    )
    program.chmod(0o755)
    blender.binary(path=str(program))
    done = blender.inpaint(**QUICK)
    blender.binary(path="")
    assert done["said"] == ["FINISHED"], done
    assert (tmp_path / "started").read_text() == "started\n"


def test_what_can_not_be_inpainted_is_refused_in_a_sentence(blender, shot, tmp_path):
    plate, _ = two_strips(blender, shot, tmp_path)
    blender.select(names=["sh010"])
    assert "Select two strips" in blender.inpaint()["failed"]
    blender.select(names=["sh010", "sh010 matte"])
    blender.images(name="third", files=plate, channel=6, start=1)
    assert "(3 are selected)" in blender.inpaint()["failed"]
    assert "Name the matte too" in blender.inpaint(plate="sh010")["failed"]
    blender.remove(name="third")
    assert "There is no strip 'sh011'" in blender.inpaint(plate="sh011", matte="sh010")["failed"]
    assert "plate and matte at once" in blender.inpaint(plate="sh010", matte="sh010")["failed"]
    blender.select(names=["sh010", "sh010 matte"])
    assert "no preview range" in blender.inpaint(range="PREVIEW")["failed"]
    Path(plate[3]).unlink()
    assert "plate.1004.exr (frame 4), which is not there" in blender.inpaint()["failed"]
    blender.change(name="sh010 matte", frame_start=100)
    assert "never seen at the same time" in blender.inpaint()["failed"]
    assert blender.meta(name="both", strips=["sh010", "sh010 matte"], channel=4)
    failed = blender.inpaint(plate="sh010", matte="both")["failed"]
    assert "'sh010' is in the meta strip 'both' and the matte 'both' in none" in failed


def test_strips_are_told_apart(blender, shot, tmp_path):
    two_strips(blender, shot, tmp_path)
    blender.change(name="sh010 matte", channel=3)
    blender.change(name="sh010", channel=5)
    assert blender.chosen() == ["sh010", "sh010 matte"], "by their names"
    blender.change(name="sh010", name_to="one")
    blender.change(name="sh010 matte", name_to="two")
    assert blender.chosen() == ["one", "two"], "by their files"
    blender.settings(plate="two", matte="one")
    assert blender.chosen() == ["one", "two"], "the selection is asked without names here"


@pytest.mark.every_blender
def test_the_panel_says_what_is_going_on(blender, shot, tmp_path, held, held_core):
    two_strips(blender, shot, tmp_path)
    drawn = blender.draw(what="panel")
    assert "sh010  minus  sh010 matte" in drawn and "[Inpaint]" in drawn
    assert "[Update from Current Frame]" in drawn and "[Cancel]" not in drawn
    blender.preferences(command=held_core)
    assert blender.begin_aside(**QUICK)
    blender.preferences(command="")
    assert blender.ticks(until="Filling")["busy"]
    drawn = blender.draw(what="panel")
    assert "[Cancel]" in drawn and "[Inpaint]" not in drawn
    assert any(line.startswith("Filling") for line in drawn)
    held.go()
    blender.ticks()
    assert any(line.startswith("Filled") for line in blender.draw(what="panel"))
    blender.inpaint(environ=fake_core(tmp_path, "sys.exit('cleanplate: out of memory')"), **QUICK)
    drawn = blender.draw(what="panel")
    assert "out of memory" in drawn and "[Open Log]" in drawn, "the error stays, with a button to the log"
    blender.select(names=[])
    assert any("Select two strips" in line for line in blender.draw(what="panel"))
    assert {"[Check]", "Grow", "Unsaved Files"} < set(blender.draw(what="preferences"))
    blender.check_aside()
    assert any(line.startswith("cleanplate 0.") for line in blender.draw(what="preferences")), "its version"


@pytest.fixture
def own_blender(request, tmp_path, extension_zip):
    """A Blender of this test's own."""
    blender = start(request.param, tmp_path / "own", extension_zip)
    yield blender
    blender.close()


def test_quitting_blender_leaves_no_process(own_blender, shot, tmp_path, held_core):
    two_strips(own_blender, shot, tmp_path)
    own_blender.preferences(command=held_core)
    own_blender.begin_aside(**QUICK)
    assert own_blender.ticks(until="Filling")["busy"]
    (core,) = children(own_blender)
    own_blender.tell("leave")
    assert wait_until(lambda: own_blender.process.poll() is not None)
    assert wait_until(lambda: not core.is_running()), "the core outlived Blender"


def test_disabling_the_extension_stops_what_runs(own_blender, shot, tmp_path, held_core):
    two_strips(own_blender, shot, tmp_path)
    own_blender.preferences(command=held_core)
    own_blender.begin_aside(**QUICK)
    assert own_blender.ticks(until="Filling")["busy"] and children(own_blender)
    assert not own_blender.disable()
    assert children(own_blender) == []


def test_a_farm_ends_blender(own_blender, shot, tmp_path, held_core):
    two_strips(own_blender, shot, tmp_path)
    own_blender.preferences(command=held_core)
    own_blender.tell("inpaint")
    assert wait_until(lambda: "Filling" in own_blender.log.read_text(errors="replace"))
    started = children(own_blender)
    own_blender.process.send_signal(signal.SIGTERM)
    assert wait_until(lambda: own_blender.process.poll() is not None)
    assert own_blender.process.returncode == -signal.SIGTERM
    assert not any(process.is_running() for process in started)


@pytest.mark.every_blender
def test_installed_by_the_command(version, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "blender" / "user"
    assert cleanplate(["install", "blender", "--folder", str(folder)]) == 0
    monkeypatch.setenv("PATH", "/nowhere")
    blender = Blender(version, folder.parent)
    try:
        assert blender.enable()
        about = blender.info()
        assert about["panel"] and about["category"] == "Cleanplate" and about["space"] == "SEQUENCE_EDITOR"
        assert about["defaults"] == {"grow": 2, "device": "auto"}
        environ = {**os.environ, "CLEANPLATE": ""}
        assert blender.check_command(environ=environ).startswith("cleanplate 0."), "by the note"
        assert not blender.disable(), "and nothing of it is left"
    finally:
        blender.close()
