"""Send a node to the farm: plate and matte from here, the filling there, without a Nuke licence."""

from __future__ import annotations

import json
from pathlib import Path

import nuke

from . import flow, places
from .problem import InpaintError
from .request import Request, read_request


def send(node: nuke.Node, engine: str) -> str:
    """Write plate, matte, a list of shots (one for each view) and the engine's job; say where it is.

    Raises InpaintError when the node can't be rendered or the installed core knows no farms.
    """
    request = read_request(node)
    flow.check_upstream(node)
    flow.prepare(node, request, None)
    folder = Path(places.in_view(request.folder, request.views[0])) / "farm"
    folder.mkdir(parents=True, exist_ok=True)
    shots = folder / "shots.json"
    shots.write_text(json.dumps({"shots": _shots(request)}, indent=2, ensure_ascii=False), "utf-8")
    core = request.core(request.views[0])
    out = folder / engine
    try:
        core.call(["farm", engine, str(shots), "--out", str(out)])
    except InpaintError as error:
        if "invalid choice" in str(error):
            raise InpaintError(
                "The installed Cleanplate has no 'farm' command; update it. Plate, matte and the list of "
                f"shots are written: {shots}."
            ) from None
        raise
    return f"The {engine} job is in {out}. Press Render when it is done."


def _shots(request: Request) -> list[dict[str, object]]:
    shots = []
    for view in request.views:
        job = json.loads(request.job(view).read_text("utf-8"))
        name = request.name.replace(".", "_")
        shot: dict[str, object] = {"name": name if len(request.views) == 1 else f"{name}_{view}"}
        shot.update(job["shot"])
        shot.update(job["settings"])
        shot.update(model=request.model)
        shots.append(shot)
    return shots
