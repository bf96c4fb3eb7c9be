from __future__ import annotations

from fractions import Fraction

import OpenImageIO as oiio
import pytest

from plugin_core.clips.timecode import advanced, packed

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "frames", "rate", "later"),
    [
        ("01:00:00:00", 0, Fraction(24), "01:00:00:00"),
        ("01:00:00:23", 1, Fraction(24), "01:00:01:00"),
        ("09:59:59:23", 1, Fraction(24000, 1001), "10:00:00:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),  # two numbers are left out every minute
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),  # but not every tenth
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
        ("00:00:59;59", 1, 2 * NTSC, "00:01:00;04"),
        ("no timecode", 1, Fraction(24), ""),
        ("01:00:00:00", 1, Fraction(0), ""),
    ],
)
def test_frames_later(text, frames, rate, later):
    assert advanced(text, frames, rate) == later


@pytest.mark.parametrize("start", ["00:00:58;05", "00:09:58;28", "12:34:56;07"])
def test_drop_frame_counts_every_frame_once(start):
    one_by_one = start
    for count in range(1, 4000):
        one_by_one = advanced(one_by_one, 1, NTSC)
        assert one_by_one == advanced(start, count, NTSC)
        assert not (one_by_one[6:] in ("00;00", "00;01") and one_by_one[4] != "0")


@pytest.mark.parametrize("text", ["01:02:03:04", "23:59:59:29", "10:20:30;12"])
def test_words_are_those_openimageio_reads(text):
    spec = oiio.ImageSpec(1, 1, 1, "half")
    spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), packed(text))
    assert spec.get_string_attribute("smpte:TimeCode").replace(";", ":") == text.replace(";", ":")
    assert packed("soon") is None
