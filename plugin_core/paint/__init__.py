"""Completing one picture by examples: what to copy into a hole, from where, and how it is blended in."""
