"""OpenCue: a job specification (cjsl 1.15), and a script that launches it.

Not run against a Cuebot here; the XML validates against cjsl-1.15.dtd of OpenCue's repository.
"""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from .files import filled, write, write_jobs
from .job import JOBS, FarmJob, FarmShot, Part

_MEGABYTE = 1 << 20


def write_opencue(job: FarmJob) -> list[str]:
    """Write the job; returns what to do with it. Raises WriteError."""
    write_jobs(job)
    write(job.folder / "job.xml", opencue_xml(job))
    write(job.folder / "submit.py", filled("opencue_submit.py.txt"))
    return [f"python {job.folder / 'submit.py'}"]


def opencue_xml(job: FarmJob) -> str:
    """Return the job specification."""
    layers: list[str] = []
    depends: list[str] = []
    name = _token(job.name)
    for shot in job.shots:
        previous = _parts(job, shot, name, layers, depends)
        qc = job.qc_arguments(shot.name)
        if qc:
            own = f"{shot.name}.qc"
            layers.append(_layer(job, own, "Post", qc, "1", 1))
            depends.append(filled("opencue_depend.xml", job=name, layer=own, on=previous))
    return filled(
        "opencue.xml",
        show="SHOW",
        shot="cleanplate",
        user=escape(getpass.getuser()),
        name=quoteattr(name),
        tries=job.manners.tries,
        layers="".join(layers).rstrip("\n"),
        depends="".join(depends).rstrip("\n"),
    )


def _parts(job: FarmJob, shot: FarmShot, name: str, layers: list[str], depends: list[str]) -> str:
    """Add a shot's layers; returns the name of the last one."""
    if not shot.is_chain:
        arguments = job.arguments(shot, Part(shot.name, shot.first, shot.last), "auto")
        size = shot.chunk_frames or shot.last - shot.first + 1
        if shot.chunk_frames is not None:
            arguments.insert(3, "--chunk=#FRAME_START#-#FRAME_END#")
        layers.append(_layer(job, shot.name, "Render", arguments, f"{shot.first}-{shot.last}", size))
        return shot.name
    previous = ""
    for part in shot.parts:
        arguments, size = job.arguments(shot, part, "auto"), part.last - part.first + 1
        layers.append(_layer(job, part.name, "Render", arguments, f"{part.first}-{part.last}", size))
        if previous:
            depends.append(filled("opencue_depend.xml", job=name, layer=part.name, on=previous))
        previous = part.name
    return previous


def _layer(job: FarmJob, name: str, kind: str, arguments: Iterable[str], frames: str, size: int) -> str:
    words = [job.manners.command, *(word.replace(JOBS, str(job.jobs_folder)) for word in arguments)]
    needs = job.needs
    # What OpenCue fills in itself must not stand in quotes.
    command = shlex.join(words).replace(
        "'--chunk=#FRAME_START#-#FRAME_END#'", "--chunk=#FRAME_START#-#FRAME_END#"
    )
    gpu = f"        <gpus>1</gpus>\n        <gpu_memory>{needs.gpu_memory_mib}m</gpu_memory>\n"
    return filled(
        "opencue_layer.xml",
        name=quoteattr(name),
        type=quoteattr(kind),
        command=escape(command),
        range=frames,
        chunk=size,
        cores=needs.cores,
        memory=needs.memory_mib,
        gpu=gpu if needs.gpu and kind == "Render" else "",
    )


def _token(name: str) -> str:
    """Return a job's name with what XML name tokens are made of."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lower()
