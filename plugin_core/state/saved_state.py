"""A shot's state as it stands on disk: the carry in a safetensors file, with what it is valid for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..disk.atomic import replacing
from ..errors import StateError

FORMAT_VERSION = 2

ShotKey = Mapping[str, str]
"""Everything a state depends on, by name: model, working geometry, color, settings that change pixels."""


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
    """Read what `write_state` wrote. Raises StateError when the file is missing, damaged or newer."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise StateError(f"State file {path} is not there; render the frames before it, with --state-out.")
    try:
        with safe_open(path, framework="numpy") as stream:
            about = json.loads((stream.metadata() or {})["cleanplate_state"])
            arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - not a dict
        version = int(about["format_version"])
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
        if about["carry"] != carry_digest(arrays):
            raise ValueError("its numbers have changed since they were written")
        inputs = {int(frame): str(digest) for frame, digest in about["inputs"].items()}
        return SavedState(dict(about["key"]), int(about["frame"]), arrays, inputs, dict(about["crops"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(
            f"State file {path} is damaged ({error}); render the frames before it again."
        ) from error


def carry_digest(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Return a digest of a carry's numbers, whatever file they came from."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape};".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def differences(found: Mapping[str, str], expected: ShotKey) -> list[tuple[str, str, str]]:
    """Return (name, found, expected) of every part in which two keys differ."""
    names = sorted(set(found) | set(expected))
    pairs = [(name, found.get(name, "absent"), expected.get(name, "none")) for name in names]
    return [pair for pair in pairs if found.get(pair[0]) != expected.get(pair[0])]


def check_key(found: Mapping[str, str], expected: ShotKey, what: str) -> None:
    """Raise StateError naming every part in which a saved key differs from this shot's."""
    different = [f"{name} is {was}, this render has {now}" for name, was, now in differences(found, expected)]
    if different:
        raise StateError(f"{what} belongs to another render: {'; '.join(different)}.")


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
