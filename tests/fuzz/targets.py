"""What strangers' files and messages are given to, and what must hold of whatever comes of it.

A target takes an example and a folder of its own, and returns whether the example was taken or refused. It
raises what a user would see as a traceback; one sentence (`CleanplateError`) is a refusal.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import LISTED, understand
from plugin_core.batch.state import plan_tasks
from plugin_core.batch.worker import Ending, Worker
from plugin_core.disk import lock
from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.errors import CleanplateError
from plugin_core.job.config import read_file
from plugin_core.job.job import Job
from plugin_core.job.path_map import mapped_job, read_rules
from plugin_core.job.settings import PARTS
from plugin_core.live.pipe import open_in
from plugin_core.live.y4m import Y4mReader
from plugin_core.network.bundle import MANIFEST, Bundle
from plugin_core.schedule import Schedule
from plugin_core.state.checkpoints import Checkpoints
from plugin_core.state.journal import Entry, Journal, forget_elsewhere
from plugin_core.state.saved_state import SavedState, read_state, write_state

from .strategies import ANY, changed, damaged, from_schema, put_down, written

LONGEST_MESSAGE = 2000
KEY = {"model": "toy", "working size": "64"}
SHOT = {"plate": "p.####.exr", "matte": "m.####.png", "output": "o.####.exr"}


@dataclass(frozen=True)
class Target:
    """Something that reads what strangers wrote.

    Attributes:
        name: for people.
        share: of all examples, in percent.
        examples: what it is given.
        take: takes one, in a folder of its own; returns whether it was taken.
        is_always_refused: nothing that is tried could be taken: there are no plates.
    """

    name: str
    share: int
    examples: st.SearchStrategy[Any]
    take: Callable[[Any, Path], bool]
    is_always_refused: bool = False


def refused(work: Callable[[], object]) -> bool:
    """Do something; returns whether it was refused, with one sentence that people can read."""
    try:
        work()
    except CleanplateError as error:
        said = str(error)
        assert 0 < len(said) < LONGEST_MESSAGE, f"{len(said)} letters: {said[:200]}"
        assert error.exit_code in range(2, 9), said
        return True
    return False


def _jobs() -> st.SearchStrategy[bytes]:
    return written(changed(from_schema(Job.model_json_schema())))


def _take_job(content: bytes, folder: Path) -> bool:
    (folder / "job.json").write_bytes(content)

    def read() -> None:
        job = Job.read(folder / "job.json")
        assert Job(**json.loads(job.model_dump_json())) == job, "what is read can be written and read again"
        job.shot.frame_range()

    return not refused(read)


def _settings() -> st.SearchStrategy[bytes]:
    lines = [
        "grow = 6",
        "feather = -1",
        "colorspace = 'ACEScg'",
        'ocio_config = "c.ocio"',
        "cuts = [1, 2]",
        "exposure = 2",
        "grow.x = nan",
        "[grow]",
        "[[cuts]]",
        "threshold = 1e999",
        'view = """',
        "propagate = 'off'",
        "frames = 1979-05-27",
        "debug = 'x'",
        f"cuts = {'[' * 3000}",
        f"grow = 1{'0' * 5000}",
        "a" + ".a" * 3000 + " = 1",
    ]
    texts = st.lists(st.sampled_from(lines), max_size=5).map(lambda given: "\n".join(given).encode())
    return damaged(texts)


def _take_settings(content: bytes, folder: Path) -> bool:
    (folder / "cleanplate.toml").write_bytes(content)
    return not refused(lambda: read_file(folder / "cleanplate.toml"))


def _take_rules(content: bytes, folder: Path) -> bool:
    (folder / "rules.json").write_bytes(content)
    job = Job(shot=SHOT)
    return not refused(lambda: mapped_job(job, read_rules([str(folder / "rules.json")])))


def _rules() -> st.SearchStrategy[bytes]:
    text = st.sampled_from(["/show", "P:\\show", "p.####.exr", ""])
    rule = st.fixed_dictionaries(
        {
            "source_path_format": st.sampled_from(["POSIX", "WINDOWS"]),
            "source_path": text,
            "destination_path": text,
        }
    )
    rules = st.fixed_dictionaries(
        {"version": st.just("pathmapping-1.0"), "path_mapping_rules": st.lists(rule)}
    )
    return written(changed(rules))


