"""The parts of the extension that need no Blender: the job, its children, files and guesses."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from .conftest import SOURCE

sys.path.insert(0, str(SOURCE.parent))

from cleanplate_blender.channels import channels_of
from cleanplate_blender.command import environment, find_command
from cleanplate_blender.follow import Follower
from cleanplate_blender.job import Job, clock, in_timeline
from cleanplate_blender.pick import Candidate, tell_apart
from cleanplate_blender.places import Places, at_number, default_folder, safe_name
from cleanplate_blender.problem import Cancelled, InpaintError
from cleanplate_blender.request import Part, Request, write_export, write_job

from plugin_core.job.job import Job as CoreJob
from plugin_core.sample import frame_path, matte_pattern, plate_pattern

_HEAD = """import json, os, sys, time, pathlib
def wait_until_shown(text):
    shown = pathlib.Path(SHOWN)
    while SHOWN and not (shown.exists() and text in shown.read_text()):
        time.sleep(0.01)
"""
_CORE = (
    _HEAD
    + """
job = json.loads(pathlib.Path(sys.argv[sys.argv.index("--job") + 1]).read_text())
if "--dry-run" in sys.argv:
    print(json.dumps({"event": "plan", "action": "resume", "first": 1001, "last": 1003, "from": 1002,
                      "frames": 2, "reasons": ["Matte changed on frames 1002-1003"]}))
    sys.exit(0)
progress = pathlib.Path(job["run"]["progress_file"])
with progress.open("a") as stream:
    told = {"event": "phase", "phase": "plates", "what": "looking at plates", "done": 3, "total": 12}
    stream.write(json.dumps(told) + "\\n")
    stream.write(json.dumps({"event": "note", "message": "A note."}) + "\\n")
    doubt = {"event": "note", "message": "Is it inverted?", "code": "matte_inverted"}
    stream.write(json.dumps(doubt) + "\\n")
wait_until_shown("Looking at plates 3/12")
for done in (2, 3):
    with progress.open("a") as stream:
        told = {"event": "frame", "frame": 1000 + done, "done": done, "total": 3, "eta": 61.0}
        stream.write(json.dumps(told))
        stream.write("\\n")
    wait_until_shown(f"Filling {done}/3, ")
    for _ in range(SLEEPS):
        time.sleep(0.02)
        if pathlib.Path(job["run"]["cancel_file"]).exists() and LISTENS:
            sys.exit(130)
"""
)
_BLENDER = (
    _HEAD
    + """
told = json.loads(pathlib.Path(sys.argv[-1]).read_text())
def tell(**event):
    with open(told["progress"], "a") as stream:
        stream.write(json.dumps(event) + "\\n")
tell(event="frame", kind="plate", done=1, total=2)
wait_until_shown("Rendering the plate 1/2")
for _ in range(SLEEPS):
    time.sleep(0.02)
