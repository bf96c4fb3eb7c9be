"""What a node asks for, read from its knobs once and checked, and the job.json made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import nuke

from . import places
from .catalog import default, effective, presets
from .color import Color, color_of
from .command import environment, find_command
from .core import Core
from .group import every_inpaint
from .knobs import ALL_VIEWS, CUSTOM, DOES, EXACT, INPUT, MATTE_INPUT, PLATE_INPUT, SHADOW_INPUT
from .problem import InpaintError

_LOOK = {
    "grow": "grow",
    "feather": "feather",
    "invert": "matte_invert",
    "grain": "grain",
    "paint": "paint",
}
"""Knobs and the core's settings of the same meaning."""

_IN_EXR = {"rgba.red": "R", "rgba.green": "G", "rgba.blue": "B", "rgba.alpha": "A", "depth.Z": "Z"}
"""What Nuke calls these channels in an EXR file; all others keep their names."""


class Beyond(NamedTuple):
    """What a node asks for beside the core's settings; at its default what its mode does not use.

    Attributes:
        do: what the core does: `render` fills what is matted, `restore` repairs damage, `detect` finds it,
            `retarget` gives another aspect.
        sensitivity: how much is taken for damage, 0 to 1.
        aspect: the new one, width over height on a screen.
        keep: what becomes of the background.
        has_shadow: whether the input for shadows is connected.
        reference: frames painted by hand, a pattern or a folder; empty for none.
        patch: whether the fill alone is written too.
    """

    do: str = "render"
    sensitivity: float = 0.5
    aspect: str = ""
    keep: str = ""
    has_shadow: bool = False
    reference: str = ""
    patch: bool = False

    @property
    def is_about_damage(self) -> bool:
        """Whether damage is found, rather than that a matte says what goes or stays."""
        return self.do in ("restore", "detect")

    def looks(self) -> dict[str, object]:
        """Return what of it changes the result; what is not used is left out."""
        asked: dict[str, object] = {}
        if self.is_about_damage:
            asked["repair" if self.do == "restore" else "finding"] = self.sensitivity
        if self.do == "retarget":
            asked.update({"aspect": self.aspect, "background": self.keep})
        asked.update({"shadow": True} if self.has_shadow else {})
        asked.update({"reference frames": self.reference} if self.reference else {})
        asked.update({"patch": True} if self.patch else {})
        return asked


class Request(NamedTuple):
    """One render, as the knobs stood when it was asked for.

    Attributes:
        name: the node's full name, for messages.
        folder: of the version, with ``%V`` where the script has several views.
        views: those to fill.
        first, last: frames, both inclusive.
        matte_channel: full name, ``rgba.alpha``.
        exact: whether the plate is written in 32 bit.
        settings: the core's, by its own names.
        color: of the plate.
        model, device: the core's.
        command: the words that start the core.
        has_matte: whether that input is connected.
        beyond: what is asked for beside the settings.
    """

    name: str
    folder: str
    views: tuple[str, ...]
    first: int
    last: int
    matte_channel: str
    exact: bool
    settings: dict[str, object]
    color: Color
    model: str
    device: str
    command: list[str]
    has_matte: bool
    beyond: Beyond

    @property
    def do(self) -> str:
        """What the core is asked to do."""
        return self.beyond.do

    @property
    def kinds(self) -> tuple[str, ...]:
        """What Nuke writes for the core, `places.input_pattern`'s words."""
        there = (("plate", True), ("matte", self.has_matte), ("shadow", self.beyond.has_shadow))
        return tuple(kind for kind, is_there in there if is_there)

    @property
    def frames(self) -> range:
        """Every frame asked for."""
        return range(self.first, self.last + 1)

    def job_folder(self, view: str) -> Path:
        """Return the folder of the job's own files."""
        return Path(places.in_view(self.folder, view)) / "job"

    def job(self, view: str) -> Path:
        """Return the job.json."""
        return self.job_folder(view) / "job.json"

    def cancel_file(self, view: str) -> Path:
        """Return the file that stops the render."""
        return self.job_folder(view) / "cancel"

    def core(self, view: str) -> Core:
        """Return the core, with this view's log."""
        env = environment(str(Path(nuke.EXE_PATH).parent))
        return Core(self.command, env, self.job_folder(view) / "cleanplate.log")

    def looks(self) -> dict[str, object]:
        """Return what changes pixels, to be compared with a later request's."""
        return {
            **effective(self.settings),
            "color space": self.color.space,
            "model": self.model,
            **self.beyond.looks(),
        }


def read_request(node: nuke.Node) -> Request:
    """Read a node's knobs.

    Raises InpaintError when something is missing or does not fit; nothing was touched.
    """
    name = node.fullName()
    plate, matte, shadow = (node.input(number) for number in (PLATE_INPUT, MATTE_INPUT, SHADOW_INPUT))
    beyond = beyond_of(node)
    for source, what in ((plate, "plate"), (matte, "matte")):
        if source is None and (what == "plate" or not beyond.is_about_damage):
            raise InpaintError(f"{name} has no {what}: connect its '{what}' input.")
    if beyond.do == "retarget" and not beyond.aspect:
        raise InpaintError(f"{name} has no aspect: type the new one into 'aspect', such as 9:16 or 1.85.")
    assert plate is not None
    first, last = frame_range(node, plate)
    channel = str(node["matte_channel"].value())
    for source, what in ((matte, "matte"), (shadow, "shadow")):
        if source is not None and channel not in source.channels():
            raise InpaintError(
                "{}: the {} has no channel '{}'; it has {}. Choose another in 'matte channel'.".format(
                    name, what, channel, ", ".join(source.channels()) or "none"
                )
            )
    request = Request(
        name=name,
        folder=places.version_folder(node),
        views=_views(node),
        first=first,
        last=last,
        matte_channel=channel,
        exact=node["precision"].value() == EXACT,
        settings=asked_of(node),
        color=color_of(node),
        model=str(node["model"].value()).strip() or default("model"),
        device=str(node["device"].value()).strip() or default("device"),
        command=find_command(str(node["command"].value() or "")),
        has_matte=matte is not None and beyond.do != "detect",
        beyond=beyond,
    )
    _refuse_shared_folder(request)
    return request


