"""The plate's grain: measured around the hole, and made anew for what the network painted into it.

Everything here happens in the network's range, where a camera's noise is nearly as strong in the shadows as
in the lights and where values above 1 lie on a logarithm: grain on a lamp stays in proportion to the lamp.

A frame's grain is measured on that frame alone, so it depends on nothing else on disk, and a frame rendered
by itself gets the same grain as in one go. Flat blocks of plate around the hole tell three things:

- how strong the noise is, for each channel, over luminance;
- how the channels go together (covariance; video noise is mostly gray, or coarser in color);
- its size: the autocorrelation of each of the independent components of the three channels.

Noise with these properties is white noise that went through a small filter and a 3x3 matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK = 16
"""Side of the blocks that are looked at, in pixels."""

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LEVELS = 8
_PER_LEVEL = 24
"""A level of luminance is told apart only where it has so many blocks."""

_FLATTEST = 0.25
"""Share of a level's blocks that is trusted to show noise and no texture."""

_LOW = 0.25
"""The strength of a level's noise is this quantile of what its flattest blocks hold."""

_MOST_OVER_USUAL = 1.5
_MOST = 0.035
"""No grain is stronger than this, in the network's range of 2: 4.5 of 255."""

_LAG = 6
"""Grain is correlated over at most so many pixels."""

_LARGEST_GAIN = 3.0


@dataclass(frozen=True)
class GrainModel:
    """How a plate's grain looks, in the network's range.

    Attributes:
        luminance: (n,) ascending; where `strength` was measured.
        strength: (n, 3) standard deviation of R, G, B there.
        mixing: (3, 3); makes three independent components of variance 1 into R, G, B of variance 1.
        kernels: (3, k, k); make white noise of variance 1 into each component, of variance 1 too.
    """

    luminance: Floats
    strength: Floats
    mixing: Floats
    kernels: Floats

    @classmethod
    def measure(cls, blocks: Floats) -> GrainModel | None:
        """Measure it on blocks of plate (n, 16, 16, 3), finite, in the network's range.

        Clipped blocks must not be among them. None where there are too few blocks to tell.
        """
        if len(blocks) < _PER_LEVEL:
            return None
        noise = _without_trend(blocks)
        bright = blocks.mean(axis=(1, 2)) @ _LUMA
        levels = [_flattest(blocks, level) for level in _by_luminance(bright)]
        luminance = np.array([bright[level].mean() for level in levels], np.float32)
        variance = (noise * noise).sum(axis=(1, 2)) / (BLOCK * BLOCK - 3)
        lows = [np.quantile(variance[level], _LOW, axis=0) for level in levels]
        strength = _believable(np.sqrt(np.asarray(lows, np.float32)))
        if not strength.max() > 0:
            return None
        mixing, kernels = _correlation([noise[level] for level in levels], strength)
        kept = 1 - (_lost_to_trend(kernels) @ (mixing * mixing).T)
        return cls(luminance, _smoothed(strength) / np.sqrt(kept).astype(np.float32), mixing, kernels)

    def add(self, picture: Floats, gain: Floats, seed: tuple[int, ...]) -> Floats:
        """Return a picture (H, W, 3) in the network's range with grain on it.

        Args:
            picture: what was painted, without grain.
            gain: (H, W), how much of the plate's grain each pixel gets: 1 all, 0 none.
            seed: not negative; the same seed gives the same grain.
        """
        height, width = gain.shape
        luminance = picture @ _LUMA
        noise = self._noise(height, width, seed)
        for channel in range(3):
            strength = np.interp(luminance, self.luminance, self.strength[:, channel]).astype(np.float32)
            noise[:, :, channel] *= strength * gain
        return picture + noise

    def _noise(self, height: int, width: int, seed: tuple[int, ...]) -> Floats:
        """Grain (height, width, 3) of variance 1 in each channel."""
        margin = self.kernels.shape[1] // 2
        random = np.random.default_rng(np.random.SeedSequence(seed))
        inner = slice(margin, margin + height), slice(margin, margin + width)
        components = []
        for kernel in self.kernels:
            white = random.standard_normal((height + 2 * margin, width + 2 * margin), np.float32)
            components.append(cv2.filter2D(white, -1, kernel)[inner])
        return np.asarray(np.stack(components, axis=2) @ self.mixing.T, np.float32)


def grain_gain(own: Floats, alpha: Floats) -> Floats:
    """How much grain a pixel of the fill needs so that what is written has as much as the plate.

    Two things with grain of their own, mixed, have less of it than either. So this gives more than 1 inside a
    feather.

    Args:
        own: (H, W) 0..1, how much of the plate's grain the fill has by itself: none where the network painted
            it, all where it is the real pixels of one frame.
        alpha: (H, W) 0..1, weights the fill is blended into the plate with.
    """
    blended = np.float32(2) / np.maximum(alpha, np.float32(0.05)) - np.float32(1)  # the variance it must have
    missing = np.maximum(blended - own * own, np.float32(0)) * (own < 1)
    return np.asarray(np.minimum(np.sqrt(missing), np.float32(_LARGEST_GAIN)), np.float32)