def _lists() -> st.SearchStrategy[tuple[str, bytes]]:
    """Lists of shots by extension: JSON, which is YAML, too; YAML of its own; CSV."""
    fields = {}
    for part, model in PARTS.items():
        schema = model.model_json_schema()
        own = {name: schema["properties"][name] for name in LISTED[part] if name in schema["properties"]}
        fields |= {name: from_schema(field, schema.get("$defs", {})) for name, field in own.items()}
    needed = {name: fields.pop(name) for name in ("plate", "matte", "output")}
    names = st.sampled_from(["sh010", "sh020", "a b", ""])
    row = st.fixed_dictionaries(
        {"name": names, **needed},
        optional={
            **fields,
            "chunk_frames": st.integers(-1, 20),
            "do": st.sampled_from(["retarget", "detect"]),
        },
    )
    tree = changed(
        st.fixed_dictionaries({"shots": st.lists(row, max_size=3)}, optional={"version": st.just(1)})
    )
    as_json = st.tuples(st.sampled_from(["shots.json", "shots.yaml"]), written(tree))
    lines = st.sampled_from(
        [
            "shots:",
            "- name: a",
            "  plate: &x p.####.exr",
            "  matte: *x",
            "- &y [*y]",
            "? [a]",
            "--- |",
            "!!set {}",
            "defaults: {<<: *x}",
            "- {name: b, plate: [",
            "  output: o.####.exr",
            "\tx: 1",
            "- name: 010",
            "%YAML 9",
        ]
    )
    as_yaml = st.tuples(
        st.just("shots.yaml"), damaged(st.lists(lines).map(lambda given: "\n".join(given).encode()))
    )
    cells = st.sampled_from(
        ["name", "plate", "matte", "output", "frames", "a", '"', '"a', "\0", "1-5", "x" * 200_000]
    )
    rows = st.lists(st.lists(cells, max_size=5).map(",".join), max_size=5).map("\n".join)
    as_csv = st.tuples(st.just("shots.csv"), damaged(rows.map(str.encode)))
    return as_json | as_yaml | as_csv


def _take_list(given: tuple[str, bytes], folder: Path) -> bool:
    path = folder / given[0]
    path.write_bytes(given[1])

    def read() -> None:
        good, bad = understand(read_shot_list(path))
        assert all(len(entry.message) < LONGEST_MESSAGE for entry in bad)
        plan_tasks(good, bad)

    return not refused(read)


def _journals() -> st.SearchStrategy[bytes]:
    mark = {"size": 1, "modified": 2, "digest": "3"}
    line = {
        "frame": 1,
        "size": 5,
        "modified": 1,
        "digest": "d",
        "inputs": {"1": {"plate": mark}},
        "crops": {"1": "x"},
    }
    lines = st.lists(changed(st.just(line)), max_size=4)
    first = changed(st.just({"key": KEY}))
    return damaged(
        st.tuples(first, lines).map(
            lambda all_: put_down("\n".join(json.dumps(each) for each in (all_[0], *all_[1])))
        )
    )


def _take_journal(content: bytes, folder: Path) -> bool:
    path = folder / "journal.jsonl"
    path.write_bytes(content)
    journal = Journal(path, KEY)
    entries: list[Entry] = []
    was_refused = refused(lambda: entries.extend(journal.read() or []))
    refused(journal.found_key)
    for entry in entries:
        entry.is_whole(folder / "none")
        assert abs(entry.frame) <= 10**15 and {kind for marks in entry.inputs.values() for kind in marks} <= {
            "plate",
            "matte",
        }
    refused(lambda: forget_elsewhere(folder, folder / "chunk.1_2", 1, 2))
    journal.restart(journal.read_own())  # what --overwrite does: it always helps
    journal.append(Entry(9, Fingerprint(1, 2, "3"), {}, {}))
    assert (journal.read() or [])[-1].frame == 9
    return not was_refused and bool(entries)


