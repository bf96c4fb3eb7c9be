"""Jobs of engines that can't be had here: held against golden files, and against what their formats demand.

`python -m tests.plugin_core.farm.test_exports` writes the golden files anew.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import understand
from plugin_core.cli import _parser
from plugin_core.errors import InputError
from plugin_core.farm.engines import ENGINES
from plugin_core.farm.job import FarmJob, Manners, Needs, plan_farm
from plugin_core.farm.memory import with_measured_memory
from plugin_core.farm.submit import submit
from plugin_core.job.job import Job

from ..pictures_on_disk import save, spec_of

GOLDEN = Path(__file__).parent / "golden"
SHOTS = """\
name,plate,matte,output,frames,chunk_frames,pre_roll,grow,paint
sh010,/my show/sh010/plate.####.exr,/my show/sh010/matte.png,/my show/sh010/out/clean.####.exr,1001-1012,,,4,
sh020,/show/sh020/plate.####.exr,/show/sh020/matte.png,/show/sh020/out/clean.####.exr,1-12,5,,,auto
sh030,/show/sh030/plate.mov,/show/sh030/matte.mov,/show/sh030/out,1-12,5,3,,auto
"""
FILES = {
    "deadline": [
        "submit.py",
        "sh010.job_info.txt",
        "sh010.plugin_info.txt",
        "sh020.paint.job_info.txt",
        "sh020.paint.plugin_info.txt",
        "sh020.1-5.job_info.txt",
        "sh020.6-10.job_info.txt",
        "sh020.6-10.plugin_info.txt",
        "sh020.qc.job_info.txt",
        "sh030.job_info.txt",
        "sh030.plugin_info.txt",
    ],
    "tractor": ["job.alf"],
    "opencue": ["job.xml"],
    "slurm": ["submit.sh", "task.sbatch", "tasks/sh020.tsv", "tasks/sh020.paint.tsv"],
    "openjd": ["template.yaml"],
    "deadline-cloud": ["template.yaml", "parameter_values.yaml", "asset_references.yaml"],
}


def written(folder: Path, engine: str, needs: Needs | None = None) -> FarmJob:
    """Write the shots above as a job."""
    (folder / "shots.csv").write_text(SHOTS, "utf-8")
    shots, bad = understand(read_shot_list(folder / "shots.csv"))
    assert not bad
    manners = Manners(path_maps=("/show=/mnt/show",) if engine == "tractor" else ())
    job = plan_farm("night 1", folder / engine, shots, needs or Needs(gpu=engine != "slurm"), manners)
    ENGINES[engine].write(job)
    return job


def text_of(job: FarmJob, engine: str) -> str:
    """The files that are compared, one after the other, wherever they were written."""
    parts = [f"=== {name}\n{(job.folder / name).read_text('utf-8')}" for name in FILES[engine]]
    return "".join(parts).replace(str(job.folder.parent), "/jobs")


@pytest.mark.parametrize("engine", FILES)
def test_the_files_are_the_golden_ones(tmp_path, engine, monkeypatch):
    monkeypatch.setenv("LOGNAME", "artist")
    assert text_of(written(tmp_path, engine), engine) == (GOLDEN / f"{engine}.txt").read_text("utf-8")


@pytest.mark.parametrize("engine", FILES)
def test_the_last_step_is_a_qc_with_options_that_exist(tmp_path, engine):
    job = written(tmp_path, engine)
    steps = [shlex.split(line) for line in qc_lines(job.folder, engine)]
    assert len(steps) == 3, "one for each shot, or one for each step of them"
    for words in steps:
        given = _parser().parse_args(words)
        assert words[0] == "qc" and given.command
        assert Path(given.job).stem in ("sh010", "sh020", "sh030", "{{Task.Param.Shot}}")
        assert given.path_map == PATH_MAPS.get(engine, [])


PATH_MAPS = {
    "openjd": ["{{Session.PathMappingRulesFile}}"],
    "deadline-cloud": ["{{Session.PathMappingRulesFile}}"],
    "tractor": ["/show=/mnt/show"],
}


def qc_lines(folder: Path, engine: str) -> list[str]:
    """The arguments of every QC step of a written job, as one would type them."""
    if engine in ("openjd", "deadline-cloud"):
        steps = yaml.safe_load((folder / "template.yaml").read_text("utf-8"))["steps"]
        runs = [step["script"]["actions"]["onRun"] for step in steps if step["name"].startswith("QC of ")]
        return [shlex.join(run["args"]) for run in runs]
    if engine == "slurm":
        return [path.read_text("utf-8").replace("\t", " ") for path in (folder / "tasks").glob("*.qc.tsv")]
    if engine == "deadline":
        infos = [path.read_text("utf-8") for path in folder.glob("*.qc.plugin_info.txt")]
        return [line[10:] for text in infos for line in text.splitlines() if line.startswith("Arguments=")]
    if engine == "opencue":
        commands = [c.text or "" for c in ElementTree.parse(folder / "job.xml").iter("cmd")]
        return [command.removeprefix("cleanplate ") for command in commands if " qc " in command]
    lines = [line for line in (folder / "job.alf").read_text("utf-8").splitlines() if "{qc} {--job}" in line]
    return [
        line.strip()[len("RemoteCmd {{cleanplate} ") : -1].replace("{", "").replace("}", "") for line in lines
    ]


@pytest.mark.parametrize("engine", FILES)
def test_every_shot_has_its_job(tmp_path, engine):
    job = written(tmp_path, engine)
    told = [Job.read(job.jobs_folder / f"sh0{number}0.json") for number in (1, 2, 3)]
    assert [one.shot.frames for one in told] == ["1001-1012", "1-12", "1-12"]
    assert [one.settings.pre_roll for one in told] == [None, None, 3]
    assert all(one.run.resume and one.run.wait_seconds for one in told) and told[0].settings.grow == 4


def test_deadline_submits_in_order_with_the_ids_of_what_is_waited_for(tmp_path):
    """With a stand-in for deadlinecommand that takes two files of known keys and nothing else."""
    job = written(tmp_path, "deadline")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    stand_in = bin_ / "deadlinecommand"
    stand_in.write_text(f"#!{sys.executable}\n{STAND_IN}")
    stand_in.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
        "SEEN": str(tmp_path / "seen"),
    }
    done = subprocess.run(
        [sys.executable, str(job.folder / "submit.py")], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr + done.stdout
    seen = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    waits = {told["Name"]: told.get("JobDependencies") for told in seen}
    ids = {told["Name"]: f"id{number}" for number, told in enumerate(seen, start=1)}
    assert waits == {
        "night 1 sh010": None,
        "night 1 sh010.qc": ids["night 1 sh010"],
        "night 1 sh020.paint": None,
        "night 1 sh020.1-5": ids["night 1 sh020.paint"],
        "night 1 sh020.6-10": ids["night 1 sh020.1-5"],
        "night 1 sh020.11-12": ids["night 1 sh020.6-10"],
        "night 1 sh020.qc": ids["night 1 sh020.11-12"],
        "night 1 sh030.paint": None,
        "night 1 sh030": ids["night 1 sh030.paint"],
        "night 1 sh030.qc": ids["night 1 sh030"],
    }


STAND_IN = """
import json, os, sys
JOB = {"Plugin", "Name", "BatchName", "Comment", "Frames", "ChunkSize", "ConcurrentTasks", "JobDependencies"}
JOB |= {"OverrideTaskFailureDetection", "FailureDetectionTaskErrors"}
PLUGIN = {"Executable", "Arguments", "ShellExecute", "SingleFramesOnly"}
_, info, plugin = sys.argv
pairs = [dict(line.split("=", 1) for line in open(path).read().splitlines()) for path in (info, plugin)]
for given, known in zip(pairs, (JOB, PLUGIN)):
    if set(given) - known:
        sys.exit(f"unknown keys {set(given) - known}")
