"""Model bundles: a folder with ONNX graphs, their weights, a manifest that describes them and a model card.

    encode.onnx     one frame as a source: frame, mask -> features
    step.onnx       one frame filled: frame, mask, sources' features, carry -> fill, carry
    step_x86.onnx   the same numbers to rounding, in the form that is quickest on x86 CPUs; only where it is
    weights.bin     the graphs' weights
    manifest.json   what is said by `Manifest`
    MODEL_CARD.md   what the model is good for, and what not

Free dimensions of the graphs are called ``height_<scale>`` and ``width_<scale>``, where scale is how many
input pixels one of the tensor's pixels spans (1, 2, 4, ... up to the size multiple).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from ..disk.problems import problem_of
from ..disk.regular import open_regular, read_regular
from ..errors import ModelError
from .channel_order import ChannelOrder

FORMAT_VERSION = 2
"""Format 1 says nothing of flows."""
MANIFEST = "manifest.json"
CARD = "MODEL_CARD.md"
SEARCH_PATH = "CLEANPLATE_MODELS"
SHIPPED_PACKAGE = "cleanplate_models"

_MOST_BYTES = 1 << 20
_Scale = Annotated[int, Field(ge=1, le=256)]
_Channels = Annotated[int, Field(ge=1, le=1 << 14)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BundleFile(_Part):
    """One file of the bundle."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.(onnx|bin)$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FeatureTensor(_Part):
    """One output of the encode graph, channels last: (height / scale, width / scale, channels).

    `inputs` are the step graph's names for it, one per source in the order of the source offsets.
    """

    name: str
    channels: _Channels
    scale: _Scale
    inputs: tuple[str, ...]


class CarryTensor(_Part):
    """One tensor that a step takes from the step before.

    Shape (1, channels, height / scale, width / scale), or () when `scale` is None. `start` says what it is
    before a shot's first frame: zeros, the frame with its hole at 0, or the mask.
    """

    name: str
    input: str
    output: str
    channels: _Channels
    scale: _Scale | None
    start: Literal["zeros", "masked_frame", "mask"]


class GuideTensor(_Part):
    """One input of the step graph that gives it flows: (sources, 3, height / scale, width / scale).

    For each source the flow to it from the target, x and y in pixels of that scale, and its weight there.
    """

    input: str
    scale: _Scale


class Provenance(_Part):
    """Where the weights come from."""

    kind: Literal["trained", "imported", "generated"]
    summary: str
    details: dict[str, str] = {}


class Manifest(_Part):
    """All that the core knows about a model."""

    format_version: int
    name: str
    variant: Literal[256, 512]
    temporal_radius: Annotated[int, Field(ge=1, le=32)]
    temporal_stride: Annotated[int, Field(ge=1, le=32)]
    size_multiple: Annotated[int, Field(ge=1, le=256)]
    hole_reach: Annotated[int, Field(ge=1, le=1 << 16)] | None = None
    channel_order: ChannelOrder
    value_range: tuple[FiniteFloat, FiniteFloat]
    encode: BundleFile
    step: BundleFile
    step_x86: BundleFile | None = None
    data: BundleFile
    fill: str
    features: tuple[FeatureTensor, ...]
    carry: tuple[CarryTensor, ...]
    flows: Literal["given", "learned", "none"] | None = None
    guide: tuple[GuideTensor, ...] = ()
    debug: tuple[str, ...]
    weights: Literal["float16", "float32"]
    provenance: Provenance
    licence: str

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse tensors that the graphs can't have. Raises ValueError."""
        if self.size_multiple & (self.size_multiple - 1):
            raise ValueError(f"size_multiple should be a power of two, got {self.size_multiple}")
        if (self.flows == "given") != bool(self.guide):
            raise ValueError(f"flows are {self.flows}, with {len(self.guide)} inputs for given ones")
        scales = [part.scale for part in self.features] + [part.scale for part in self.guide]
        scales += [tensor.scale or 1 for tensor in self.carry]
        wrong = [scale for scale in scales if self.size_multiple % scale]
        if wrong:
            raise ValueError(f"the scale {wrong[0]} does not divide the size multiple {self.size_multiple}")
        if all(tensor.scale is None for tensor in self.carry):
            raise ValueError("no tensor of the carry has the picture's size")
        sources = len(self.source_offsets)
        for feature in self.features:
            if len(feature.inputs) != sources:
                raise ValueError(f"{feature.name} has {len(feature.inputs)} inputs for {sources} sources")
        return self

    @property
    def source_offsets(self) -> tuple[int, ...]:
        """Frames beside the target that are used as sources, in stream order: (-6, -3, 3, 6)."""
        steps = range(-self.temporal_radius, self.temporal_radius + 1)
        return tuple(step * self.temporal_stride for step in steps if step)

    @property
    def guide_scales(self) -> tuple[int, ...]:
        """Scales at which flows are given, in the order of `guide`; none where the model finds its own."""
        return tuple(tensor.scale for tensor in self.guide)

    @property
    def files(self) -> tuple[BundleFile, ...]:
        """Every file that the model's numbers depend on."""
        graphs = (self.encode, self.step, self.step_x86)
        return (*(graph for graph in graphs if graph is not None), self.data)

    @property
    def scales(self) -> tuple[int, ...]:
        """Scales that the graphs' free dimensions are named by: 1, 2, 4, ... up to the size multiple."""
        return tuple(1 << power for power in range(self.size_multiple.bit_length()))


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked against its manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Bundle:
        """Read a bundle and check its files.

        Raises:
            ModelError: the folder or a file is missing, the manifest can't be read or is of a newer format,
                or a file's contents are not what the manifest says.
        """
        folder = Path(path)
        bundle = cls(folder, _read_manifest(folder))
        for file in bundle.manifest.files:
            _check_file(folder / file.file, file.sha256)
        return bundle

    @property
    def model_id(self) -> str:
        """Identifies the model's numbers: a short hash over the hashes of its files."""
        hashes = "".join(file.sha256 for file in self.manifest.files)
        return hashlib.sha256(hashes.encode()).hexdigest()[:16]

    @property
    def source_offsets(self) -> tuple[int, ...]:
        """Frames beside the target that are used as sources; see `network.NetworkShape`."""
        return self.manifest.source_offsets

    @property
    def size_multiple(self) -> int:
        """Pixels that the network's height and width are multiples of; see `network.NetworkShape`."""
        return self.manifest.size_multiple

    @property
    def hole_reach(self) -> int | None:
        """Pixels that a hole may be deep; see `network.NetworkShape`."""
        return self.manifest.hole_reach

    @property
    def guide_scales(self) -> tuple[int, ...]:
        """Scales at which a step takes flows; see `network.NetworkShape`."""
        return self.manifest.guide_scales

    @property
    def encode_path(self) -> Path:
        """The graph that encodes one frame as a source."""
        return self.path / self.manifest.encode.file

    def step_path(self, *, x86: bool) -> Path:
        """The graph that fills a frame, in the form for x86 CPUs where there is one, or the common one."""
        manifest = self.manifest
        return self.path / ((manifest.step_x86 if x86 else None) or manifest.step).file

    @property
    def eight_bits(self) -> bool:
        """Whether its form for x86 CPUs convolves in 8 bits."""
        form = self.manifest.step_x86
        return form is not None and b"DequantizeLinear" in (self.path / form.file).read_bytes()

    def common(self) -> Bundle:
        """The same without a form for x86 CPUs: every device then runs the common graphs."""
        return replace(self, manifest=self.manifest.model_copy(update={"step_x86": None}))


