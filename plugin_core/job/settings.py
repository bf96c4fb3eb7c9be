"""Every field of a job, declared once: its type, range, default, and what it says of itself.

The command's options, docs/settings.md, the published schemas and what the hosts' panels show are generated
from here by `make generated`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ..clips.sequence import FrameRange
from ..errors import SettingsError
from .about import About
from .restore_settings import Restore
from .retarget_settings import Retarget
from .strict import Strict

PROPAGATE_FRAMES = 48
"""Frames ahead and back that are searched for real pixels unless told otherwise."""

_DRAFT, _HIGH = 256, 1536
QUALITIES: Mapping[str, Mapping[str, int]] = {
    "draft": {"working_size": _DRAFT, "propagate": 0},
    "standard": {},
    "high": {"working_size": _HIGH},
}
"""What each quality sets where nothing else does; `standard` leaves every field at its own default."""

_MOST_CUTS = 10_000
_REGION = re.compile("[0-9]{1,6},[0-9]{1,6},[1-9][0-9]{0,5},[1-9][0-9]{0,5}")


def _frames(value: object) -> object:
    """Write what Python calls a range as people do: (first, last), both included, or a range of step 1."""
    if isinstance(value, range) and value and value.step == 1:
        value = (value[0], value[-1])
    if isinstance(value, tuple) and len(value) == 2 and all(type(frame) is int for frame in value):
        return f"{value[0]}-{value[1]}"
    return str(value) if isinstance(value, FrameRange) else value


def _frame_list(value: object) -> object:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and len(value) > _MOST_CUTS:
        raise ValueError(f"at most {_MOST_CUTS} frames")
    return value


def _names(value: object) -> object:
    """Take a list as a command line or a table has it; each name counts once."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(dict.fromkeys(value))
    return value


def _region(value: object) -> object:
    """Take out the spaces of x,y,w,h; refuse what is neither that nor a name."""
    text = str(value).replace(" ", "")
    if text not in ("auto", "full") and not _REGION.fullmatch(text):
        raise ValueError("auto, full or x,y,w,h in pixels")
    return text


