"""The second sample shot: a boom microphone to remove from a photograph of a mountain lake.

A handheld pan over a real photograph (`lake.jpg`) with film grain, a microphone that swings through it, and
the true clean plate. 8-bit PNG as a screen shows it. The frames are made from the photograph when they are
asked for (`compose.write_lake`): stored, they would be 10 MB.
"""

from __future__ import annotations

FIRST, LAST = 1001, 1024
FRAMES = f"{FIRST}-{LAST}"
WIDTH, HEIGHT = 640, 360
