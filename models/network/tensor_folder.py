"""Checkpoints of training as folders of small files, replaced whole.

A checkpoint is a folder of numbered safetensors files of at most 16 MB each and `state.json`. Files of that
size pass everywhere: borrowed machines often give back no larger ones. The folder is written beside its place
and swapped in, so a reader finds the old one or the new one, never a mixture.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

LARGEST = 16_000_000
"""Bytes of one file."""
_STATE = "state.json"


def write_folder(folder: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any] | None = None) -> None:
    """Write tensors, split into files, and a JSON state; what was at `folder` is replaced whole.

    Raises:
        ValueError: one tensor alone is larger than a file may be.
    """
    partial = folder.with_name(folder.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for number, part in enumerate(_parts(tensors)):
        save_file(part, partial / f"{number:03d}.safetensors")
    (partial / _STATE).write_text(json.dumps(dict(state or {})), encoding="utf-8")
    aside = folder.with_name(folder.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    partial.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def read_folder(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the host) and state of a folder; one that was being swapped is found under its old name.

    Raises:
        FileNotFoundError: there is no checkpoint.
    """
    if not (folder / _STATE).is_file() and (aside := folder.with_name(folder.name + ".old")).is_dir():
        folder = aside
    state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    return read_tensors(folder), state


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of all of them in a folder."""
    if path.is_file():
        return load_file(path)
    merged: dict[str, Tensor] = {}
    for file in sorted(path.glob("*.safetensors")):
        merged |= load_file(file)
    if not merged:
        raise FileNotFoundError(f"There are no weights in {path}.")
    return merged


def _parts(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    part: dict[str, Tensor] = {}
    size = 0
    for key, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        if tensor.nbytes > LARGEST - 100_000:  # the file's header needs some room
            raise ValueError(f"{key} has {tensor.nbytes} bytes; a file of a checkpoint holds {LARGEST}.")
        if part and size + tensor.nbytes > LARGEST - 100_000:
            yield part
            part, size = {}, 0
        part[key] = tensor
        size += tensor.nbytes
    if part:
        yield part


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What Adam remembers, by parameter number and name."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": value for number, kept in state.items() for name, value in kept.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give Adam back what it remembered; its options stay those it was made with."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