def _states() -> st.SearchStrategy[tuple[Any, bytes]]:
    about = {"format_version": 2, "key": KEY, "frame": 8, "inputs": {"8": "d"}, "crops": {"1": "x"}}
    return st.tuples(changed(st.just(about)), st.binary(max_size=6) | st.just(b""))


def _take_state(given: tuple[Any, bytes], folder: Path) -> bool:
    """A whole file with another header, and bytes of it overwritten."""
    from safetensors.numpy import save

    from plugin_core.state.saved_state import carry_digest

    about, noise = given
    arrays = {"1/memory": np.ones((1, 2, 2), np.float32)}
    if isinstance(about, dict) and "carry" not in about:
        about["carry"] = carry_digest(arrays)
    header = put_down(json.dumps(about)).decode("utf-8", "replace")
    content = bytearray(save(arrays, metadata={"cleanplate_state": header}))
    at = int.from_bytes(hashlib.blake2b(noise, digest_size=4).digest(), "big") % len(content)
    content[at : at + len(noise)] = noise
    kept = Checkpoints(folder, KEY)
    path = kept.path(8)
    path.write_bytes(content)
    was_refused = refused(lambda: read_state(path))
    found = kept.newest(below=10**15, from_frame=-(10**15))
    assert found is None or (found.frame == 8 and found.key == KEY)
    kept.add(SavedState(KEY, 8, arrays, {}, {}))
    assert kept.newest(below=9, from_frame=8) is not None
    write_state(path, SavedState(KEY, 8, arrays, {}, {}))
    return not was_refused


def _manifests() -> st.SearchStrategy[bytes]:
    return written(changed(st.just(_MANIFEST)))


def _tensor(name: str, scale: int | None, start: str) -> dict[str, Any]:
    return {
        "name": name,
        "input": f"{name}_in",
        "output": name,
        "channels": 1,
        "scale": scale,
        "start": start,
    }


_FILE = b"not a graph"
_PART = {"file": "graph.onnx", "sha256": hashlib.sha256(_FILE).hexdigest()}
_MANIFEST: dict[str, Any] = {
    "format_version": 1,
    "name": "fuzz",
    "variant": 512,
    "temporal_radius": 2,
    "temporal_stride": 3,
    "size_multiple": 16,
    "channel_order": "BGR",
    "value_range": [-1.0, 1.0],
    **dict.fromkeys(("encode", "step", "step_x86", "data"), _PART),
    "fill": "fill",
    "features": [{"name": "s2", "channels": 5, "scale": 4, "inputs": ["a", "b", "c", "d"]}],
    "carry": [_tensor("output", 1, "masked_frame"), _tensor("feedback", None, "zeros")],
    "debug": [],
    "weights": "float16",
    "provenance": {"kind": "generated", "summary": "for tests"},
    "licence": "none",
}


def _take_manifest(content: bytes, folder: Path) -> bool:
    (folder / "graph.onnx").write_bytes(_FILE)
    (folder / MANIFEST).write_bytes(content)

    def use() -> None:
        bundle = Bundle.open(folder)
        assert 1 <= len(bundle.source_offsets) <= 64 and len(bundle.manifest.scales) <= 9
        schedule = Schedule(first=1, last=5, offsets=bundle.source_offsets)
        assert all(1 <= source <= 5 for step in schedule.steps() for source in step.sources)

    return not refused(use)


def _lines() -> st.SearchStrategy[list[bytes]]:
    job = from_schema(Job.model_json_schema())
    line = st.fixed_dictionaries({"id": st.sampled_from(["a", "b"]), "job": job})
    either = written(changed(line)) | written(ANY) | st.just(b'{"cancel": "a"}')
    return st.lists(
        either.map(lambda text: text.replace(b"\n", b" ").replace(b"\r", b" ")), min_size=1, max_size=6
    )


def _take_lines(lines: list[bytes], folder: Path) -> bool:
    """Feed a worker; nothing on disk is a plate, so that every job ends soon."""
    out = io.StringIO()
    text = b"\n".join(lines).decode("utf-8", "replace")
    assert Worker(out, Ending()).serve(io.StringIO(text, newline="\n")) == 0
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    results = [event for event in events if event["event"] == "result"]
    asked = [line for line in text.split("\n") if line.strip() and not _cancels(line)]
    assert len(results) == len(asked), "every line has one result"
    stopped = [json.loads(line)["cancel"] for line in text.split("\n") if _cancels(line)]
    for result in results:
        was_stopped = result["exit_code"] == 130 and result["id"] in stopped
        assert was_stopped or result["exit_code"] in range(2, 9), result
        said = result["message"]
        assert len(said) < LONGEST_MESSAGE and "Traceback" not in said and "A bug" not in said, result
    return False