def _without_trend(blocks: Floats) -> Floats:
    """Blocks (n, b, b, 3) less the plane that fits each best."""
    basis = _planes().reshape(3, -1)
    flat = blocks.reshape(len(blocks), -1, 3)
    return np.asarray((flat - basis.T @ (basis @ flat)).reshape(blocks.shape), np.float32)


def _planes() -> Floats:
    """Three orthonormal pictures (3, b, b) that any plane is a sum of."""
    along = np.linspace(-1, 1, BLOCK)
    planes = np.stack([np.ones((BLOCK, BLOCK)), *np.meshgrid(along, along)])
    return np.asarray(planes / np.linalg.norm(planes, axis=(1, 2), keepdims=True), np.float32)


def _lost_to_trend(kernels: Floats) -> Floats:
    """Share of each component's variance (3,) that went with the plane; much, where grain is coarse.

    White noise loses 3 of 256, which is accounted for where the variance is taken.
    """
    lost = np.zeros(3, np.float32)
    for index, kernel in enumerate(kernels):
        for plane in _planes():
            seen = cv2.filter2D(np.pad(plane, _LAG), -1, kernel, borderType=cv2.BORDER_CONSTANT)
            lost[index] += ((seen * seen).sum() - 1) / (BLOCK * BLOCK)
    return np.clip(lost, 0, 0.5)


def _by_luminance(bright: Floats) -> list[NDArray[np.intp]]:
    """Indices of the blocks in groups of equal size, from the darkest to the brightest."""
    groups = max(1, min(_LEVELS, len(bright) // _PER_LEVEL))
    return np.array_split(np.argsort(bright, kind="stable"), groups)


def _flattest(blocks: Floats, level: NDArray[np.intp]) -> NDArray[np.intp]:
    """The blocks of a level with the least structure, judged where noise shows least: at coarse scale."""
    half = BLOCK // 4
    coarse = blocks[level].reshape(len(level), half, 4, half, 4, 3).mean(axis=(2, 4))
    structure = coarse.var(axis=(1, 2)).sum(axis=1)
    count = max(6, round(_FLATTEST * len(level)))
    return level[np.argsort(structure, kind="stable")[:count]]


def _believable(strength: Floats) -> Floats:
    """Limit the strength (levels, 3) to what noise can be.

    A level without a flat block (rocks, leaves) shows its texture, which must not become grain: too little
    grain looks soft, too much looks broken. Noise differs little from level to level in this range.
    """
    usual = np.quantile(strength, 0.25, axis=0)
    return np.asarray(np.minimum(strength, np.minimum(_MOST_OVER_USUAL * usual, _MOST)), np.float32)


def _smoothed(strength: Floats) -> Floats:
    """Neighboring levels smoothed, so that one bad level does not show as a band."""
    padded = np.pad(strength, ((1, 1), (0, 0)), mode="edge")
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, np.float32)


def _correlation(levels: list[Floats], strength: Floats) -> tuple[Floats, Floats]:
    """Mixing matrix and kernels, from each level's blocks of noise, each level weighing the same."""
    unit = []
    for noise, deviation in zip(levels, strength, strict=True):
        energy = (noise * noise).sum(axis=(1, 2, 3))
        calm = noise[energy <= np.median(energy)]
        unit.append(calm / np.maximum(deviation, strength.max() * 1e-3))
    blocks = np.concatenate(unit)
    flat = blocks.reshape(-1, 3)
    covariance = flat.T @ flat / len(flat) + 1e-6 * np.eye(3)
    values, vectors = np.linalg.eigh(covariance)
    components = blocks @ vectors.astype(np.float32)
    kernels = np.stack([_kernel(components[..., index]) for index in range(3)])
    mixing = vectors * np.sqrt(np.maximum(values, 0))
    mixing /= np.linalg.norm(mixing, axis=1, keepdims=True)
    return mixing.astype(np.float32), kernels


def _kernel(blocks: Floats) -> Floats:
    """The filter (k, k) that gives white noise the autocorrelation of blocks (n, b, b); its energy is 1."""
    size = 2 * BLOCK
    window = np.hanning(BLOCK + 2)[1:-1]
    window = np.outer(window, window)
    power = (np.abs(np.fft.rfft2(blocks * window, (size, size))) ** 2).mean(axis=0)
    overlap = np.fft.irfft2(np.abs(np.fft.rfft2(window, (size, size))) ** 2, (size, size))
    found = np.fft.irfft2(power, (size, size)) / np.maximum(overlap, overlap.max() * 1e-3)
    lag = np.abs(np.fft.fftfreq(size, 1 / size))
    taper = np.cos(np.pi / 2 * np.clip((lag - 2) / (_LAG - 1), 0, 1)) ** 2
    spectrum = np.maximum(np.fft.fft2(found * np.outer(taper, taper)).real, 0)
    whole = np.roll(np.fft.ifft2(np.sqrt(spectrum)).real, (BLOCK, BLOCK), (0, 1))
    around = slice(BLOCK - _LAG, BLOCK + _LAG + 1)
    kernel = whole[around, around]
    energy = np.sqrt((kernel * kernel).sum())
    if not energy > 0:
        kernel, energy = np.outer(*2 * [np.eye(2 * _LAG + 1)[_LAG]]), 1.0
    return np.asarray(kernel / energy, np.float32)
