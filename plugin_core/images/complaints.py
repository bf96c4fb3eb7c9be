"""OpenImageIO's messages as one line of text."""

from __future__ import annotations

from typing import Protocol

import OpenImageIO as oiio

_HARMLESS = "TIFFWriteCustomDirectory() of the Exif data"
"""OpenImageIO 3.2 says this of every TIFF without Exif attributes, after writing it properly."""


class Complains(Protocol):
    """An OpenImageIO file, or the module itself: something that keeps a message until it is fetched."""

    def geterror(self) -> str:
        """The message, which is then forgotten."""
        ...


def complaint(source: Complains | None = None) -> str:
    """Fetch the pending message of a file (or of OpenImageIO as a whole): its first line, never empty."""
    return (pending(source) or ["no reason given"])[0]


def pending(source: Complains | None = None) -> list[str]:
    """Fetch the lines of the pending message that matter; none when all is well."""
    try:
        text = oiio.geterror() if source is None else source.geterror()
    except UnicodeDecodeError:  # a message can quote bytes of a damaged file
        return ["the file holds no readable header"]
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and _HARMLESS not in line]
