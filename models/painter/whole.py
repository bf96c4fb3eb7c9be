"""The painter in the network, so that it can be trained there and exported: one network, two ways to use it.

The painter's own parameters stay what they are in cells. Each time the network is used they are written into
the wiring (`rows.with_painter`), its dead channels are left out, and it is run with these weights: gradients
go back to the painter, and the wiring stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..network.prune import pruned, selected, selection
from ..network.vinet import VINet
from ..wiring.interpolation import Interpolation
from .hearing import Hearing
from .kept import kept_painter, part
from .network import Painter
from .rows import Inside, wired_network, with_painter

_Given = TypeVar("_Given")


class _Holder(nn.Module):
    """Runs whatever it is told to with its network."""

    def __init__(self, network: VINet) -> None:
        super().__init__()
        self.network = network

    def forward(self, work: Callable[[VINet], Any]) -> Any:
        return work(self.network)


class Whole(nn.Module):
    """A painter with what it has in the network, and the network around it.

    Args:
        painter, inside: what learns.
        hearing: the interpolation that the painter heard; the wiring has it.
        sources: whether the painter sees the frames beside and the previous output, too.
        device: where it is used.
    """

    def __init__(
        self,
        painter: Painter,
        inside: Inside,
        hearing: Hearing,
        *,
        sources: bool,
        device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__()
        self.painter, self.inside, self.sources = painter.to(device), inside.to(device), sources
        self._heard = (copy.deepcopy(hearing.interpolation).cpu(),)  # not a part: it does not learn
        self._units = hearing.units
        wired = wired_network(self._heard[0])
        self._wired = {key: value.to(device) for key, value in wired.state_dict().items()}
        living, template = self._living(wired)
        self._kept = {
            key: tuple(place.nonzero().flatten().to(device) for place in places)
            for key, places in living.items()
        }
        self._holder = (_Holder(template.to(device).requires_grad_(False)),)  # not a part: it has no weights

    def _living(self, wired: VINet) -> tuple[dict[str, tuple[Tensor, ...]], VINet]:
        """What pruning keeps, whatever the painter learns: as if no weight of it were zero."""
        painter, inside = copy.deepcopy(self.painter).cpu(), copy.deepcopy(self.inside).cpu()
        with torch.no_grad():
            for parameter in (*painter.parameters(), *inside.parameters()):
                parameter.fill_(1.0)
            full = with_painter(wired.state_dict(), painter, inside, self._units, sources=self.sources)
        network = copy.deepcopy(wired)
        network.load_state_dict(full)
        return dict(selection(network)), pruned(network)

    @property
    def interpolation(self) -> Interpolation:
        """The interpolation that is wired."""
        return self._heard[0]

    def full(self) -> dict[str, Tensor]:
        """The network's weights with nothing left out."""
        return with_painter(self._wired, self.painter, self.inside, self._units, sources=self.sources)

    def network(self) -> VINet:
        """A network of its own with these weights, not pruned."""
        network = wired_network(self._heard[0])
        network.load_state_dict(self.full())
        return network.eval()

    def run(self, work: Callable[[VINet], _Given]) -> _Given:
        """Do something with the network as it is now, gradients and all."""
        weights = {f"network.{key}": value for key, value in selected(self.full(), self._kept).items()}
        given: _Given = torch.func.functional_call(self._holder[0], weights, (work,))
        return given


def whole_of(
    tensors: Mapping[str, Tensor],
    state: Mapping[str, Any],
    *,
    sources: bool | None = None,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> Whole:
    """A checkpoint's averaged painter in the network.

    Args:
        tensors, state: of a checkpoint of the painter in cells, or of the whole.
        sources: see `Whole`; None for the checkpoint's own.
    """
    painter, hearing = kept_painter(tensors, state)
    inside = Inside(painter)
    if trained := part(tensors, "inside"):
        inside.load_state_dict(trained)
    taught = bool(state.get("sources", state["settings"].get("beside", 0)))
    seen = taught if sources is None else sources
    return Whole(painter, inside, hearing, sources=seen, device=device)


def whole_tensors(whole: Whole, average: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a checkpoint holds of a whole; `average`: its averaged parameters, as `state_dict` names them."""
    tensors = {
        key.replace("painter.", "average.", 1): value.clone()
        for key, value in average.items()
        if key.startswith("painter.")
    }
    tensors |= {key: value for key, value in average.items() if key.startswith("inside.")}
    learned = whole.interpolation.state_dict().items()
    return tensors | {f"interpolation.{key}": value for key, value in learned}