seen = os.environ["SEEN"]
with open(seen, "a") as stream:
    stream.write(json.dumps({**pairs[0], **pairs[1]}) + "\\n")
print("Result=Success")
print("JobID=id%d" % len(open(seen).readlines()))
"""


def test_opencue_puts_elements_in_the_order_its_format_demands(tmp_path):
    """What cjsl 1.15 says of the elements used here; the real DTD is not ours to ship."""
    order = {
        "spec": "facility dept show shot user email uid job depends",
        "job": "paused priority maxretries maxcores maxgpus autoeat localbook os env layers",
        "layer": "cmd range chunk cores threadable memory gpus gpu gpu_memory timeout timeout_llu tags "
        "limits env services outputs",
        "depend": "depjob deplayer depframe onjob onlayer onframe",
    }
    needed = {
        "spec": {"show", "shot", "user"},
        "layer": {"cmd", "range", "chunk"},
        "depend": {"depjob", "onjob"},
    }
    job = written(tmp_path, "opencue")
    root = ElementTree.parse(job.folder / "job.xml").getroot()
    for element in root.iter():
        tags = [child.tag for child in element]
        if element.tag in order:
            places = [order[element.tag].split().index(tag) for tag in tags]
            assert places == sorted(places), element.tag
            assert needed.get(element.tag, set()) <= set(tags)
        assert all(" " not in element.get("name", "") for element in root.iter()), "names are tokens"
    layers = [layer.get("name") for layer in root.iter("layer")]
    assert len(layers) == len(set(layers)) == 10
    waits = {d.findtext("deplayer"): d.findtext("onlayer") for d in root.iter("depend")}
    assert (
        waits["sh020.6-10"] == "sh020.1-5"
        and waits["sh020.qc"] == "sh020.11-12"
        and waits["sh030.qc"] == "sh030"
    )
    assert waits["sh020.1-5"] == "sh020.paint" and waits["sh030"] == "sh030.paint"
    assert set(waits) | set(waits.values()) <= set(layers)


def test_slurm_asks_for_a_card_only_where_it_renders(tmp_path):
    job = written(tmp_path, "slurm", Needs(gpu=True))
    queued = (job.folder / "submit.sh").read_text("utf-8").splitlines()
    asks = {line.split()[-1].rstrip(")"): "--gres=gpu:1" in line for line in queued if "tasks/" in line}
    names = ("shots", "sh020", "sh030")
    looks = {f"tasks/{name}.{kind}.tsv" for kind, of in (("qc", names), ("paint", names[1:])) for name in of}
    assert set(asks) == {*(f"tasks/{name}.tsv" for name in names), *looks}
    assert all(asks[name] != (name in looks) for name in asks)


def test_only_chunks_that_are_painted_wait_for_their_key_frames(tmp_path):
    rows = [("auto", "5", ""), ("auto", "", ""), ("network", "5", ""), ("off", "5", "2"), ("auto", "5", "2")]
    lines = [f"s{n},/p.####.exr,/m.png,/o{n}/c.####.exr,1-12,{','.join(row)}" for n, row in enumerate(rows)]
    header = "name,plate,matte,output,frames,paint,chunk_frames,pre_roll"
    (tmp_path / "l.csv").write_text("\n".join([header, *lines]), "utf-8")

    def painted(**fields: str) -> dict[str, str]:
        shots, bad = understand(read_shot_list(tmp_path / "l.csv"), fields)
        assert not bad
        job = plan_farm("night", tmp_path, shots, Needs(), Manners(path_maps=("/a=/b",)))
        for shot in job.shots:
            if shot.paint is not None:
                words = job.paint_arguments(job.path_of(shot), "lines")
                assert _parser().parse_args(words).path_map == ["/a=/b"]
        return {shot.name: shot.paint for shot in job.shots if shot.paint is not None}

    assert painted() == {"s0": "s0.paint", "s4": "s4.paint"}
    assert painted(propagate="off") == painted(quality="draft") == {}


def test_tractor_nests_braces_well(tmp_path):
    text = (written(tmp_path, "tractor").folder / "job.alf").read_text("utf-8")
    depth = 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    tkinter = pytest.importorskip("tkinter")
    job = tkinter.Tcl().splitlist(text[text.index("Job ") :])
    assert job[0] == "Job" and job[job.index("-title") + 1] == "night 1"
    assert len(tkinter.Tcl().splitlist(job[job.index("-subtasks") + 1])) % 6 == 0, (
        "Task name and options, thrice"
    )


@pytest.mark.installed
def test_deadline_cloud_takes_the_bundle(tmp_path):
    job = written(tmp_path, "deadline-cloud")
    assets = yaml.safe_load((job.folder / "asset_references.yaml").read_text("utf-8"))["assetReferences"]
    assert assets["inputs"]["directories"] == ["/my show/sh010", "/show/sh020", "/show/sh030"]
    assert assets["outputs"]["directories"] == ["/my show/sh010/out", "/show/sh020/out", "/show/sh030/out"]
    values = yaml.safe_load((job.folder / "parameter_values.yaml").read_text("utf-8"))["parameterValues"]
    assert {"name": "Jobs", "value": "jobs"} in values
    deadline = shutil.which(os.environ.get("CLEANPLATE_TEST_DEADLINE", "deadline"))
    if deadline is None:
        pytest.skip("deadline is not installed; it wants an environment of its own: pip install deadline")
    done = subprocess.run([deadline, "bundle", "info", str(job.folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["steps"][:2] == ["Render 1", "QC of Render 1"]
    assert [parameter["name"] for parameter in told["parameters"]] == ["Jobs", "Cleanplate"]


@pytest.mark.parametrize("engine", sorted(set(FILES) - {"opencue"}))
def test_a_client_that_is_not_there_is_named(tmp_path, engine, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"is not on PATH to submit it; install .* or submit the folder"):
        submit(ENGINES[engine], tmp_path)


if __name__ == "__main__":
    os.environ["LOGNAME"] = "artist"
    GOLDEN.mkdir(exist_ok=True)
    for name in FILES:
        with tempfile.TemporaryDirectory() as scratch:
            text = text_of(written(Path(scratch).resolve(), name), name)
        (GOLDEN / f"{name}.txt").write_text(text, "utf-8")


@pytest.mark.parametrize("engine", ["slurm", "openjd", "opencue", "tractor"])
def test_only_what_runs_the_network_asks_for_a_card(tmp_path, engine, monkeypatch):
    monkeypatch.setenv("LOGNAME", "artist")
    rows = ["fill,render,,", "tall,retarget,9:16,", "near,retarget,9:16,/c.####.exr", "dust,restore,,"]
    lines = [
        f"{row.split(',')[0]},/p.####.exr,/m.png,/o/{row.split(',')[0]}.####.exr,1-9,{row.partition(',')[2]}"
        for row in rows
    ]
    lines.append("mark,/p.####.exr,,/o/mark.####.exr,1-9,detect,,")
    header = "name,plate,matte,output,frames,do,aspect,clean"
    (tmp_path / "l.csv").write_text("\n".join([header, *lines]), "utf-8")
    shots, bad = understand(read_shot_list(tmp_path / "l.csv"))
    assert not bad
    job = plan_farm("night", tmp_path / engine, shots, Needs(gpu=True), Manners())
    assert [shot.name for shot in job.shots if shot.takes_card] == ["fill", "tall"]
    assert [shot.name for shot in job.shots if not job.last_step(shot)] == ["mark"]
    ENGINES[engine].write(job)
    if engine == "slurm":
        queued = (job.folder / "submit.sh").read_text("utf-8").splitlines()
        cards = {line.split()[-1].rstrip(")") for line in queued if "--gres=gpu:1" in line}
        assert cards == {"tasks/shots.tsv"}
        others = (job.folder / "tasks/others.tsv").read_text("utf-8")
        assert "near.json" in others and "dust.json" in others and "mark" not in others
    elif engine == "openjd":
        text = (job.folder / "template.yaml").read_text("utf-8")
        steps = {part.partition("\n")[0]: part for part in text.split("\n  - name: ")[1:]}
        assert {name for name, part in steps.items() if "worker.gpu" in part} == {'"Render 1"'}
        assert '"fill", "tall"' in steps['"Render 1"']
        assert (
            '"near", "dust", "mark"' in steps['"Render 2"'] and '"near", "dust"' in steps['"QC of Render 2"']
        )
    elif engine == "opencue":
        layers = (job.folder / "job.xml").read_text("utf-8").split("<layer ")[1:]
        cards = {layer.partition('"')[2].partition('"')[0] for layer in layers if "<gpus>" in layer}
        assert cards == {"fill", "tall"}
    else:
        commands = [
            line for line in (job.folder / "job.alf").read_text("utf-8").splitlines() if "Cmd" in line
        ]
        cards = {line for line in commands if "-service {cleanplate,gpu}" in line}
        assert len(cards) == 2 and all("fill.json" in line or "tall.json" in line for line in cards)


def test_what_runs_no_network_is_not_run_to_know_its_memory(tmp_path):
    save(tmp_path / "p.0001.exr", (spec_of(64, 32, "RGB", "half"), np.zeros((32, 64, 3), np.float16)))
    (tmp_path / "l.csv").write_text(
        "name,do,plate,output,frames\ndust,restore,p.####.exr,c.####.exr,1", "utf-8"
    )
    shots, _ = understand(read_shot_list(tmp_path / "l.csv"))
    job = with_measured_memory(plan_farm("night", tmp_path / "job", shots, Needs(), Manners()))
    assert job.needs.memory_mib == 512
