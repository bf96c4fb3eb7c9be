"""What was found, for people: sheets of every find, and the list of them that can be edited and given
back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..damage.finder import Damage, Find
from ..disk.folders import make_folder
from ..errors import WriteError
from ..images import Plate
from ..qc.contact_sheet import contact_sheet, matte_overlay
from .find_list import write_list
from .noted import FindNotes

LIST_NAME = "finds.json"
_TILE_PX, _ACROSS, _DOWN = 150, 3, 12
_LEAST_PX = 48
_NOTE = (
    "Beside each row, from its left to its right: frame; D for dirt or S for a scratch, pixels, and how sure "
    "it is (0 to 1)."
)


class Review:
    """Gathers the finds of a shot frame by frame, and writes sheets as they fill.

    Args:
        folder: where sheets and list go; made.
        notes: the finds of each frame, of which a resumed run has all.
        color: from plates to the network's range.
    """

    def __init__(self, folder: Path, notes: FindNotes, color: ColorMap) -> None:
        try:
            make_folder(folder)
        except OSError as error:
            raise WriteError(f"Folder {folder} can't be made: {error.strerror or error}.") from error
        self._folder, self._notes, self._color = folder, notes, color
        self._tiles: list[tuple[str, list[NDArray[np.float32]]]] = []
        self._frames: list[int] = []

    def add(self, frame: int, plate: Plate, clean: Plate | None, damage: Damage) -> None:
        """Take a frame's finds.

        Args:
            frame: its number.
            plate: with its damage.
            clean: repaired; None where nothing is.
            damage: what was found.
        """
        for number, find in enumerate(damage.finds, 1):
            shown = self._shown(find, damage.labels == number, plate, clean)
            what = "D" if find.kind == "dirt" else "S"
            self._tiles.append((f"{frame}\n{what} {find.pixels} {find.score:.2f}", shown))
            self._frames.append(frame)
            if len(self._tiles) == _ACROSS * _DOWN:
                self._write_sheet()

    def finish(self, plate: str) -> Path:
        """Write what is left and the list; returns the list's path. Raises WriteError."""
        if self._tiles:
            self._write_sheet()
        path = self._folder / LIST_NAME
        finds = [find for finds in self._notes.read().values() for find in finds]
        write_list(path, plate, (find.model_dump(mode="json") for find in finds))
        return path

    def _shown(
        self, find: Find, pixels: NDArray[np.bool_], plate: Plate, clean: Plate | None
    ) -> list[NDArray[np.float32]]:
        width, height = plate.header.width, plate.header.height
        x, y = find.left + find.width // 2, find.top + find.height // 2
        half = min(max(_LEAST_PX, find.width, find.height), 4 * _LEAST_PX) * 3 // 4
        box = Box(x - half, y - half, x + half, y + half).within(width, height)
        damaged = self._picture(plate, box)
        pictures = [damaged, matte_overlay(damaged, pixels[box.slices].astype(np.float32))]
        if clean is not None:
            pictures.append(self._picture(clean, box))
        return [_tile(picture) for picture in pictures]

    def _picture(self, plate: Plate, box: Box) -> NDArray[np.float32]:
        picture, _ = network_pixels(native_pixels(plate, box), self._color)
        return np.asarray(np.clip((picture + 1) / 2, 0, 1), np.float32)

    def _write_sheet(self) -> None:
        blank = [np.zeros((_TILE_PX, _TILE_PX, 3), np.float32)] * len(self._tiles[0][1])
        rows, labels = [], []
        for begin in range(0, len(self._tiles), _ACROSS):
            part = self._tiles[begin : begin + _ACROSS]
            tiles = [picture for _, pictures in part for picture in pictures]
            rows.append(tiles + blank * (_ACROSS - len(part)))
            labels.append("\n".join(text for text, _ in part))
        first, last = self._frames[0], self._frames[-1]
        at = 1 + sum(1 for _ in self._folder.glob(f"finds.{first}_{last}.*.png"))
        heads = ["damaged", "found", "repaired"][: len(blank)] * _ACROSS
        path = self._folder / f"finds.{first}_{last}.{at:02}.png"
        contact_sheet(
            rows, path, columns=heads, labels=labels, title=f"Finds on frames {first} to {last}", note=_NOTE
        )

        self._tiles, self._frames = [], []


def _tile(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.float32)
    square[:height, :width] = picture
    shown = cv2.resize(square, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(shown, 0, 1), np.float32)
