"""A shot's state as it stands on disk: the carry in a safetensors file, with what it is valid for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..clips.frame_range import FRAME_LIMIT
from ..disk.atomic import replacing
from ..disk.problems import problem_of
from ..disk.regular import open_regular
from ..errors import StateError

FORMAT_VERSION = 2


Frame = Annotated[int, Field(ge=-FRAME_LIMIT, le=FRAME_LIMIT)]
"""A frame number as it is read from a file."""


class _Version(BaseModel):
    """What every format's header has."""

    model_config = ConfigDict(strict=True)
    format_version: Annotated[int, Field(ge=1, lt=1 << 31)]


class _Header(_Version):
    """What is said of the carry that a file holds."""

    key: dict[str, str]
    frame: Frame
    inputs: dict[Frame, str]
    crops: dict[str, str]
    carry: str


@dataclass(frozen=True)
class SavedState:
    """A state as it stands on disk.

    Attributes:
        key: what it is valid for.
        frame: the last frame that was filled.
        arrays: the carry in host memory.
        inputs: digests of the input frames that later steps read again, by frame number.
        crops: where the crop of each lane stands and what it fills.
    """

    key: dict[str, str]
    frame: int
    arrays: dict[str, NDArray[np.float32]]
    inputs: dict[int, str]
    crops: dict[str, str] = field(default_factory=dict)


def write_state(path: Path, state: SavedState) -> None:
    """Write a state as safetensors, whole or not at all. Raises WriteError when the disk does not take it."""
    from safetensors.numpy import save

    about = {
        "format_version": FORMAT_VERSION,
        "key": state.key,
        "frame": state.frame,
        "inputs": {str(frame): digest for frame, digest in state.inputs.items()},
        "crops": state.crops,
        "carry": carry_digest(state.arrays),
    }
    # Not ascontiguousarray: it would give a scalar an axis.
    arrays = {name: np.asarray(array, order="C") for name, array in state.arrays.items()}
    # Through our own write, since the library's makes files that nobody else may read.
    content = save(arrays, metadata={"cleanplate_state": json.dumps(about)})
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_state(path: Path) -> SavedState:
    """Read what `write_state` wrote. Raises StateError when it is missing, damaged or of another format."""
    from safetensors import SafetensorError, safe_open

    try:
        open_regular(path).close()
        with safe_open(path, framework="numpy") as stream:
            header = _checked_header((stream.metadata() or {}).get("cleanplate_state", "{}"), path)
            arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - not a dict
        if header.carry != carry_digest(arrays):
            raise ValueError("its numbers have changed since they were written")
    except FileNotFoundError:
        raise StateError(
            f"State file {path} is not there; render the frames before it, with --state-out."
        ) from None
    except (SafetensorError, OSError, TypeError, ValueError, AttributeError) as error:
        problem = problem_of(error) if isinstance(error, ValidationError) else error
        raise StateError(
            f"State file {path} is damaged ({problem}); render the frames before it again."
        ) from error
    return SavedState(header.key, header.frame, arrays, header.inputs, header.crops)


def _checked_header(text: str, path: Path) -> _Header:
    """Return a file's header. Raises StateError for another format, ValueError for what is none."""
    version = _Version.model_validate_json(text).format_version
    if version > FORMAT_VERSION:
        raise StateError(
            f"State file {path} has format {version}, newer than the {FORMAT_VERSION} this Cleanplate "
            "reads; update it."
        )
    if version < FORMAT_VERSION:
        raise StateError(
            f"State file {path} has format {version}, older than the {FORMAT_VERSION} this Cleanplate "
            "reads; render the frames before it again."
        )
    return _Header.model_validate_json(text)


def carry_digest(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Return a digest of a carry's numbers, whatever file they came from."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape};".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def check_crops(saved: SavedState, expected: Mapping[str, str], what: str) -> None:
    """Raise StateError when the crops that a state belongs to are not those of this shot's mattes."""
    if saved.crops != expected:
        raise StateError(
            f"{what} belongs to other mattes: after frame {saved.frame} its crops are "
            f"{_listed(saved.crops)}, those of this shot {_listed(expected)}; render the frames before it "
            "again."
        )


def _listed(crops: Mapping[str, str]) -> str:
    return "; ".join(crops.values()) or "none"
