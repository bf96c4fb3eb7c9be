"""The bars that a model and the default settings are held to, and what they need."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .report import Results, aligned

BASELINE_NAMES = ("black", "telea", "ns", "median", "flow")
SPATIAL_BASELINES = ("telea", "ns")

GAIN_DB, WARP_SHARE = 1.5, 0.8
WORST_LOSS_DB = 0.3
NETWORK_GAIN_DB = 2.0
RECURRENCE_SHARE = 0.75
TRUTH_DB = 30.0
CAUSAL_LOSS_DB = 0.5


@dataclass(frozen=True)
class Bar:
    """One bar: passed, failed, or not to be judged (None) because something was not measured."""

    name: str
    passed: bool | None
    found: str

    @property
    def word(self) -> str:
        """PASS, FAIL or `-`."""
        return {True: "PASS", False: "FAIL", None: "-"}[self.passed]


def judge(results: Results, default: str = "cleanplate", network: str = "vinet") -> list[Bar]:
    """Judge every bar.

    Args:
        results: what was measured.
        default, network: the rows of the default settings and of the network alone.
    """
    return [
        *_beats_baselines(results, default),
        *_never_worse(results, default),
        *_network_alone(results, network),
        _recurrence(results, network, f"{network}-stateless"),
        *_true_plates(results, default),
        *_from_the_past(results),
    ]


def bar_table(bars: list[Bar]) -> str:
    """Return the bars as text."""
    rows = [["bar", "", "found"], *([bar.name, bar.word, bar.found] for bar in bars)]
    return "Bars\n" + aligned(rows, words=(0, 1, 2))


def _beats_baselines(results: Results, default: str) -> Iterator[Bar]:
    for motion in ("moving", "stationary"):
        for baseline in BASELINE_NAMES:
            yield _gain(results, motion, default, baseline, GAIN_DB)
            yield _warp_share(
                f"{motion}: {default} over {baseline}",
                results.mean(default, "hole_e_warp", results.of(motion)),
                results.mean(baseline, "hole_e_warp", results.of(motion)),
                WARP_SHARE,
                constant=baseline == "black",
            )


def _gain(results: Results, motion: str, ours: str, baseline: str, least_db: float) -> Bar:
    cases = results.of(motion)
    gain = results.mean(ours, "hole_psnr", cases) - results.mean(baseline, "hole_psnr", cases)
    name = f"{motion}: {ours} over {baseline}, hole PSNR >= {least_db:+} dB"
    return _judged(name, gain, gain >= least_db, f"{gain:+.2f} dB")


def _warp_share(name: str, ours: float, theirs: float, most: float, *, constant: bool = False) -> Bar:
    share = ours / theirs if theirs > 0 else math.nan
    name = f"{name}, hole E_warp <= {most:.0%}"
    if constant and share > most:
        # A constant picture hardly has a warping error, whatever it shows: there is nothing to beat.
        return Bar(name, None, f"{share:.0%}; a constant fill can't be beaten in steadiness")
    return _judged(name, share, share <= most, f"{share:.0%}")


def _never_worse(results: Results, default: str) -> Iterator[Bar]:
    gains: dict[tuple[str, str], float] = {}
    for case in results.cases:
        here = [other for other in results.cases if (other.clip, other.motion) == (case.clip, case.motion)]
        ours, telea = (results.mean(method, "hole_psnr", here) for method in (default, "telea"))
        gains[case.clip, case.motion] = ours - telea
    known = {where: gain for where, gain in gains.items() if not math.isnan(gain)}
    (clip, motion), worst = min(known.items(), key=lambda item: item[1], default=(("", ""), math.nan))
    yield _judged(
        f"every clip: {default} over telea, hole PSNR >= -{WORST_LOSS_DB} dB",
        worst,
        worst >= -WORST_LOSS_DB,
        f"{worst:+.2f} dB at worst ({clip}, {motion})",
    )


def _network_alone(results: Results, network: str) -> Iterator[Bar]:
    for baseline in SPATIAL_BASELINES:
        yield _gain(results, "moving", network, baseline, NETWORK_GAIN_DB)


def _recurrence(results: Results, network: str, stateless: str) -> Bar:
    cases = [case for case in results.cases if case.motion != "truth"]
    return _warp_share(
        f"recurrence: {network} over {stateless}",
        results.mean(network, "hole_e_warp", cases),
        results.mean(stateless, "hole_e_warp", cases),
        RECURRENCE_SHARE,
    )


def _true_plates(results: Results, default: str) -> Iterator[Bar]:
    for case in results.of("truth"):
        psnr = results.mean(default, "hole_psnr", [case])
        name = f"{case.clip} against its true clean plate, hole PSNR >= {TRUTH_DB:.0f} dB"
        yield _judged(name, psnr, psnr >= TRUTH_DB, f"{psnr:.2f} dB")


def _from_the_past(results: Results, live: str = "causal", baseline: str = "flow-past") -> Iterator[Bar]:
    for motion in ("moving", "stationary"):
        yield _gain(results, motion, live, baseline, -CAUSAL_LOSS_DB)
        yield _warp_share(
            f"{motion}: {live} over {baseline}",
            results.mean(live, "hole_e_warp", results.of(motion)),
            results.mean(baseline, "hole_e_warp", results.of(motion)),
            1.0,
        )


def _judged(name: str, value: float, passed: bool, found: str) -> Bar:
    """The bar; not judged when its value could not be had."""
    return Bar(name, None, "not measured") if math.isnan(value) else Bar(name, passed, found)
