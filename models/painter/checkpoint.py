"""The painter's training as one file: weights, their average, Adam's moments, and the interpolation it hears.

Weights and average are stored as they are, Adam's moments in bfloat16. The trainer rounds its own moments so
at the steps at which a file may be written, so one that is resumed goes on with the very same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from plugin_core.disk.atomic import replacing
from plugin_core.errors import InputError

from .kept import FORMAT

_KEY = "painter"


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; what was at `path` is replaced whole.

    Args:
        path: a `.safetensors` file.
        tensors: by name.
        state: what JSON can hold.

    Raises:
        WriteError: the folder or the disk does not take the file.
    """
    kept = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    with replacing(path) as temporary:
        save_file(kept, temporary, {"format": FORMAT, _KEY: json.dumps(state)})


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the state of a checkpoint.

    Raises:
        InputError: the file can't be read, or is something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise InputError(f"The checkpoint {path} can't be read: {error}.") from error
    if told.get("format") != FORMAT:
        raise InputError(
            f"{path} is no checkpoint of the painter: expected the format {FORMAT}, "
            f"got {told.get('format', 'none')}; name another file."
        )
    return tensors, json.loads(told[_KEY])
