"""How a picture is stored where it is to be stored otherwise than the plate: compression and pixel type."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import SettingsError
from .formats import Format, format_for
from .plate import Group, Header, Part, Plate, Storage, to_native

_DEPTHS = {
    "8": ("uint8", 8),
    "10": ("uint16", 10),
    "12": ("uint16", 12),
    "16": ("uint16", 16),
    "half": ("half", 0),
    "float": ("float", 0),
}
_ARRAYS = {"uint8": np.uint8, "uint16": np.uint16, "half": np.float16, "float": np.float32}


def check_storage(storage: Storage, header: Header, extension: str) -> None:
    """Refuse what the format under ``extension`` can't do. Raises SettingsError."""
    target = format_for(extension)
    if storage.compression is not None:
        _check_compression(storage.compression, target, extension)
    if storage.bit_depth is None:
        return
    kind, bits = _DEPTHS[storage.bit_depth]
    if kind not in target.types or (bits in (10, 12) and target.name != "dpx"):
        raise SettingsError(f"{extension} does not store {_words(storage.bit_depth)} (--bit-depth).")
    if (bits == 0) != header.is_float:
        have = "floating point" if header.is_float else "integers"
        raise SettingsError(
            f"The plate's pixels are {have} and --bit-depth asks for {_words(storage.bit_depth)}: that step "
            "needs a color transform, which is the comp's to choose."
        )


def _words(depth: str) -> str:
    return depth if depth in ("half", "float") else f"{depth} bits"


def _check_compression(asked: str, target: Format, extension: str) -> None:
    name, _, level = asked.lower().partition(":")
    if name not in target.compressions or (level and not level.isdigit()):
        known = ", ".join(target.compressions) or "one of its own that can't be chosen"
        raise SettingsError(f"{extension} has no compression {asked!r}; it has {known}.")


def stored(plate: Plate, storage: Storage) -> Plate:
    """Return the plate as it is to be stored: its color and its alpha in another pixel type.

    Other channels keep theirs: a depth or an id has no use for a color's precision. Integers are rounded to
    nearest; float to half likewise, limited to +-65504.
    """
    plate = replace(plate, storage=storage)
    if storage.bit_depth is None:
        return plate
    header, part = plate.header, plate.parts[plate.header.part]
    kind, bits = _DEPTHS[storage.bit_depth]
    changed = {*header.fill_channels, *_alpha_of(header)}
    planes = [part.channel(c) for c in range(part.spec.nchannels)]
    planes = [_cast(plane, kind, bits) if c in changed else plane for c, plane in enumerate(planes)]
    types = tuple(kind if c in changed else header.types[c] for c in range(len(planes)))
    parts = list(plate.parts)
    parts[header.part] = Part(_spec(part.spec, types, bits), _grouped(planes))
    return replace(plate, header=replace(header, types=types, bits=bits), parts=tuple(parts))


def _alpha_of(header: Header) -> list[int]:
    """The alpha that goes with the color: of the same layer."""
    layer = header.channels[header.fill_channels[0]].rpartition(".")[0]
    wanted = f"{layer}.a" if layer else "a"
    return [index for index, name in enumerate(header.channels) if name.lower() in (wanted, wanted + "lpha")]


def _cast(channel: NDArray[Any], kind: str, bits: int) -> NDArray[Any]:
    if channel.dtype.kind == "f":
        return to_native(channel, np.dtype(_ARRAYS[kind]), bits)
    share = channel.astype(np.float64) / np.iinfo(channel.dtype).max
    return to_native(share, np.dtype(_ARRAYS[kind]), bits)


def _spec(spec: oiio.ImageSpec, types: tuple[str, ...], bits: int) -> oiio.ImageSpec:
    spec = spec.copy()
    spec.set_format(oiio.TypeDesc(types[0]))
    spec.channelformats = () if len(set(types)) == 1 else tuple(oiio.TypeDesc(kind) for kind in types)
    spec.erase_attribute("oiio:BitsPerSample")
    if bits:
        spec.attribute("oiio:BitsPerSample", bits)
    return spec


def _grouped(planes: list[NDArray[Any]]) -> tuple[Group, ...]:
    groups = []
    for _, run in groupby(enumerate(planes), key=lambda item: item[1].dtype):
        found = list(run)
        groups.append(Group(found[0][0], np.stack([plane for _, plane in found], axis=2)))
    return tuple(groups)
