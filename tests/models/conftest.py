"""How the network's own tests run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.synthetic import pictures

# The pictures here are small: threads that wait for one another cost more than they bring, most of all where
# other work runs beside the tests.
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def textures_drawn_once():
    """Runs of one seed train on the same textures: they are drawn for the first."""
    drawn: dict[tuple[int, int], pictures.Picture] = {}
    draw = pictures.procedural_texture

    def texture(rng: np.random.Generator, size: int = 768) -> pictures.Picture:
        key = rng.bit_generator.state["state"]["state"], size
        if key not in drawn:
            drawn[key] = draw(rng, size)
        return drawn[key].copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "procedural_texture", texture)
        yield
