"""The second sample shot: a boom microphone to remove from a photograph of a mountain lake.

A handheld pan over a real photograph (CC0-1.0, `lake.jpg`) with film grain, a microphone that swings through it,
and the true clean plate. 8-bit PNG as a screen shows it. The frames are made when they are asked for
(`compose.write_lake`), from the photograph: 24 frames would be 10 MB.
"""

from __future__ import annotations

FIRST, LAST = 1001, 1024
FRAMES = f"{FIRST}-{LAST}"
WIDTH, HEIGHT = 640, 360
