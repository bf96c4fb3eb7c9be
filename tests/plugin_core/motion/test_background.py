"""Motion over leaps, and where what is carried comes to."""

import numpy as np

from plugin_core.motion.background import Background, Look
from plugin_core.motion.trace import follow

from .test_flow import disc, texture

HEIGHT, WIDTH = 96, 128


def test_a_fast_pan_is_followed_step_by_step_whoever_asks_first():
    world = texture(HEIGHT + 40, WIDTH + 140)
    hole = disc(HEIGHT, WIDTH, 48, 64, 14)

    def background(pan):
        looks = {
            n: Look(np.ascontiguousarray(world[10 : 10 + HEIGHT, 10 + pan * n : 10 + pan * n + WIDTH]), hole)
            for n in range(9)
        }
        return Background(looks.__getitem__, HEIGHT, WIDTH, threads=1)

    fast, other, slow = background(4), background(4), background(2)
    leap = fast.field(0, 4).led
    other.field(0, 8)
    for one, to in ((3, 4), (0, 1)):
        other.field(one, to)
    assert np.array_equal(leap, other.field(0, 4).led)
    assert np.abs(leap[16, 64, :2] / 64 - (-16, 0)).max() < 0.3, "behind nothing"
    assert np.abs(leap[48, 60:70, :2] / 64 - (-16, 0)).max() < 1.0, "behind the hole"
    assert fast.field(0, 4).led is leap, "put together of steps"
    fast.keep({0, 4, 8})
    assert fast.field(0, 4).led is leap, "though its steps are forgotten"
    measured = slow.field(0, 4)
    assert not measured.too_far and np.abs(measured.led[48, 64, :2] / 64 - (-8, 0)).max() < 0.3
    for each in (fast, other, slow):
        each.close()


def test_what_is_carried_under_a_camera_on_a_tripod_stands():
    wall, rng = texture(HEIGHT, WIDTH), np.random.default_rng(1)
    looks = {}
    for frame in range(13):
        noisy = np.clip(wall + rng.normal(0, 0.02, wall.shape), 0, 1).astype(np.float32)
        # Someone walks past, and pulls at the motion beside the hole.
        noisy[20:80, 20 + 3 * frame : 40 + 3 * frame] = 0.3
        looks[frame] = Look(noisy, disc(HEIGHT, WIDTH, 48, 76, 14))
    background = Background(looks.__getitem__, HEIGHT, WIDTH, threads=1)
    for frame in (2, 6, 10):
        found = follow(background, frame, looks[frame].hole, 12)
        assert found is not None
        assert np.abs(found[1].shift).max() < 0.1, f"frame {frame}"
    background.close()
