"""What a render tells: JSON lines for machines, plain lines for logs, a bar for people."""

from __future__ import annotations

import io
import json
import time

import pytest

from plugin_core import cli
from plugin_core.errors import WriteError
from plugin_core.progress.bar import Bar
from plugin_core.progress.reporters import JsonLines, PlainLines, Reporters, choose_reporter, reporting
from plugin_core.progress.watch import Phase

from ..shots import make_shot, run_toy

pytestmark = pytest.mark.slow


class Clock:
    """A clock that goes on when it is told to.

    Attributes:
        now: what it shows.
    """

    def __init__(self, monkeypatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def told(tmp_path, bundle_512, capsys):
    """Run a render of three frames; returns its exit code, stdout and stderr."""
    shot = make_shot(tmp_path, 1, 3)

    def run(*options: str) -> tuple[int, str, str]:
        code = cli.main([*shot.arguments(), "--model", str(bundle_512), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def events_of(lines: str) -> list[dict]:
    """What was told, less notes and phases: of these there may be some, before the first frame."""
    events = [json.loads(line) for line in lines.splitlines()]
    return [event for event in events if event["event"] not in ("note", "phase")]


def test_phases_are_told_of_once_a_second_and_in_a_log_every_three(monkeypatch):
    clock = Clock(monkeypatch)
    stream, log, farm = io.StringIO(), io.StringIO(), io.StringIO()
    reporters = Reporters([JsonLines(stream), PlainLines(log), PlainLines(farm, "openjd")])
    for looked in range(1, 58):
        reporters.phase(Phase.PLATES, looked, 57)
        clock.now += 0.125
    reporters.phase(Phase.MODEL)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert told[0] == {
        "event": "phase",
        "phase": "plates",
        "what": "looking at plates",
        "done": 1,
        "total": 57,
        "elapsed": 0.0,
    }
    assert [event["done"] for event in told] == [1, 9, 17, 25, 33, 41, 49, 57, 0]
    lines = ["looking at plates 25/57", "looking at plates 49/57"]
    assert log.getvalue().splitlines() == lines
    assert farm.getvalue().splitlines() == [f"openjd_status: {line}" for line in lines]


def test_once_frames_come_phases_fill_only_long_silences(monkeypatch):
    clock, stream = Clock(monkeypatch), io.StringIO()
    reporters = Reporters([JsonLines(stream)])
    reporters.start(first=1, last=9, done=0)
    for frame in (1, 2, 3):
        reporters.frame(frame)
        for _ in range(8 * frame):
            clock.now += 0.125
            reporters.phase(Phase.SEARCHING, frame, 9)
    kinds = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert kinds == ["start", "frame", "frame", "phase", "frame", "phase"]


def test_json_lines(told, tmp_path):
    code, out, err = told("--progress", "json")
    assert (code, err) == (0, "")
    events = events_of(out)
    assert [event["event"] for event in events] == ["start", "frame", "frame", "frame", "origins", "done"]
    start, *frames, origins, done = events
    assert {name: start[name] for name in ("total", "done", "first", "last", "color")} == {
        "total": 3,
        "done": 0,
        "first": 1,
        "last": 3,
        "color": "scene-linear Rec.709",
    }
    assert start["output"] == str(tmp_path / "out" / "clean.####.exr")
    for number, event in enumerate(frames, start=1):
        assert set(event) == {"event", "frame", "done", "total", "seconds", "eta"}
        assert (event["frame"], event["done"], event["total"]) == (number, number, 3)
        assert isinstance(event["seconds"], float) and event["eta"] >= 0
    assert sum(origins["shares"].values()) == pytest.approx(1) and "guessed" in origins["message"]
    assert set(done) == {"event", "done", "total", "seconds", "output"} and done["done"] == 3
    assert done["output"] == start["output"]


def test_a_resume_says_what_is_there(told):
    assert told("--frames", "1-2", "--progress", "none") == (0, "", "")
    code, out, _ = told("--resume", "--progress", "json")
    events = events_of(out)
    assert code == 0
    assert (events[0]["done"], events[1]["frame"], events[1]["done"]) == (2, 3, 3)


def test_errors_are_told_to_machines_too(told):
    code, out, err = told("--frames", "2-7", "--progress", "json")
    event = json.loads(out.splitlines()[-1])
    assert code == event["exit_code"] == 3 and event["event"] == "error"
    assert err == f"cleanplate: {event['message']}\n"


def test_the_progress_file_is_appended_to(told, tmp_path):
    path = tmp_path / "deep" / "progress.jsonl"
    told("--progress", "none", "--progress-file", str(path), "--frames", "1-1")
    told("--progress", "none", "--progress-file", str(path), "--resume")
    events = [event["event"] for event in events_of(path.read_text("utf-8"))]
    assert events == ["start", "frame", "origins", "done", "start", "frame", "frame", "origins", "done"]


def test_plain_lines_where_there_is_no_terminal(told):
    code, out, err = told()
    lines = [line for line in err.splitlines() if line.startswith(("rendering", "frame", "done"))]
    assert (code, out) == (0, "") and "\x1b" not in err
    assert lines[0] == "rendering frames 1-3"
    assert lines[1].startswith("frame 1  1/3  ") and lines[1].endswith(" s left")
    assert lines[-1].startswith("done: 3 frames in ")


def test_the_choice_of_a_reporter():
    assert choose_reporter("none") is None
    assert isinstance(choose_reporter("auto", io.StringIO()), PlainLines)
    assert isinstance(choose_reporter("auto", Terminal()), Bar)
    assert isinstance(choose_reporter("bar", io.StringIO()), Bar)
    assert isinstance(choose_reporter("json", io.StringIO()), JsonLines)


def test_the_bar_shows_frame_pace_and_time_left(tmp_path):
    terminal = Terminal()
    with Reporters([Bar(terminal)]) as reporters:
        run_toy(make_shot(tmp_path, 1001, 1005).shot(), reporters=reporters)
        reporters.note("a [bold] note")
    shown = terminal.getvalue()
    assert "frame 1005" in shown and "5/5" in shown and " fps" in shown and "0:00:00" in shown
    assert "note: a [bold] note" in shown


def test_the_bar_moves_from_the_first_phase_and_ends_with_path_and_time(monkeypatch):
    clock, terminal = Clock(monkeypatch), Terminal()
    bar = Bar(terminal)

    def drawn() -> str:
        terminal.truncate(terminal.seek(0))
        bar._progress.refresh()
        return terminal.getvalue()

    reporters = Reporters([bar])
    reporters.phase(Phase.MODEL)
    assert "opening the model" in drawn() and "0/0" not in drawn()
    clock.now = 61
    reporters.phase(Phase.MATTES, 12, 90)
    assert "reading mattes" in drawn() and "12/90" in drawn() and "0:01:01" in drawn()
    reporters.start(first=1, last=2, done=0, output="out/clean.####.exr")
    clock.now = 70
    reporters.frame(1)
    assert "frame 1" in drawn() and "0:01:10, 0:00:09 left" in drawn()
    clock.now = 74
    assert "0:01:14, 0:00:05 left" in drawn(), "time goes on between two frames"
    reporters.frame(2)
    terminal.truncate(terminal.seek(0))
    reporters.done()
    assert terminal.getvalue().endswith("done: 2 frames in 74.0 s: out/clean.####.exr\n")


def test_a_bar_that_never_started_closes():
    with Reporters([Bar(Terminal())]) as reporters:
        reporters.error("no frames", 3)


def test_time_left_comes_from_the_pace_without_the_start(monkeypatch):
    """The first frame comes after 50 s of searching, the others one a second."""
    clock, stream = Clock(monkeypatch), io.StringIO()
    reporters = Reporters([JsonLines(stream)])
    reporters.start(first=1, last=100, done=4)
    for frame, at in enumerate((40, 41, 42.2, 43.1, 44), start=1):
        clock.now = at
        reporters.phase(Phase.SEARCHING, frame, 96)
    for frame in range(5, 101):
        clock.now = 50 + (frame - 5) * 1.0
        seconds = reporters.frame(frame)
    assert seconds == 1.0
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    eta = [event["eta"] for event in events if event["event"] == "frame"]
    assert len(eta) == 96 and eta[-1] == 0
    assert all(abs(told - (95 - number)) <= 0.02 * (95 - number) for number, told in enumerate(eta))


def test_frames_that_are_only_copied_say_nothing_of_the_others(monkeypatch):
    clock, stream = Clock(monkeypatch), io.StringIO()
    reporters = Reporters([JsonLines(stream)])
    reporters.start(first=1, last=40, done=0, copied=range(11, 31))
    true = {frame: 2.0 * frame if frame <= 10 else 20 + 0.1 * (frame - 10) for frame in range(1, 31)}
    true |= {frame: 22 + 2.0 * (frame - 30) for frame in range(31, 41)}
    for frame, at in true.items():
        clock.now = at
        reporters.frame(frame)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    eta = {event["frame"]: event["eta"] for event in events if event["event"] == "frame"}
    for frame in range(2, 41):
        assert abs(eta[frame] - (42 - true[frame])) <= 2.1, frame


class FullDisk(io.StringIO):
    """A stream that takes nothing."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("kind", [JsonLines, PlainLines])
def test_a_stream_that_takes_nothing_does_not_stop_the_render(tmp_path, kind):
    with Reporters([kind(FullDisk())]) as reporters:
        assert len(run_toy(make_shot(tmp_path, 1, 2).shot(), reporters=reporters)) == 2


def test_a_progress_file_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="progress file"), reporting("none", str(tmp_path / "file" / "p")):
        pass


def test_names_that_are_not_ascii_stay_readable(tmp_path):
    path = tmp_path / "progress.jsonl"
    with reporting("none", str(path)) as reporters:
        reporters.note("Matte für Straße fehlt")
    assert "Straße" in path.read_text("utf-8")