def find_bundle(name_or_path: str | os.PathLike[str]) -> Path:
    """Folder of a bundle given by its path, or by its name in $CLEANPLATE_MODELS or among those shipped.

    Raises:
        ModelError: there is no such bundle; the message lists the names that are known.
    """
    text = os.fspath(name_or_path)
    folder = Path(text)
    if folder.name != text or (folder / MANIFEST).is_file():
        if folder.is_dir():
            return folder
        raise ModelError(f"There is no model bundle at {text}: give a bundle's folder or a model's name.")
    known = dict(reversed(list(known_bundles())))
    if text in known:
        return known[text]
    listed = ", ".join(sorted(known)) or "none"
    raise ModelError(
        f"Unknown model {text!r}: known models are {listed} (set ${SEARCH_PATH} to add folders)."
    )


def known_bundles() -> Iterator[tuple[str, Path]]:
    """Names and folders of the bundles that can be asked for by name, most important first."""
    for root in _search_roots():
        if root.is_dir():
            for folder in sorted(root.iterdir()):
                if (folder / MANIFEST).is_file():
                    yield folder.name, folder


def _search_roots() -> Iterator[Path]:
    for entry in os.environ.get(SEARCH_PATH, "").split(os.pathsep):
        if entry:
            yield Path(entry)
    # Found without importing it: the package's modules need torch, its bundles don't.
    spec = importlib.util.find_spec(SHIPPED_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "bundles"


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise ModelError(f"{folder} is not a model bundle: it has no {MANIFEST}.") from None
    except OSError as error:
        raise ModelError(f"The manifest {path} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"The manifest {path} can't be read: it is not UTF-8 text.") from error
    try:
        _check_version(path, text)
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        before = " at " if error.errors()[0]["loc"] else ": "
        raise ModelError(f"The manifest {path} is damaged{before}{problem_of(error)}.") from None


class _Versioned(BaseModel):
    format_version: Annotated[int, Field(ge=1, lt=1 << 31)]


def _check_version(path: Path, text: str) -> None:
    """Look at the version before anything else: a newer manifest may have other fields."""
    version = _Versioned.model_validate_json(text).format_version
    if version > FORMAT_VERSION:
        raise ModelError(
            f"The bundle {path.parent} has format {version}, this Cleanplate reads up to {FORMAT_VERSION}: "
            "update Cleanplate or use an older bundle."
        )


def _check_file(path: Path, expected: str) -> None:
    try:
        with open_regular(path) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise ModelError(f"The bundle {path.parent} is incomplete: {path.name} is missing.") from None
    except OSError as error:
        raise ModelError(f"The model's file {path} can't be read: {error.strerror or error}.") from error
    if digest != expected:
        raise ModelError(
            f"The model's file {path} is damaged or was changed: its sha256 is {digest[:12]}..., the "
            f"manifest says {expected[:12]}...; copy the bundle again."
        )
