"""What the network saw and said on one frame, as layers of an EXR over the plate.

Every layer lies at plate resolution over the crops (the data window); the display window and pixel aspect are
the plate's. All values are 32-bit floats. Channels:

==========================  ==========================================================================
``R G B``                   the result
``difference.R G B``        result less plate; 0 outside the matte
``crop.number``             1 in the first crop, 2 in the second, ...
``mask.seen``               the hole as the network saw it
``mask.weight``             the weights that the fill is blended in with
``fill.R G B``              the network's picture, in the plate's values
``raw.R G B``               the same before it was blended with the previous output
``flow_m6.x y`` ...         where a source shows this pixel, in plate pixels from here (x right, y down):
                            frames -6, -3, +3, +6 and the previous output (``flow_previous``)
``flow_output.x y``         the flow that carries the previous output into this one
``compose.s8 s4 s2``        1 where a level took the sources, 0 where it took the frame itself
``compose.output``          1 where the output is newly painted, 0 where it is the previous one
``source.class`` ...        what each pixel is, and where it came from (see `source_layers`)
==========================  ==========================================================================

What a model has none of is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from ..box import Box
from ..color.color_map import ColorMap
from ..images.plate import Group, Part, Plate
from ..images.read import header_of
from ..network.contract import Mask, StepOutput
from ..patch import Patch
from ..regions.hole import Hole
from ..regions.region import Region
from .source_layers import source_planes

Floats = NDArray[np.float32]
Layers = dict[str, Floats]


@dataclass(frozen=True)
class CropView:
    """One crop of a frame.

    Attributes:
        region: where it lies.
        mask: the hole that the network saw, (1, h, w).
        output: what it answered, with its debug outputs.
    """

    region: Region
    mask: Mask
    output: StepOutput


def debug_picture(
    path: Path,
    plate: Plate,
    clean: Plate,
    hole: Hole | None,
    views: Sequence[CropView],
    color: ColorMap,
    offsets: Sequence[int],
    *,
    patch: Patch | None = None,
    rest: str = "",
) -> Plate:
    """Return the picture that is written as the debug file of a frame.

    Args:
        path: what it will be called.
        plate: the untouched plate.
        clean: the result.
        hole: what was filled; None for nothing.
        views: what was seen, one for each crop, at least one.
        color: of the plate.
        offsets: frames of the network's sources, relative to the frame.
        patch: what was found for the hole.
        rest: the class of what was not.
    """
    window = _window(views, plate)
    layers = dict(_result_layers(plate, clean, hole, window))
    for number, view in enumerate(views, 1):
        for name, values in _view_layers(view, color, offsets):
            _place(layers.setdefault(name, np.zeros_like(layers["R"])), values, view.region.crop, window)
        number_here = np.full((view.region.crop.height, view.region.crop.width), number, np.float32)
        crops = layers.setdefault("crop.number", np.zeros_like(layers["R"]))
        _place(crops, number_here, view.region.crop, window)
    if hole is not None:
        for name, values in source_planes(hole, patch, rest, plate.header, hole.box).items():
            _place(layers.setdefault(name, np.zeros_like(layers["R"])), values, hole.box, window)
    spec = _spec(plate, window, tuple(layers), views)
    pixels = np.empty((window.height, window.width, len(layers)), np.float32)
    for index, name in enumerate(list(layers)):
        pixels[..., index] = layers.pop(name)  # not kept twice: of a UHD crop they take a gigabyte
    return Plate(header_of(path, "openexr", [spec]), (Part(spec, (Group(0, pixels),)),))


def says_nothing(output: StepOutput) -> bool:
    """Whether every flow of a step is exactly zero: the model moves nothing."""
    flows = [values for name, values in output.debug.items() if name.startswith("flow")]
    return not any(values.any() for values in flows)


def _window(views: Sequence[CropView], plate: Plate) -> Box:
    first, *others = (view.region.crop for view in views)
    for other in others:
        first = first.union(other)
    return first.within(plate.header.width, plate.header.height)


def _result_layers(
    plate: Plate, clean: Plate, hole: Hole | None, window: Box
) -> Iterator[tuple[str, Floats]]:
    after, before = clean.crop(*window), plate.crop(*window)
    weight = np.zeros(after.shape[:2], np.float32)
    if hole is not None:
        _place(weight, hole.alpha, hole.box, window)
    with np.errstate(invalid="ignore"):
        change = np.where(after == before, np.float32(0), after - before)
    # A pixel that is NaN in both has not changed either.
    change = np.where(np.isnan(after) & np.isnan(before), np.float32(0), change)
    for prefix, picture in (("", after), ("difference.", change)):
        yield from _rgb(prefix, picture)
    yield "mask.weight", weight


def _view_layers(view: CropView, color: ColorMap, offsets: Sequence[int]) -> Iterator[tuple[str, Floats]]:
    region, debug = view.region, view.output.debug
    yield "mask.seen", _restored(region, view.mask)[..., 0]
    yield from _rgb("fill.", color.from_network(region.restore(view.output.fill)))
    if "raw" in debug:
        yield from _rgb("raw.", color.from_network(region.restore(debug["raw"][0])))
    yield from _flows(region, debug, offsets)
    for name, channel in (("mask_s8", "s8"), ("mask_s4", "s4"), ("mask_s2", "s2"), ("mask_s1", "output")):
        if name in debug:
            yield f"compose.{channel}", _restored(region, debug[name][0])[..., 0]


def _flows(
    region: Region, debug: Mapping[str, Floats], offsets: Sequence[int]
) -> Iterator[tuple[str, Floats]]:
    if "flow_s2" in debug:
        names = [f"flow_{'m' if offset < 0 else 'p'}{abs(offset)}" for offset in offsets]
        for name, flow in zip([*names, "flow_previous"], debug["flow_s2"], strict=True):
            yield from _flow(name, region, flow)
    if "flow_output" in debug:
        yield from _flow("flow_output", region, debug["flow_output"][0])


def _flow(name: str, region: Region, flow: Floats) -> Iterator[tuple[str, Floats]]:
    """A flow in pixels of its own level, as plate pixels."""
    restored = _restored(region, flow)
    yield f"{name}.x", restored[..., 0] * np.float32(region.crop.width / flow.shape[2])
    yield f"{name}.y", restored[..., 1] * np.float32(region.crop.height / flow.shape[1])


def _restored(region: Region, planes: Floats) -> Floats:
    """Planes (n, h, w) of any level of the network, n at most 3, brought to the crop (H, W, 3)."""
    rows, columns = region.network_size
    full = np.zeros((3, rows, columns), np.float32)
    for index, plane in enumerate(planes):
        full[index] = cv2.resize(
            np.ascontiguousarray(plane, np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR
        )
    return region.restore(full)


def _rgb(prefix: str, picture: Floats) -> Iterator[tuple[str, Floats]]:
    for index, channel in enumerate("RGB"):
        yield f"{prefix}{channel}", picture[..., index]


def _place(onto: Floats, values: Floats, box: Box, window: Box) -> None:
    """Lay values over a box into a plane over the window, in place."""
    x0, y0 = max(box.x0, window.x0), max(box.y0, window.y0)
    x1, y1 = min(box.x1, window.x1), min(box.y1, window.y1)
    if x0 < x1 and y0 < y1:
        target = onto[Box(x0, y0, x1, y1).moved(-window.x0, -window.y0).slices]
        target[...] = values[Box(x0, y0, x1, y1).moved(-box.x0, -box.y0).slices]


def _spec(plate: Plate, window: Box, channels: Sequence[str], views: Sequence[CropView]) -> oiio.ImageSpec:
    header = plate.header
    spec = oiio.ImageSpec(window.width, window.height, len(channels), "float")
    spec.channelnames = tuple(channels)
    spec.x, spec.y = header.data_window[0] + window.x0, header.data_window[1] + window.y0
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = header.display_window
    spec.attribute("compression", "zip")
    spec.attribute("PixelAspectRatio", header.pixel_aspect)
    spec.attribute(
        "cleanplate/crops", "; ".join(_region_words(view.region, header.data_window) for view in views)
    )
    return spec


def _region_words(region: Region, data_window: tuple[int, int, int, int]) -> str:
    crop = region.crop.moved(data_window[0], data_window[1])
    rows, columns = region.network_size
    return f"{crop.x0},{crop.y0},{crop.width},{crop.height} at {columns}x{rows}"
