"""Fixtures of the core's tests that are of use here."""

from __future__ import annotations

from tests.plugin_core.conftest import no_sync

__all__ = ["no_sync"]
