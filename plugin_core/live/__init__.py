"""Holes filled from what has been seen so far: nothing is read ahead, a frame goes out as it comes in."""
