"""The worker: one process, many jobs, as JSON lines."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from plugin_core.batch.worker import Ending, Worker
from tests.held import Held

from ..commands import TIMEOUT
from ..shots import ShotOnDisk, differing, leftovers, make_shot, picture, write_plate

pytestmark = pytest.mark.slow

LAST = 6


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    return make_shot(tmp_path_factory.mktemp("shot"), 1, LAST)


@pytest.fixture(scope="module")
def long_shot(tmp_path_factory) -> ShotOnDisk:
    return make_shot(tmp_path_factory.mktemp("long"), 1, 40)


def line(shot: ShotOnDisk, bundle, name: str, **run: object) -> str:
    pictures = {"plate": shot.plate_pattern, "matte": shot.matte_pattern, "output": shot.output(name)}
    job = {
        "shot": pictures,
        "settings": {"working_size": 64, "context": 16, "grow": 0, "feather": 0},
        "run": {"model": str(bundle), "device": "cpu", "threads": 1, **run},
    }
    return json.dumps({"id": name, "job": job}) + "\n"


def serve(*lines: str) -> tuple[int, list[dict]]:
    """Give all lines at once to a worker in this process."""
    out = io.StringIO()
    code = Worker(out, Ending()).serve(io.StringIO("".join(lines)))
    return code, [json.loads(text) for text in out.getvalue().splitlines()]


def results(events: list[dict]) -> list[tuple[str, int, int]]:
    return [(e["id"], e["exit_code"], e["frames"]) for e in events if e["event"] == "result"]


class Process:
    """`cleanplate worker` in a process of its own, held at its first frame."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "plugin_core.cli", "worker", *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.held = Held(folder, "*/clean.*.exr")
        self.process = subprocess.Popen(command, text=True, env=self.held.environ(), **pipes)
        self._watchdog = threading.Timer(TIMEOUT, self.process.kill)
        self._watchdog.start()

    def send(self, text: str) -> None:
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def until(self, event: str) -> dict:
        for text in self.process.stdout:
            told = json.loads(text)
            if told["event"] == event:
                return told
        raise AssertionError(f"the worker ended without {event}: {self.process.stderr.read()}")

    def end(self) -> int:
        self.process.stdin.close()
        err = self.process.stderr.read()
        code = self.process.wait(TIMEOUT)
        self._watchdog.cancel()
        assert "Traceback" not in err, err
        return code


def test_jobs_in_order_with_one_result_each(shot, bundle_512):
    missing = json.loads(line(shot, bundle_512, "missing"))
    missing["job"]["shot"]["frames"] = "1-99"
    code, events = serve(
        line(shot, bundle_512, "one"),
        "\n",
        "not json\n",
        json.dumps({"id": "empty"}) + "\n",
        json.dumps({"id": "misspelt", "job": {"shoot": {}}}) + "\n",
        json.dumps(missing) + "\n",
        line(shot, bundle_512, "two", resume=True),
        line(shot, bundle_512, "two", resume=True),
    )
    assert code == 0
    assert events[0]["event"] == "ready" and events[0]["pid"] == os.getpid()
    assert results(events) == [
        ("one", 0, LAST),
        ("", 2, 0),
        ("empty", 2, 0),
        ("misspelt", 2, 0),
        ("missing", 3, 0),
        ("two", 0, LAST),
        ("two", 0, 0),
    ]
    told = {event["id"]: event.get("message", "") for event in events if event["event"] == "result"}
    assert "did you mean 'shot'?" in told["misspelt"] and "lacks frames 7-99" in told["missing"]
    assert [e["frame"] for e in events if e["event"] == "frame" and e["id"] == "one"] == [*range(1, LAST + 1)]
    assert differing(shot, "one", "two") == []


