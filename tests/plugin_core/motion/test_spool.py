import numpy as np

from plugin_core.motion.spool import Spool


def picture(value):
    return np.full((6, 5, 2), value, np.float32) + np.arange(6, dtype=np.float32)[:, None, None]


def test_rows_come_back_as_halves():
    spool = Spool(6, 5, 2)
    spool.put(7, picture(0.1))
    assert np.array_equal(spool.rows(7, 2, 5), picture(0.1)[2:5].astype(np.float16).astype(np.float32))
    assert 7 in spool and 8 not in spool


def test_a_dropped_frame_s_place_is_used_again():
    spool = Spool(6, 5, 2)
    for frame in range(4):
        spool.put(frame, picture(frame))
    spool.keep(2, 3)
    for frame in (4, 5):
        spool.put(frame, picture(frame))
    for frame in (2, 3, 4, 5):
        assert np.array_equal(spool.rows(frame, 0, 6), picture(frame))
    assert spool._file is not None and spool._file.seek(0, 2) == 4 * 6 * 5 * 2 * 2


def test_it_can_be_closed_twice():
    spool = Spool(2, 2, 1)
    spool.put(1, np.zeros((2, 2, 1), np.float32))
    spool.close()
    spool.close()
    assert 1 not in spool


def test_what_no_half_can_hold_stays_finite():
    spool = Spool(1, 1, 2)
    spool.put(1, np.array([[[1e6, -1e6]]], np.float32))
    assert spool.rows(1, 0, 1).tolist() == [[[65504, -65504]]]
