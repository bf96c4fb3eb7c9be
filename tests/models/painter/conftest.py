from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.painter.hearing import Hearing
from models.synthetic.pictures import Pictures, procedural_texture
from models.wiring.interpolation import Interpolation


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """A folder of two small pictures, and one that is named like a photograph that is held out."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, name in enumerate(("a", "b", "canyon-wren")):
        picture = procedural_texture(np.random.default_rng(number), 256)
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return folder


@pytest.fixture(scope="session")
def pictures(photographs) -> Pictures:
    return Pictures(photographs, procedural=0)


@pytest.fixture
def hearing() -> Hearing:
    """Of a small interpolation as the wiring begins it."""
    return Hearing(Interpolation(2, 2))
