"""The embedded sample shot: a balloon to remove from a sunset over a lavender field.

A camera that trucks and pans, parallax, a sun and a burner flame far above 1.0, motion blur, a soft matte
that takes the balloon's shadow in, and the true clean plate. Half-float EXR, scene-linear, Rec.709 primaries.
Our own making, CC0-1.0; `python -m plugin_core.sample.compose` makes it again.
"""

from __future__ import annotations

from pathlib import Path

FIRST, LAST = 1001, 1024
FRAMES = f"{FIRST}-{LAST}"
FPS = 24
COLORSPACE = "Linear Rec.709 (sRGB)"
"""OpenColorIO name of the sample's color space, as in the built-in configurations."""

SAMPLE = (
    f"balloon: {LAST - FIRST + 1} frames ({FRAMES}), half-float EXR, {COLORSPACE}; "
    "plate, soft matte and true clean plate"
)
"""What the sample is, in a line."""


def sample_folder() -> Path:
    """The folder that holds plate/, matte/ and clean/; also in an installed wheel."""
    return Path(__file__).parent


def plate_pattern() -> str:
    """Path of the plate's frames, with #### for the frame number."""
    return _pattern("plate")


def matte_pattern() -> str:
    """Path of the matte's frames (one half channel Y, 1 is to be filled), with #### for the frame number."""
    return _pattern("matte")


def clean_pattern() -> str:
    """Path of the true clean plate's frames, with #### for the frame number."""
    return _pattern("clean")


def frame_path(pattern: str, frame: int) -> Path:
    """The file of one frame of a pattern above."""
    return Path(pattern.replace("####", f"{frame:04d}"))


def _pattern(kind: str, folder: Path | None = None) -> str:
    return str((folder or sample_folder()) / kind / f"{kind}.####.exr")
