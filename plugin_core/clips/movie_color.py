"""From a decoded video frame to RGB in full range, by the matrix and range that the file states, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BT709, BT601 = 1, 5
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""Matrix in the file (ISO/IEC 23091-4) to the one swscale takes; BT.470BG and SMPTE 170M are BT.601."""

_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Share of red and blue in luma, by matrix."""

LIMITED, FULL = 1, 2
HD_LINES = 720
_DEPTHS = {9: 10, 10: 10, 12: 12, 14: 16, 16: 16}
_SCALING = 4 | 8192 | 16384 | 262144  # bicubic chroma, in full resolution, rounded exactly


def to_rgb(picture: Any) -> NDArray[Any]:
    """An ``av.VideoFrame`` as (H, W, 3), or 4 with alpha: uint8, or uint16 above 8 bits, 0 to the type's top.

    Reference black and white become 0 and the top; what lies beyond (headroom of limited range) is cut off.
    """
    layout = picture.format
    bits = max(component.bits for component in layout.components)
    alpha = any(component.is_alpha for component in layout.components)
    if bits > 8 and layout.name.startswith("gray"):
        gray = _scaled(_plane(picture, 0), (1 << bits) - 1)
        return np.repeat(gray[..., None], 3, axis=2)
    if bits > 8 and not layout.is_rgb:
        return _deep_yuv(picture, _DEPTHS.get(bits, 16), alpha)
    name = ("rgb48le" if bits > 8 else "rgb24") if not alpha else ("rgba64le" if bits > 8 else "rgba")
    pixels: NDArray[Any] = np.ascontiguousarray(_reformat(picture, name, FULL).to_ndarray())
    return pixels


def _reformat(picture: Any, name: str, wanted_range: int) -> Any:
    return picture.reformat(
        format=name,
        src_colorspace=matrix(picture),
        dst_colorspace=matrix(picture),
        src_color_range=color_range(picture),
        dst_color_range=wanted_range,
        interpolation=_SCALING,
    )


def _deep_yuv(picture: Any, bits: int, alpha: bool) -> NDArray[np.uint16]:
    """The matrix in floating point: swscale makes reference white 65283 of 65535."""
    full = color_range(picture) == FULL
    planar = _reformat(picture, f"yuv{'a' if alpha else ''}444p{bits}le", color_range(picture))
    top, step = (1 << bits) - 1, 1 << (bits - 8)
    black, luma_span, chroma_span = (0, top, top) if full else (16 * step, 219 * step, 224 * step)
    luma = (_plane(planar, 0).astype(np.float32) - black) / np.float32(luma_span)
    blue_of, red_of = (
        (_plane(planar, index).astype(np.float32) - 128 * step) / np.float32(chroma_span) for index in (1, 2)
    )
    kr, kb = _WEIGHTS[matrix(picture)]
    red = luma + np.float32(2 - 2 * kr) * red_of
    blue = luma + np.float32(2 - 2 * kb) * blue_of
    green = (luma - np.float32(kr) * red - np.float32(kb) * blue) / np.float32(1 - kr - kb)
    planes = [_scaled(plane, 1.0) for plane in (red, green, blue)]
    if alpha:
        planes.append(_scaled(_plane(planar, 3), top))
    return np.stack(planes, axis=2)


def from_rgb(pixels: NDArray[Any]) -> Any:
    """(H, W, 3), or 4 with alpha, uint8 or uint16, as an ``av.VideoFrame`` of 10 bits, BT.709, limited range.

    The inverse of :func:`to_rgb` but for the rounding to 10 bits.
    """
    import av

    height, width, channels = pixels.shape
    share = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    red, green, blue = (share[..., c] for c in range(3))
    kr, kb = (np.float32(weight) for weight in _WEIGHTS[BT709])
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = ((blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr))
    planes = [64 + 876 * luma, *(512 + 896 * plane for plane in chroma)]
    if channels == 4:
        planes.append(1023 * share[..., 3])
    frame = av.VideoFrame(width, height, "yuva444p10le" if channels == 4 else "yuv444p10le")
    for target, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((height, target.line_size // 2), "<u2")
        rows[:, :width] = np.clip(np.rint(values), 0, 1023)
        target.update(rows.tobytes())
    frame.colorspace, frame.color_range = BT709, LIMITED
    return frame


def _scaled(plane: NDArray[Any], top: float) -> NDArray[np.uint16]:
    share = np.clip(plane.astype(np.float32) / np.float32(top), 0, 1)
    scaled: NDArray[np.uint16] = np.rint(share * np.float32(65535)).astype(np.uint16)
    return scaled


def _plane(picture: Any, index: int) -> NDArray[np.uint16]:
    """One plane of a frame with 16-bit little-endian samples."""
    plane = picture.planes[index]
    rows = np.frombuffer(plane, "<u2").reshape(plane.height, plane.line_size // 2)
    return rows[:, : plane.width]


def matrix(picture: Any) -> int:
    """The matrix in the file; where it states none, BT.709 from 720 lines up, else BT.601, as players do."""
    stated = _MATRICES.get(int(picture.colorspace))
    return stated if stated is not None else (BT709 if picture.height >= HD_LINES else BT601)


def color_range(picture: Any) -> int:
    """Limited unless the file says full, or stores RGB or gray, which have no headroom."""
    if int(picture.color_range) == FULL or picture.format.is_rgb or picture.format.name.startswith("gray"):
        return FULL
    return LIMITED
