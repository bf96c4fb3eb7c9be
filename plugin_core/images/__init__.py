"""Read and write plates and mattes through OpenImageIO, with header, channels and metadata kept.

The parts are in ``pictures`` (what a plate is in memory), ``image_read``, ``image_write``, ``matte_read`` and
``image_formats``; import them from here.
"""

from __future__ import annotations

from .convert import laid_back
from .formats import formats_lossy
from .matte import Matte, matte_from, matte_on, read_matte
from .matte_fit import fitted
from .plate import Header, Plate, Storage, Window
from .read import read_header, read_plate
from .storage import stored
from .write import output_notes, write_plate

__all__ = [
    "Header",
    "Matte",
    "Plate",
    "Storage",
    "Window",
    "fitted",
    "formats_lossy",
    "laid_back",
    "matte_from",
    "matte_on",
    "output_notes",
    "read_header",
    "read_matte",
    "read_plate",
    "stored",
    "write_plate",
]
