"""What a batch shows of failures and warnings."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest

from plugin_core.batch.pool import Told
from plugin_core.batch.run import Batch
from plugin_core.batch.state import Progress, ShotProgress, Task
from plugin_core.batch.summary import summary
from plugin_core.batch.view import JsonView, Lines, LiveTable
from plugin_core.progress.stop import Stop

WHY = "Plate sh020/plate.####.exr lacks frames 1003-1004 (on disk are 1001-1002); supply them."
WARNING = {"event": "note", "id": "sh010", "message": "Is the matte inverted?", "code": "matte_inverted"}


def shots() -> tuple[ShotProgress, ShotProgress]:
    good = ShotProgress("sh010", state=Progress.DONE, total=9)
    bad = ShotProgress("sh020", total=9, open_tasks=1)
    bad.end(3, WHY)
    return good, bad


def test_the_last_table_says_why_each_shot_failed():
    stream = io.StringIO()
    live = LiveTable(stream)
    live._console.width = 160
    with live:
        live.show(shots())
    last = stream.getvalue().rstrip().splitlines()
    assert any(line.split()[:1] == ["sh020"] and WHY in line for line in last)
    assert last[-1].startswith("2 shots: 1 done, 1 failed")


def test_a_table_without_failures_has_no_such_column():
    stream = io.StringIO()
    with LiveTable(stream) as live:
        live.show(shots()[:1])
    assert "why" not in stream.getvalue()


@pytest.mark.parametrize("view", [Lines, JsonView, LiveTable])
def test_a_warning_is_shown_once_a_shot_and_stands_in_the_summary(view):
    stream = io.StringIO()
    shown = view(stream)
    shot = ShotProgress("sh010", state=Progress.RENDERING, total=9)
    worker = SimpleNamespace(task=Task("sh010", shot, job=None))
    batch = Batch([shot], [], [], shown, Stop())
    note = {"event": "note", "id": "sh010", "message": "a note"}
    for event in (WARNING, WARNING, note):
        batch._act(Told(worker, event))
    assert stream.getvalue().count("Is the matte inverted?") == 1 and "a note" not in stream.getvalue()
    assert "sh010" in stream.getvalue() and "warning" in stream.getvalue()
    if view is JsonView:
        assert json.loads(stream.getvalue())["event"] == "warning"
    assert summary([shot], 1.0)["shots"][0]["warnings"] == ["Is the matte inverted?"]
