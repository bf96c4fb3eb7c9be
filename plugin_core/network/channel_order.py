"""The order of a model's color channels; apart from the contract, since manifests are read without numpy."""

from __future__ import annotations

from typing import Literal

ChannelOrder = Literal["RGB", "BGR"]
