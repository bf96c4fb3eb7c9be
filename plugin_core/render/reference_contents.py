"""The reference frames of one shot, read when they are asked for; those used last stay in memory."""

from __future__ import annotations

from collections.abc import Mapping

from ..box import Box
from ..color.color_map import ColorMap
from ..errors import ImageError
from ..images import read_plate
from ..regions.shot_mattes import ShotMattes
from .reference_content import Content, content_of
from .reference_files import Reference
from .sources import Sources

_MEMORY_BYTES = 256 << 20


class ReferenceContents:
    """What counts of each reference frame of a shot. Not for several threads at once.

    Args:
        sources: of the shot.
        mattes: of the shot, not shared with another reader.
        color: of the plate.
        crop: of what counts, the part that may be used, in pixels of the plate's data window.
        references: by frame.
    """

    def __init__(
        self,
        sources: Sources,
        mattes: ShotMattes,
        color: ColorMap,
        crop: Box,
        references: Mapping[int, Reference],
    ) -> None:
        self._sources = sources
        self._plates = sources.plate.again()
        self._mattes = mattes
        self._color = color
        self._crop = crop
        self._references = references
        self._read: dict[int, Content] = {}

    def of(self, frame: int) -> Content:
        """Return what counts of a reference frame.

        Raises:
            InputError: nothing does, or it is another picture than its plate.
            ImageError: it can't be read, or has changed since the shot was looked at.
        """
        content = self._read.pop(frame, None) or self._content(frame)
        self._read[frame] = content
        held = sum(each.picture.nbytes + each.weight.nbytes for each in self._read.values())
        for old in list(self._read)[:-1]:
            if held <= _MEMORY_BYTES:
                break
            gone = self._read.pop(old)
            held -= gone.picture.nbytes + gone.weight.nbytes
        return content

    def _content(self, frame: int) -> Content:
        reference = self._references[frame]
        if not reference.mark.still_holds(reference.path):
            raise ImageError(
                f"Reference {reference.path} has changed since the render began; start it again."
            )
        picture = read_plate(reference.path).on(self._sources.header.data_window)
        plate, hole = self._plates.plate(frame), self._mattes.hole(frame)
        return content_of(reference.path, picture, plate, hole, self._crop, self._color)
