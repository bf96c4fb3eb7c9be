"""A corpus of small pictures, made by every writer at hand: Pillow, tifffile, OpenImageIO, imageio.

What a writer can't write, or not in this version, is left out.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import OpenImageIO as oiio
import tifffile
from numpy.typing import NDArray
from PIL import Image

from ..plugin_core.pictures_on_disk import save_png_bomb, save_ycbcr_by_hand

W, H = 37, 29
_NO_PICTURES = {"PDF", "EPS", "HDF5", "GRIB", "BUFR", "WMF"}
_PILLOW_MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I", "F")
_PILLOW_MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "JPEG": ({"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}),
    "TIFF": tuple(
        {"compression": name}
        for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "group4")
    ),
    "TGA": ({"compression": "tga_rle"},),
    "WEBP": ({"lossless": True},),
    "PNG": ({"bits": 2},),
    "AVIF": ({"quality": 100},),
}
_TIFF_TYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "f2", "f4", "f8", "c8", "?")
_TIFF_LAYOUTS: tuple[dict[str, Any], ...] = (
    {},
    {"rowsperstrip": 1},
    {"rowsperstrip": 7},
    {"tile": (16, 16)},
    {"planarconfig": "separate"},
    {"planarconfig": "separate", "tile": (16, 16)},
    {"byteorder": ">"},
    {"bigtiff": True},
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": True},
    {"compression": "zlib", "tile": (16, 16)},
    {"compression": "lzma"},
)
_OIIO_TYPES = ("uint8", "uint16", "half", "float", "uint", "double")
_OIIO_NAMES = (("Y",), ("Y", "A"), ("R", "G", "B"), ("R", "G", "B", "A"))
_OIIO_MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "openexr": (
        *(
            {"compression": name}
            for name in ("none", "rle", "zips", "piz", "pxr24", "b44", "dwaa", "htj2k256")
        ),
        {"tile": 16},
        {"tile": 16, "compression": "piz"},
        {"x": 5, "y": -3},
        {"full": (20, 15)},
    ),
    "tiff": (
        *({"compression": name} for name in ("none", "lzw", "packbits", "jpeg")),
        {"tile": 16},
        {"planarconfig": "separate"},
        {"tile": 16, "planarconfig": "separate"},
        {"tiff:half": 1},
        {"oiio:BitsPerSample": 2},
        {"oiio:BitsPerSample": 4},
        {"oiio:BitsPerSample": 6},
        {"oiio:BitsPerSample": 12},
    ),
    "dpx": (
        {"oiio:BitsPerSample": 10},
        {"oiio:BitsPerSample": 12},
        {"dpx:Packing": "Packed", "oiio:BitsPerSample": 10},
        {"dpx:Packing": "Filled, method B", "oiio:BitsPerSample": 10},
        {"oiio:Endian": "little"},
    ),
    "targa": ({"compression": "rle"}, {"oiio:UnassociatedAlpha": 1}),
    "png": ({"oiio:UnassociatedAlpha": 1}, {"oiio:ColorSpace": "linear"}, {"oiio:Gamma": 1.7}),
    "jpeg": ({"jpeg:progressive": 1}, {"jpeg:subsampling": "4:2:0"}),
    "jpegxl": ({"oiio:UnassociatedAlpha": 1},),
}
_OIIO_ENDINGS = {
    "openexr": "exr",
    "tiff": "tif",
    "jpeg": "jpg",
    "targa": "tga",
    "jpegxl": "jxl",
    "jpeg2000": "jp2",
}
_NOT_OURS = {"null", "term", "zfile"}
_IMAGEIO = ("png", "jpg", "tif", "bmp", "gif", "webp", "ppm", "pgm", "tga", "jp2", "ico", "sgi", "pcx")


def make_corpus(folder: Path) -> list[Path]:
    """Write the corpus; returns its files, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for make in (_by_pillow, _by_tifffile, _by_oiio, _by_imageio, _by_hand):
        for name, write in make():
            path = folder / name
            try:
                write(path)
            except Exception:  # whatever a writer says of what it can't
                path.unlink(missing_ok=True)
    oiio.geterror()
    return sorted(path for path in folder.iterdir() if path.stat().st_size)


Writes = Iterator[tuple[str, Callable[[Path], object]]]


