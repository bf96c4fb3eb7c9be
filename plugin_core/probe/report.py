"""What `cleanplate probe` finds out of a shot: plain facts, ready to be told, judged or given to a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..render.coverage import Coverage
from ..render.doubts import Warned
from .edges import EdgeReach


@dataclass(frozen=True)
class Frames:
    """Which frames there are; runs are written as ``1001-1100,1102``.

    Attributes:
        first, last: what would be rendered.
        before, after: frames beside the range that help (handles).
        plate, matte: on disk; None for a still matte, which serves every frame.
        plate_missing, matte_missing: missing in the range; empty for none.
    """

    first: int
    last: int
    before: int
    after: int
    plate: str
    matte: str | None
    plate_missing: str = ""
    matte_missing: str = ""

    @property
    def count(self) -> int:
        """How many frames would be rendered."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Picture:
    """What the plate's files hold; windows are x, y, width, height.

    Attributes:
        sizes: frames by data window where they differ, else empty.
    """

    format: str
    width: int
    height: int
    data_window: tuple[int, int, int, int]
    display_window: tuple[int, int, int, int]
    pixel_aspect: float
    channels: tuple[str, ...]
    types: tuple[str, ...]
    filled: tuple[str, ...]
    parts: int
    compression: str | None
    sizes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Crop:
    """A crop that the network works on.

    Attributes:
        first, last: the frames it lives on.
        box: x, y, width, height on the first of them, in pixels of the data window.
        network: width and height that the network sees.
        moves: whether it follows the matte.
    """

    first: int
    last: int
    box: tuple[int, int, int, int]
    network: tuple[int, int]
    moves: bool

    @property
    def reduced(self) -> float:
        """How many plate pixels become one of the network's, along a side."""
        return self.box[2] / self.network[0]


@dataclass(frozen=True)
class Cost:
    """What a render would take, by running a few frames of it.

    Attributes:
        device: it was measured on.
        seconds_per_frame: where the matte is largest.
        seconds: for all frames, with the start.
        memory_bytes: resident, at its peak.
        machine_bytes: memory that the machine has.
    """

    device: str
    seconds_per_frame: float
    seconds: float
    memory_bytes: int
    machine_bytes: int


@dataclass(frozen=True)
class Tried:
    """Where the holes' pixels would come from, on frames that were tried.

    Attributes:
        frames: which, as ``1001-1004``.
        origins: parts of the whole, 0..1, by class ("found", "guessed", ...).
        message: the same in words.
    """

    frames: str
    origins: Mapping[str, float]
    message: str


@dataclass(frozen=True)
class Reach:
    """Where a reference frame reaches.

    Attributes:
        frame: that it was painted on.
        path: its file.
        frames: those of the range that it reaches, as ``1001-1004``; empty for none.
        share: how much of their holes, 0..1, in the mean; least and most of any.
    """

    frame: int
    path: str
    frames: str
    share: float = 0.0
    least: float = 0.0
    most: float = 0.0


@dataclass(frozen=True)
class Output:
    """Where the frames would go.

    Attributes:
        path: the sequence.
        lossy: whether its format changes untouched pixels.
        there: frames that are there already; empty for none.
        bytes_needed: estimated from the plate's own files.
        bytes_free: on its disk.
        patch: the sequence of the fill alone; None for none.
        layers: what is added to that, or else to the output.
    """

    path: str
    lossy: bool
    there: str
    bytes_needed: int
    bytes_free: int
    patch: str | None = None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What a render would stop at, before its first frame."""

    message: str
    exit_code: int


@dataclass(frozen=True)
class Report:
    """All that was found out; None or empty what could not be, because of the problem or because of haste.

    Attributes:
        plate, matte: as they were asked for.
        mattes: of every frame that can be read, handles included.
        color: what the plate's values are taken for.
        cuts: given.
        suspected_cuts: found, and not given; None where nobody looked.
        reach: frames before and after that the network looks at.
        grow: asked for, in pixels.
        edges: how far what is matted reaches beyond its matte, on a few frames; empty where it can't be told.
        references: where each reference frame reaches; empty where nobody looked.
        notes: what the render itself would tell.
        doubts: what some mattes that were looked at make one ask.
        warnings: all that an artist would want to know, the worst first.
    """

    plate: str
    matte: str
    frames: Frames | None = None
    picture: Picture | None = None
    color: str = ""
    mattes: tuple[Coverage, ...] = ()
    cuts: tuple[int, ...] = ()
    suspected_cuts: tuple[int, ...] | None = None
    crops: tuple[Crop, ...] = ()
    output: Output | None = None
    cost: Cost | None = None
    tried: Tried | None = None
    reach: int = 6
    grow: int = 0
    edges: tuple[EdgeReach, ...] = ()
    references: tuple[Reach, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Warned, ...] = ()
    warnings: tuple[Warned, ...] = ()
    problem: Problem | None = None

    @property
    def rendered(self) -> tuple[Coverage, ...]:
        """The mattes of the frames that would be rendered."""
        if self.frames is None:
            return self.mattes
        return tuple(one for one in self.mattes if self.frames.first <= one.frame <= self.frames.last)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        plain = asdict(self)
        del plain["doubts"]  # they are among the warnings
        return plain