def test_a_painted_frame_is_refused_and_gone_around(shot, bundle_512):
    serve(line(shot, bundle_512, "painted"))
    write_plate(shot.written(3, "painted"), picture(30))
    content = shot.written(3, "painted").read_bytes()
    _, events = serve(
        line(shot, bundle_512, "painted", resume=True),
        line(shot, bundle_512, "painted", resume=True, overwrite=True),
        line(shot, bundle_512, "painted", keep_edited=True),
    )
    assert results(events) == [("painted", 2, 0), ("painted", 2, 0), ("painted", 0, 0)]
    told = [event["message"] for event in events if event["event"] == "result" and event["exit_code"]]
    assert "frame 3 was changed since it was written" in told[0] and "give one of them" in told[1]
    assert shot.written(3, "painted").read_bytes() == content


def test_the_model_stays_open(shot, bundle_512, monkeypatch):
    from plugin_core.batch import worker

    opened = []
    real = worker.open_model
    monkeypatch.setattr(worker, "open_model", lambda *asked: opened.append(asked) or real(*asked))
    serve(*(line(shot, bundle_512, f"warm{number}", overwrite=True) for number in range(3)))
    assert len(opened) == 1


def test_a_bug_in_one_job_does_not_end_the_worker(shot, bundle_512, monkeypatch):
    from plugin_core.batch import worker

    def broken(*given: object):
        raise ZeroDivisionError("oops")
        yield

    monkeypatch.setattr(worker, "carry_out", broken)
    code, events = serve(line(shot, bundle_512, "a"), line(shot, bundle_512, "b"))
    assert code == 0 and results(events) == [("a", 1, 0), ("b", 1, 0)]
    assert "ZeroDivisionError('oops')" in events[-1]["message"]


DEEP = "[" * 200_000
HOSTILE = [
    DEEP,
    '{"id": "deep", "job": {"shot": ' + DEEP + "]" * 200_000 + "}}",
    '{"job": {"self": 1}}',
    '{"job": {"shot": {"self": 1, "plate": "p.##.exr", "matte": "m.png", "output": "o.##.exr"}}}',
    '{"job": null}',
    "[]",
    "null",
    "5",
    '"text"',
    "not json",
    '{"id": "twice", "job": {}, "job": {}}',
    '{"id": "both", "job": {}, "cancel": "x"}',
    '{"cancel": "x", "more": 1}',
    '{"job": {"shot": 5}}',
    '{"job": {"version": 1e999}}',
    '{"job": {"version": ' + "9" * 5000 + "}}",
    '{"id": "\\ud800", "job": {}}',
    '{"id": {"a": [1]}, "job": {}}',
    '{"id": "' + "x" * 40_000 + '", "job": {}}',
    "x" * (5 << 20),
    "\x00",
    "\ufffd\ufffd",
]


def test_a_line_that_holds_anything_gets_one_result_and_the_next_is_heard(tmp_path):
    code, events = serve(*(f"{text}\n" for text in HOSTILE), '{"cancel": "nobody"}\n', "\n")
    assert code == 0
    ends = [event for event in events if event["event"] == "result"]
    assert [event["exit_code"] for event in ends] == [2] * len(HOSTILE)
    assert all(len(event["message"]) < 600 for event in ends)
    said = [event["message"] for event in ends]
    assert "nested more than 64 deep" in said[0] and "no field 'self'" in said[2] + said[3]
    assert "given twice" in said[10] and "more than 4194304 characters" in said[19]


@pytest.mark.parametrize("field", ["plate", "matte", "output", "ocio_config"])
@pytest.mark.parametrize(
    "text", ["a\0b.####.exr", "\ud800.####.exr", "x" * 40_000, "x" * 300, "%0999999999d.exr"]
)
def test_a_path_that_no_system_takes_is_refused(field, text):
    shot = {"plate": "p.####.exr", "matte": "m.####.png", "output": "o.####.exr", field: text}
    code, events = serve(json.dumps({"id": "a", "job": {"shot": shot}}) + "\n", "{}\n")
    assert code == 0 and [exit_code in (2, 3) for _, exit_code, _ in results(events)] == [True, True]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
