"""Where the parts of this installation that are no Python packages lie: in a wheel, or in a checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def part_folder(name: str, beside: str, holding: str = "") -> Path | None:
    """Return the folder of a part; None where this installation has none.

    Args:
        name: what setup.py calls it in a wheel, dotted.
        beside: what a checkout calls it, beside the core.
        holding: a file by which it is known to be whole.
    """
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    places = [] if found is None else [Path(place) for place in found.submodule_search_locations or ()]
    places.append(Path(__file__).resolve().parents[2] / beside)
    return next((place for place in places if place.is_dir() and (place / holding).exists()), None)
