"""Score fills beside the baselines: `python -m models.evaluate --clips DIR --quick`.

Cases are real clips under synthetic holes, whose pixels are the truth, and clips with a true clean plate.
Every method fills the same frames; one table, one JSON file and (with `--sheets`) pictures come out, and each
bar the project holds itself to is judged. docs/evaluation.md says what the scores mean and how to read them.

A clip is a folder with `plate/` and, if it has them, `matte/` and `gt/`. Any folder of clips will do: the
cases of clips that are not listed in evaluation_cases.json follow from their names.

examples (python -m models.evaluate --clips DIR ...):
  --quick                                                       some minutes; baselines are kept on disk
  --quick --methods cleanplate,flow --only davis_tennis         two rows on one clip
  --quick --variant long:propagate=30 --variant soft:feather=4  two more rows of ours
  --sheets --require-bars                                       all, with pictures; exit 1 if a bar fails
  --protocol field                                              432x240, as published tables have it
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from plugin_core.disk.atomic import replacing
from plugin_core.errors import CleanplateError, InputError
from plugin_core.qc.scores import GAUSSIAN, UNIFORM_65, Window

from .bars import Bar, bar_table, judge
from .baselines import BASELINES
from .cache import Cache, cache_key, default_cache
from .cases import Case
from .clips import ClipFolder, ClipReader, Footage, Video, find_clips
from .methods import Renderer, Variant, parse_settings, standard_variants
from .report import LPIPS_NOTE, Results, as_json, tables
from .scores import Scores, TrueMotion, score
from .sheets import write_sheet

log = logging.getLogger("models.evaluate")

PUBLISHED = """\
For comparison, published for DAVIS under this protocol (other clips and holes than these: an orientation, no
ranking) VINet       28.96 dB / 0.9411 STTN        30.61 dB / 0.9560 E2FGVI      33.01 dB / 0.9721
ProPainter  34.47 dB / 0.9776"""


@dataclass(frozen=True)
class Protocol:
    """How cases are shown and scored.

    Attributes:
        name: by which it is asked for.
        size: everything is resized to this width and height; None keeps the clip's.
        rows: pictures higher than this are reduced to it, in proportion; None keeps them.
        frames: at most this many of a case.
        cases: patterns of case names that count.
        window: what SSIM is measured in.
        dilations: of stationary holes by a 3x3 cross.
    """

    name: str
    size: tuple[int, int] | None = None
    rows: int | None = None
    frames: int = 1000
    cases: tuple[str, ...] = ("*",)
    window: Window = field(default=GAUSSIAN)
    dilations: int = 0

    def picture_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height that a clip of that size is scored at."""
        if self.size is not None:
            return self.size
        if self.rows is None or height <= self.rows:
            return width, height
        return round(width * self.rows / height), self.rows


PROTOCOLS = {
    "full": Protocol("full", rows=1080),
    "quick": Protocol("quick", rows=240, frames=30, cases=("truth", "moving-large*", "stationary-large*")),
    "field": Protocol("field", size=(432, 240), cases=("stationary*",), window=UNIFORM_65, dilations=4),
}


class Evaluation:
    """Runs methods over cases."""

    def __init__(
        self,
        protocol: Protocol,
        baselines: list[str],
        variants: list[Variant],
        renderer: Renderer,
        cache: Cache,
    ) -> None:
        self._protocol = protocol
        self._baselines = baselines
        self._variants = variants
        self._renderer = renderer
        self._cache = cache

    def run(self, clips: list[ClipFolder], wanted: list[str], sheets: Path | None) -> Results:
        """Fill and score every wanted case; a case's sheet is written as soon as it is done."""
        scores: dict[str, dict[str, Scores]] = {
            name: {} for name in ("truth", *self._baselines, *(variant.name for variant in self._variants))
        }
        cases: list[Case] = []
        for clip in clips:
            chosen = [case for case in clip.cases() if self._is_wanted(case, wanted)]
            for footage, motion in self._footage(clip, chosen):
                filled: dict[str, Video] = {}
                for name, video, found in self._methods(clip, footage, motion):
                    scores[name][footage.case.key] = found
                    filled[name] = video
                cases.append(footage.case)
                if sheets is not None:
                    shown = {name: video for name, video in filled.items() if name not in ("truth", "black")}
                    found_here = {name: by_case[footage.case.key] for name, by_case in scores.items()}
                    log.info("wrote %s", write_sheet(footage, shown, found_here, sheets))
        return Results(tuple(cases), scores)

    def _is_wanted(self, case: Case, wanted: list[str]) -> bool:
        in_protocol = any(fnmatch.fnmatch(case.name, pattern) for pattern in self._protocol.cases)
        return in_protocol and (not wanted or any(fnmatch.fnmatch(case.key, f"*{part}*") for part in wanted))

    def _footage(self, clip: ClipFolder, cases: list[Case]) -> Iterator[tuple[Footage, list[TrueMotion]]]:
        if not cases:
            log.info("%s: no case for it here", clip.name)
            return
        header = clip.plate.header(clip.plate.frames()[0])
        size = self._protocol.picture_size(header.width, header.height)
        reader = ClipReader(clip, size, self._protocol.dilations)
        shared: tuple[object, list[TrueMotion]] = (None, [])
        for case in (case.shortened(self._protocol.frames) for case in cases):
            footage = reader.footage(case)
            frames = (case.motion == "truth", case.first, case.count)
            if shared[0] != frames:
                pairs = zip(footage.truth, footage.truth[1:], strict=False)
                shared = frames, [TrueMotion.of(*pair) for pair in pairs]
            yield footage, shared[1]

    def _methods(
        self, clip: ClipFolder, footage: Footage, motion: list[TrueMotion]
    ) -> Iterator[tuple[str, Video, Scores]]:
        window = self._protocol.window
        yield "truth", footage.truth, score(footage, motion, footage.truth, window)
        for name in self._baselines:
            key = cache_key(footage, name, self._protocol, clip.fingerprint())
            entry = self._cache.load(key, footage)
            if entry is None:
                began = time.monotonic()
                video = BASELINES[name](footage.plate, footage.holes)
                took = time.monotonic() - began
                entry = video, score(footage, motion, video, window)
                self._cache.save(key, footage, *entry)
                log.info("%s %s: %.2f dB, %.0f s", footage.case.key, name, entry[1].hole_psnr, took)
            yield name, *entry
        done: dict[object, tuple[Video, Scores]] = {}
        for variant in self._variants:
            same = (variant.validated(), variant.stateless, variant.model)
            if same not in done:
                began = time.monotonic()
                video = self._renderer.fill(footage, variant)
                took = time.monotonic() - began
                done[same] = video, score(footage, motion, video, window)
                log.info(
                    "%s %s: %.2f dB, %.0f s", footage.case.key, variant.name, done[same][1].hole_psnr, took
                )
            yield variant.name, *done[same]