@pytest.mark.parametrize("field", ["progress_file", "cancel_file", "state_in", "model"])
@pytest.mark.parametrize("what", ["pipe", "device", "deep", "long"])
def test_a_path_of_a_run_that_is_no_file_holds_nothing_up(shot, bundle_512, tmp_path, field, what):
    os.mkfifo(tmp_path / "pipe")
    path = {
        "pipe": str(tmp_path / "pipe"),
        "device": "/dev/full",
        "deep": str(tmp_path) + "/a" * 3000,
        "long": str(tmp_path / ("a" * 300)),
    }[what]
    code, events = serve(line(shot, bundle_512, "x", overwrite=True, **{field: path}), "{}\n")
    assert code == 0 and len(results(events)) == 2
    assert results(events)[0][1] in (0, 2, 4, 6, 130), events[-2]
    assert "Traceback" not in events[-2].get("message", "")


def test_input_that_breaks_ends_the_worker_and_not_its_jobs():
    class Broken(io.StringIO):
        def readline(self, size: int = -1) -> str:
            text = super().readline(size)
            if not text:
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
            return text

    out = io.StringIO()
    assert Worker(out, Ending()).serve(Broken("{}\n{}\n")) == 0
    assert out.getvalue().count('"result"') == 2


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_process_that_is_fed_bytes(tmp_path):
    command = [sys.executable, "-m", "plugin_core.cli", "worker"]
    given = b"\xff\xfe\n\x00\n" + b"[" * 200_000 + b'\n{"job": {"self": 1}}\n\xed\xa0\x80'
    done = subprocess.run(command, input=given, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    assert results([json.loads(text) for text in done.stdout.splitlines()]) == [("", 2, 0)] * 5


def test_all_jobs_of_one_name_are_cancelled(long_shot, bundle_512):
    lines = [line(long_shot, bundle_512, "same", overwrite=True)] * 2
    code, events = serve(*lines, '{"cancel": "same"}\n')
    assert code == 0 and [exit_code for _, exit_code, _ in results(events)] == [130, 130]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_process_that_is_cancelled_and_ended(long_shot, bundle_512, tmp_path):
    """Cancel a job at work and one that waits; then a signal ends the worker with its job's state saved."""
    worker = Process(tmp_path, "--model", str(bundle_512), "--device", "cpu", "--threads", "1")
    worker.until("ready")
    worker.send(
        line(long_shot, bundle_512, "long", checkpoint_every=100) + line(long_shot, bundle_512, "waits")
    )
    worker.held.wait(worker.process)
    worker.send('{"cancel": "waits"}\n{"cancel": "long"}\n{"cancel": "unknown"}\n')
    worker.held.go()
    first, second = worker.until("result"), worker.until("result")
    assert (first["id"], first["exit_code"]) == ("long", 130) and first["frames"] < 40
    assert (second["id"], second["exit_code"], second["frames"]) == ("waits", 130, 0)

    worker.held.hold()
    worker.send(line(long_shot, bundle_512, "long", resume=True))
    worker.held.wait(worker.process)
    worker.process.send_signal(signal.SIGTERM)
    worker.held.go()
    assert worker.until("result")["exit_code"] == 143
    assert worker.end() == 143
    assert leftovers(long_shot.folder) == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_whoever_started_it_and_dies_takes_it_along(long_shot, bundle_512, tmp_path):
    worker = Process(tmp_path, "--stop-at-eof")
    worker.until("ready")
    worker.send(line(long_shot, bundle_512, "orphan"))
    worker.held.wait(worker.process)
    worker.process.stdin.close()
    worker.held.go()
    assert worker.end() == 143
    assert not list((long_shot.folder / "orphan" / ".cleanplate").glob("*/lock.*"))


def test_a_frame_longer_than_the_notice_is_left(tmp_path):
    script = (
        "import time; from plugin_core import Stop, on_signals\n"
        "with on_signals(Stop(), 0.2): print('ready', flush=True); time.sleep(60)"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 143 and "longer than the notice" in err
