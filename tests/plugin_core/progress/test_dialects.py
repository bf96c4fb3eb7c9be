"""What farm engines read, line by line."""

from __future__ import annotations

import io
import re
import time

import pytest

from plugin_core.progress.dialects import DIALECTS
from plugin_core.progress.reporters import PlainLines, Reporters, choose_reporter

from ..shots import make_shot, run_toy

START = {"event": "start", "first": 1001, "last": 1100, "done": 0, "total": 100}
FRAME = {"event": "frame", "frame": 1042, "done": 42, "total": 100, "seconds": 0.41, "eta": 23.8}
NOTE = {"event": "note", "message": "the matte is soft"}
BEAT = {"event": "heartbeat", "frame": 1042, "seconds": 61.0}
DONE = {"event": "done", "done": 100, "total": 100, "seconds": 41.2}
STOPPED = {"event": "error", "message": "Stopped after frame 1042.", "exit_code": 143}
FAILED = {"event": "error", "message": "Frames 7 are missing.", "exit_code": 3}


def lines(dialect: str, *events: dict) -> list[str]:
    stream = io.StringIO()
    reporter = choose_reporter(dialect, stream)
    for event in events:
        reporter.report(event)
    return stream.getvalue().splitlines()


def test_openjd():
    assert lines("openjd", START, FRAME, NOTE, BEAT, DONE) == [
        "openjd_progress: 0.0",
        "openjd_status: rendering frames 1001-1100",
        "openjd_progress: 42.0",
        "openjd_status: frame 1042  42/100  0.41 s  24 s left",
        "openjd_status: note: the matte is soft",
        "openjd_status: still at work after frame 1042, 61 s",
        "openjd_progress: 100.0",
        "openjd_status: done: 100 frames in 41.2 s",
    ]
    assert lines("openjd", FAILED, STOPPED) == [
        "openjd_fail: Frames 7 are missing.",
        "openjd_status: Stopped after frame 1042.",
    ]


def test_deadline():
    assert lines("deadline", FRAME, DONE, FAILED) == [
        "Progress: 42%",
        "frame 1042  42/100  0.41 s  24 s left",
        "Progress: 100%",
        "done: 100 frames in 41.2 s",
    ]


def test_tractor():
    assert lines("tractor", START, FRAME, DONE)[::2] == [
        "TR_PROGRESS 000%",
        "TR_PROGRESS 042%",
        "TR_PROGRESS 100%",
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_render_tells_every_frame_once(tmp_path, dialect):
    stream = io.StringIO()
    with Reporters([PlainLines(stream, dialect)]) as reporters:
        run_toy(make_shot(tmp_path, 1, 4).shot(), reporters=reporters)
    told = stream.getvalue()
    assert [told.count(f"frame {number}  ") for number in range(1, 5)] == [1, 1, 1, 1]


def test_a_heartbeat_while_a_frame_takes_long():
    stream = io.StringIO()

    def wait_for(words: str) -> None:
        end = time.monotonic() + 60
        while words not in stream.getvalue():
            assert time.monotonic() < end
            time.sleep(0.02)

    with Reporters([PlainLines(stream)], heartbeat_seconds=0.1) as reporters:
        wait_for("still ")
        reporters.start(first=1, last=2, done=0)
        reporters.frame(1)
        wait_for("still at work")
    told = stream.getvalue().splitlines()
    assert re.fullmatch("still preparing, [0-9]+ s", told[0])
    assert re.fullmatch("still at work after frame 1, [0-9]+ s", told[-1])
    assert "rendering frames 1-2" in told
