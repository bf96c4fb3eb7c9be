"""Pack photographs for `gpu_job`: `python -m models.training.pack_crops --data PHOTOS --out crops`.

Windows of the photographs in cells, as the painter's samples cut them, as bytes in files of at most 16 MB.
Those photographs that nothing is trained on go into files of their own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from plugin_core.errors import CleanplateError, InputError

from ..painter.samples import HELD_OUT, draw_batch
from ..synthetic.pictures import Pictures
from .plain_tensors import write_tensors

SIDE = 100
"""Cells a side: room for a window of 96."""
_LARGEST_FILE = 16_000_000


def pack(folders: list[Path], out: Path, count: int, kept: int, side: int = SIDE) -> list[Path]:
    """Write `count` crops to train on and `kept` to check on; returns the files.

    Raises:
        InputError: a folder has no photographs, or none to check on.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for name, number, pictures in (
        ("crops", count, Pictures(*folders, procedural=0, without=HELD_OUT)),
        ("held_out", kept, _held_out(folders)),
    ):
        crops = _crops(np.random.default_rng([len(name)]), pictures, number, side)
        most = (_LARGEST_FILE - 4096) // (3 * side * side)
        for at, part in enumerate(torch.split(crops, most)):
            path = out / f"{name}.{at:02d}.safetensors"
            files.append(
                write_tensors(path, {"crops": part}, {"format": "cleanplate-crops-1"}, _LARGEST_FILE)
            )
    return files


def _held_out(folders: list[Path]) -> Pictures:
    try:
        return Pictures(*folders, procedural=0, only=HELD_OUT)
    except ValueError:
        raise InputError(f"None of {', '.join(HELD_OUT)} is in these folders: nothing to check on.") from None


def _crops(rng: np.random.Generator, pictures: Pictures, count: int, side: int) -> Tensor:
    drawn = [draw_batch(rng, pictures, 1, side, geometry=0).picture for _ in range(count)]
    return (255 * torch.cat(drawn)).round().clamp(0, 255).to(torch.uint8)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.pack_crops", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--count", type=int, default=6000, help="crops to train on (6000, 180 MB)")
    parser.add_argument("--kept", type=int, default=400, help="crops to check on (400)")
    options = parser.parse_args(arguments)
    try:
        files = pack(options.data, options.out, options.count, options.kept)
    except CleanplateError as error:
        print(f"pack_crops: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {len(files)} files into {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
