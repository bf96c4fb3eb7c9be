"""How much damage is found, how much is found where there is none, and what a repair is worth.

    python -m models.evaluation.restoration [--clips camel=DIR ...] [--sprites DIR] [--first 20] [--seeds 5]

Clean clips get damage of which everything is known (`film_damage`): five pieces a frame and two running
scratches. Found, false and PSNR are of pixels; false finds are those on pixels that no damage changed.
Without `--clips` the three that the bars were set on are taken from the folder that CLEANPLATE_SHARED names.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.clips.clip import open_clip
from plugin_core.color.color_map import ColorMap
from plugin_core.color.display import display
from plugin_core.damage.finder import LOOKS_AT, REACH, Search
from plugin_core.qc.contact_sheet import contact_sheet, matte_overlay
from plugin_core.restore.shot import RestoredShot

from .film_damage import Damaged, Fit, Picture, damaged, read_sprites

STANDARD = ("davis_camel", "davis_tennis", "intel_person_arrives")
_ROWS = 432


@dataclass(frozen=True)
class Result:
    """Scores of one clip.

    Attributes:
        dirt, scratches: share of the damaged pixels that is found.
        false: share of the pixels that no damage changed that is found.
        before, after: whole-frame PSNR in dB, damaged and restored.
        seconds: processor seconds a megapixel and frame.
    """

    dirt: float
    scratches: float
    false: float
    before: float
    after: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"dirt {self.dirt:.1%}, scratches {self.scratches:.1%}, false {self.false:.3%}, "
            f"PSNR {self.before:.1f} -> {self.after:.1f} dB, {self.seconds:.2f} s/MP"
        )


def read_pictures(folder: Path, first: int, count: int, rows: int = _ROWS) -> list[Picture]:
    """Read frames of a clip as 8-bit display-referred pictures of so many rows."""
    clip = open_clip(str(folder))
    pictures = []
    for frame in clip.frames()[first : first + count]:
        plate = clip.plate(frame)
        rgb = display(plate.rgb) if plate.header.is_float else plate.rgb
        width = 2 * round(rgb.shape[1] * rows / rgb.shape[0] / 2)
        small = cv2.resize(rgb, (width, rows), interpolation=cv2.INTER_AREA)
        pictures.append(np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8))
    return pictures


def shot_of(pictures: Sequence[Picture], folder: Path, search: Search | None = None) -> RestoredShot:
    """Write pictures to a folder and open them as a shot, numbered from 0."""
    for frame, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"plate.{frame:04}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    clip, whole = open_clip(str(folder / "plate.####.png")), range(len(pictures))
    return RestoredShot(clip, ColorMap("display"), lambda frame: whole, search or Search())


def score(made: Damaged, sheet: Path | None = None, search: Search | None = None) -> Result:
    """Find, repair and score the damage of a run; its first and last frames only serve the others."""
    inner = range(REST, len(made.pictures) - REST)
    hit = {"dirt": [0, 0], "scratches": [0, 0]}
    false = [0, 0]
    rows: list[list[NDArray[np.float32]]] = []
    restored: list[Picture] = []
    with tempfile.TemporaryDirectory(prefix="cleanplate-restoration-") as name:
        shot = shot_of(made.pictures, Path(name), search)
        shot.restored(REST - 1)  # what begins a shot is not what a frame costs
        began = time.process_time()
        for frame in inner:
            plate, damage, _ = shot.restored(frame)
            restored.append(np.rint(plate.rgb * 255).astype(np.uint8))
            mask = damage.mask()
            for kind, there in (("dirt", made.dirt[frame]), ("scratches", made.scratches[frame])):
                hit[kind][0] += int((mask & there).sum())
                hit[kind][1] += int(there.sum())
            untouched = ~made.touched[frame]
            false[0] += int((mask & untouched).sum())
            false[1] += int(untouched.sum())
            if len(rows) < 3:
                shown = made.pictures[frame].astype(np.float32) / np.float32(255)
                damage_true = (made.dirt[frame] | made.scratches[frame]).astype(np.float32)
                found = matte_overlay(shown, mask.astype(np.float32))
                rows.append(
                    [matte_overlay(shown, damage_true), found, shown, np.asarray(plate.rgb, np.float32)]
                )
        seconds = time.process_time() - began
    if sheet is not None:
        columns = ["damage", "found", "damaged", "restored"]
        contact_sheet(rows, sheet, columns=columns, labels=[str(frame) for frame in inner][:3])
    truth = [made.truth[frame] for frame in inner]
    share = {name: part / max(whole, 1) for name, (part, whole) in hit.items()}
    return Result(
        share["dirt"],
        share["scratches"],
        false[0] / max(false[1], 1),
        _psnr([made.pictures[frame] for frame in inner], truth),
        _psnr(restored, truth),
        seconds / (len(inner) * made.truth[0][..., 0].size / 1e6),
    )


REST = LOOKS_AT - REACH


def _psnr(pictures: Sequence[Picture], truth: Sequence[Picture]) -> float:
    errors = [np.mean((a.astype(np.float64) - b) ** 2) for a, b in zip(pictures, truth, strict=True)]
    return float(10 * np.log10(255**2 / max(float(np.mean(errors)), 1e-9)))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How much damage is found and repaired.")
    shared = Path(os.environ.get("CLEANPLATE_SHARED", "."))
    parser.add_argument(
        "--clips", nargs="*", type=Path, default=[shared / "clips" / name for name in STANDARD]
    )
    parser.add_argument("--sprites", type=Path, default=shared / "damage" / "sprites")
    parser.add_argument("--first", type=int, nargs="*", default=[20])
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="*", default=[5])
    parser.add_argument("--fit", choices=("sprite", "piece"), default="sprite")
    parser.add_argument(
        "--undamaged", action="store_true", help="lay no damage over them: all finds are false"
    )
    parser.add_argument("--sheets", type=Path)
    given = parser.parse_args(arguments)
    sprites = read_sprites(given.sprites)
    fit: Fit = given.fit
    for folder in given.clips:
        plate = folder / "plate" if (folder / "plate").is_dir() else folder
        for first in given.first:
            truth = read_pictures(plate, first, given.frames + 2 * REST)
            for seed in given.seeds:
                much = {"pieces": 0, "scratches": 0} if given.undamaged else {}
                made = damaged(truth, sprites, seed=seed, fit=fit, **much)
                name = f"{folder.name}_{first}_{seed}"
                sheet = None if given.sheets is None else given.sheets / f"{name}.png"
                print(f"{name}: {score(made, sheet)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
