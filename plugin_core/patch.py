"""Pixels for a hole, wherever they come from, and how those of several origins become one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .box import Box
from .channels import thrice

Floats = NDArray[np.float32]


_COVERED = 0.995
"""A hole is covered where confidence is nowhere less."""

_DISSOLVE = 0.5
"""Share of the way between two frames, around its middle, over which one dissolves into the other."""

_LEAST = 0.01
"""Share of a patch that is dissolved away: it stands alone where the other does not reach."""


@dataclass(frozen=True)
class Places:
    """Where the pixels of a hole come from: of each, the place that has most part in it.

    Attributes:
        frame: (h, w) int32, the frame; of a painted one its key frame.
        x, y: (h, w) float32, column and row there, in pixels of the plate's data window; centers are whole.
        share: (h, w) float32, how much of the pixel is a sample of this place alone, 0..1; 0 for no place.
    """

    frame: NDArray[np.int32]
    x: Floats
    y: Floats
    share: Floats


@dataclass(frozen=True)
class Patch:
    """Pixels for a hole.

    Attributes:
        box: the hole's box, in pixels of the plate's data window.
        picture: (h, w, 3) float32 in the network's range -1..1 (beyond it where the plate is).
        confidence: (h, w) float32, 0 where there is nothing .. 1 where it surely is what the hole hides. So
            much of a pixel is taken from here, the rest from what stands behind, at last from the network.
        grain: (h, w) float32, what the picture has of the plate's grain: all, 1, where it shows one source,
            less where it is a mean of several or softened; 0 where there is nothing.
        soft: (h, w) float32, how far the picture was softened because it is not sure, 0..1: so far it gives
            way to what stands behind. None for nowhere.
        guess: (h, w) float32, how much of a pixel is a painter's guess: its low frequencies are the network's
            where that sees something else. At most the confidence; None for nothing.
        texture: (h, w, 3) float32, fine detail, about 0 in the network's range, that is added where nothing
            sharp stands. None for nothing.
        entered: (h, w) float32, how much of a pixel paint would have covered, had not something entered the
            hole there: it is left to the network. None for nothing.
        origins: (h, w) float32 for each class of pixels that has a part in it ("found", "painted"): how much
            of a pixel is of this class. Together they are the confidence, or empty where nobody asks.
        place: where a picture of one class comes from; None where nobody asks, or nobody knows.
        places: the same by class, once it is known which class it is.
    """

    box: Box
    picture: Floats
    confidence: Floats
    grain: Floats
    origins: Mapping[str, Floats] = field(default_factory=dict, kw_only=True)
    soft: Floats | None = field(default=None, kw_only=True)
    guess: Floats | None = field(default=None, kw_only=True)
    texture: Floats | None = field(default=None, kw_only=True)
    entered: Floats | None = field(default=None, kw_only=True)
    place: Places | None = field(default=None, kw_only=True)
    places: Mapping[str, Places] = field(default_factory=dict, kw_only=True)

    def of(self, origin: str) -> Patch:
        """Return the patch as one of a class alone."""
        places = {} if self.place is None else {origin: self.place}
        return replace(self, origins={origin: self.confidence}, place=None, places=places)

    def within(self, box: Box) -> Patch:
        """Return the part for a box inside this one; it does not say where its pixels come from."""
        inside = box.moved(-self.box.x0, -self.box.y0).slices
        origins = {name: share[inside] for name, share in self.origins.items()}
        picture, confidence, grain = self.picture[inside], self.confidence[inside], self.grain[inside]
        soft, guess, texture = (
            None if part is None else part[inside] for part in (self.soft, self.guess, self.texture)
        )
        whole = box, picture, confidence, grain
        return Patch(*whole, origins=origins, soft=soft, guess=guess, texture=texture)


def laid_over(front: Patch | None, back: Patch | None) -> Patch | None:
    """Return two patches for one hole as one: the front one by its confidence, the other behind it.

    One alone is returned as it is. Where the front one is soft the other one takes its place as far as it is
    sure itself.
    """
    if front is None or back is None:
        return back if front is None else front
    assert front.box == back.box  # both are of one hole
    before = front.confidence
    if front.soft is not None:
        before = before * (1 - front.soft * back.confidence)
    behind = (1 - before) * back.confidence
    confidence = before + behind
    share = behind / np.maximum(confidence, np.float32(1e-6))
    picture, grain = mixed(front, back, share)
    origins = _origins_of_both(front, confidence - behind, back, behind)
    floats = (np.asarray(part, np.float32) for part in (picture, confidence, grain))
    soft = None if front.soft is None else np.asarray((1 - share) * front.soft, np.float32)
    guesses = [
        np.asarray(patch.guess * (weight / np.maximum(patch.confidence, np.float32(1e-6))), np.float32)
        for patch, weight in ((front, confidence - behind), (back, behind))
        if patch.guess is not None
    ]
    guess = sum(guesses[1:], guesses[0]) if guesses else None
    places = {**back.places, **front.places}
    texture = back.texture if front.texture is None else front.texture
    whole = Patch(front.box, *floats, origins=origins, soft=soft, guess=guess, places=places)
    entered = None if back.entered is None else np.asarray((1 - before) * back.entered, np.float32)
    return replace(whole, texture=texture, entered=entered)


def covers(confidence: Floats, alpha: Floats) -> bool:
    """Whether what is there (h, w) leaves next to nothing of a hole with weights alpha (h, w)."""
    return not ((confidence < _COVERED) & (alpha > 0)).any()


def is_alone(way: float) -> bool:
    """Whether on a `dissolved` way the one is all that is seen, where it reaches."""
    return way <= (1 - _DISSOLVE) / 2


def dissolved(one: Patch, other: Patch, way: float | NDArray[np.floating[Any]]) -> Patch:
    """Return two patches for one hole as one, which dissolves from the one to the other.

    Where only one reaches, it stands.

    Args:
        one, other: of equal standing.
        way: how much farther the one was brought than the other, 0..1, for all or each pixel (h, w); both
            have their share where it is about one half.
    """
    share = np.clip((way - np.float32(0.5)) / np.float32(_DISSOLVE) + np.float32(0.5), 0, 1)
    share = share * share * (3 - 2 * share)
    weights = (1 - share + _LEAST) * one.confidence, (share + _LEAST) * other.confidence
    part = weights[1] / np.maximum(weights[0] + weights[1], np.float32(1e-6))
    picture, grain = mixed(one, other, part)
    confidence = np.maximum(one.confidence, other.confidence)
    floats = (np.asarray(each, np.float32) for each in (picture, confidence, grain))
    place = stronger(one.place, other.place, np.asarray(part, np.float32))
    return Patch(one.box, *floats, place=place)


def stronger(one: Places | None, other: Places | None, part: Floats) -> Places | None:
    """Return of two places of each pixel the one that has more of it; `part` (h, w) is the other one's."""
    if one is None or other is None:
        return other if one is None else one
    shares = (1 - part) * one.share, part * other.share
    second = shares[1] > shares[0]
    frame, x, y, share = (
        np.where(second, theirs, ours)
        for ours, theirs in (
            (one.frame, other.frame),
            (one.x, other.x),
            (one.y, other.y),
            shares,
        )
    )
    return Places(frame, x, y, share)


def mixed(
    one: Patch, other: Patch, share: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.floating[Any]], ...]:
    """Return the picture (h, w, 3) and the grain (h, w) of two patches for one hole.

    Args:
        one, other: grain of both is independent: a mixture has less of it than either.
        share: (h, w), how much of each pixel is the other one's, 0..1.
    """
    picture = other.picture - one.picture
    picture *= thrice(share)
    picture += one.picture
    ours, theirs = (1 - share) * one.grain, share * other.grain
    return picture, np.sqrt(ours * ours + theirs * theirs)


def _origins_of_both(front: Patch, before: Floats, back: Patch, behind: Floats) -> dict[str, Floats]:
    """The classes of two patches, which have `before` and `behind` of each pixel of both together."""
    origins: dict[str, Floats] = {}
    for patch, weight in ((front, before), (back, behind)):
        scale = weight / np.maximum(patch.confidence, np.float32(1e-6))
        for name, share in patch.origins.items():
            origins[name] = np.asarray(origins.get(name, 0) + share * scale, np.float32)
    return origins
