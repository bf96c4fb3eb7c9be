"""Who renders: noted in the journal, so that people can tell later by what a frame was made."""

from __future__ import annotations

import platform

from .._version import __version__
from ..network.contract import Network
from ..network.session import Session


def made_by(network: Network) -> dict[str, str]:
    """Return version, model, device and machine, by what they are called."""
    made = {"Cleanplate": __version__, "model id": network.model_id, "machine": platform.node()}
    if isinstance(network, Session):
        made["device"] = str(network.device)
    return {name: told for name, told in made.items() if told}
