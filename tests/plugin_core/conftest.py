"""Fixtures for the core's tests."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="module")
def no_sync() -> object:
    """Nobody pulls the plug here: syncing to the disk takes most of a small render's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield
