"""Send a node to the farm: plate and matte from here, the filling there, without a Nuke licence."""

from __future__ import annotations

import json
from pathlib import Path

import nuke

from . import flow, places
from .group import convert
from .problem import InpaintError
from .request import Request, read_request


def send(node: nuke.Node, engine: str, submit: bool = False) -> str:
    """Write plate, matte, a list of shots (one for each view) and the engine's job; say where it is.

    With `submit` the job is handed to the engine's own client too.

    Raises InpaintError when the node can't be rendered or the installed core knows no farms.
    """
    if submit and engine == "openjd":
        raise InpaintError(
            "An openjd job has no farm of its own: it would run on this machine. Turn 'submit' off to have "
            "it written for a scheduler, or press Render."
        )
    convert(node)
    request = read_request(node)
    flow.check_upstream(node)
    flow.prepare(node, request, None)
    folder = Path(places.in_view(request.folder, request.views[0])) / "farm"
    folder.mkdir(parents=True, exist_ok=True)
    shots = folder / "shots.json"
    shots.write_text(json.dumps({"shots": _shots(request)}, indent=2, ensure_ascii=False), "utf-8")
    core = request.core(request.views[0])
    out = folder / engine
    arguments = ["farm", engine, str(shots), "--output", str(out), "--name", _job_name(request)]
    arguments += ["--gpu"] if request.device.startswith("cuda") else []
    arguments += ["--submit"] if submit else []
    try:
        told = core.call(arguments)
    except InpaintError as error:
        if "invalid choice" in str(error):
            raise InpaintError(
                "The installed Cleanplate has no 'farm' command; update it. Plate, matte and the list of "
                f"shots are written: {shots}."
            ) from None
        raise
    done = "was handed in" if submit else "is written"
    return f"The {engine} job {done}: {told}\nPress Render when it is done."


def _job_name(request: Request) -> str:
    return f"{Path(places.script_path()).stem or 'cleanplate'} {request.name}"


def _shots(request: Request) -> list[dict[str, object]]:
    shots = []
    for view in request.views:
        job = json.loads(request.job(view).read_text("utf-8"))
        name = request.name.replace(".", "_")
        shot: dict[str, object] = {"name": name if len(request.views) == 1 else f"{name}_{view}"}
        shot.update(job["shot"])
        shot.update(job["settings"])
        shot.update(model=request.model)
        shot.update({name: job[name] for name in ("do", "restore", "retarget") if name in job})
        shots.append(shot)
    return shots
