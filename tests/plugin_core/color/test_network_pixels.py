"""Colors that are looked up are those that would be computed."""

import numpy as np
import pytest

from plugin_core.color.color_map import ColorMap
from plugin_core.color.network_pixels import network_pixels
from plugin_core.images.plate import as_float


@pytest.mark.parametrize("encoding", ["display", "linear"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float16])
def test_colors_of_short_types_are_looked_up(kind, encoding):
    bits = np.random.default_rng(3).integers(0, 1 << 8 * np.dtype(kind).itemsize, (9, 11, 4))
    native = bits.astype(f"u{np.dtype(kind).itemsize}").view(kind)
    if kind is np.float16:
        native = np.where(np.isfinite(native), native, 0.5).astype(kind)
    color = ColorMap(encoding)
    for cut in (native[..., :3], np.ascontiguousarray(native[..., :3])):
        found, missing = network_pixels(cut, color)
        assert missing is None and found.dtype == np.float32
        np.testing.assert_allclose(found, color.to_network(as_float(cut)), rtol=2e-6, atol=2e-7)
