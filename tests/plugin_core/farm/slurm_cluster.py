"""A Slurm of one machine and two nodes, started for a test: slurmctld and slurmd, no accounts, no munge."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
NODES = ("n1", "n2")

_CONF = """\
ClusterName=cleanplate
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/ended.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=30
MinJobAge=600
InactiveLimit=0
{nodes}
PartitionName=farm Nodes={names} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """A running cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemons. Raises RuntimeError with what they said when they don't get ready."""
        (self.folder / "state").mkdir(parents=True)
        ports = _free_ports(1 + len(NODES))
        host = socket.gethostname()
        nodes = [
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=4000"
            for name, port in zip(NODES, ports[1:], strict=True)
        ]
        conf = _CONF.format(
            host=host, port=ports[0], folder=self.folder, nodes="\n".join(nodes), names=",".join(NODES)
        )
        (self.folder / "slurm.conf").write_text(conf)
        self._daemon("slurmctld", "-D", "-i")
        for name in NODES:
            self._daemon("slurmd", "-D", "-N", name)
        self._wait_for_nodes()

    def stop(self) -> None:
        """End the daemons."""
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def run(self, *command: str) -> str:
        """Run a client; returns what it printed."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()

    def tasks(self) -> dict[str, tuple[str, str]]:
        """State and node of every array task, by "job_task"."""
        lines = self.run("squeue", "--all", "--states=all", "--array", "--noheader", "--format=%i|%T|%N")
        rows = (line.split("|") for line in lines.splitlines())
        return {name: (state, node) for name, state, node in rows}

    def ended(self) -> bool:
        """Whether nothing runs or waits."""
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
        return all(state in over for state, _ in self.tasks().values())

    def wait(self, true, seconds: float = 240) -> None:
        """Wait until something is true."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                log = (self.folder / "slurmctld.log").read_text()[-3000:]
                raise AssertionError(f"{self.tasks()}\n{self.run('scontrol', 'show', 'job')[-3000:]}\n{log}")
            time.sleep(0.3)

    def _daemon(self, name: str, *options: str) -> None:
        command = [shutil.which(name) or f"/usr/sbin/{name}", "-f", str(self.folder / "slurm.conf"), *options]
        log = (self.folder / f"{name}.{len(self._daemons)}.out").open("wb")
        self._daemons.append(
            subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        )

    def _wait_for_nodes(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if any(daemon.poll() is not None for daemon in self._daemons):
                break
            with contextlib.suppress(AssertionError):
                if self.run("scontrol", "show", "node").count("State=IDLE ") == len(NODES):
                    return
            time.sleep(0.3)
        self.stop()
        said = "".join(path.read_text("utf-8", "replace")[-1500:] for path in self.folder.glob("*.out"))
        logs = "".join(path.read_text("utf-8", "replace")[-1500:] for path in self.folder.glob("*.log"))
        raise RuntimeError(f"Slurm did not start here: {said}{logs}")


@contextlib.contextmanager
def slurm() -> Iterator[Slurm]:
    """A cluster while the block runs; pytest.skip with the reason where there can be none."""
    import pytest

    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not on PATH: install slurmctld, slurmd and slurm-client")
    if os.geteuid() != 0:
        pytest.skip("slurmd must be started by root")
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        cluster = Slurm(Path(folder))
        try:
            cluster.start()
        except RuntimeError as error:
            pytest.skip(str(error))
        try:
            yield cluster
        finally:
            cluster.stop()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
