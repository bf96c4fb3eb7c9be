"""Fill every shot of a show: each folder under SHOW that holds `plate/` and `matte/` gets a `clean/`.

    python fill_a_show.py /shows/alpha --only 'sh0*'

Run it again whenever you like: finished frames stay, changed mattes are rendered again. A shot that fails
stops no other; the exit code says whether all are done, and the last lines say which are not and why.
"""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

from cleanplate import CleanplateError, Model, Settings, Shot, open_model


def shots_of(show: Path, only: str) -> dict[str, Shot]:
    """Return the show's shots by name."""
    folders = [path.parent for path in sorted(show.glob("*/matte")) if (path.parent / "plate").is_dir()]
    return {
        folder.name: Shot(
            plate=str(folder / "plate"), matte=str(folder / "matte"), output=str(folder / "clean")
        )
        for folder in folders
        if fnmatch(folder.name, only)
    }


def fill(model: Model, name: str, shot: Shot, settings: Settings) -> str:
    """Fill one shot; returns what went wrong, or nothing."""
    Path(shot.output).mkdir(exist_ok=True)
    try:
        for done in model.render(shot, settings, resume=True):
            print(f"{name}: frame {done.frame} in {done.seconds:.2f} s", flush=True)
    except CleanplateError as error:
        return f"{error} (exit code {error.exit_code})"
    return ""


def main() -> int:
    """Fill the show; returns 0 when every shot is done."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("show", type=Path, metavar="SHOW", help="folder with a folder for each shot")
    parser.add_argument("--only", default="*", metavar="NAMES", help="shots whose names match (all)")
    parser.add_argument("--grow", type=int, default=4, metavar="PX", help="grow the mattes by (4)")
    given = parser.parse_args()
    shots = shots_of(given.show, given.only)
    if not shots:
        print(f"{given.show} has no folder with plate/ and matte/ in it.", file=sys.stderr)
        return 2
    with open_model() as model:
        faults = {name: fill(model, name, shot, Settings(grow=given.grow)) for name, shot in shots.items()}
    for name, fault in faults.items():
        print(f"{name}: {fault or 'done'}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
