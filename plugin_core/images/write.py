"""Write a plate whole or not at all: a temporary file beside it, checked, synced and renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..disk.atomic import passing, sync_to_disk, temporary_for
from ..errors import WriteError
from .complaints import complaint, pending
from .convert import converted, loses_window, type_in
from .exr_mixed import copy_exact, needs_copy
from .formats import Format, compression_lossy, format_for, lossless_compression, target_type
from .header_bytes import put_right
from .layers import Layers, with_layers
from .plate import Header, Part, Plate, Storage
from .storage import check_storage, codes_notes, stored_type

_STORAGE = (
    "oiio:",
    "openexr:",
    "tiff:",
    "jpeg:",
    "png:",
    "jpegxl:",
    "thumbnail_",
    "compression",
    "textureformat",
    "planarconfig",
)
_UP = 0x20
"""PNG's kind of filter that serves photographs nearly as well as Paeth's, in a part of its time."""

_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
"""What a whole PNG ends with."""

_STRAIGHT = ("png",)
"""Formats that hold only color which is not multiplied by alpha."""


def write_plate(
    plate: Plate,
    path: Path,
    *,
    layers: Layers | None = None,
    sync: bool = True,
    ready: Callable[[Path], None] = lambda temporary: None,
) -> tuple[str, ...]:
    """Write the picture under ``path``; the name appears only when the file is whole.

    In the plate's own format every pixel, channel, part and attribute is written as read; another format
    takes color and alpha, converted to its type. ``layers`` are added to what is filled, in a format that
    holds them. ``sync`` flushes file and folder to the disk before the
    rename counts as done; ``ready`` is told the whole file before it takes its name, and may raise. Returns
    sentences for the user about what differs from the plate (see :func:`output_notes`). Raises ImageError
    when the format can't hold the picture, WriteError when the file can't be written.
    """
    target = format_for(path.suffix)
    own = target.name == plate.header.format
    parts = plate.parts if own else converted(plate, target, path.suffix)
    if layers is not None:
        filled = plate.header.part if own else 0
        parts = (*parts[:filled], with_layers(parts[filled], layers), *parts[filled + 1 :])
    with passing(temporary_for(path)) as temporary:
        try:
            temporary.touch(exist_ok=False)
            if target.lossy:
                _write_through_memory(parts, target, temporary, path, plate.storage)
            else:
                _write_parts(parts, target, temporary, path, plate.storage)
            put_right(temporary, target.name, parts[0].spec, path.name)
            lost = _check_written(parts, temporary, path)
            _publish(temporary, path, sync, ready)
        except OSError as error:
            raise _write_error(path, error.strerror or str(error)) from error
    notes = output_notes(plate.header, path.suffix, plate.storage) + plate.notes
    if not own and target.name in _STRAIGHT and parts[0].spec.alpha_channel >= 0 and _is_multiplied(parts[0]):
        notes += (
            f"The plate's color is multiplied by its alpha, and {path.suffix} wants it divided: it is.",
        )
    if own and lost:
        notes += (f"The plate's attributes {', '.join(lost)} are of a kind that can't be written: left out.",)
    return notes


def _is_multiplied(part: Part) -> bool:
    return not part.spec.get_int_attribute("oiio:UnassociatedAlpha", 0)


def output_notes(header: Header, extension: str, storage: Storage | None = None) -> tuple[str, ...]:
    """What a file written under ``extension`` has otherwise than the plate, one sentence each; often nothing.

    Raises ImageError when the format can't hold the picture, SettingsError when it can't be stored as asked:
    call it before work starts.
    """
    target = format_for(extension)
    storage = storage or Storage()
    check_storage(storage, header, extension)
    if target.name != header.format:
        for channel in header.fill_channels:
            target_type(stored_type(storage, header, channel), target, extension)
    notes = list(codes_notes(storage, header))
    if loses_window(header, target):
        x, y, width, height = header.data_window
        full = header.display_window
        notes.append(
            f"The plate's data window is {width}x{height} at {x},{y}, and {extension} has none: it gets the "
            f"display window, {full.width}x{full.height} at {full.x},{full.y}. What lies beyond is left out; "
            "what the plate does not reach is black."
        )
    if target.name != header.format and storage.bit_depth is None:
        ours, theirs = type_in(header, target, extension, storage), header.types[header.fill_channels[0]]
        if ours != theirs:
            notes.append(f"The plate's pixels are {theirs}, {extension} gets {ours}.")
    if storage.compression is not None and compression_lossy(target.name, storage.compression):
        notes.append(f"{storage.compression} is lossy, as asked: untouched pixels change slightly.")
    if storage.compression is None and target.name == header.format and header.compression:
        kept = lossless_compression(target.name, header.compression)
        if kept != header.compression:
            notes.append(
                f"The plate's {header.compression} compression is lossy: the output is written with {kept}, "
                "so that untouched pixels stay exact."
            )
    if target.lossy:
        notes.append(
            f"{extension} is a lossy format: untouched pixels change slightly; use .png or .tif to avoid it."
        )
    return tuple(notes)


def _write_error(path: Path, reason: str) -> WriteError:
    free = None
    with suppress(OSError):
        free = shutil.disk_usage(path.parent).free
    if reason == os.strerror(errno.ENOSPC) or (free is not None and free < 1 << 20):
        return WriteError(f"{path} can't be written: the disk is full ({free} bytes free in {path.parent}).")
    return WriteError(
        f"{path} can't be written ({reason}); check the folder, its permissions and free space."
    )


def _write_through_memory(
    parts: tuple[Part, ...], target: Format, temporary: Path, path: Path, storage: Storage
) -> None:
    """Write a JPEG: its library ends the whole process when a disk is full or a quota strikes.

    So it writes to memory, where the system has files there (Linux), and the disk is left to us; elsewhere
    all that can be done is to look for room first.
    """
    if not hasattr(os, "memfd_create"):
        _need_space(parts, path)
        _write_parts(parts, target, temporary, path, storage)
        return
    with os.fdopen(os.memfd_create(path.name), "rb") as memory:
        _write_parts(parts, target, Path(f"/proc/self/fd/{memory.fileno()}"), path, storage)
        temporary.write_bytes(memory.read())


def _need_space(parts: tuple[Part, ...], path: Path) -> None:
    """Leave room before a JPEG is written."""
    size = sum(group.pixels.nbytes for part in parts for group in part.groups)
    free = shutil.disk_usage(path.parent).free
    if free < size + (1 << 20):
        raise WriteError(f"{path} can't be written: the disk is full ({free} bytes free in {path.parent}).")


def _write_parts(
    parts: tuple[Part, ...], target: Format, temporary: Path, path: Path, storage: Storage
) -> None:
    specs = [_spec_to_write(part.spec, target, storage) for part in parts]
    name = str(temporary)
    file = _opened(specs, target, name, path)
    try:
        for index, (part, spec) in enumerate(zip(parts, specs, strict=True)):
            if index and not file.open(name, spec, "AppendSubimage"):
                raise _write_error(path, complaint(file))
            _need(_write_pixels(file, part, temporary), file, path)
    finally:
        closed = file.close()
    _need(closed, file, path)


def _opened(specs: list[oiio.ImageSpec], target: Format, name: str, path: Path) -> oiio.ImageOutput:
    """The file, ready for the pixels of its first part."""
    file = oiio.ImageOutput.create(target.name)
    if file is None:
        raise _write_error(path, complaint())
    together = len(specs) > 1 and target.name == "openexr"
    if file.open(name, tuple(specs)) if together else file.open(name, specs[0]):
        return file
    reason = complaint(file)
    if "ACES Container" not in reason or not specs[0].get_int_attribute("acesImageContainerFlag", 0):
        raise _write_error(path, reason)
    # OpenImageIO does not write what others do: the ACES flag on a compressed file.
    for spec in specs:
        spec.erase_attribute("acesImageContainerFlag")
    return _opened(specs, target, name, path)


def _need(done: bool, file: oiio.ImageOutput, path: Path) -> None:
    """Raise WriteError unless the call succeeded and left no message: some failures show only there."""
    messages = pending(file)
    if messages or not done:
        raise _write_error(path, (messages or ["no reason given"])[0])


def _write_pixels(file: oiio.ImageOutput, part: Part, temporary: Path) -> bool:
    if needs_copy(part):
        return copy_exact(file, part, temporary)
    if len(part.groups) == 1:
        pixels = np.ascontiguousarray(part.groups[0].pixels)
    else:
        pixels = np.concatenate([group.pixels.astype(np.float32) for group in part.groups], axis=2)
    if file.spec().tile_width:
        return _write_tiles(file, pixels)
    return bool(file.write_image(pixels))


def _write_tiles(file: oiio.ImageOutput, pixels: NDArray[Any]) -> bool:
    """One row of tiles at a time, up to the first failure.

    OpenEXR waits forever in the call after a failed one, and ``write_image`` makes that call (disk full).
    """
    spec = file.spec()
    for top in range(0, spec.height, spec.tile_height):
        bottom = min(top + spec.tile_height, spec.height)
        x0, y0 = spec.x, spec.y + top
        box = (x0, x0 + spec.width, y0, spec.y + bottom, spec.z, spec.z + 1)
        if not file.write_tiles(*box, pixels[top:bottom]):
            return False
    return True


def _spec_to_write(spec: oiio.ImageSpec, target: Format, storage: Storage) -> oiio.ImageSpec:
    """The plate's spec with all metadata, less what describes the file it came from."""
    written = spec.copy()
    compression = written.get_string_attribute("compression")
    if storage.compression is not None:
        written.attribute("compression", storage.compression)
    elif compression:
        kept = lossless_compression(target.name, compression)
        # Level 2 of 9 takes a fifth less time than OpenEXR's own 4, for files that are 1 % larger.
        quick = target.name == "openexr" and kept in ("zip", "zips")
        written.attribute("compression", f"{kept}:2" if quick else kept)
    if target.name == "openexr" and written.get_string_attribute("openexr:levelmode"):
        written.erase_attribute("openexr:levelmode")
        written.erase_attribute("textureformat")
    if target.name in ("openexr", "tiff") and not written.get_string_attribute("DateTime"):
        # OpenImageIO adds the current time where there is none, and leaves an empty one out.
        written.attribute("DateTime", "")
    if target.name == "targa" and written.alpha_channel >= 0:
        # Pixels are handed over as they are stored; without this their color is divided by their alpha.
        written.attribute("oiio:UnassociatedAlpha", 1)
    if target.name == "tiff":
        written.attribute("tiff:half", 1)  # else halves are written as floats
        if written.get_string_attribute("Keywords"):
            # Read from XMP's dc:subject as Keywords, but not written from them.
            written.attribute("dc:subject", written.get_string_attribute("Keywords"))
    if target.name == "png":
        # Level 2 of 9 and a simple filter take a fifth of the time, for files that are 6 to 17 %
        # larger: half of what level 4 takes with Paeth's.
        written.attribute("png:compressionLevel", 2)
        written.attribute("png:filter", _UP)
    if target.name == "jpegxl" and written.getattribute("CICP") is not None:
        # JPEG XL stores one of the two and makes the other from it; given both, its encoder refuses.
        written.erase_attribute("ICCProfile")
    if target.name == "jpegxl":
        # Of 1 to 9: thirty times as quick as the library's own 7, for files that are 1 % larger. Its 1 makes
        # gray pictures that can't be read again.
        written.attribute("jpegxl:effort", 2)
    if target.name == "jpeg":
        written.attribute("compression", "jpeg:100")
        written.attribute("jpeg:subsampling", "4:4:4")
    return written


