"""OpenImageIO's messages as one line of text."""

from __future__ import annotations

from typing import Protocol

import OpenImageIO as oiio


class Complains(Protocol):
    """An OpenImageIO file, or the module itself: something that keeps a message until it is fetched."""

    def geterror(self) -> str:
        """The message, which is then forgotten."""
        ...


def complaint(source: Complains | None = None) -> str:
    """Fetch the pending message of a file (or of OpenImageIO as a whole): its first line, never empty."""
    try:
        text = oiio.geterror() if source is None else source.geterror()
    except UnicodeDecodeError:  # a message can quote bytes of a damaged file
        return "the file holds no readable header"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"
