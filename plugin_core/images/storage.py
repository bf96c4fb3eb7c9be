"""How a picture is stored where it is to be stored otherwise than the plate: compression and pixel type."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..errors import SettingsError
from .color_tags import COLOR_NAMES
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
_VALUES = "cleanplate:values"
"""The attribute that says what the values of a picture are that was integers."""

_STRAIGHT = ("The plate's color is not multiplied by its alpha, and is stored so.",)
_HALF_BITS = 11
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
    if (bits and header.is_float) or (not bits and not (header.is_float or keeps_codes(storage, header))):
        have = "floating point" if header.is_float else header.types[header.fill_channels[0]]
        raise SettingsError(
            f"The plate's pixels are {have} and --bit-depth asks for {_words(storage.bit_depth)}: that step "
            "needs a color transform, which is the comp's to choose."
        )


def keeps_codes(storage: Storage, header: Header) -> bool:
    """Whether a plate's integers are to be stored as floating point: its code values, 0 to 1."""
    kind = header.types[header.fill_channels[0]]
    return kind in ("uint8", "uint16") and storage.bit_depth in ("half", "float")


def stored_type(storage: Storage, header: Header, channel: int) -> str:
    """The pixel type that a filled channel has before it goes into a file."""
    return header.types[channel] if storage.bit_depth is None else _DEPTHS[storage.bit_depth][0]


def codes_notes(storage: Storage, header: Header) -> tuple[str, ...]:
    """What is to be known of integers that are stored as floating point; nothing where none are."""
    if not keeps_codes(storage, header):
        return ()
    notes = [
        f"The plate's {header.bits}-bit integers are stored as {storage.bit_depth}: {_said(header)}. Their "
        f"encoding is the plate's own, {storage.encoding or 'not known'}, as the attribute colorspace says."
    ]
    if storage.bit_depth == "half" and header.bits > _HALF_BITS:
        notes.append(
            f"half holds {_HALF_BITS} bits and the plate has {header.bits}: the last ones are rounded "
            "(--bit-depth float keeps them)."
        )
    return tuple(notes)


def _said(header: Header) -> str:
    return f"code / {(1 << header.bits) - 1}, 0 to 1"


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
    codes = keeps_codes(storage, header)
    cast = partial(_as_codes, kind=kind, bits=header.bits) if codes else partial(_cast, kind=kind, bits=bits)
    planes = [cast(plane) if c in changed else plane for c, plane in enumerate(planes)]
    types = tuple(kind if c in changed else header.types[c] for c in range(len(planes)))
    parts = list(plate.parts)
    spec = _spec(part.spec, types, bits)
    if codes:
        _tag(spec, header, storage.encoding)
    parts[header.part] = Part(spec, grouped(planes))
    kept = replace(header, types=types, bits=bits, is_float=bits == 0)
    notes = plate.notes + (_STRAIGHT if codes and _is_straight(spec) else ())
    return replace(plate, header=kept, parts=tuple(parts), notes=notes, codes=codes)


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


def _is_straight(spec: oiio.ImageSpec) -> bool:
    """Whether there is an alpha, and color is not multiplied by it."""
    return spec.alpha_channel >= 0 and bool(spec.get_int_attribute("oiio:UnassociatedAlpha", 0))


def _as_codes(channel: NDArray[Any], kind: str, bits: int) -> NDArray[Any]:
    """Code values as a share of the highest one, the nearest that the type has."""
    spare = channel.dtype.itemsize * 8 - bits
    share = (channel >> spare).astype(np.float64) / ((1 << bits) - 1)
    return to_native(share, np.dtype(_ARRAYS[kind]), 0)


def _tag(spec: oiio.ImageSpec, header: Header, encoding: str) -> None:
    """Say in the file what its values are, in place of what the plate says in its own format's way."""
    for name in (*COLOR_NAMES, "CICP", "ICCProfile"):
        spec.erase_attribute(name)
    if encoding:
        spec.attribute("colorspace", encoding)
    spec.attribute(_VALUES, f"{header.bits}-bit {_said(header)}")


def _spec(spec: oiio.ImageSpec, types: tuple[str, ...], bits: int) -> oiio.ImageSpec:
    spec = spec.copy()
    spec.set_format(oiio.TypeDesc(types[0]))
    spec.channelformats = () if len(set(types)) == 1 else tuple(oiio.TypeDesc(kind) for kind in types)
    spec.erase_attribute("oiio:BitsPerSample")
    if bits:
        spec.attribute("oiio:BitsPerSample", bits)
    return spec


def grouped(planes: list[NDArray[Any]]) -> tuple[Group, ...]:
    """Return planes (H, W) as runs of one type."""
    groups = []
    for _, run in groupby(enumerate(planes), key=lambda item: item[1].dtype):
        found = list(run)
        groups.append(Group(found[0][0], np.stack([plane for _, plane in found], axis=2)))
    return tuple(groups)