def _number_as_text(value: object) -> object:
    """A list of shots or a host may well write 16 where it means "16"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _look_ahead(value: object) -> object:
    if isinstance(value, str):
        return {"on": PROPAGATE_FRAMES, "off": 0}.get(value.lower(), value)
    return {True: PROPAGATE_FRAMES, False: 0}[value] if isinstance(value, bool) else value


class Shot(Strict):
    """Where a shot's pictures are."""

    plate: Annotated[
        str,
        About(
            "The pictures to fill: a sequence (plate.####.exr, plate.%04d.exr, plate.@@@@.exr), a folder "
            "that holds one, or a movie file.",
            label="plate",
            group="shot",
            level="basic",
            brief="pictures to fill: plate.####.exr, a folder, a movie",
            metavar="P",
            path=True,
        ),
    ] = Field(min_length=1)
    matte: Annotated[
        str | None,
        About(
            "What goes away, in white (1): a sequence, folder or movie like the plate's, or one still for "
            "every frame. A restoration that is given none finds the damage itself.",
            label="matte",
            group="shot",
            level="basic",
            brief="what goes away, in white: like the plate, or a still",
            metavar="M",
            unset="needed, but to detect or restore",
            path=True,
        ),
    ] = Field(None, min_length=1)
    output: Annotated[
        str,
        About(
            "The clean plate: a sequence, a folder (the plate's own file name and format are used), or a "
            ".mov file, which is written as ProRes 4444.",
            label="output",
            group="shot",
            level="basic",
            brief="the clean plate: a sequence, a folder or a .mov",
            metavar="O",
            path=True,
        ),
    ] = Field(min_length=1)
    reference: Annotated[
        str | None,
        About(
            "Frames whose hole was painted by hand: pictures with the frame's number in their name "
            "(ref.1012.exr, ref.####.exr), or a folder of them. They are whole clean plates, or patches with "
            "alpha, and what they show is carried to all other frames.",
            label="reference frames",
            group="shot",
            metavar="R",
            unset="none",
            path=True,
        ),
    ] = Field(None, min_length=1)
    frames: Annotated[
        str | None,
        BeforeValidator(_frames),
        About(
            "Frame range, such as 1001-1100.",
            label="frame range",
            group="shot",
            level="basic",
            brief="such as 1001-1100; all of the plate's if left out",
            metavar="A-B",
            unset="all frames of the plate",
        ),
    ] = None
    colorspace: Annotated[
        str,
        About(
            "Color space of the plate: an OpenColorIO name such as ACEScg, or linear (scene-linear Rec.709), "
            "display or cineon. auto is what the file says, else linear for floating-point plates and "
            "display for others.",
            label="color space",
            group="color",
            level="basic",
            brief="of the plate: ACEScg, display, linear ...",
            metavar="NAME",
        ),
    ] = Field("auto", min_length=1)
    ocio_config: Annotated[
        str | None,
        About(
            "The OpenColorIO configuration that the color space's name is from.",
            label="OCIO configuration",
            group="color",
            metavar="FILE",
            unset="$OCIO, or the built-in one",
            path=True,
        ),
    ] = None
    view: Annotated[
        str | None,
        About(
            "The view of a stereo plate to fill; the others pass through.",
            label="view",
            group="shot",
            metavar="NAME",
            unset="the first",
        ),
    ] = Field(None, min_length=1)
    compression: Annotated[
        str | None,
        About(
            "Compression of the output, by the format's own name: zip, piz, dwaa:45.",
            label="compression",
            group="stored",
            metavar="C",
            unset="the plate's, or ZIP where that would change untouched pixels",
        ),
    ] = Field(None, min_length=1)
    bit_depth: Annotated[
        Literal["8", "10", "12", "16", "half", "float"] | None,
        BeforeValidator(_number_as_text),
        About(
            "Bit depth of the output's color and alpha.",
            label="bit depth",
            group="stored",
            unset="the plate's",
            choices={
                "8": "8 bit integers",
                "10": "10 bit integers",
                "12": "12 bit integers",
                "16": "16 bit integers",
                "half": "16 bit floating point",
                "float": "32 bit floating point",
            },
        ),
    ] = None
    shadow_matte: Annotated[
        str | None,
        About(
            "Shadows and reflections of what goes away, in white: filled too, but where the plate is only "
            "darkened it is made lighter and keeps its own texture. A sequence, folder, movie or still.",
            label="shadow matte",
            group="matte",
            metavar="M",
            unset="none",
            path=True,
        ),
    ] = Field(None, min_length=1)
    sample_matte: Annotated[
        str | None,
        About(
            "What the painter must not borrow, in white: people and things that are to appear once. A "
            "sequence, folder, movie or still like the matte's.",
            label="sample matte",
            group="matte",
            metavar="M",
            unset="the painter may borrow from the whole plate",
            path=True,
        ),
    ] = Field(None, min_length=1)
    patch: Annotated[
        str | None,
        About(
            "Write the fill alone here, too, premultiplied and with its alpha: merged over the plate it "
            "gives the output. An EXR sequence, or a folder; --patch alone adds layers to the output.",
            label="patch",
            bare=("layers", "patch"),
            group="stored",
            metavar="EXR",
            unset="none",
            path=True,
        ),
    ] = Field(None, min_length=1)
    patch_window: Annotated[
        Literal["hole", "plate"],
        About(
            "How much of the picture the --patch sequence holds.",
            label="patch window",
            group="stored",
            choices={
                "hole": "the box around the hole, as its data window",
                "plate": "all of the plate: for programs that take a file's data window for its picture, as "
                "Blender's sequencer does",
            },
        ),
    ] = "hole"
    layers: Annotated[
        tuple[Literal["patch", "source"], ...],
        BeforeValidator(_names),
        About(
            "Layers for the comp, added to the output (.exr), or to the --patch sequence where there is one: "
            "patch is the fill alone, premultiplied, with its alpha; source says of each pixel of the fill "
            "what it is, and from which frame and place (an ST-map).",
            label="layers",
            group="stored",
            metavar="L,L",
            unset="none",
        ),
    ] = ()
    cuts: Annotated[
        tuple[int, ...],
        BeforeValidator(_frame_list),
        About(
            "First frames of new camera takes; nothing is carried across a cut.",
            label="cuts",
            group="shot",
            metavar="F,F",
            unset="none",
        ),
    ] = ()

    def needed_matte(self) -> str:
        """Return the matte's name. Raises SettingsError where there is none."""
        if self.matte is None:
            raise SettingsError("Shot needs the field 'matte'.")
        return self.matte

    def frame_range(self) -> FrameRange | None:
        """Return the parsed frame range. Raises InputError when it can't be read."""
        return None if self.frames is None else FrameRange.parse(self.frames)


def matte_names(shot: Shot) -> tuple[str, ...]:
    """Return the names of all mattes of a shot, what goes away first."""
    named = shot.matte, shot.shadow_matte, shot.sample_matte
    return tuple(name for name in named if name is not None)


