"""What counts as the same file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.disk.fingerprint import Fingerprint
from plugin_core.errors import ImageError


def write(path: Path, value: float, date: str, owner: str = "") -> Path:
    spec = oiio.ImageSpec(40, 30, 3, "half")
    spec.attribute("DateTime", date)
    spec.attribute("owner", owner)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(np.full((30, 40, 3), value, np.float32))
    file.close()
    return path


def test_the_same_picture_written_at_another_time_is_the_same(tmp_path):
    path = write(tmp_path / "a.exr", 0.5, "2026:11:24 10:00:00")
    mark = Fingerprint.of(path)
    write(path, 0.5, "2026:11:25 11:12:13")
    os.utime(path, ns=(1, 1))
    assert mark.still_holds(path)


@pytest.mark.parametrize(("value", "owner"), [(0.25, ""), (0.5, "2026:11:24 10:00:00")])
def test_another_picture_or_header_is_another(tmp_path, value, owner):
    path = write(tmp_path / "a.exr", 0.5, "2026:11:24 10:00:00", owner and "2026:11:24 10:00:01")
    mark = Fingerprint.of(path)
    write(path, value, "2026:11:24 10:00:00", owner)
    os.utime(path, ns=(1, 1))
    assert not mark.still_holds(path)


def test_a_file_that_is_gone_is_another_and_can_not_be_read(tmp_path):
    path = write(tmp_path / "a.exr", 0.5, "2026:11:24 10:00:00")
    mark = Fingerprint.of(path)
    path.unlink()
    assert not mark.still_holds(path)
    with pytest.raises(ImageError, match="Can't read"):
        Fingerprint.of(path)
