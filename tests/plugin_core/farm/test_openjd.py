"""Open Job Description: the job is really checked and run, killed, and run again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import understand
from plugin_core.errors import InputError
from plugin_core.farm.engines import ENGINES
from plugin_core.farm.job import Manners, Needs, plan_farm
from plugin_core.farm.openjd import openjd_template
from tests.held import Held

from ..commands import TIMEOUT
from .farm_shots import export, make_shots, renders, written

pytestmark = pytest.mark.slow

OPENJD = shutil.which("openjd", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def openjd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([OPENJD, *arguments], capture_output=True, text=True, timeout=TIMEOUT)


def plan(folder: Path, rows: str, needs: Needs | None = None):
    (folder / "shots.csv").write_text(
        "name,plate,matte,output,frames,chunk_frames,pre_roll\n" + rows, "utf-8"
    )
    shots, bad = understand(read_shot_list(folder / "shots.csv"), {"paint": "network"})
    assert not bad
    return plan_farm("night", folder / "job", shots, needs or Needs(), Manners())


def template(folder: Path, rows: str, needs: Needs | None = None) -> dict:
    return yaml.safe_load(openjd_template(plan(folder, rows, needs), ENGINES["openjd"]))


def test_steps_tasks_and_what_waits_for_what(tmp_path):
    rows = "a,p.####.exr,m.png,a.####.exr,1-9,,\nb,p.####.exr,m.png,b.####.exr,1-9,4,\n"
    rows += "c,p.####.exr,m.png,c.####.exr,1-9,4,2\nd,p.####.exr,m.png,d.####.exr,-3-3,,\n"
    told = template(tmp_path, rows, Needs(gpu=True, gpu_memory_mib=6000))
    waits = {step["name"]: [d["dependsOn"] for d in step.get("dependencies", [])] for step in told["steps"]}
    assert waits == {
        "Render 1": [],
        "QC of Render 1": ["Render 1"],
        "Chunks 1": [],
        "QC of Chunks 1": ["Chunks 1"],
        "b 1-4": [],
        "b 5-8": ["b 1-4"],
        "b 9-9": ["b 5-8"],
        "QC of b": ["b 9-9"],
    }
    chunks = next(step for step in told["steps"] if step["name"] == "Chunks 1")
    ranges = {p["name"]: p["range"] for p in chunks["parameterSpace"]["taskParameterDefinitions"]}
    assert ranges == {"Shot": ["c"] * 3, "First": [1, 5, 9], "Last": [4, 8, 9]}
    amounts = {amount["name"]: amount["min"] for amount in chunks["hostRequirements"]["amounts"]}
    assert amounts["amount.worker.gpu.memory"] == 6000 and amounts["amount.worker.memory"] == 8192
    checks = next(step for step in told["steps"] if step["name"] == "QC of Chunks 1")
    assert "amount.worker.gpu" not in {need["name"] for need in checks["hostRequirements"]["amounts"]}
    run = chunks["script"]["actions"]["onRun"]
    assert run["cancelation"] == {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": 60}
    assert "--chunk={{Task.Param.First}}-{{Task.Param.Last}}" in run["args"]


def test_more_shots_than_one_step_takes(tmp_path):
    rows = "".join(f"s{n},p.####.exr,m.png,o{n}.####.exr,1-9,,\n" for n in range(1100))
    told = template(tmp_path, rows)
    counts = [len(step["parameterSpace"]["taskParameterDefinitions"][0]["range"]) for step in told["steps"]]
    assert counts == [1024, 1024, 76, 76]


def test_a_template_that_grows_too_large_is_refused(tmp_path):
    rows = "".join(f"s{n},p.####.exr,m.png,o{n}.####.exr,1-100,4,\n" for n in range(60))
    with pytest.raises(InputError, match=r"write several jobs with --only, or larger chunks"):
        template(tmp_path, rows)


@pytest.mark.skipif(OPENJD is None, reason="openjd is not installed: pip install cleanplate[farm]")
def test_the_job_runs_is_killed_and_runs_again(tmp_path, bundle_512):
    """In a folder whose name would break a shell; the chain's second chunk is killed in the middle."""
    shots = make_shots(tmp_path / "it's a show", bundle_512)
    shots.render_true()
    out = tmp_path / "the job"
    assert "3 shots, 5 tasks" in export(shots, "openjd", out)
    checked = openjd("check", str(out / "template.yaml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr

    held = Held(tmp_path / "held", "*/sh020/out/clean.0008.exr")
    running = subprocess.Popen(
        [OPENJD, "run", str(out / "template.yaml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=held.environ(),
    )
    held.wait(running)
    killed = renders(out, "sh020")
    for process in killed:
        process.kill()
    held.go()
    said, _ = running.communicate(timeout=TIMEOUT)
    assert killed and running.returncode != 0, said
    assert written(shots, 1) == 7, "it was killed in the middle"

    again = openjd("run", str(out / "template.yaml"))
    assert again.returncode == 0, again.stdout[-3000:]
    assert "openjd_progress: 100.0" in again.stdout
    assert "openjd_status: frame 12" in again.stdout
    assert again.stdout.count("no faults") == 3, "each shot was looked at after its last frame"
    shots.check()