def inputs_of(shot: Shot) -> tuple[str, ...]:
    """Return the names of the clips and folders of pictures that a shot is made from."""
    return (shot.plate, *matte_names(shot), *([] if shot.reference is None else [shot.reference]))


class Settings(Strict):
    """What changes the pixels."""

    grow: Annotated[
        int,
        About(
            "Pixels the matte is grown by; negative shrinks it. A matte's own edge leaves an outline of the "
            "object: 2 take that of a sharp one away, motion blur and soft edges need more (probe measures "
            "them), 0 fills the matte and no more.",
            label="grow",
            group="matte",
            level="basic",
            brief="pixels the matte is grown by",
            metavar="PX",
            unit="pixels",
            slider=(-50, 50),
        ),
    ] = Field(2, ge=-512, le=512)
    feather: Annotated[
        int,
        About(
            "Pixels over which the fill fades into the plate: hides the seam.",
            label="feather",
            group="blend",
            level="basic",
            brief="pixels over which the fill fades into the plate",
            metavar="PX",
            unit="pixels",
            slider=(0, 50),
        ),
    ] = Field(2, ge=0, le=512)
    feather_side: Annotated[
        Literal["outside", "center", "inside"],
        About(
            "Where the fill fades into the plate.",
            label="feather side",
            group="blend",
            choices={
                "outside": "outside the grown matte",
                "center": "half and half",
                "inside": "inside the grown matte",
            },
        ),
    ] = "outside"
    matte_channel: Annotated[
        str,
        About(
            "Channel of the matte that says what goes away: a channel's name, luminance, or auto, which is "
            "alpha, or the brightest color where alpha is 1 everywhere.",
            label="matte channel",
            group="matte",
            level="basic",
            brief="what of the matte counts: a channel, luminance",
            metavar="C",
        ),
    ] = "auto"
    matte_invert: Annotated[
        bool,
        About(
            "Fill where the matte is black instead.",
            label="invert matte",
            group="matte",
            level="basic",
            brief="fill where the matte is black instead",
        ),
    ] = False
    matte_threshold: Annotated[
        float,
        About(
            "Matte values from this one on belong to the hole.",
            label="matte threshold",
            group="matte",
            metavar="V",
        ),
    ] = Field(0.05, gt=0, le=1)
    matte_soft: Annotated[
        bool,
        About(
            "Blend the fill in by the matte's own values, from the threshold on; otherwise they count as 1.",
            label="soft matte",
            group="matte",
        ),
    ] = False
    matte_fit: Annotated[
        Literal["refuse", "scale", "pad", "crop"],
        About(
            "How a matte of another size than the plate's is laid on it.",
            label="matte fit",
            group="matte",
            choices={
                "refuse": "not at all, the render stops",
                "scale": "stretched over the plate",
                "pad": "in the middle, with nothing to fill around it",
                "crop": "its middle",
            },
        ),
    ] = "refuse"
    matte_union: Annotated[
        int,
        About(
            "Frames before and after whose mattes are joined to a frame's own; never across a cut.",
            label="matte union",
            group="matte",
            metavar="N",
            unit="frames",
        ),
    ] = Field(0, ge=0, le=50)
    quality: Annotated[
        Literal["draft", "standard", "high"],
        About(
            "How much work the fill is worth. It sets the working size and the search for real pixels, each "
            "unless it is given itself.",
            label="quality",
            group="fill",
            level="basic",
            brief="draft, standard or high",
            choices={
                "draft": f"at most {_DRAFT} x {_DRAFT} pixels, no real pixels: quick, for judging the matte",
                "standard": "as many pixels as suit the device",
                "high": f"up to {_HIGH} x {_HIGH} pixels, for large holes; slow without a graphics card",
            },
            presets=QUALITIES,
        ),
    ] = "standard"
    propagate: Annotated[
        int,
        BeforeValidator(_look_ahead),
        About(
            "Real pixels first: how many frames before and after each are searched for what the matte hides, "
            "never across a cut. Only the rest is painted; off (0) paints everything, on is the default.",
            label="search frames",
            group="fill",
            level="basic",
            brief="frames searched for real pixels; on, off",
            metavar="N",
            unit="frames",
            words=("on", "off"),
            slider=(1, 100),
        ),
    ] = Field(PROPAGATE_FRAMES, ge=0, le=1000)
    look_ahead: Annotated[
        int | None,
        About(
            "Frames after each that may be looked at: 0 fills frames in memory from the past alone, each "
            "before the next is read (cleanplate.fill; a stream always does). Renders of files look ahead.",
            label="look ahead",
            group="fill",
            metavar="0",
            unit="frames",
            unset="as many as help",
        ),
    ] = Field(None, ge=0, le=0)
    paint: Annotated[
        Literal["auto", "off", "network"],
        About(
            "What fills what no frame shows. auto paints key frames with pieces of the plate and carries "
            "them along with the background; it needs the search for real pixels.",
            label="paint",
            group="fill",
            level="basic",
            brief="auto (painted), network or off, for the rest",
            choices={
                "auto": "painted key frames, carried to the others; the network where they do not reach",
                "off": "nothing: the plate stays",
                "network": "the network alone",
            },
        ),
    ] = "auto"
    grain: Annotated[
        Literal["auto", "off"],
        About(
            "Whether the fill gets the grain that the plate has around it.",
            label="grain",
            group="blend",
            level="basic",
            brief="auto: give the fill the plate's grain; off",
            choices={
                "auto": "give the fill what it lacks of the plate's grain",
                "off": "leave it smooth",
            },
        ),
    ] = "off"
    border_match: Annotated[
        Literal["auto", "off"],
        About(
            "Whether what is carried from frame to frame is brought along with the plate around the hole.",
            label="border match",
            group="blend",
            choices={
                "auto": "follow the plate's motion, and its exposure and color as they drift",
                "off": "leave it as it is",
            },
        ),
    ] = "auto"
    warmup: Annotated[
        int,
        About(
            "Steps run over the shot's mirrored start, or its handles, before the first frame.",
            label="warmup",
            group="fill",
            metavar="N",
            unit="steps",
        ),
    ] = Field(0, ge=0, le=200)
    region: Annotated[
        str,
        BeforeValidator(_region),
        About(
            "The part of the plate the network works on: auto follows the matte with one crop or several, "
            "full is the whole plate, x,y,w,h a fixed crop in pixels from the upper left corner of the "
            "plate's data window.",
            label="region",
            group="network",
            metavar="R",
        ),
    ] = "auto"
    context: Annotated[
        int | None,
        About(
            "Pixels of plate the network sees around the hole.",
            label="context",
            group="network",
            metavar="PX",
            unit="pixels",
            unset="half the hole's longer side, at least 64",
        ),
    ] = Field(None, ge=0, le=8192)
    working_size: Annotated[
        int | None,
        About(
            "The network works on at most this many pixels squared; larger crops are reduced.",
            label="working size",
            group="network",
            metavar="PX",
            unit="pixels",
            unset="by device and memory: 512 on a processor, 1024 on a card",
        ),
    ] = Field(None, ge=64, le=4096)
    exposure: Annotated[
        str,
        BeforeValidator(_number_as_text),
        About(
            "Stops the network sees a scene-referred plate brighter by, the same on every frame: -20 to 20. "
            "auto measures what brings the shot to a normal exposure.",
            label="exposure",
            group="color",
            metavar="N",
            unit="stops",
        ),
    ] = Field("auto", pattern=r"^(auto|[+-]?(1?[0-9]|20))$")
    pre_roll: Annotated[
        int | None,
        About(
            "Frames before a chunk that are rendered and thrown away, in place of the state of the chunk "
            "before. Chunks may then render side by side, and differ a little from one go.",
            label="pre-roll",
            group="chunk",
            metavar="N",
            unit="frames",
            unset="none, exact",
        ),
    ] = Field(None, ge=0, le=1000)

    @model_validator(mode="after")
    def _resolve_quality(self) -> Self:
        for name, value in QUALITIES[self.quality].items():
            if name not in self.model_fields_set:
                # Past pydantic, which would note it as given: what is written out is what was asked for.
                self.__dict__[name] = value
        return self

    def effective(self) -> dict[str, Any]:
        """Return what the pixels depend on: every field but the quality, which others were set by."""
        fields = self.model_dump(mode="json", exclude={"quality"})
        if self.paint == "auto" and not self.propagate:
            fields["paint"] = "network"  # paint is carried by the search: without it nothing is painted
        return fields