def _check_written(parts: tuple[Part, ...], temporary: Path, path: Path) -> list[str]:
    """Open the file again and look at the end of every part, which a short write would lack.

    Returns the names of attributes that were to be written and are not there.
    """
    lost: list[str] = []
    file = oiio.ImageInput.open(str(temporary))
    if file is None:
        raise _write_error(path, complaint())
    try:
        for index, part in enumerate(parts):
            if not file.seek_subimage(index, 0) or not _ends_well(file, index, part, temporary):
                raise _write_error(path, f"part {index} did not come back after writing: {complaint(file)}")
            lost += _names_of(part.spec) - _names_of(file.spec())
    finally:
        file.close()
    return sorted(set(lost))


def _names_of(spec: oiio.ImageSpec) -> set[str]:
    """Names of the attributes that are about the picture, not about how a file stores it."""
    return {attribute.name for attribute in spec.extra_attribs if not attribute.name.startswith(_STORAGE)}


def _ends_well(file: oiio.ImageInput, index: int, part: Part, temporary: Path) -> bool:
    spec = file.spec()
    if (spec.width, spec.height, spec.nchannels) != (part.spec.width, part.spec.height, part.spec.nchannels):
        return False
    if file.format_name() == "png":  # of which the last row is read by decoding all of them
        with temporary.open("rb") as written:
            written.seek(-len(_PNG_END), os.SEEK_END)
            return written.read() == _PNG_END
    bottom = spec.y + spec.height - 1
    if spec.tile_width:
        left, top = _last_tile(spec)
        return file.read_tile(left, top, spec.z) is not None
    return file.read_scanlines(index, 0, bottom, bottom + 1, 0, 0, spec.nchannels) is not None


def _last_tile(spec: oiio.ImageSpec) -> tuple[int, int]:
    across = (spec.width - 1) // spec.tile_width
    down = (spec.height - 1) // spec.tile_height
    return spec.x + across * spec.tile_width, spec.y + down * spec.tile_height


def _publish(temporary: Path, path: Path, sync: bool, ready: Callable[[Path], None]) -> None:
    if sync:
        sync_to_disk(temporary)
    ready(temporary)
    temporary.replace(path)
    if sync:
        sync_to_disk(path.parent)