tell(event=LAST, message="No such strip.")
"""
)


@pytest.fixture
def no_process_stays() -> Iterator[None]:
    """No process that the test has started may outlive it."""
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def program(folder: Path, name: str, body: str, **constants: object) -> list[str]:
    path = folder / name
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in constants.items()) + body)
    return [sys.executable, str(path)]


def make_request(folder: Path, parts: bool = True) -> Request:
    request = Request(
        scene="Scene",
        plate_strip="sh010",
        matte_strip="sh010 matte",
        folder=folder / "sh010",
        first=1001,
        last=1003,
        shift=-1000,
        plate=Places(folder / "sh010").pattern("plate"),
        matte=Places(folder / "sh010").pattern("matte"),
        output=Places(folder / "sh010").pattern("clean"),
        colorspace="linear",
        ocio_config=None,
        settings={"grow": 2},
        model="vinet",
        device="auto",
        parts=(Part("plate", "sh010", True), Part("matte", "sh010 matte", False)) if parts else (),
        begin=1001,
    )
    write_job(request)
    write_export(request, scripts=True)
    return request


def make_job(
    folder: Path,
    *,
    sleeps: int = 0,
    listens: bool = True,
    last: str = "done",
    parts: bool = True,
    child_sleeps: int | None = None,
    shown: str = "",
) -> Job:
    """A job of programs that do nothing, `sleeps` times 0.02 s, or until a file says that it was shown."""
    child_sleeps = sleeps if child_sleeps is None else child_sleeps
    core = program(folder, "core.py", _CORE, SLEEPS=sleeps, LISTENS=listens, SHOWN=shown)
    blender = program(folder, "blender.py", _BLENDER, SLEEPS=child_sleeps, LAST=last, SHOWN=shown)
    return Job(make_request(folder, parts), core, environment(), blender, own_group=True)


def run(job: Job, until: str = "", seconds: float = 120, shown: Path | None = None) -> list[str]:
    """Poll it; returns its texts without repetitions, which also go into a file."""
    texts = [job.text]
    deadline = time.monotonic() + seconds
    while job.poll() and time.monotonic() < deadline:
        if job.text != texts[-1]:
            texts.append(job.text)
            if shown:
                shown.write_text("\n".join(texts))
        if until and job.text.startswith(until):
            break
        time.sleep(0.005)
    return texts


def test_a_job_from_beginning_to_end(tmp_path):
    shown = tmp_path / "shown"
    job = make_job(tmp_path, shown=str(shown))
    job.request.places.blend_copy.touch()
    texts = run(job, shown=shown)
    assert "Rendering the plate 1/2" in texts and "Looking at what has changed" in texts
    assert "Looking at plates 3/12" in texts
    assert any(text.startswith("Filling 2/3, ") and text.endswith(" fps, 1:01 left") for text in texts)
    told = "Filled 2 of 3 frames: Matte changed on frames 2-3. Warning: Is it inverted?"
    assert job.done == told and not job.running
    assert not job.request.places.blend_copy.exists()
    assert not job.poll(), "an ended job stays ended"


def test_a_shot_is_looked_at(tmp_path):
    job = make_job(tmp_path, parts=False)
    report = {
        "problem": None,
        "warnings": [{"code": "x", "message": "The matte is empty on frames 1002-1003."}],
    }
    words = program(tmp_path, "probe.py", f"print({json.dumps(json.dumps(report))})")
    job = Job(job.request, words, environment(), [], own_group=True, looks_only=True)
    run(job)
    (finding,) = job.findings
    assert job.done == "Before you render:" and finding.text == "The matte is empty on frames 2-3."
    assert finding.frame == 2
    job = Job(
        job.request,
        program(tmp_path, "bad.py", "exit('cleanplate: no')"),
        {},
        [],
        own_group=True,
        looks_only=True,
    )
    run(job)
    assert str(job.error) == "no"


def test_what_the_core_reads_is_a_job_of_its_own(tmp_path):
    read = CoreJob.read(make_request(tmp_path).places.job_file)
    assert read.shot.frames == "1001-1003" and read.settings.grow == 2
    assert read.run.cancel_file == str(tmp_path / "sh010" / "job" / "cancel")


def test_without_a_child_the_core_begins_at_once(tmp_path):
    texts = run(make_job(tmp_path, parts=False))
    assert not any(text.startswith(("Opening", "Rendering")) for text in texts)


def test_the_childs_reason_is_told(tmp_path):
    job = make_job(tmp_path, last="error")
    run(job)
    assert str(job.error) == "Blender could not render plate and matte: No such strip."
    assert not isinstance(job.error, Cancelled)
    assert job.error.log.is_file()


def test_a_child_that_dies(tmp_path):
    job = make_job(tmp_path, last="nothing")
    run(job)
    assert str(job.error).startswith("Blender could not render plate and matte")


def test_a_program_that_is_not_there(tmp_path):
    job = Job(make_request(tmp_path), ["x"], {}, ["/nowhere/blender"], own_group=True)
    run(job)
    assert "/nowhere/blender can't be started" in str(job.error)


@pytest.mark.parametrize("until", ["Rendering", "Looking", "Filling 2"])
def test_cancelled(tmp_path, no_process_stays, until):
    job = make_job(tmp_path, sleeps=500, child_sleeps=500 if until == "Rendering" else 0)
    run(job, until)
    job.cancel()
    run(job)
    assert isinstance(job.error, Cancelled) and not job.done
    assert not job.request.places.cancel_file.exists(), "the next one is not cancelled by it"


def test_a_core_that_does_not_listen_is_ended(tmp_path, no_process_stays, monkeypatch):
    monkeypatch.setattr("cleanplate_blender.job.PATIENCE_SECONDS", 0.1)
    job = make_job(tmp_path, sleeps=500, listens=False, parts=False)
    run(job, "Filling 2")
    job.cancel()
    run(job)
    assert isinstance(job.error, Cancelled)


def test_stopped_at_once(tmp_path, no_process_stays):
    job = make_job(tmp_path, sleeps=500)
    run(job, "Rendering")
    job.stop()
    assert isinstance(job.error, Cancelled)
    job.stop()


def test_lines_are_followed_as_they_come(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"event": "old"}\n')
    follower = Follower(path)
    assert follower.events() == []
    path.write_text('{"event": "one"}\nBlender said this\n[1]\n{"event": "tw')
    assert follower.events() == [{"event": "one"}]
    with path.open("a") as stream:
        stream.write('o", "message": "Zoë"}\n')
    assert follower.events() == [{"event": "two", "message": "Zoë"}]


def test_frames_are_named_as_the_timeline_does():
    assert in_timeline("Matte changed on frames 1002-1003, 1007", -1000) == "Matte changed on frames 2-3, 7"
    text = "grow was 1001, now is 2; frames from 1004 on are not rendered yet"
    assert in_timeline(text, 10) == "grow was 1001, now is 2; frames from 1014 on are not rendered yet"
    assert in_timeline("before frame 1005", -1010) == "before frame -5"
    assert clock(61) == "1:01" and clock(3661) == "1:01:01"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Candidate("Mask", "MASK", channel=1), Candidate("sh010_matte", "IMAGE", channel=2)),
        (Candidate("sh010_roto_v2", "IMAGE", channel=1), Candidate("sh010", "IMAGE", channel=2)),
        (Candidate("sh010.m", "IMAGE", channel=1), Candidate("sh010", "IMAGE", channel=2)),
        (Candidate("sh010", "MOVIE", "alpha.mov", channel=1), Candidate("sh011", "MOVIE", channel=2)),
        (Candidate("a", "IMAGE", gray=True, channel=1), Candidate("b", "IMAGE", channel=2)),
        (Candidate("a", "IMAGE", channel=1), Candidate("b", "IMAGE", "bg_plate.exr", channel=2)),
        (Candidate("a", "IMAGE", channel=2), Candidate("b", "IMAGE", channel=1)),
        (Candidate("matte", "IMAGE", channel=1), Candidate("marchmasked", "IMAGE", channel=2)),
    ],
)
def test_the_first_is_the_matte(one, other):
    assert tell_apart(one, other) == tell_apart(other, one) == (other, one)


def test_channels_are_read_from_the_header(tmp_path):
    assert sorted(channels_of(frame_path(plate_pattern(), 1001))) == ["B", "G", "R"]
    assert channels_of(frame_path(matte_pattern(), 1001)) == ("Y",)
    for name, data in {"a.exr": b"\x76\x2f\x31\x01cut", "b.png": b"\x89PNG\r\n\x1a\n", "c.exr": b""}.items():
        (tmp_path / name).write_bytes(data)
        assert channels_of(tmp_path / name) == ()
    assert channels_of(tmp_path / "none.exr") == ()


def test_where_files_lie(tmp_path):
    blend = str(tmp_path / "edit_v012.blend")
    assert (
        default_folder(blend, "/c", "Scene", "sh010.mov")
        == tmp_path / "cleanplate" / "edit" / "Scene" / "sh010.mov"
    )
    assert default_folder("", "/c", "Scene", "a") == Path("/c/unsaved/Scene/a")
    assert safe_name("a/b") != safe_name("a:b") and "/" not in safe_name("../..")
    assert safe_name("Zoë 01") == "Zoë 01"
    assert at_number("/x#y/clean.####.exr", 12345) == Path("/x#y/clean.12345.exr")
    places = Places(tmp_path)
    assert places.numbers("plate") == set()
    (tmp_path / "plate").mkdir()
    for name in ("plate.1001.exr", "plate.10001.exr", ".plate.1002.exr.part", "plate.exr"):
        (tmp_path / "plate" / name).touch()
    assert places.numbers("plate") == {1001, 10001}


def test_the_command_is_found(tmp_path, monkeypatch):
    monkeypatch.delenv("CLEANPLATE", raising=False)
    command = tmp_path / "env" / "bin" / "cleanplate"
    command.parent.mkdir(parents=True)
    command.touch()
    assert find_command(str(tmp_path / "env")) == [str(command)]
    assert find_command(sys.executable) == [sys.executable, "-m", "plugin_core.cli"]
    (tmp_path / "installed.json").write_text(json.dumps({"command": str(command)}))
    assert find_command("", str(tmp_path)) == [str(command)]
    monkeypatch.setenv("CLEANPLATE", sys.executable)
    assert find_command("", str(tmp_path))[0] == sys.executable, "the variable counts more than the note"
    with pytest.raises(InpaintError, match=r"no cleanplate at /nowhere \(from the preferences\)"):
        find_command("/nowhere")
    (tmp_path / "installed.json").write_text("{")
    monkeypatch.setenv("CLEANPLATE", "")
    assert find_command("", str(tmp_path)), "a damaged note is none: the checkout's own"


def test_the_cores_environment_has_nothing_of_blenders_python(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/blender/python")
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join([f"{sys.prefix}/lib", "/studio/lib"]))
    env = environment()
    assert "PYTHONPATH" not in env and env["PYTHONNOUSERSITE"] == "1"
    assert env["LD_LIBRARY_PATH"] == "/studio/lib"
