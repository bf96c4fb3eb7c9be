"""Leave out channels that are exactly zero or that nothing hears: the same numbers from a smaller network.

A network wired by hand (`train_init`) or trained in part uses few of the published channels. What the rest
would compute is known to be zero, or is multiplied by zero, so it need not be computed at all. Pruning
changes no result beyond rounding; a network that uses every channel comes back as it is.

A *space* is the channels of one feature map. A channel of it lives while some layer can give it a value other
than zero and some layer listens to it; both are followed through the network until nothing changes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .vinet import LEVELS, VINet

_SUFFIX = {"s8": "", "s4": "_64", "s2": "_128", "s1": "_256"}
_SIZE = {"s1": 32, "s2": 64, "s4": 96, "s8": 128}
_VOLUME = 81


@dataclass(frozen=True)
class _Layer:
    """One convolution between spaces.

    Attributes:
        key: the weight's name.
        takes: input spaces in the order in which they are concatenated.
        gives: output space.
        parts: 2 for value and gate, 4 for the ConvLSTM's; part `value` decides whether a channel is zero.
    """

    key: str
    takes: tuple[str, ...]
    gives: str
    parts: int = 1
    value: int = 0

    @property
    def bias(self) -> str:
        return self.key.removesuffix("weight") + "bias"


@dataclass
class _Live:
    """Which channels of each space live, and why spaces of one size do so together."""

    spaces: dict[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, space: str) -> Tensor:
        return self.spaces[space]

    def columns(self, layer: _Layer) -> Tensor:
        return torch.cat([self.spaces[space] for space in layer.takes])


def pruned(network: VINet) -> VINet:
    """A copy of the network without its dead channels, in evaluation mode.

    Its parameters keep their names and have fewer rows and columns; `VINet.heard` and `VINet.composed` say
    which channels of a level's features go into the aggregators and come out of the composition. One that was
    pruned before comes back as it is.
    """
    if network.heard:
        return copy.deepcopy(network).eval()
    layers = list(_layers(network))
    live = _find_live(network, layers)
    smaller = copy.deepcopy(network).eval()
    for key, value in selected(dict(smaller.named_parameters()), _selection(layers, live, network)).items():
        _replace(smaller, key, value)
    with torch.no_grad():
        for level in LEVELS[0 if network.variant == 256 else 1 :]:
            _rescale_correlation(smaller, level, live[f"features_{level}"])
    smaller.heard = {level: _positions(live, f"heard_{level}", level) for level in LEVELS[1:]}
    smaller.composed = {level: _positions(live, f"composed_{level}", level) for level in LEVELS[1:]}
    return smaller


Selection = Mapping[str, tuple[Tensor, ...]]
"""Of each parameter, which rows live, and of a weight, which columns."""


def selection(network: VINet) -> Selection:
    """What `pruned` keeps of a network that was not pruned before."""
    layers = list(_layers(network))
    return _selection(layers, _find_live(network, layers), network)


def selected(parameters: Mapping[str, Tensor], kept: Selection) -> dict[str, Tensor]:
    """The parameters that are kept, as they are in the pruned network; gradients go back to all of them."""
    return {
        key: parameters[key][places[0]] if len(places) == 1 else parameters[key][places[0]][:, places[1]]
        for key, places in kept.items()
    }


def _selection(layers: list[_Layer], live: _Live, network: VINet) -> Selection:
    names = {name for name, _ in network.named_parameters()}
    kept: dict[str, tuple[Tensor, ...]] = {}
    for layer in layers:
        rows = live[layer.gives].repeat(layer.parts)
        kept[layer.key] = (rows, live.columns(layer))
        if layer.bias in names:
            kept[layer.bias] = (rows,)
    return kept


def _positions(live: _Live, space: str, level: str) -> tuple[int, ...]:
    """Where a space's live channels stand among the live ones of its level's features."""
    kept = live[f"features_{level}"].nonzero().flatten().tolist()
    return tuple(kept.index(channel) for channel in live[space].nonzero().flatten().tolist())


def _replace(network: nn.Module, key: str, value: Tensor) -> None:
    module, _, name = key.rpartition(".")
    setattr(network.get_submodule(module), name, nn.Parameter(value.detach().clone().contiguous()))


def _rescale_correlation(network: VINet, level: str, features: Tensor) -> None:
    """The correlation is a mean over channels: with fewer of them it grows, and its weights shrink."""
    weight = network.get_parameter(f"flownet{_SUFFIX[level]}.flow_estimator.convs.0.0.weight")
    kept = int(features.sum())
    weight[:, kept : kept + _VOLUME] *= kept / _SIZE[level]


def _layers(network: VINet) -> Iterator[_Layer]:
    """Every convolution of the network with the spaces it joins."""
    for encoder in ("encoder1", "encoder2"):
        chain = ["picture", "features_s1", f"{encoder}.ec1", "features_s2", f"{encoder}.ec3_1"]
        chain += ["features_s4", f"{encoder}.ec4_1", f"{encoder}.ec4", "features_s8"]
        names = ("ec0", "ec1", "ec2", "ec3_1", "ec3_2", "ec4_1", "ec4", "ec5")
        for name, takes, gives in zip(names, chain[:-1], chain[1:], strict=True):
            yield _Layer(f"{encoder}.{name}.conv.weight", (takes,), gives, 2)
    for level in LEVELS:
        if level != "s1" or network.variant == 256:
            yield from _flow_layers(level)
        hears = "features_s1" if level == "s1" else f"composed_{level}"
        yield from _mask_layers(level, hears)
        if level != "s1":
            key = f"st_agg{_SUFFIX[level]}.stAgg.conv.weight"
            yield _Layer(key, (f"heard_{level}",), f"composed_{level}", 2)
    yield from _memory_layers()
    yield from _decoder_layers()


def _flow_layers(level: str) -> Iterator[_Layer]:
    name = f"flownet{_SUFFIX[level]}.flow_estimator"
    takes: tuple[str, ...] = (f"features_{level}", "volume")
    if level != "s8":
        takes += ("flow",)
    for number in range(5):
        gives = f"{name}.{number}"
        yield _Layer(f"{name}.convs.{number}.0.weight", takes, gives)
        takes = (gives,)
    yield _Layer(f"{name}.conv1.weight", takes, "flow")
    takes += ("flow",)
    for number in range(7):
        gives = "flow" if number == 6 else f"{name}.fine.{number}"
        yield _Layer(f"{name}.convs_fine.convs.{number}.0.weight", takes, gives)
        takes = (gives,)


def _mask_layers(level: str, hears: str) -> Iterator[_Layer]:
    name = f"masknet{_SUFFIX[level]}.convs"
    yield _Layer(f"{name}.0.0.weight", (hears,), f"{name}.0")
    yield _Layer(f"{name}.1.0.weight", (f"{name}.0",), f"{name}.1")
    yield _Layer(f"{name}.2.weight", (f"{name}.1",), "mask")


def _memory_layers() -> Iterator[_Layer]:
    takes: tuple[str, ...] = ("features_s8", "composed_s8")
    for name in ("bt0", "bt1", "bt2", "bt3"):
        yield _Layer(f"bottleneck.{name}.conv.weight", takes, f"bottleneck.{name}", 2)
        takes = (f"bottleneck.{name}",)
    yield _Layer("convlstm.Gates.weight", ("bottleneck.bt3", "memory"), "memory", 4, value=3)


def _decoder_layers() -> Iterator[_Layer]:
    takes: tuple[str, ...] = ("memory",)
    for name in ("dc0", "dc1", "dc1_1", "dc2_1", "dc2_bt1", "dc2_bt2", "dc2_bt3", "dc2_2"):
        if name == "dc2_1":
            takes += ("composed_s4",)
        yield _decoder_layer(name, takes)
        takes = (f"decoder.{name}",)
    takes += ("composed_s2",)
    for name in ("dc3_1", "dc3_2", "dc4", "dc5"):
        yield _decoder_layer(name, takes)
        takes = (f"decoder.{name}",)
    yield _Layer("decoder.dc6.weight", takes, "output")


def _decoder_layer(name: str, takes: tuple[str, ...]) -> _Layer:
    middle = "conv.1" if name in ("dc1_1", "dc2_2", "dc4") else "conv"
    return _Layer(f"decoder.{name}.{middle}.weight", takes, f"decoder.{name}", 2)


_ALWAYS = {"picture": 5, "volume": _VOLUME, "flow": 2, "mask": 1, "output": 3}


def _find_live(network: VINet, layers: list[_Layer]) -> _Live:
    parameters = {key: value.detach() for key, value in network.named_parameters()}
    live = _Live({space: torch.ones(size, dtype=torch.bool) for space, size in _ALWAYS.items()})
    for layer in layers:
        size = parameters[layer.key].shape[0] // layer.parts
        live.spaces.setdefault(layer.gives, torch.ones(size, dtype=torch.bool))
    for level in LEVELS[1:]:
        live.spaces[f"heard_{level}"] = live[f"features_{level}"].clone()
    before = -1
    while (now := sum(int(alive.sum()) for alive in live.spaces.values())) != before:
        before = now
        _settle(network, parameters, layers, live)
    for space, alive in live.spaces.items():
        if not alive.any():
            live.spaces[space][0] = True  # convolutions of no channels are nobody's friend
    return live


def _settle(network: VINet, parameters: dict[str, Tensor], layers: list[_Layer], live: _Live) -> None:
    """One round: channels that no layer gives, or none hears, die."""
    given = {space: torch.zeros_like(alive) for space, alive in live.spaces.items()}
    heard = {space: torch.zeros_like(alive) for space, alive in live.spaces.items()}
    for layer in layers:
        weight = parameters[layer.key].flatten(2).ne(0).any(dim=2)
        rows, columns = live[layer.gives].repeat(layer.parts), live.columns(layer)
        value = weight.chunk(layer.parts)[layer.value] & columns
        alive = value.any(dim=1)
        if layer.bias in parameters:
            alive |= parameters[layer.bias].chunk(layer.parts)[layer.value] != 0
        given[layer.gives] |= alive
        listens = torch.split((weight & rows[:, None]).any(dim=0), [len(live[s]) for s in layer.takes])
        for space, ears in zip(layer.takes, listens, strict=True):
            heard[space] |= ears
    for level in LEVELS[0 if network.variant == 256 else 1 :]:
        _join_level(parameters, live, given, heard, level)
    for space in live.spaces.keys() - _ALWAYS.keys():
        live.spaces[space] &= given[space] & heard[space]


def _join_level(
    parameters: dict[str, Tensor],
    live: _Live,
    given: dict[str, Tensor],
    heard: dict[str, Tensor],
    level: str,
) -> None:
    """What joins a level's spaces besides convolutions: the correlation, the warp and the composition."""
    features = f"features_{level}"
    first = parameters[f"flownet{_SUFFIX[level]}.flow_estimator.convs.0.0.weight"]
    size = len(live[features])
    if moves(parameters, level) and first[:, size : size + _VOLUME].any():
        heard[features] |= given[features]
    if level == "s1":
        return
    heard_space, composed = f"heard_{level}", f"composed_{level}"
    given[heard_space] = given[features].clone()
    # A composed channel needs its place in the features, even one that only the aggregator gives.
    given[features] |= given[composed]
    given[composed] |= given[features]
    for space in (heard_space, composed):
        heard[features] |= heard[space] & live[space]


def moves(parameters: Mapping[str, Tensor], level: str) -> bool:
    """Whether a level's flow net gives anything but zero."""
    name = f"flownet{_SUFFIX[level]}.flow_estimator"
    ends = (f"{name}.{end}" for end in ("conv1", "convs_fine.convs.6.0"))
    return any(bool(parameters[f"{end}.{part}"].any()) for end in ends for part in ("weight", "bias"))
