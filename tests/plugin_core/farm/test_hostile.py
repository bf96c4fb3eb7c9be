"""Names, paths and arguments with any character: an engine's files hold just these, or it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plugin_core.batch.list_file import Row, ShotList
from plugin_core.batch.shots import understand
from plugin_core.errors import InputError
from plugin_core.farm.engines import ENGINES
from plugin_core.farm.job import FarmJob, Manners, Needs, plan_farm

from ..commands import TIMEOUT
from .read_back import RULES, Farmed, read_back

pytestmark = pytest.mark.slow

SIGNS = [
    *"{}[]$\\%~#\"'`<>@=;,:&|*?!()+- .\t\n\r\x0b\x1b\x7f\x85\xa0\u2028\ufeff\ufffe\udc80é😀a1",
    *("{{Param.Jobs}}", "{{Task.Param.Shot}}", "{{", "}}", "{job}", "{jobs}", "{name}", "@sh.1-4@", "$(id)"),
    *("<STARTFRAME>", "<QUOTE>", "#FRAME_START#", "#IFRAME#", "%h", "%D(", "${SLURM_JOB_ID}", "\\{", "]]>"),
    *("\n#SBATCH --uid=0", "\nPlugin=Python", "\x1b[2J", "&amp;", "%%", "</cmd>", "- x: y", "\\\n"),
]
TEXT = st.just("") | st.sampled_from(SIGNS) | st.lists(st.sampled_from(SIGNS), max_size=5).map("".join)


def plan(folder: Path, inside: str, title: str, command: str, rule: str, word: str) -> FarmJob:
    """A whole shot and a chain in a folder `inside`; `word` is one more argument of their checks."""
    output = str(folder / inside / "{name}" / "o.####.exr")
    row = {"plate": "p.exr", "matte": "m.exr", "frames": "1-10", "output": output}
    rows = (Row({"name": "one"}, 1), Row({"name": "sh", "chunk_frames": "4"}, 2))
    good, bad = understand(ShotList(folder / "shots.csv", Row(row, 1), rows))
    assert not bad
    manners = Manners(command=command, path_maps=(rule,), qc=("qc", "--job", "{job}", word))
    return plan_farm(title, folder / "job", good, Needs(), manners)


def check(engine: str, inside: str, title: str, command: str, rule: str, word: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        job = plan(folder, inside, title, command, rule, word)
        record = ENGINES[engine]
        try:
            record.write(job)
        except InputError as error:
            said = str(error)
            assert said.isprintable() and said.startswith((record.title, ENGINES["openjd"].title)), said
            pieces = (title, command, rule, *word.split("{job}"))
            assert "shot sh's state" in said or any(repr(piece) in said for piece in pieces)
            return
        told = read_back(engine, job.folder)
        _same_title(engine, title, told)
        dialect = ["--progress", record.dialect, "--notice", "50", "--path-map", rule]
        rules = ["--path-map", RULES] if "openjd" in record.dialect else []
        jobs = {name: f"{job.folder}/jobs/{name}.json" for name in ("one", "sh")}
        states = f"{folder / inside}/sh/.cleanplate/states/sh"
        chunks = [
            ["--chunk=1-4", "--state-out", f"{states}.4.state"],
            ["--chunk=5-8", "--state-in", f"{states}.4.state", "--state-out", f"{states}.8.state"],
            ["--chunk=9-10", "--state-in", f"{states}.8.state"],
        ]
        renders = [("one", []), *(("sh", chunk) for chunk in chunks)]
        asked = [["render", "--job", jobs[name], *chunk, *dialect, *rules] for name, chunk in renders]
        asked.append(["paint", "--job", jobs["sh"], *dialect[:2], "--path-map", rule, *rules])
        asked += [
            ["qc", "--job", path, word.replace("{job}", path), "--path-map", rule, *rules]
            for path in jobs.values()
        ]
        assert sorted(told.tasks) == sorted((command, *words) for words in asked)


def _same_title(engine: str, title: str, told: Farmed) -> None:
    if engine == "slurm":
        assert re.fullmatch(r"[\w.+=:@,-]+", told.title)
    elif engine == "opencue":
        assert re.fullmatch(r"[a-z0-9._-]{3,}", told.title)
    else:
        assert told.title == title


@pytest.mark.parametrize("engine", ENGINES)
@given(
    inside=TEXT.map(lambda text: re.sub(r"\{name\}|[/\udc80]", "", f"x{text}y")),
    title=TEXT.map(lambda text: f"night {text}"),
    command=TEXT.map(lambda text: f"/opt/clean{text}"),
    rule=TEXT.map(lambda text: f"/a{text}=/b{text}"),
    word=TEXT,
)
@example(inside="x y", title="night's [1]", command="/opt/my clean", rule="/it's/a b=/b", word="")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_put_in_is_found_or_refused(engine, inside, title, command, rule, word):
    check(engine, inside, title, command, rule, word)


REFUSED = {
    "openjd": ["{{Param.Jobs}}", "a}}", "\n", "\x1b"],
    "deadline-cloud": ["{{Param.Jobs}}", "\t", "\x1b"],
    "deadline": ["\nPlugin=Python", "\t", '"', "<STARTFRAME>", "\x1b"],
    "opencue": ["\x1b[2J", "\ufffe", "#FRAME_START#"],
    "tractor": ["{", "}", "\\", "%h", "\n"],
    "slurm": ["\t", "\n", "\r"],
}
TAKEN = {
    "openjd": ["{x}", "$(id)", "it's", "a\\b", '"', "é😀", "%h", "- a: b #"],
    "deadline-cloud": ["{x}", "$(id)", "it's", "\\", '"', "é😀"],
    "deadline": ["{x}", "it's", "a\\b c", "é😀", "@sh.1-4@", "# =", "%h"],
    "opencue": ["{x}", "$(id)", "it's", "\\", '"', "<cmd>&amp;]]>", "é😀", "##"],
    "tractor": ["$(id)", "it's", '"', "[x]", "é😀", "100%."],
    "slurm": ["{x}", "$(id)", "it's", "\\", '"', "é😀", "*", "a  b"],
}


@pytest.mark.parametrize(("engine", "text"), [(name, text) for name in REFUSED for text in REFUSED[name]])
def test_what_an_engine_has_no_way_to_write_is_refused(tmp_path, engine, text):
    job = plan(tmp_path, f"x{text}y", "night", "cleanplate", "/a=/b", "--sheet=x.png")
    with pytest.raises(InputError) as caught:
        ENGINES[engine].write(job)
    said = str(caught.value)
    assert "can't take shot sh's state" in said and said.isprintable() and not job.folder.exists()


@pytest.mark.parametrize(("engine", "text"), [(name, text) for name in TAKEN for text in TAKEN[name]])
def test_what_only_looks_dangerous_is_written(engine, text):
    whole = f"x{text}y"
    with tempfile.TemporaryDirectory() as folder:
        ENGINES[engine].write(plan(Path(folder), whole, f"night {whole}", whole, f"/{whole}=/b", whole))
    check(engine, whole, f"night {whole}", f"/opt/{whole}", f"/{whole}=/b", whole)


PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
RECORDER = f"""#!{sys.executable}
import json, sys
open({{seen!r}}, "a").write(json.dumps(sys.argv[1:]) + "\\n")
"""
WORDS = ["a  b", "$(id)", "*", "it's", "\\", '"', "é😀", "{x}", "`id`", "#", "", "<a&b;>", "-n", "\u2003 x"]


@pytest.mark.parametrize("engine", ["slurm", "openjd"])
def test_the_words_arrive_at_the_command(tmp_path, engine):
    """Through Slurm's own script in a real shell, and through Open Job Description's runner."""
    seen, command = tmp_path / "seen", tmp_path / "clean plate's"
    command.write_text(RECORDER.format(seen=str(seen)))
    command.chmod(0o755)
    planned = plan(tmp_path, "x", "night", str(command), "/a=/b", "")
    job = replace(planned, manners=replace(planned.manners, qc=("look", *WORDS)))
    ENGINES[engine].write(job)
    words = ["bash", "task.sbatch", "tasks/shots.qc.tsv"]
    if engine == "openjd":
        words = ["openjd", "run", "template.yaml"]
        if shutil.which("openjd", path=PATH) is None:
            pytest.skip("openjd is not installed: pip install cleanplate[farm]")
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "1", "PATH": PATH}
    done = subprocess.run(words, cwd=job.folder, env=environment, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0, done
    assert ["look", *WORDS] in [json.loads(line) for line in seen.read_text().splitlines()]


def test_deadline_fills_ids_in_only_where_they_are_waited_for(tmp_path):
    job = plan(tmp_path, "x", "night @sh.1-4@", "clean@sh@plate", "/a=/b", "")
    ENGINES["deadline"].write(job)
    done = subprocess.run([sys.executable, "submit.py", "--dry-run"], cwd=job.folder, capture_output=True)
    assert done.returncode == 0, done
    lines = (job.folder / "sh.5-8.submitted.txt").read_text("utf-8").splitlines()
    assert "Name=night @sh.1-4@ sh.5-8" in lines and "JobDependencies=dry-sh.1-4" in lines
