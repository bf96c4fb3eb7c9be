"""Whatever the shots are called, every task is there once, in every engine."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin_core.batch.list_file import Row, ShotList
from plugin_core.batch.shots import understand
from plugin_core.farm.engines import ENGINES
from plugin_core.farm.job import FarmJob, Manners, Needs, plan_farm
from plugin_core.farm.names import Names

from .read_back import different, files_of, read_back

pytestmark = pytest.mark.slow

WHOLE: dict[str, str] = {}
CHAIN = {"chunk_frames": "4"}
GRID = {"chunk_frames": "4", "pre_roll": "2"}
CHUNKS = ("--chunk=1-4", "--chunk=5-8", "--chunk=9-10")

CLASHES = {
    "a chunked shot called as the array of whole ones": {"w1": WHOLE, "shots": CHAIN},
    "and as its checks": {"w1": WHOLE, "shots.qc": GRID, "shots": GRID},
    "a chunk's name is a shot's": {"b": CHAIN, "b.1-4": WHOLE, "b.5-8": CHAIN},
    "a check's name is a shot's": {"a": WHOLE, "a.qc": WHOLE, "a.qc.qc": GRID},
    "upper and lower case": {"Sh010": CHAIN, "sh010": CHAIN, "SH010": WHOLE},
    "dash and underscore": {"a-1": WHOLE, "a_1": GRID},
    "the number that a second one gets": {"a": WHOLE, "A": WHOLE, "A_2": WHOLE, "a_2.qc": WHOLE},
    "long ones that are alike for long": {"x" * 100: CHAIN, "X" * 100: WHOLE, f"{'x' * 99}y": CHAIN},
    "Windows' devices": {"con": WHOLE, "NUL.x": CHAIN, "shot_con": WHOLE},
}


def plan(folder: Path, shots: dict[str, dict[str, str]], name: str = "night") -> FarmJob:
    """A job of such shots, of ten frames each."""
    rows = [
        Row({"name": shot, "plate": "p.exr", "matte": "m.exr", "output": "{name}/o.####.exr"} | cut, n)
        for n, (shot, cut) in enumerate(shots.items())
    ]
    listed = ShotList(folder / "shots.csv", Row({"frames": "1-10"}, 1), tuple(rows))
    good, bad = understand(listed)
    assert not bad
    return plan_farm(name, folder / "job", good, Needs(), Manners())


def wanted(job: FarmJob, shots: dict[str, dict[str, str]]) -> Counter:
    """What is to be done, once each."""
    asked = []
    for shot, cut in shots.items():
        output = str(job.folder.parent / shot / "o.####.exr")
        asked += [("render", output, chunk) for chunk in (CHUNKS if cut else ("",))]
        asked += [("paint", output, "")] if cut else []
        asked.append(("qc", output, ""))
    return Counter(asked)


def check(engine: str, folder: Path, shots: dict[str, dict[str, str]]) -> None:
    job = plan(folder, shots)
    ENGINES[engine].write(job)
    assert read_back(engine, job.folder).asked() == wanted(job, shots)
    files = files_of(job.folder)
    assert len({file.casefold() for file in files}) == len(files)
    states = [part.state_out for shot in job.shots for part in shot.parts if part.state_out]
    assert different(states)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shots", CLASHES.values(), ids=CLASHES)
def test_names_that_clash(tmp_path, engine, shots):
    check(engine, tmp_path, shots)
    check(engine, tmp_path / "turned", dict(reversed(shots.items())))


PARTS = ["a", "A", "b", "shots", ".qc", "-1", "_1", "_2", ".1-4", ".5-8", "con", ".", "x" * 90]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join).filter(str.isascii)
NAMES = NAMES.filter(lambda name: name[0].isalnum() and len(name) <= 100)


@pytest.mark.parametrize("engine", ENGINES)
@given(shots=st.dictionaries(NAMES, st.sampled_from([WHOLE, CHAIN, GRID]), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_names(engine, shots):
    with tempfile.TemporaryDirectory() as folder:
        check(engine, Path(folder), shots)


@given(st.lists(NAMES, max_size=30), st.integers(1, 4), st.integers(10, 160))
def test_no_name_is_given_twice(asked, shortest, longest):
    names = Names(shortest, longest)
    given_out = [names.give(name) for name in asked]
    assert different(given_out)
    assert all(shortest <= len(name) <= longest for name in given_out)


def test_names_that_do_not_clash_stay():
    names = Names()
    assert [names.give(name) for name in ("sh010", "sh010.qc", "sh020.1-4")] == [
        "sh010",
        "sh010.qc",
        "sh020.1-4",
    ]
