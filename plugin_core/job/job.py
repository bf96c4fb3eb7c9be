"""What to render and how: validated, and the same for the command line, Python, hosts and farms.

A `Job` is what a `job.json` holds. Unknown fields are refused with the nearest known name, so that a misspelt
one never goes unnoticed.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..clips.sequence import FrameRange
from ..errors import SettingsError

JOB_VERSION = 1

PROPAGATE_FRAMES = 48
"""Frames ahead and back that are searched for real pixels unless told otherwise."""


def _frame_list(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _region(value: object) -> object:
    """Take out the spaces of x,y,w,h; refuse what is neither that nor a name."""
    text = str(value).replace(" ", "")
    if text not in ("auto", "full") and not re.fullmatch(r"\d+,\d+,[1-9]\d*,[1-9]\d*", text):
        raise ValueError("auto, full or x,y,w,h in pixels")
    return text


def _number_as_text(value: object) -> object:
    """A list of shots or a host may well write 16 where it means "16"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _look_ahead(value: object) -> object:
    if isinstance(value, str):
        return {"on": PROPAGATE_FRAMES, "off": 0}.get(value.lower(), value)
    return {True: PROPAGATE_FRAMES, False: 0}[value] if isinstance(value, bool) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            _refuse(type(self), error)


class Shot(_Strict):
    """Where a shot's pictures are.

    Attributes:
        plate: sequence pattern (``plate.####.exr``, ``%04d``, ``@@@@``), a folder that holds one sequence, or
            a movie file.
        matte: the same; a single still serves every frame. White (1) is what goes away.
        output: sequence pattern, a folder (then the plate's own file name and format are used), or a ``.mov``
            file, which is written as ProRes 4444.
        frames: frame range, such as ``1001-1100``; all frames of the plate when left out.
        colorspace: the plate's, by its OpenColorIO name (``ACEScg``); or ``linear`` (scene-linear Rec.709),
            ``display``, ``cineon``, or ``auto``: what the file says, else floating-point plates are
            linear and others display.
        ocio_config: path of the OpenColorIO configuration; None takes ``$OCIO``, or the built-in one.
        cuts: first frames of new camera takes; nothing is carried across one.
        view: of a stereo plate, the view to fill; the first when left out. The others pass through.
        compression: of the output, by the format's own name (``zip``, ``piz``, ``dwaa:45``); the plate's when
            left out, or ZIP where that would change untouched pixels.
        bit_depth: of the output's color and alpha: ``8``, ``10``, ``12``, ``16``, ``half`` or ``float``; the
            plate's when left out.
    """

    plate: str = Field(min_length=1)
    matte: str = Field(min_length=1)
    output: str = Field(min_length=1)
    frames: str | None = None
    colorspace: str = Field("auto", min_length=1)
    ocio_config: str | None = None
    view: str | None = Field(None, min_length=1)
    compression: str | None = Field(None, min_length=1)
    bit_depth: Annotated[
        Literal["8", "10", "12", "16", "half", "float"] | None, BeforeValidator(_number_as_text)
    ] = None
    cuts: Annotated[tuple[int, ...], BeforeValidator(_frame_list)] = ()

    def frame_range(self) -> FrameRange | None:
        """Return the parsed frame range. Raises InputError when it can't be read."""
        return None if self.frames is None else FrameRange.parse(self.frames)


class Settings(_Strict):
    """What changes the pixels.

    Attributes:
        grow: pixels the matte is grown by (negative shrinks it).
        feather: pixels over which the fill fades into the plate.
        feather_side: where it fades: ``outside`` the grown matte, ``inside`` it, or half and half
            (``center``).
        matte_channel: ``auto``, ``luminance``, or the matte's channel by name.
        matte_invert: black is what goes away.
        matte_threshold: matte values from this one on belong to the hole.
        matte_soft: the matte's own values, from the threshold on, are the weights that the fill is blended
            in with; otherwise they count as 1.
        matte_union: frames before and after whose mattes are joined to a frame's own; never across a cut.
        propagate: real pixels first: how many frames ahead and back are searched for what the matte hides;
            ``on`` is 48, ``off`` leaves everything to the network.
        grain: ``auto`` gives the fill what it lacks of the plate's grain, ``off`` leaves it smooth.
        border_match: ``auto`` brings what is carried from frame to frame along with the plate's motion around
            the hole, and with its exposure and color as they drift; ``off`` leaves it.
        warmup: steps run over the shot's mirrored start (or its handles) before the first frame.
        region: the part of the plate the network works on: ``auto`` follows the matte with one crop or
            several, ``full`` is the whole plate, ``x,y,w,h`` a fixed crop in pixels from the plate's upper
            left corner (of its data window).
        context: pixels of plate the network sees around the hole; None: half the hole's longer side, at
            least 64.
        working_size: the network works on at most this many pixels squared; larger crops are reduced. None:
            as large as suits the device and its memory.
        exposure: stops the network sees a scene-referred plate brighter by, the same on every frame; ``auto``
            measures what brings the shot to a normal exposure.
        pre_roll: frames before a chunk that are rendered and thrown away, in place of the state of the chunk
            before: chunks may then render side by side, and differ a little from one go. None: exact.
    """

    grow: int = Field(0, ge=-512, le=512)
    feather: int = Field(0, ge=0, le=512)
    feather_side: Literal["outside", "center", "inside"] = "outside"
    matte_channel: str = "auto"
    matte_invert: bool = False
    matte_threshold: float = Field(0.05, gt=0, le=1)
    matte_soft: bool = False
    matte_union: int = Field(0, ge=0, le=50)
    propagate: Annotated[int, BeforeValidator(_look_ahead)] = Field(PROPAGATE_FRAMES, ge=0, le=1000)
    grain: Literal["auto", "off"] = "off"
    border_match: Literal["auto", "off"] = "auto"
    warmup: int = Field(0, ge=0, le=200)
    region: Annotated[str, BeforeValidator(_region)] = "auto"
    context: int | None = Field(None, ge=0, le=8192)
    working_size: int | None = Field(None, ge=64, le=4096)
    exposure: Annotated[str, BeforeValidator(_number_as_text)] = Field(
        "auto", pattern=r"^(auto|[+-]?(1?[0-9]|20))$"
    )
    pre_roll: int | None = Field(None, ge=0, le=1000)