def _noise(channels: int = 4) -> NDArray[np.float32]:
    """(H, W, channels), 0..1: waves under noise, so that codecs have something to do."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    waves = np.stack([np.sin(x / (3 + c)) * np.cos(y / (4 + c)) for c in range(channels)], axis=2)
    noise = np.random.default_rng(5).random((H, W, channels), dtype=np.float32)
    mixed: NDArray[np.float32] = (0.25 * waves + 0.5 * noise + 0.25).clip(0, 1).astype(np.float32)
    return mixed


def _by_pillow() -> Writes:
    Image.init()
    rgb = Image.fromarray((_noise(3) * 255).astype(np.uint8))
    rgba = Image.fromarray((_noise() * 255).astype(np.uint8))
    endings = {kind: ending for ending, kind in sorted(Image.registered_extensions().items(), reverse=True)}
    for kind in sorted(set(Image.SAVE) - _NO_PICTURES):
        for mode, more in itertools.product(_PILLOW_MODES, ({}, *_PILLOW_MORE.get(kind, ()))):
            said = "-".join(f"{key}={value}" for key, value in more.items())
            name = f"pillow-{kind}-{mode.replace(';', '')}-{said}{endings.get(kind, '.' + kind.lower())}"
            yield name, _Pillow(rgba if mode in ("RGBA", "LA") else rgb, kind, mode, more)
    frames = [Image.fromarray(np.roll((_noise(3) * 255).astype(np.uint8), n, 0)) for n in range(4)]
    for ending in ("gif", "webp", "png", "tif"):
        more = {"save_all": True, "append_images": frames[1:]}
        yield f"pillow-several.{ending}", lambda path, more=more: frames[0].save(path, **more)


class _Pillow:
    def __init__(self, picture: Image.Image, kind: str, mode: str, more: dict[str, Any]) -> None:
        self._picture, self._kind, self._mode, self._more = picture, kind, mode, more

    def __call__(self, path: Path) -> None:
        if self._mode == "I;16":
            picture = Image.fromarray((_noise(1)[..., 0] * 65535).astype(np.uint16))
        else:
            picture = self._picture.convert(self._mode)
        picture.save(path, self._kind, **self._more)


def _by_tifffile() -> Writes:
    shapes = {"minisblack": 1, "miniswhite": 1, "rgb": 3, "rgba": 4}
    for kind, layout, (shape, channels) in itertools.product(_TIFF_TYPES, _TIFF_LAYOUTS, shapes.items()):
        if shape != "rgb" and (layout and kind not in ("u1", "u2", "f4")):
            continue  # each layout with each type once
        said = "-".join(f"{key}={str(value).replace(' ', '')}" for key, value in layout.items())
        yield (
            f"tifffile-{kind.replace('?', 'bool')}-{shape}-{said}.tif",
            _Tifffile(kind, shape, channels, layout),
        )
    yield "tifffile-palette.tif", _palette
    yield "tifffile-pages.tif", lambda path: tifffile.imwrite(path, _as_type(np.stack([_noise(3)] * 3), "u1"))
    yield "tifffile-one-row.tif", lambda path: tifffile.imwrite(path, _as_type(_noise(3)[:1], "f4"))


class _Tifffile:
    def __init__(self, kind: str, shape: str, channels: int, layout: dict[str, Any]) -> None:
        self._kind, self._shape, self._channels, self._layout = kind, shape, channels, layout

    def __call__(self, path: Path) -> None:
        pixels = _as_type(_noise(self._channels), self._kind)
        if self._channels == 1:
            pixels = pixels[..., 0]
        elif self._layout.get("planarconfig") == "separate":
            pixels = np.moveaxis(pixels, 2, 0)
        more = {"extrasamples": ["unassalpha"]} if self._shape == "rgba" else {}
        tifffile.imwrite(path, pixels, photometric=self._shape[: 3 if more else None], **self._layout, **more)


def _as_type(pixels: NDArray[np.float32], kind: str) -> NDArray[Any]:
    dtype = np.dtype(kind)
    if dtype.kind in "ui":
        return (pixels.astype(np.float64) * np.iinfo(dtype).max).astype(dtype)
    return pixels > 0.5 if dtype.kind == "b" else pixels.astype(dtype)


def _palette(path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 65536, (3, 256), dtype=np.uint16)
    tifffile.imwrite(path, _as_type(_noise(1)[..., 0], "u1"), photometric="palette", colormap=colors)


def _by_oiio() -> Writes:
    for kind in str(oiio.get_string_attribute("output_format_list")).split(","):
        if kind in _NOT_OURS:
            continue
        ending = _OIIO_ENDINGS.get(kind, kind)
        for sample, names in itertools.product(_OIIO_TYPES, _OIIO_NAMES):
            yield f"oiio-{kind}-{sample}-{''.join(names)}.{ending}", _Oiio(sample, names, {})
        for more in _OIIO_MORE.get(kind, ()):
            said = "-".join(f"{key.split(':')[-1]}={value}" for key, value in more.items()).replace(" ", "")
            for sample in ("uint8", "uint16", "half"):
                yield f"oiio-{kind}-{sample}-RGBA-{said}.{ending}", _Oiio(sample, _OIIO_NAMES[-1], more)


class _Oiio:
    def __init__(self, sample: str, names: tuple[str, ...], more: dict[str, Any]) -> None:
        self._sample, self._names, self._more = sample, names, dict(more)

    def __call__(self, path: Path) -> None:
        spec = oiio.ImageSpec(W, H, len(self._names), self._sample)
        spec.channelnames = self._names
        spec.alpha_channel = self._names.index("A") if "A" in self._names else -1
        for key, value in self._more.items():
            if key == "tile":
                spec.tile_width = spec.tile_height = value
            elif key in ("x", "y"):
                setattr(spec, key, value)
            elif key == "full":
                spec.full_width, spec.full_height = value
            else:
                spec.attribute(key, value)
        out = oiio.ImageOutput.create(str(path))
        if out is None or not out.open(str(path), spec) or str(out.spec().format) != self._sample:
            if out is not None:
                out.close()
            path.unlink(missing_ok=True)  # of another type: it is made under that type's name
            return
        out.write_image(_noise(len(self._names)))
        out.close()


def _by_imageio() -> Writes:
    rgb, gray = (_noise(3) * 255).astype(np.uint8), (_noise(1)[..., 0] * 255).astype(np.uint8)
    for ending in _IMAGEIO:
        yield f"imageio-rgb.{ending}", lambda path: imageio.v3.imwrite(path, rgb)
        yield f"imageio-gray.{ending}", lambda path: imageio.v3.imwrite(path, gray)
        yield f"imageio-gray16.{ending}", lambda path: imageio.v3.imwrite(path, gray.astype(np.uint16) * 257)


def _by_hand() -> Writes:
    for across, down in ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4)):
        yield (
            f"hand-ycbcr{across}{down}.tif",
            lambda path, sub=(across, down): save_ycbcr_by_hand(path, (W, H), sub, 8),
        )
    yield "hand-bomb.png", lambda path: save_png_bomb(path, 30000)