def frame_range(node: nuke.Node, plate: nuke.Node) -> tuple[int, int]:
    """Return the frames a node fills. Raises InpaintError when the range is empty."""
    kind = node["range"].value()
    if kind == CUSTOM:
        first, last = int(node["first"].value()), int(node["last"].value())
    elif kind == INPUT:
        span = plate.frameRange()
        first, last = span.first(), span.last()
    else:
        root = nuke.root()
        first, last = int(root["first_frame"].value()), int(root["last_frame"].value())
    if last < first:
        raise InpaintError(
            f"{node.fullName()}: the frame range {first}-{last} runs backwards; set 'frame range'."
        )
    return first, last


def look_of(node: nuke.Node) -> dict[str, object]:
    """Return what changes pixels, by the core's names."""
    return {**effective(asked_of(node)), **beyond_of(node).looks()}


def beyond_of(node: nuke.Node) -> Beyond:
    """Return what a node asks for beside the core's settings; nothing where its layout is an older one."""
    if node.knob("mode") is None:
        return Beyond()
    asked = Beyond(do=DOES[str(node["mode"].value())])
    if asked.is_about_damage:
        return asked._replace(sensitivity=float(node["sensitivity"].value()))
    asked = asked._replace(has_shadow=node.input(SHADOW_INPUT) is not None, reference=_reference(node))
    if asked.do == "retarget":
        return asked._replace(aspect=str(node["aspect"].value()).strip(), keep=str(node["keep"].value()))
    return asked._replace(patch=bool(node["patch"].value()))


def _reference(node: nuke.Node) -> str:
    """Return where frames painted by hand lie, TCL replaced; empty for none."""
    return places.evaluated(str(node["reference"].value() or "").strip()).replace("\\", "/")


def asked_of(node: nuke.Node) -> dict[str, object]:
    """Return the core's settings that the knobs stand for, as a job.json has them."""
    channel = str(node["matte_channel"].value())
    settings: dict[str, object] = {
        setting: node[knob].value() for knob, setting in _LOOK.items() if node.knob(knob) is not None
    }
    quality = str(node["quality"].value())
    settings["quality"] = quality
    if "propagate" not in presets(quality):
        settings["propagate"] = int(node["search_frames"].value()) if node["real_pixels"].value() else 0
    settings["matte_channel"] = _IN_EXR.get(channel, channel)
    return settings


def write_job(request: Request, view: str, wait_seconds: float = 0) -> Path:
    """Write a view's job.json and return its path.

    `wait_seconds` is how long the core waits where another render is filling the same frames.
    """
    folder = places.in_view(request.folder, view)
    shot: dict[str, object] = {
        "plate": places.input_pattern(folder, "plate"),
        "output": places.result_pattern(folder),
        "frames": f"{request.first}-{request.last}",
        "colorspace": request.color.space,
        "ocio_config": request.color.config or None,
    }
    if request.has_matte:
        shot["matte"] = places.input_pattern(folder, "matte")
    if request.beyond.has_shadow:
        shot["shadow_matte"] = places.input_pattern(folder, "shadow")
    if request.beyond.reference:
        shot["reference"] = places.in_view(request.beyond.reference, view)
    if request.beyond.patch:
        shot.update(patch=places.patch_pattern(folder), layers=["source"])
    job: dict[str, object] = {
        "version": 1,
        "shot": shot,
        "settings": request.settings,
        "run": {
            "model": request.model,
            "device": request.device,
            "progress_file": str(request.job_folder(view) / "progress.jsonl"),
            "cancel_file": str(request.cancel_file(view)),
            "wait_seconds": wait_seconds,
        },
    }
    if request.do == "retarget":
        job.update(do=request.do, retarget={"aspect": request.beyond.aspect, "keep": request.beyond.keep})
    elif request.beyond.is_about_damage:
        # Of the settings, those that say what of the matte counts.
        about = ("matte_channel", "matte_invert")
        job["settings"] = {name: request.settings[name] for name in about} if request.has_matte else {}
        job.update(do=request.do, restore={"sensitivity": request.beyond.sensitivity})
    path = request.job(view)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(job, indent=2, ensure_ascii=False), "utf-8")
    return path


def _views(node: nuke.Node) -> tuple[str, ...]:
    asked, known = str(node["view"].value()), nuke.views()
    if asked == ALL_VIEWS:
        return tuple(known)
    if asked not in known:
        raise InpaintError(
            "{}: the script has no view '{}' any more; it has {}.".format(
                node.fullName(), asked, ", ".join(known)
            )
        )
    return (asked,)


def _refuse_shared_folder(request: Request) -> None:
    """Two nodes that write the same files would mix their pictures."""
    for other in every_inpaint(nuke.root()):
        if other.fullName() != request.name and folder_or_none(other) == request.folder:
            raise InpaintError(
                f"{request.name} and {other.fullName()} write into the same folder, {request.folder}; give "
                "one of them another folder or version."
            )


def folder_or_none(node: nuke.Node) -> str | None:
    """Return a node's folder; None where its own Render will say what is wrong with it."""
    try:
        return places.version_folder(node)
    except InpaintError:
        return None
