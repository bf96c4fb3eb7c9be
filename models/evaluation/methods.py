"""Our own rows: a case rendered by the real core, in a folder of its own, with any settings.

`cleanplate` is what a user gets without an option; `vinet` is the network alone; `vinet-stateless` is the
network as if every frame were a shot's first: no ConvLSTM state, no previous output fed back; `causal` is
the live mode, frames in memory filled from the past alone. Further variants come from the command line.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core import Model, Settings, Shot, fill, open_model
from plugin_core.errors import CleanplateError, SettingsError, WriteError
from plugin_core.network.contract import Carry, Features, Guide, Mask, Picture, StepOutput
from plugin_core.network.wrapped import Wrapped

from .clips import Footage, Video


@dataclass(frozen=True)
class Variant:
    """One row of ours.

    Attributes:
        name: of the row.
        settings: fields of `plugin_core.Settings` that are not left at their defaults.
        stateless: drop the state and the fed-back output before every step.
        model: bundle name or path; None for the one given for all.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    stateless: bool = False
    model: str | None = None

    @classmethod
    def parse(cls, text: str) -> Variant:
        """Read `NAME:key=value,key=value`; `stateless=true` and `model=...` are the variant's own."""
        name, _, rest = text.partition(":")
        fields = parse_settings([pair for pair in rest.split(",") if pair])
        stateless, model = bool(fields.pop("stateless", False)), fields.pop("model", None)
        if not name:
            raise SettingsError(f"Variant {text!r} needs a name: NAME:key=value,...")
        return cls(name, fields, stateless, None if model is None else str(model))

    def with_settings(self, more: Mapping[str, Any]) -> Variant:
        """Return the variant over other defaults."""
        return Variant(self.name, {**more, **self.settings}, self.stateless, self.model)

    def validated(self) -> Settings:
        """Return the settings. Raises SettingsError that names the variant and the field."""
        try:
            # A synthetic matte is the object to the pixel, and what is scored is what it hides.
            return Settings(**{"grow": 0, "feather": 0, **self.settings})
        except SettingsError as error:
            raise SettingsError(f"Variant {self.name}: {error}") from None


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` pairs; numbers, true, false and null are read as such, anything else is text."""
    fields: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(f"Expected key=value, got {pair!r}.")
        try:
            fields[key.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            fields[key.strip().replace("-", "_")] = value
    return fields


def standard_variants() -> list[Variant]:
    """Return the rows that the bars need."""
    # A core that has no propagation stage is the network alone.
    alone: dict[str, Any] = {"propagate": "off"} if "propagate" in Settings.model_fields else {}
    return [
        Variant("cleanplate"),
        Variant("vinet", alone),
        Variant("vinet-stateless", alone, stateless=True),
        Variant("causal", {"look_ahead": 0}),
    ]


class Stateless(Wrapped):
    """A network whose every step is a shot's first: what recurrence is held against."""

    @property
    def model_id(self) -> str:
        """Another model's as far as saved states go."""
        return f"{self._network.model_id}-stateless"

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        guide: Guide | None = None,
        debug: bool = False,
    ) -> StepOutput:
        """Fill one frame as if it were the first; the carry is ignored."""
        return super().step(frame, mask, sources, self.start(frame, mask), guide=guide, debug=debug)


class Renderer:
    """Renders cases with models that stay open."""

    def __init__(self, model: str, device: str, threads: int | None) -> None:
        self._model = model
        self._device = device
        self._threads = threads
        self._open: dict[str, Model] = {}

    def model(self, variant: Variant) -> Model:
        """Return the variant's model, opened once."""
        name = variant.model or self._model
        if name not in self._open:
            self._open[name] = open_model(name, self._device, self._threads)
        model = self._open[name]
        return Model(Stateless(model.network)) if variant.stateless else model

    def fill(self, footage: Footage, variant: Variant) -> Video:
        """Render a case.

        Raises:
            CleanplateError: the core refuses it; or it changed a pixel far from the hole.
        """
        model, settings = self.model(variant), variant.validated()
        if settings.look_ahead is not None:
            result = list(fill(footage.plate, footage.holes, settings, model=model))
            _check_untouched(footage, result, settings)
            return result
        with tempfile.TemporaryDirectory(prefix="cleanplate-evaluate-") as folder:
            shot = _written(footage, Path(folder))
            for _ in model.render(shot, settings, checkpoint_every=1000):
                pass
            result = [_read(Path(folder) / "out" / f"clean.{n:04d}.png") for n in range(len(footage.plate))]
        _check_untouched(footage, result, settings)
        return result


def _written(footage: Footage, folder: Path) -> Shot:
    """Lay a case out on disk as a user would."""
    for name in ("plate", "matte"):
        (folder / name).mkdir()
    for number, (picture, hole) in enumerate(zip(footage.plate, footage.holes, strict=True)):
        _write(folder / "plate" / f"plate.{number:04d}.png", picture[..., ::-1])
        _write(folder / "matte" / f"matte.{number:04d}.png", hole.astype(np.uint8) * 255)
    return Shot(
        plate=str(folder / "plate" / "plate.####.png"),
        matte=str(folder / "matte" / "matte.####.png"),
        output=str(folder / "out" / "clean.####.png"),
    )


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise WriteError(f"Can't write {path}.")


def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise CleanplateError(f"The core did not write {path.name}.")
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)


def _check_untouched(footage: Footage, result: Video, settings: Settings) -> None:
    """Hold the core to its first promise: beyond the grown, feathered matte nothing changes."""
    reach, union = max(settings.grow, 0) + settings.feather, settings.matte_union
    brush = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    for number, (plate, picture) in enumerate(zip(footage.plate, result, strict=True)):
        joined = np.any(footage.holes[max(0, number - union) : number + union + 1], axis=0)
        touched = cv2.dilate(joined.astype(np.uint8), brush) > 0
        if (plate != picture)[~touched].any():
            raise CleanplateError(
                f"{footage.case.key}, frame {number}: the core changed pixels outside the matte."
            )
