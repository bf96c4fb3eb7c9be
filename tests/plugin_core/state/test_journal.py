"""Journals as a stranger may have left them: whatever they hold, they are read, or are none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.errors import StateError, WriteError
from plugin_core.state.journal import Entry, Journal, forget_elsewhere

KEY = {"model": "toy"}
FILE = Fingerprint(10, 20, "30")
_DEEP = "[" * 200_000


def entry(frame: int, **fields: object) -> Entry:
    marks = {frame: {"plate": FILE, "matte": FILE}}
    return Entry(**{"frame": frame, "output": FILE, "inputs": marks, "crops": {"1": "here"}} | fields)


@pytest.fixture
def journal(tmp_path) -> Journal:
    made = Journal(tmp_path / "journal.jsonl", KEY)
    made.restart([entry(1, handed_in="d"), entry(-2, origins={"found": 3})])
    made.append(entry(3))
    return made


def add(journal: Journal, line: str) -> None:
    with journal.path.open("ab") as stream:
        stream.write(line.encode() + b"\n")


def test_what_was_written_is_read(journal):
    assert journal.read() == [entry(1, handed_in="d"), entry(-2, origins={"found": 3}), entry(3)]
    assert journal.found_key() == KEY


def test_no_journal(tmp_path):
    none = Journal(tmp_path / "journal.jsonl", KEY)
    assert none.read() is None and none.found_key() is None and none.read_own() == []


@pytest.mark.parametrize(
    "line",
    [
        *('{"key": 5}', '{"key": {"model": 5}}', "[1]", "5", "null", '{"key": [["model", "toy"]]}', ""),
        *(_DEEP, '{"key": ' + _DEEP, '{"keys": {}}', "\x00\x00", '{"key": {"model": "\\ud800"}}'),
    ],
)
def test_a_first_line_of_the_wrong_kind_makes_it_none(journal, line):
    rest = journal.path.read_bytes().partition(b"\n")[2]
    journal.path.write_bytes(line.encode() + b"\n" + rest)
    assert journal.read() is None and journal.found_key() is None and journal.read_own() == []
    journal.restart([])
    assert journal.read() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"size": -1},
        {"size": "1"},
        {"size": True},
        {"frame": 10**18},
        {"frame": 3.0},
        {"frame": None},
        {"inputs": {"3": {"depth": {"size": 1, "modified": 1, "digest": ""}}}},
        {"inputs": {"3": {"plate": {"size": [1], "modified": {}, "digest": 3}}}},
        {"inputs": {"x": {}}},
        {"inputs": []},
        {"crops": {"1": 2}},
        {"handed_in": 5},
        {"digest": []},
    ],
)
def test_a_line_of_the_wrong_kind_says_nothing(journal, fields):
    add(journal, json.dumps({"frame": 4, "size": 1, "inputs": {}, "crops": {}} | fields))
    assert [found.frame for found in journal.read() or []] == [1, -2, 3]


@pytest.mark.parametrize(
    "line",
    [
        '{"frame": 1e400, "size": 1, "inputs": {}, "crops": {}}',
        '{"frame": ' + "9" * 5000 + ', "size": 1, "inputs": {}, "crops": {}}',
        '{"frame": 4, "size": 1, "crops": {}, "inputs": ' + _DEEP,
        "\udc80\udcff".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a_line_that_is_no_json_says_nothing_and_ends_no_other(journal, line):
    add(journal, line)
    journal.append(entry(5))
    assert [found.frame for found in journal.read() or []] == [1, -2, 3, 5]


def test_the_journal_of_another_render_says_what_differs(journal):
    with pytest.raises(StateError, match="model is toy, this render has other"):
        Journal(journal.path, {"model": "other"}).read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_journal_that_is_no_file(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, KEY)
    os.mkfifo(path)
    with pytest.raises(StateError, match="a pipe or a device"):
        journal.read()
    journal.restart([])
    assert journal.read() == []
    path.unlink()
    path.mkdir()
    with pytest.raises(WriteError, match=r"journal\.jsonl"):
        journal.restart([])


def test_a_file_is_whole_by_its_size_and_where_known_its_content(tmp_path):
    file = tmp_path / "clean.exr"
    file.write_bytes(b"pixels")
    written = entry(1, output=Fingerprint.of(file))
    from_before = entry(1, output=Fingerprint(6, 0, ""))
    assert written.is_whole(file) and from_before.is_whole(file)
    os.utime(file, (1, 1))
    assert written.is_whole(file)
    file.write_bytes(b"pixelz")
    os.utime(file, (2, 2))
    assert not written.is_whole(file) and from_before.is_whole(file)
    file.write_bytes(b"pix")
    assert not written.is_whole(file) and not from_before.is_whole(file)
    file.unlink()
    assert not written.is_whole(file) and not from_before.is_whole(file)


def folders(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_another_render_takes_frames_out_of_the_journals_of_others_and_touches_nothing_else(tmp_path):
    chunks = {name: Journal(tmp_path / name / "journal.jsonl", KEY) for name in ("chunk.1_4", "chunk.5_8")}
    copy = Journal(tmp_path / "chunk.1_4.bak" / "journal.jsonl", KEY)
    whole = Journal(tmp_path / "journal.jsonl", KEY)
    for journal in (*chunks.values(), copy, whole):
        journal.restart([entry(1), entry(2)])
    add(whole, '{"frame": "x"}')
    (tmp_path / "chunk.5_8" / "notes.txt").touch()
    (tmp_path / "chunk.1_4" / "state.4.safetensors").touch()
    before = copy.path.read_bytes()
    forget_elsewhere(tmp_path, tmp_path / "chunk.1_2", 1, 2)
    assert folders(tmp_path) == [
        "chunk.1_4.bak",
        "chunk.1_4.bak/journal.jsonl",
        "chunk.5_8",
        "chunk.5_8/notes.txt",
        "journal.jsonl",
    ]
    assert copy.path.read_bytes() == before and whole.read() == []
