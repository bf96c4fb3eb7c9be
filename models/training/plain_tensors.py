"""Read and write safetensors files with PyTorch alone, for machines that have nothing else."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "U8": torch.uint8}
_NAMES = {kind: name for name, kind in _TYPES.items()}


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return a file's tensors, and its metadata.

    Raises:
        OSError: it can't be read.
        ValueError: it is no such file.
    """
    data = path.read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        told = header.pop("__metadata__", {})
        tensors = {name: _tensor(data, 8 + length, about) for name, about in header.items()}
    except (struct.error, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} is no safetensors file: {error}.") from error
    return tensors, told


def _tensor(data: bytes, begin: int, about: Mapping[str, Any]) -> Tensor:
    first, last = about["data_offsets"]
    kind, shape = _TYPES[about["dtype"]], about["shape"]
    if not math.prod(shape):
        return torch.empty(shape, dtype=kind)
    part = bytearray(data[begin + first : begin + last])
    return torch.frombuffer(part, dtype=kind).reshape(shape).clone()


def write_tensors(path: Path, tensors: Mapping[str, Tensor], told: Mapping[str, str], most: int) -> Path:
    """Write such a file, whole or not at all. Raises ValueError where it would be above `most` bytes."""
    header: dict[str, Any] = {"__metadata__": dict(told)}
    parts, at = [], 0
    for name, tensor in sorted(tensors.items()):
        flat = tensor.detach().cpu().contiguous()
        raw = flat.reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {
            "dtype": _NAMES[flat.dtype],
            "shape": list(flat.shape),
            "data_offsets": [at, at + len(raw)],
        }
        parts.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    if 8 + len(text) + at > most:
        raise ValueError(f"{path} would have {8 + len(text) + at} bytes, more than {most}.")
    temporary = path.with_suffix(".part")
    temporary.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *parts]))
    temporary.replace(path)
    return path