class Run(Strict):
    """How a render runs; nothing here changes pixels."""

    model: Annotated[
        str,
        About(
            "Name of an installed model bundle, or the path of one: vinet, or vinet-shapes, which continues "
            "edges of large shapes and takes longer.",
            label="model",
            group="model",
            level="basic",
            brief="a bundle's name or path",
            metavar="NAME",
        ),
    ] = "vinet"
    device: Annotated[
        str,
        About(
            "Where the network runs: auto takes an NVIDIA card where one works, else the processor; or cpu, "
            "cuda, cuda:1 and so on.",
            label="device",
            group="model",
            level="basic",
            brief="cpu, cuda, cuda:1 ...",
            metavar="D",
        ),
    ] = "auto"
    threads: Annotated[
        int | None,
        About(
            "Processor threads.",
            label="threads",
            group="model",
            metavar="N",
            unit="threads",
            unset="all cores",
        ),
    ] = Field(None, ge=1, le=1024)
    resume: Annotated[
        bool,
        About(
            "Go on where an earlier render of the same output stopped.",
            label="resume",
            group="run",
            level="basic",
            brief="go on where an earlier render stopped",
            once=True,
        ),
    ] = False
    overwrite: Annotated[
        bool,
        About(
            "Start again although frames of the output exist.",
            label="overwrite",
            group="run",
            level="basic",
            brief="start again although frames exist",
            once=True,
        ),
    ] = False
    strict: Annotated[
        bool,
        About(
            "Refuse mattes that can't be meant: inverted, empty on every frame, a picture, the plate itself, "
            "or swapped with it. Otherwise a note says so.",
            label="strict",
            group="run",
        ),
    ] = False
    keep_edited: Annotated[
        bool,
        About(
            "Go on around frames of the output that were changed since they were written, or that no render "
            "of ours wrote: they stay as they are, the others are rendered.",
            label="keep edited",
            group="run",
        ),
    ] = False
    chunk: Annotated[
        str | None,
        BeforeValidator(_frames),
        About(
            "The part of the shot's frames that this render writes, such as 1051-1100. Chunks of one output "
            "may render at the same time.",
            label="chunk",
            group="chunk",
            metavar="A-B",
            unset="all frames",
            once=True,
        ),
    ] = None
    state_in: Annotated[
        str | None,
        About(
            "State file that the chunk before has written: the shot goes on from there.",
            label="state in",
            group="chunk",
            metavar="FILE",
            unset="none",
            once=True,
            path=True,
        ),
    ] = None
    state_out: Annotated[
        str | None,
        About(
            "Write the state after the last frame here, for the chunk that follows.",
            label="state out",
            group="chunk",
            metavar="FILE",
            unset="none",
            once=True,
            path=True,
        ),
    ] = None
    wait_seconds: Annotated[
        float,
        About(
            "How long to wait for another render that is writing the same frames.",
            label="wait",
            group="run",
            metavar="SECONDS",
            unit="seconds",
            option="wait",
            once=True,
        ),
    ] = Field(0, ge=0, le=1e6)
    progress_file: Annotated[
        str | None,
        About(
            "Append progress as JSON lines here too.",
            label="progress file",
            group="run",
            metavar="FILE",
            unset="none",
            once=True,
            path=True,
        ),
    ] = None
    cancel_file: Annotated[
        str | None,
        About(
            "Stop cleanly once this file exists.",
            label="cancel file",
            group="run",
            metavar="FILE",
            unset="none",
            once=True,
            path=True,
        ),
    ] = None
    checkpoint_every: Annotated[
        int,
        About(
            "Frames between two saved states.",
            label="checkpoint every",
            group="run",
            metavar="N",
            unit="frames",
        ),
    ] = Field(8, ge=1, le=1000)
    debug: Annotated[
        str | None,
        About(
            "Write what the network saw and said on every frame here, as the layers of an EXR sequence; a "
            "pattern or a folder.",
            label="debug layers",
            group="run",
            metavar="EXR",
            unset="none",
            path=True,
        ),
    ] = None

    @property
    def goes_on(self) -> bool:
        """Whether it goes on with what an earlier render has finished."""
        return self.resume or (self.keep_edited and not self.overwrite)

    @model_validator(mode="after")
    def _one_way_to_begin(self) -> Self:
        if self.resume and self.overwrite:
            raise ValueError(
                "resume goes on with the frames that are there and overwrite starts again; give one of them"
            )
        return self


def with_options(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a job's part with others over them.

    Of `resume` and `overwrite` the one that is given takes back the other.
    """
    other = {"overwrite": "resume", "resume": "overwrite"}
    back = {other[name]: False for name in other if given.get(name) and before.get(other[name])}
    return {**before, **back, **given}


PARTS: dict[str, type[Strict]] = {
    "shot": Shot,
    "settings": Settings,
    "run": Run,
    "restore": Restore,
    "retarget": Retarget,
}
"""The parts of a job by their names in it; no two of them have a field of the same name."""
