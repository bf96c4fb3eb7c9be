"""No picture crashes, hangs, or comes back with an untouched pixel changed: the made corpus, and any folder.

``CLEANPLATE_CORPUS`` names folders of pictures (one, or several with the path separator) to look at, too.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plugin_core.errors import ImageError
from plugin_core.images import read_plate

from .made import make_corpus
from .run import Result, answers_of, pictures_in, run

pytestmark = pytest.mark.slow

FOLDERS = [Path(folder) for folder in os.environ.get("CLEANPLATE_CORPUS", "").split(os.pathsep) if folder]


def test_the_made_corpus_has_no_fault(tmp_path: Path) -> None:
    """And is mostly taken: a reader that refuses everything has no fault either."""
    (tmp_path / "out").mkdir()
    files = make_corpus(tmp_path / "made")
    made = run(files, tmp_path / "out", cut=True)
    assert not made.faults
    assert len(made.seen) > 600, "the writers make what they made"
    _check_taken(made)
    _check_pixels(files)


def _check_taken(made: Result) -> None:
    taken = [seen for seen in made.seen if seen["plate"] == "taken" and seen["matte"] == "taken"]
    assert len(taken) > 0.7 * len(made.seen)
    for ending in (".exr", ".dpx", ".tif", ".png", ".jxl", ".jpg", ".tga", ".bmp"):
        assert any(seen["path"].endswith(ending) and seen["out"] for seen in made.seen), ending
    cut = sum(sum(seen["cuts"]) for seen in made.seen)
    refused = sum(seen["cuts"][0] for seen in made.seen)
    assert cut == 8 * len(made.seen) and refused > 0.9 * cut


def _check_pixels(files: list[Path]) -> None:
    """What Pillow wrote without loss is what is read: by another reader than OpenImageIO's."""
    compared = 0
    for path in files:
        kind, mode, said = [*path.stem.split("-", 3), "", "", ""][1:4]
        lossless = kind in ("PNG", "TIFF", "BMP", "TGA", "PPM", "SGI") or "lossless" in said
        if not path.name.startswith("pillow-") or mode not in ("L", "RGB", "RGBA") or not lossless:
            continue
        if "jpeg" in said:
            continue
        with suppress(ImageError):  # zstd, for example
            plate = read_plate(path)
            theirs = np.atleast_3d(np.asarray(Image.open(path)))  # a BMP's fourth channel is none to Pillow
            ours = np.stack([plate.parts[0].channel(c) for c in range(theirs.shape[2])], axis=2)
            np.testing.assert_array_equal(ours, theirs, path.name)
            compared += 1
    assert compared > 20


@pytest.mark.skipif(not FOLDERS, reason="needs CLEANPLATE_CORPUS: folders of pictures")
@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_corpus_of_others_has_no_fault(folder: Path, tmp_path: Path) -> None:
    result = run(pictures_in(folder), tmp_path, cut=False)
    print(result.table())
    assert not result.faults


def test_a_picture_that_ends_the_process_is_a_fault_and_the_next_one_is_looked_at() -> None:
    died = "the process ended (code 1)"
    first, second, third = answers_of(["tests.corpus.judge"], ["no JSON", '{"path": "gone"}', "none"])
    assert (first, third) == (died, died)
    assert isinstance(second, dict) and "gone" in second["faults"][0]


def test_faults_are_found(tmp_path: Path) -> None:
    """The judge is no rubber stamp: another picture in place of what was written."""
    files = [save_noise(tmp_path / f"{name}.png", seed) for seed, name in enumerate("ab")]
    seen = {
        "path": str(files[0]),
        "out": str(files[1]),
        "part": 0,
        "channels": [0, 1, 2],
        "box": [0, 0, 5, 5],
    }
    (answer,) = answers_of(["tests.corpus.judge"], [json.dumps(seen)])
    assert isinstance(answer, dict) and len(answer["faults"]) == 3
    assert all("untouched pixels differ" in fault for fault in answer["faults"])


def save_noise(path: Path, seed: int) -> Path:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return path