class Run(_Strict):
    """How a render runs; nothing here changes pixels.

    Attributes:
        model: name of an installed model bundle, or the path of one.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: processor threads for the network; None takes all cores.
        resume: go on where an earlier render of the same output stopped.
        overwrite: start again although frames of the output exist.
        chunk: the part of the shot's frames that this render writes, such as ``1051-1100``; chunks of one
            output may render at the same time. All frames when left out.
        state_in, state_out: state files that hand a shot from one chunk to the next.
        wait_seconds: how long to wait for another render that is writing the same frames.
        progress_file: progress as JSON lines is appended here too.
        cancel_file: the render stops cleanly once this file exists.
        checkpoint_every: frames between two saved states.
        debug: EXR sequence, or a folder for one, that shows for every frame what the network saw and said.
    """

    model: str = "vinet"
    device: str = "auto"
    threads: int | None = Field(None, ge=1, le=1024)
    resume: bool = False
    overwrite: bool = False
    chunk: str | None = None
    state_in: str | None = None
    state_out: str | None = None
    wait_seconds: float = Field(0, ge=0, le=1e6)
    progress_file: str | None = None
    cancel_file: str | None = None
    checkpoint_every: int = Field(8, ge=1, le=1000)
    debug: str | None = None


class Job(_Strict):
    """One render, as a `job.json` holds it."""

    version: Literal[1] = 1
    shot: Shot
    settings: Settings = Settings()
    run: Run = Run()

    @classmethod
    def read(cls, path: Path) -> Job:
        """Read a job.json (UTF-8).

        Raises:
            SettingsError: it can't be read, isn't JSON, or has a field that is unknown or out of range.
        """
        return validated(cls, read_job_fields(path), f"Job {path}")


def read_job_fields(path: Path) -> dict[str, Any]:
    """Read a job.json's fields as they stand. Raises SettingsError when it isn't one this version reads."""
    try:
        fields = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"Can't read job {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise SettingsError(f"Job {path} is not JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise SettingsError(f"Job {path} must hold one JSON object, got {type(fields).__name__}.")
    version = fields.get("version", JOB_VERSION)
    if isinstance(version, int) and version > JOB_VERSION:
        raise SettingsError(
            f"Job {path} has version {version}, this Cleanplate reads version {JOB_VERSION}; update it."
        )
    return fields


_Model = TypeVar("_Model", bound=_Strict)


def validated(model: type[_Model], fields: dict[str, Any], what: str) -> _Model:
    """Build a model from plain fields. Raises SettingsError that names `what` and the field."""
    try:
        return model(**fields)
    except SettingsError as error:
        raise SettingsError(f"{what}: {error}") from None


def _refuse(model: type[BaseModel], error: ValidationError) -> NoReturn:
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    first = problems[0]
    field = first["loc"][0]
    name = model.__name__
    if first["type"] == "extra_forbidden":
        raise SettingsError(f"{name} has no field {field!r}{_nearest(model, str(field))}.") from None
    if first["type"] == "missing":
        raise SettingsError(f"{name} needs the field {field!r}.") from None
    message = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    raise SettingsError(f"{name} field {field!r} should be {message}, got {first['input']!r}.") from None


def _nearest(model: type[BaseModel], field: str) -> str:
    """Return ``; did you mean ...?`` for the field that stands nearest to a misspelt one."""
    close = difflib.get_close_matches(field, model.model_fields, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(model.model_fields)}"
