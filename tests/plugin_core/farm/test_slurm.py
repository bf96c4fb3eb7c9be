"""Slurm: a job is really submitted; tasks are killed, requeued, and a node is drained under them."""

from __future__ import annotations

import subprocess

import pytest

from tests.held import Held

from .farm_shots import export, make_shots, renders, written
from .slurm_cluster import NODES, Slurm, slurm

pytestmark = [pytest.mark.slow, pytest.mark.installed]


@pytest.fixture(scope="module")
def cluster():
    with slurm() as running:
        yield running


def submit(cluster: Slurm, script, *held: Held) -> None:
    environment = cluster.environment | (held[0].environ(*held[1:]) if held else {})
    done = subprocess.run(["sh", str(script)], env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def test_killed_requeued_and_drained_the_frames_are_the_same(cluster, tmp_path, bundle_512):
    shots = make_shots(tmp_path / "my show", bundle_512)
    shots.render_true()
    export(shots, "slurm", tmp_path / "job", "--notice", "20")
    whole = Held(tmp_path / "held1", "*/sh010/out/clean.0003.exr")
    link = Held(tmp_path / "held2", "*/sh020/out/clean.0003.exr")
    submit(cluster, tmp_path / "job" / "submit.sh", whole, link)
    tasks = cluster.tasks()
    assert len(tasks) == 1 + 2 + 2 + 3, "a whole shot, a chain and a grid of two, and a step after each"
    chain = sorted((name for name in tasks if int(name.split("_")[0]) in (3, 4)), key=str)
    assert [name.split("_")[1] for name in chain] == ["1", "2"]

    whole.wait()
    for process in renders(tmp_path / "job", "sh010"):
        process.kill()  # the task's own script tries again
    whole.go()

    link.wait()
    cluster.run("scontrol", "requeue", chain[0])
    link.go()

    cluster.wait(lambda: written(shots, 1) >= 6)
    cluster.run("scontrol", "update", f"NodeName={NODES[0]}", "State=DRAIN", "Reason=test")
    on_drained = {name for name, (state, node) in cluster.tasks().items() if node == NODES[0]}

    cluster.wait(cluster.ended)
    cluster.run("scontrol", "update", f"NodeName={NODES[0]}", "State=RESUME")
    tasks = cluster.tasks()
    logs = {path.name: path.read_text() for path in (tmp_path / "job" / "logs").iterdir()}
    assert {state for state, _ in tasks.values()} == {"COMPLETED"}, (tasks, logs)
    late = {name for name, (_, node) in tasks.items() if node == NODES[0]} - on_drained
    assert not late, "nothing began on the drained node"
    assert any("try 2" in log for log in logs.values()), logs
    assert any(log.count("try 1: render") > 1 for log in logs.values()), "a requeued task goes on in its log"
    assert "".join(logs.values()).count("no faults") == 3, "each shot was looked at after its last frame"
    shots.check()


def test_a_link_that_fails_takes_the_rest_of_its_chain_along(cluster, tmp_path, bundle_512):
    shots = make_shots(tmp_path, bundle_512)
    export(shots, "slurm", tmp_path / "job", "--only", "sh020")
    shots.shots[1].plate(3).write_bytes(b"not a picture")
    before = set(cluster.tasks())
    submit(cluster, tmp_path / "job" / "submit.sh")
    cluster.wait(cluster.ended)
    states = {state for name, (state, _) in cluster.tasks().items() if name not in before}
    assert sorted(states) in (["CANCELLED", "FAILED"], ["FAILED"]), cluster.tasks()
    log = next((tmp_path / "job" / "logs").glob("*_1.log")).read_text()
    assert "plate.0003.exr" in log and log.count("try") == 1, "no second try mends a broken plate"
