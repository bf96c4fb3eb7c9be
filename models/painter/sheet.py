"""Look at the painter: `python -m models.painter.sheet --data PHOTOS --checkpoint FILE --out sheet.png`.

A sheet of held-out samples, those with the most to continue first: matte, the interpolation's fill, the
painter's, the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plugin_core.errors import CleanplateError, WriteError

from .held_out import HeldOut
from .network import Painter, seen_by_painter
from .trainer import open_averaged

_IN_ROW = 4
_ENLARGED = 3
_MATTE = (200, 0, 200)


@torch.no_grad()
def draw_sheet(painter: Painter, held_out: HeldOut, name: str, count: int) -> NDArray[np.uint8]:
    """Draw `count` samples of a set, those that the interpolation misses most first, (H, W, 3) B, G, R."""
    tiles = []
    for batch, heard in held_out.batches(name):
        painted = heard.fill + painter(seen_by_painter(*batch), heard).correction
        truth, known = batch.picture, batch.known
        for n in range(len(truth)):
            missed = float(((truth[n] - heard.fill[n]) * (1 - known[n])).square().sum())
            matte = torch.tensor(_MATTE).view(3, 1, 1) / 255
            shown = [matte.expand_as(truth[n]), heard.fill[n], painted[n], truth[n]]
            columns = [truth[n] * known[n] + picture * (1 - known[n]) for picture in shown]
            tiles.append((missed, np.hstack([_tile(column) for column in columns])))
    tiles.sort(key=lambda tile: -tile[0])
    chosen = [tile for _, tile in tiles[:count]]
    chosen += [np.zeros_like(chosen[0])] * (-len(chosen) % _IN_ROW)
    return np.vstack([np.hstack(chosen[n : n + _IN_ROW]) for n in range(0, len(chosen), _IN_ROW)])


def _tile(picture: Tensor) -> NDArray[np.uint8]:
    image = (255 * picture.clamp(0, 1)).round().to(torch.uint8).permute(1, 2, 0).numpy()
    large = cv2.resize(image, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_NEAREST)
    return np.pad(np.asarray(large), ((2, 2), (1, 1), (0, 0)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a sheet from the command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m models.painter.sheet", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a .png")
    parser.add_argument(
        "--set",
        default="photographs 128",
        help="photographs 128, photographs 256, geometry 128, whole cells 128",
    )
    parser.add_argument("--count", type=int, default=32)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        painter, hearing = open_averaged(options.checkpoint)
        held_out = HeldOut(tuple(options.data), hearing)
        sheet = draw_sheet(painter, held_out, options.set, options.count)
        if not cv2.imwrite(str(options.out), sheet):
            raise WriteError(f"Can't write {options.out}.")
    except CleanplateError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