def chosen_methods(options: argparse.Namespace) -> tuple[list[str], list[Variant]]:
    """Return the baselines and the rows of ours that are asked for. Raises InputError for unknown ones."""
    everywhere = parse_settings(options.setting)
    own = [Variant.parse(text) for text in options.variant]
    variants = [variant.with_settings(everywhere) for variant in [*standard_variants(), *own]]
    known = [*BASELINES, *(variant.name for variant in variants)]
    asked = options.methods.split(",") if options.methods else known
    for name in asked:
        if name not in known:
            raise InputError(f"There is no method {name!r}; known are {', '.join(known)}.")
    for variant in variants:
        variant.validated()
    extra = {variant.name for variant in own}
    return (
        [name for name in BASELINES if name in asked],
        [variant for variant in variants if variant.name in asked or variant.name in extra],
    )


def write_report(results: Results, bars: list[Bar], protocol: Protocol, out: Path) -> str:
    """Write `scores.json` and `table.txt` into a folder; returns the text."""
    text = "\n\n".join([f"Protocol {protocol.name}", tables(results), bar_table(bars), LPIPS_NOTE])
    if protocol.name == "field":
        text += f"\n\n{PUBLISHED}"
    document = {
        "protocol": protocol.name,
        **as_json(results),
        "bars": [{"name": bar.name, "passed": bar.passed, "found": bar.found} for bar in bars],
        "lpips": LPIPS_NOTE,
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, content in (("scores.json", json.dumps(document, indent=1)), ("table.txt", text)):
        with replacing(out / name) as temporary:
            temporary.write_text(content + "\n", "utf-8")
    return text


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--clips", type=Path, help="folder of clips (default: $CLEANPLATE_CLIPS)")
    add("--protocol", choices=sorted(PROTOCOLS), default="full", help="frames, height and holes (full)")
    add("--quick", action="store_true", help="the same as --protocol quick: 30 frames, 240 rows, large holes")
    add("--frames", type=int, help="at most this many frames of a case")
    add("--rows", type=int, help="reduce higher pictures to this height (full: 1080, quick: 240)")
    add(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help="only cases whose CLIP/NAME has this in it",
    )
    add("--methods", metavar="A,B", help="only these rows (all)")
    add(
        "--variant",
        action="append",
        default=[],
        metavar="NAME:K=V,..",
        help="one more row of ours; repeatable",
    )
    add(
        "--setting", action="append", default=[], metavar="K=V", help="a setting for all our rows; repeatable"
    )
    add("--model", default="vinet", help="name or path of a model bundle (vinet)")
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    add("--threads", type=int, help="processor threads for the network (all cores)")
    add("--out", type=Path, default=Path("evaluation_out"), help="folder for table, JSON and sheets")
    add("--sheets", action="store_true", help="write a contact sheet of every case")
    add("--cache", type=Path, default=default_cache(), help="folder that keeps the baselines' fills")
    add("--no-cache", action="store_true", help="fill with the baselines anew and keep nothing")
    add("--list", action="store_true", help="list the cases and end")
    add("--require-bars", action="store_true", help="exit with 1 when a bar is failed")
    options = parser.parse_args(arguments)
    if options.clips is None:
        if not os.environ.get("CLEANPLATE_CLIPS"):
            parser.error("name the folder of clips with --clips or CLEANPLATE_CLIPS")
        options.clips = Path(os.environ["CLEANPLATE_CLIPS"])
    return options


def evaluate(options: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    clips = find_clips(options.clips)
    if options.list:
        for case in (case for clip in clips for case in clip.cases()):
            print(f"{case.key}  frames {case.first}-{case.first + case.count - 1}")
        return 0
    protocol = PROTOCOLS["quick" if options.quick else options.protocol]
    asked = {"frames": options.frames, "rows": options.rows}
    protocol = replace(protocol, **{name: value for name, value in asked.items() if value is not None})
    baselines, variants = chosen_methods(options)
    renderer = Renderer(options.model, options.device, options.threads)
    evaluation = Evaluation(
        protocol, baselines, variants, renderer, Cache(None if options.no_cache else options.cache)
    )
    results = evaluation.run(clips, options.only, options.out / "sheets" if options.sheets else None)
    if not results.cases:
        raise InputError(f"No case of {options.clips} is left by protocol {protocol.name} and --only.")
    bars = judge(results)
    print(write_report(results, bars, protocol, options.out))
    print(f"\nwrote {options.out / 'scores.json'} and table.txt")
    return 1 if options.require_bars and any(bar.passed is False for bar in bars) else 0


def main() -> int:
    """The command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options = parse()
    try:
        return evaluate(options)
    except CleanplateError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
