"""Weights set by hand: where training starts from."""