def _cancels(line: str) -> bool:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(given, dict) and set(given) == {"cancel"}


def _locks() -> st.SearchStrategy[tuple[str, bytes]]:
    owner = {"frames": "all", "host": "h", "place": "p", "pid": 1, "started": "1", "since": "s", "token": "t"}
    names = [
        "lock.all",
        "lock.1_5",
        "lock.3_9",
        "lock.1_5.bak",
        "lock.",
        "lock.9_x",
        "lock." + "9" * 30 + "_1",
    ]
    return st.tuples(st.sampled_from(names), written(changed(st.just(owner))))


def _take_lock(given: tuple[str, bytes], folder: Path) -> bool:
    (folder / given[0]).write_bytes(given[1])
    before = lock.SILENT_SECONDS, lock._LOOK_SECONDS
    lock.SILENT_SECONDS, lock._LOOK_SECONDS = 0.002, 0.001

    def claim() -> None:
        with lock.holding(folder, "clean", (4, 6)):
            pass

    try:
        was_refused = refused(claim)
    finally:
        lock.SILENT_SECONDS, lock._LOOK_SECONDS = before
    taken_over = not (folder / given[0]).exists()
    assert not taken_over or given[1].startswith(b'{"frames"') or b'{"frames": "'.startswith(given[1])
    return not was_refused


@st.composite
def _streams(draw: st.DrawFn) -> bytes:
    numbers = st.sampled_from(["1", "2", "5", "16", "0", "-1", "16384", "99999999999", "x", ""])
    spaces = st.sampled_from(["420jpeg", "422", "444alpha", "mono", "mono16", "420p10", "411", "9", ""])
    tags = [
        f"W{draw(st.just('6') | numbers)}",
        f"H{draw(st.just('4') | numbers)}",
        f"F{draw(st.just('25:1') | numbers)}",
        *draw(st.lists(spaces.map("C{}".format) | st.sampled_from(["It", "A0:0", "XCOLORRANGE=FULL", "\t"]))),
    ]
    frames = draw(st.lists(st.sampled_from([36, 36, 24, 96, 48]), max_size=3))
    parts = [" ".join(["YUV4MPEG2", *tags]).encode() + b"\n", *(b"FRAME\n" + bytes(size) for size in frames)]
    return draw(damaged(st.just(b"".join(parts))))


def _take_stream(content: bytes, folder: Path) -> bool:
    (folder / "in.y4m").write_bytes(content)

    def read() -> None:
        reader = Y4mReader(open_in("in.y4m", lambda: None))
        try:
            for frame in reader:
                assert frame.picture.rgb().shape[2] == 3
        finally:
            reader.close()

    return not refused(read)


TARGETS = (
    Target("job files", 15, _jobs(), _take_job),
    Target("settings files", 5, _settings(), _take_settings),
    Target("path mapping rules", 5, _rules(), _take_rules),
    Target("lists of shots", 15, _lists(), _take_list),
    Target("y4m streams", 5, _streams(), _take_stream),
    Target("journals", 15, _journals(), _take_journal),
    Target("states", 10, _states(), _take_state),
    Target("manifests", 10, _manifests(), _take_manifest),
    Target("lines for a worker", 15, _lines(), _take_lines, is_always_refused=True),
    Target("lock files", 5, _locks(), _take_lock),
)


def in_folder(target: Target, folder: Path) -> Callable[[Any], bool]:
    """Return a function that takes an example in a fresh folder, which is the working one meanwhile."""
    counted = itertools.count()

    def take(example: Any) -> bool:
        own = folder / str(next(counted))
        own.mkdir()
        before = Path.cwd()
        os.chdir(own)
        try:
            return target.take(example, own)
        finally:
            os.chdir(before)
            shutil.rmtree(own, ignore_errors=True)

    return take
