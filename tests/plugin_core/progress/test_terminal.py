"""What is printed for people: one line each, and nothing that a terminal would obey."""

from __future__ import annotations

import io
import json
import logging
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import BadShot, refuse_bad
from plugin_core.batch.state import Progress, ShotProgress
from plugin_core.batch.summary import summary, write_json, write_junit
from plugin_core.batch.view import JsonView, Lines, LiveTable, table
from plugin_core.cli import main
from plugin_core.errors import MistakesError
from plugin_core.progress.bar import Bar
from plugin_core.progress.dialects import DIALECTS
from plugin_core.progress.reporters import JsonLines, PlainLines
from plugin_core.progress.terminal import OneLine, say, shown

HOSTILE = "a\x1b]0;owned\x07\x1b[2J\nsh010  done\r\t\x9b31m\u2028\u202e\x7f\udc80é😀[red]"
PLAIN = "a\\x1b]0;owned\\x07\\x1b[2J\\nsh010  done\\r\\t\\u009b31m\\u2028\\u202e\\u007f\\udc80é😀[red]"
ANY = st.text(st.characters())  # surrogates too


CONTROLS = "\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"


def obeyed(text: str) -> list[str]:
    """What a terminal would obey in a text that was printed, but for the ends of its lines."""
    return re.findall(f"[{CONTROLS}]", text)


@given(ANY)
def test_a_line_is_a_line(text):
    stream = io.StringIO()
    say(text, stream=stream)
    said = stream.getvalue()
    assert said.count("\n") == 1 and said.endswith("\n") and not obeyed(said)
    assert shown(said[:-1]) == said[:-1], "twice is once"


@given(ANY)
def test_json_stays_what_it_says(text):
    stream = io.StringIO()
    JsonLines(stream).report({"event": "note", "message": text})
    assert json.loads(stream.getvalue()) == {"event": "note", "message": text}
    assert stream.getvalue().count("\n") == 1 and not obeyed(stream.getvalue())


def test_letters_that_a_stream_has_no_bytes_for():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "latin-1")
    say("é😀", stream=stream)
    assert raw.getvalue() == b"\xe9\\ud83d\\ude00\n"
    assert shown(HOSTILE) == PLAIN


@pytest.mark.parametrize("dialect", [None, *DIALECTS])
def test_lines_of_a_render(dialect):
    stream = io.StringIO()
    reporter = PlainLines(stream, dialect)
    reporter.report({"event": "note", "message": HOSTILE})
    reporter.report({"event": "error", "message": HOSTILE, "exit_code": 3})
    lines = stream.getvalue().splitlines()
    assert lines and all(line.endswith(PLAIN) for line in lines)


def test_a_bar_keeps_notes_on_a_line():
    stream = io.StringIO()
    bar = Bar(stream)
    bar.report({"event": "note", "message": HOSTILE})
    bar.close()
    assert PLAIN in stream.getvalue().replace("\n", "")


def failed_shot() -> ShotProgress:
    shot = ShotProgress(HOSTILE, output=HOSTILE, open_tasks=1)
    shot.end(2, HOSTILE)
    return shot


def test_a_batch(tmp_path):
    shot, stream = failed_shot(), io.StringIO()
    lines = Lines(stream)
    lines.ended(shot)
    JsonView(stream).show([shot])
    first, second = stream.getvalue().splitlines()
    assert first == f"{PLAIN}  failed  0/0  {PLAIN}" and json.loads(second)["shot"] == HOSTILE

    stream = io.StringIO()
    live = LiveTable(stream)
    live.ended(shot)
    live._console.width = 400
    live._console.print(table([shot], 4))
    assert not obeyed(stream.getvalue()) and stream.getvalue().count("[red]") == 3

    write_json(tmp_path / "night.json", [shot], 1)
    assert json.loads((tmp_path / "night.json").read_text("utf-8")) == summary([shot], 1)
    write_junit(tmp_path / "night.xml", [shot], 1)
    (case,) = ElementTree.parse(tmp_path / "night.xml").getroot().iter("testcase")
    assert case.get("name", "").startswith("a?]0;owned?") and shot.state is Progress.FAILED


def test_mistakes_keep_to_their_lines(tmp_path, capsys):
    with pytest.raises(MistakesError) as caught:
        refuse_bad([BadShot("a", "one\ntwo"), BadShot("b", "three")])
    assert caught.value.lines == ("one\ntwo", "three")
    (tmp_path / "shots.json").write_text(json.dumps({"shots": [{"name": HOSTILE[:-6]}, {HOSTILE[:9]: 1}]}))
    assert main(["batch", "--check", str(tmp_path / "shots.json")]) == 2
    told = capsys.readouterr().err
    assert "holds half a letter" in told and len(told.splitlines()) == 1 and not obeyed(told)
    rows = [{"name": "a\x1b\n"}, {"name": "b", "x\x1b\n": 1}]
    (tmp_path / "shots.json").write_text(json.dumps({"shots": rows}))
    assert main(["batch", "--check", str(tmp_path / "shots.json")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 2 and not obeyed(told)


def test_a_name_in_two_halves_is_one(tmp_path):
    """As JSON writes what lies beyond 16 bits."""
    text = json.dumps({"shots": [{"name": "a", "plate": "😀.exr"}]})
    assert "\\ud83d" in text
    (tmp_path / "shots.json").write_text(text)
    assert read_shot_list(tmp_path / "shots.json").rows[0].fields["plate"] == "😀.exr"


@pytest.mark.parametrize(
    "words",
    [
        ["render", "--plate", "FILE", "--matte", "FILE", "--output", "FILE"],
        ["render", "--job", "FILE"],
        ["render", HOSTILE],
        ["probe", "--job", "FILE"],
        ["qc", "--job", "FILE"],
        ["review", "--job", "FILE"],
        ["review", "--decisions", "FILE"],
        ["batch", "FILE"],
        ["batch", "FILE.csv"],
        ["farm", "slurm", "FILE.yaml", "--out", "x"],
        ["farm", HOSTILE, "FILE", "--out", "x"],
        ["models", "verify", "FILE"],
        ["demo", "--model", "FILE", "--out", "x"],
    ],
)
def test_errors_of_every_command(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    given = [word.replace("FILE", f"none/{HOSTILE}") for word in words]
    try:
        assert main(given) in (2, 3, 4)
    except SystemExit as ended:
        assert ended.code == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and not obeyed(told.err + told.out)


def test_records_of_the_log():
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "took over %s", (HOSTILE,), None)
    assert OneLine("cleanplate: %(message)s").format(record) == f"cleanplate: took over {PLAIN}"
