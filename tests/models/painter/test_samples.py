from __future__ import annotations

import numpy as np
import pytest
import torch

from models.painter.geometry import draw_geometry
from models.painter.samples import HELD_OUT, draw_batch
from models.synthetic.pictures import Pictures


@pytest.mark.parametrize("cells", [32, 64])
def test_a_batch_has_pictures_and_holes(pictures, cells):
    batch = draw_batch(np.random.default_rng(1), pictures, 6, cells)
    assert batch.picture.shape == (6, 3, cells, cells)
    assert batch.known.shape == (6, 1, cells, cells)
    for part in batch:
        assert part.dtype == torch.float32
        assert part.isfinite().all()
        assert 0 <= float(part.min()) <= float(part.max()) <= 1
    hidden = (1 - batch.known).sum(dim=(1, 2, 3))
    assert (hidden >= 4).all()
    assert (batch.known == 1).float().mean() > 0.4


def test_a_batch_follows_from_its_generator(pictures):
    first, again = (draw_batch(np.random.default_rng([4, 7]), pictures, 4, 32) for _ in range(2))
    other = draw_batch(np.random.default_rng([4, 8]), pictures, 4, 32)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.picture, other.picture)


def test_hard_holes_are_of_whole_cells(pictures):
    soft, mixed, hard = (
        draw_batch(np.random.default_rng(5), pictures, 24, 32, geometry=1, hard=share).known
        for share in (0.0, 0.5, 1.0)
    )
    whole = [((known == 0) | (known == 1)).flatten(1).all(dim=1) for known in (soft, mixed, hard)]
    assert whole[2].all() and not whole[0].all()
    assert whole[0].sum() < whole[1].sum() < 24
    assert ((1 - hard).sum(dim=(1, 2, 3)) >= 4).all()


def test_a_window_is_a_part_of_its_photograph(photographs):
    """Of a picture that is a ramp, every window is one: nothing is mirrored in, no row is doubled."""
    import cv2

    folder = photographs.parent / "ramp"
    folder.mkdir(exist_ok=True)
    ramp = np.linspace(0, 255, 800)[None, :, None].repeat(600, 0).repeat(3, 2)
    cv2.imwrite(str(folder / "ramp.png"), ramp.round().astype(np.uint8))
    batch = draw_batch(np.random.default_rng(2), Pictures(folder, procedural=0), 12, 32, geometry=0)
    for picture in batch.picture:
        for dim in (1, 2):
            steps = picture[0].diff(dim=dim - 1)
            assert (steps > -0.01).all() or (steps < 0.01).all()


def test_what_is_held_out_is_not_trained_on(photographs):
    both = Pictures(photographs, procedural=0)
    training = Pictures(photographs, procedural=0, without=HELD_OUT)
    held_out = Pictures(photographs, procedural=0, only=HELD_OUT)
    assert (both.photographs, training.photographs, held_out.photographs) == (3, 2, 1)


def test_geometry_is_varied_and_in_range():
    drawn = [draw_geometry(np.random.default_rng(n), 64) for n in range(40)]
    for picture in drawn:
        assert picture.shape == (64, 64, 3)
        assert picture.dtype == np.float32
        assert 0 <= picture.min() <= picture.max() <= 1
    assert np.mean([picture.std() > 0.02 for picture in drawn]) > 0.7
    assert len({picture.tobytes() for picture in drawn}) == len(drawn)
