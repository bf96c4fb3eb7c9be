"""What others raise, at the edge where nobody is left to say more."""

from __future__ import annotations

import errno
import io
import json

import cv2
import numpy as np
import pytest

from plugin_core import cli
from plugin_core.batch.worker import Ending, Worker
from plugin_core.errors import (
    InputError,
    Interrupted,
    NotEnoughMemoryError,
    StateError,
    WriteError,
    translated,
)

from .shots import ShotOnDisk, make_shot

NO_MEMORY = [
    MemoryError(),
    MemoryError("std::bad_alloc"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError("can't start new thread"),
    RuntimeError("Failed to allocate memory for requested buffer of size 132710400"),
    cv2.error("OpenCV(4.12.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 6 bytes"),
    ImportError("libx.so: failed to map segment from shared object"),
]


@pytest.mark.parametrize("error", NO_MEMORY, ids=lambda error: type(error).__name__)
def test_memory_that_ran_out_is_told_as_that(error):
    ours = translated(error)
    assert isinstance(ours, NotEnoughMemoryError) and ours.exit_code == 5 and "--working-size" in str(ours)


def test_numpy_itself():
    with pytest.raises(MemoryError) as raised:
        np.empty(1 << 60, np.uint8)
    assert isinstance(translated(raised.value), NotEnoughMemoryError)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000), InputError, "File name too long"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/show/a.exr"),
            WriteError,
            "/show/a.exr: No space",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/root"), InputError, "/root: Permission denied"),
        (OSError("no number"), InputError, "no number"),
        (KeyboardInterrupt(), Interrupted, "--resume"),
    ],
)
def test_what_the_system_refuses_is_one_short_sentence(error, kind, said):
    ours = translated(error)
    assert type(ours) is kind and said in str(ours) and len(str(ours)) < 300


def test_ours_stays_and_a_bug_is_a_bug():
    ours = StateError("damaged")
    assert translated(ours) is ours
    assert translated(ZeroDivisionError("oops")) is None and translated(KeyError("allocate")) is None


@pytest.fixture(scope="module")
def shot(tmp_path_factory) -> ShotOnDisk:
    return make_shot(tmp_path_factory.mktemp("shot"), 1, 3)


@pytest.mark.parametrize("error", NO_MEMORY[:3], ids=str)
def test_a_render_that_runs_out_of_memory_ends_with_5_and_tells_its_progress_file(
    shot, bundle_512, monkeypatch, capsys, error
):
    from plugin_core.network.session import Session

    def full(*given: object) -> None:
        raise type(error)(*error.args)  # a fresh one: what was raised holds on to its frames

    monkeypatch.setattr(Session, "encode", full)
    told = shot.folder / "told.jsonl"
    told.unlink(missing_ok=True)
    given = shot.arguments("out", "--model", str(bundle_512), "--overwrite", "--progress-file", str(told))
    assert cli.main([*given, "--progress", "none"]) == 5
    said = capsys.readouterr().err
    assert said.startswith("cleanplate: Memory ran out") and said.count("\n") == 1
    last = json.loads(told.read_text("utf-8").splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("error", 5)


def test_a_worker_that_runs_out_of_memory_goes_on(shot, bundle_512, monkeypatch):
    from plugin_core.network.session import Session

    def full(*given: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Session, "encode", full)
    run = {"model": str(bundle_512), "device": "cpu", "threads": 1, "overwrite": True}
    job = {"shot": shot.shot("worker").model_dump(mode="json"), "run": run}
    out = io.StringIO()
    lines = io.StringIO(f"{json.dumps({'id': 'a', 'job': job})}\n{json.dumps({'id': 'b', 'job': job})}\n")
    assert Worker(out, Ending()).serve(lines) == 0
    ends = [json.loads(line) for line in out.getvalue().splitlines() if '"result"' in line]
    assert [(end["id"], end["exit_code"]) for end in ends] == [("a", 5), ("b", 5)]
