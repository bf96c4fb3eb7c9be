"""The command `cleanplate`.

Only argparse is imported here: everything heavy is loaded by the command that needs it, so that `--help`
comes at once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import CleanplateError, SettingsError
from . import batch as cli_batch
from . import farm as cli_farm
from . import install as cli_install
from . import probe as cli_probe
from . import qc as cli_qc
from . import worker as cli_worker

if TYPE_CHECKING:
    from ..job.job import Job

EXIT_CODES = """\
exit codes:
  0    done
  1    a bug: please report it with the lines printed
  2    bad usage or input: a wrong option, a file that can't be read, sizes that differ
  3    missing frames in plate or matte
  4    a model or state that is damaged or does not fit
  5    the device is not there or out of memory
  6    the output can't be written: no permission, disk full, mount gone
  7    another render is writing the same output
  8    some shots of a batch failed; its summary says which and why
  9    qc found faults
  130  interrupted, or stopped by the cancel file; the state is saved, go on with --resume
  143  terminated; the state is saved, go on with --resume
"""

RENDER_EXAMPLES = """\
examples:
  cleanplate render --plate sh010/plate.####.exr --matte sh010/matte.####.exr --output sh010/clean.####.exr
  cleanplate render --plate plate.mov --matte matte.mov --output out/ --grow 6 --feather 4
  cleanplate render --job job.json --resume --progress json
  cleanplate render --job job.json --dry-run                        (what would --resume render, and why?)
  cleanplate render ... --frames 1001-1050 --state-out a.state      (first chunk of a shot)
  cleanplate render ... --frames 1051-1100 --state-in a.state       (the next one: same pixels as in one go)

sequences: name.####.exr, name.@@@@.exr, name.%04d.exr, a folder that holds one sequence, or a movie file.
"""

# Which part of a job an option belongs to, so that options can override a job.json field by field.
_PARTS = {
    "shot": (
        "plate",
        "matte",
        "output",
        "frames",
        "colorspace",
        "ocio_config",
        "cuts",
        "view",
        "compression",
        "bit_depth",
    ),
    "settings": (
        "grow",
        "feather",
        "feather_side",
        "matte_channel",
        "matte_invert",
        "matte_threshold",
        "matte_soft",
        "matte_union",
        "propagate",
        "grain",
        "border_match",
        "warmup",
        "region",
        "context",
        "working_size",
        "exposure",
        "pre_roll",
    ),
    "run": (
        "model",
        "device",
        "threads",
        "resume",
        "overwrite",
        "chunk",
        "state_in",
        "state_out",
        "wait_seconds",
        "progress_file",
        "cancel_file",
        "checkpoint_every",
        "debug",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (see `EXIT_CODES`)."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="cleanplate: %(message)s", stream=sys.stderr)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        return command(parsed)
    except CleanplateError as error:
        return _end(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _end("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        return _end(f"{where}{error.strerror or error}", 2)


def _end(message: str, exit_code: int) -> int:
    """Say why it ends, if anyone listens, and return the exit code."""
    with contextlib.suppress(OSError):
        print(f"cleanplate: {message}", file=sys.stderr, flush=True)
    return exit_code


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the list of all options before it."""

    def error(self, message: str) -> NoReturn:
        """Print the one line and exit."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cleanplate",
        description="Video inpainting for VFX: a plate and a matte go in, a clean plate comes out.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_render(commands)
    _add_models(commands)
    demo = commands.add_parser("demo", help="render the embedded sample shot and show before and after")
    demo.add_argument("--out", default="demo_out", help="folder for the frames and the sheet (demo_out)")
    demo.add_argument("--model", default="vinet", help="name or path of a model bundle (vinet)")
    demo.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (auto)")
    demo.set_defaults(command=_demo)
    doctor = commands.add_parser("doctor", help="say what is installed and whether a render would run here")
    doctor.set_defaults(command=_doctor)
    cli_install.add(commands)
    cli_probe.add(commands, [_add_shot, _add_look], _job)
    cli_qc.add(commands, [_add_shot, _add_look], _job)
    cli_worker.add(commands)
    cli_batch.add(commands)
    cli_farm.add(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"cleanplate {version('cleanplate')}")
        parser.exit()


def _add_render(commands: Any) -> None:
    render = commands.add_parser(
        "render",
        help="fill a shot",
        description="Fill the matted part of a plate, frame by frame, in order.",
        epilog=f"{RENDER_EXAMPLES}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    _add_shot(render)
    _add_look(render)
    _add_run(render)
    render.set_defaults(command=_render)


def _add_shot(parser: argparse.ArgumentParser) -> None:
    shot = parser.add_argument_group("shot")
    shot.add_argument("--plate", metavar="P", help="the plate: a sequence, a folder or a movie")
    shot.add_argument("--matte", metavar="M", help="what goes away, white; a still serves every frame")
    shot.add_argument("--output", metavar="O", help="the clean plate: a sequence, its folder, or a .mov")
    shot.add_argument("--frames", metavar="A-B", help="frame range (default: all frames of the plate)")
    shot.add_argument(
        "--colorspace",
        metavar="NAME",
        help="of the plate, by its OpenColorIO name; or linear (scene-linear Rec.709), display, cineon, or "
        "auto: what the file says, else floating point is linear and integers are display (auto)",
    )
    shot.add_argument("--ocio-config", metavar="FILE", help="where the names are from ($OCIO, or built in)")
    shot.add_argument("--cuts", metavar="F,F", help="first frames of new takes; nothing crosses a cut")
    shot.add_argument("--view", metavar="NAME", help="of a stereo plate, the view to fill (the first)")
    shot.add_argument("--compression", metavar="C", help="of the output: zip, dwaa:45, ... (the plate's)")
    shot.add_argument(
        "--bit-depth",
        choices=("8", "10", "12", "16", "half", "float"),
        help="of the output's color (the plate's)",
    )


def _add_look(parser: argparse.ArgumentParser) -> None:
    look = parser.add_argument_group("look")
    look.add_argument("--grow", type=int, metavar="PX", help="grow the matte, negative shrinks it (0)")
    look.add_argument("--feather", type=int, metavar="PX", help="fade the fill into the plate over PX (0)")
    look.add_argument(
        "--feather-side",
        choices=("outside", "center", "inside"),
        help="where it fades: outside the grown matte, inside it, or half and half (outside)",
    )
    look.add_argument("--matte-channel", metavar="C", help="auto, luminance, or a channel's name (auto)")
    either = argparse.BooleanOptionalAction  # so that a job.json's can be taken back, too
    look.add_argument("--matte-invert", action=either, help="black is what goes away")
    look.add_argument("--matte-threshold", type=float, metavar="V", help="matte from here on is hole (0.05)")
    look.add_argument("--matte-soft", action=either, help="blend the fill in by the matte's own values")
    look.add_argument(
        "--matte-union", type=int, metavar="N", help="join the mattes of N frames before and after (0)"
    )
    look.add_argument(
        "--propagate",
        metavar="N",
        help="real pixels first: search N frames ahead and back for what the matte hides; on, off (on: 48)",
    )
    look.add_argument(
        "--grain", choices=("auto", "off"), help="auto: give the fill the grain of the plate around it (off)"
    )
    look.add_argument(
        "--border-match",
        choices=("auto", "off"),
        help="auto: let the fill follow the plate's motion and exposure around the hole (auto)",
    )
    look.add_argument("--warmup", type=int, metavar="N", help="steps over the mirrored start first (0)")
    look.add_argument(
        "--region", metavar="R", help="auto follows the matte, full, or a fixed crop x,y,w,h in pixels (auto)"
    )
    look.add_argument("--context", type=int, metavar="PX", help="plate seen around the hole (half its size)")
    look.add_argument(
        "--working-size",
        type=int,
        metavar="PX",
        help="the network sees at most PX squared pixels, larger crops reduced (by device and memory: 512 on "
        "a processor, 1024 on a card)",
    )
    look.add_argument(
        "--exposure", metavar="N", help="stops brighter that the network sees a scene-referred plate (auto)"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    run = parser.add_argument_group("run")
    run.add_argument("--job", metavar="FILE", help="job.json with all of this; options override its fields")
    run.add_argument("--model", metavar="NAME", help="name or path of a model bundle (vinet)")
    run.add_argument("--device", metavar="D", help="auto, cpu, cuda or cuda:N (auto)")
    run.add_argument("--threads", type=int, metavar="N", help="processor threads (all cores)")
    run.add_argument("--resume", action="store_true", help="go on where the last render stopped")
    run.add_argument("--overwrite", action="store_true", help="start again although frames exist")
    run.add_argument(
        "--dry-run", action="store_true", help="say what would be rendered and why, and render nothing"
    )
    run.add_argument("--chunk", metavar="A-B", help="render only these frames of the shot's --frames")
    run.add_argument("--state-in", metavar="FILE", help="state after the frame before the range")
    run.add_argument("--state-out", metavar="FILE", help="write the state after the last frame here")
    run.add_argument(
        "--pre-roll",
        type=int,
        metavar="N",
        help="begin a chunk N frames early, in place of --state-in: chunks in parallel, but not exact",
    )
    run.add_argument(
        "--wait",
        dest="wait_seconds",
        type=float,
        metavar="SECONDS",
        help="wait so long for another render of the same frames (0)",
    )
    run.add_argument("--checkpoint-every", type=int, metavar="N", help="frames between saved states (8)")
    run.add_argument(
        "--debug",
        metavar="EXR",
        help="write what the network saw and said here, as layers (docs/checking.md)",
    )
    run.add_argument(
        "--progress",
        choices=("auto", "bar", "json", "none", "openjd", "deadline", "tractor"),
        default="auto",
        help="a bar on a terminal, else one line a frame; JSON lines; what a farm engine reads (auto)",
    )
    run.add_argument("--progress-file", metavar="FILE", help="append progress as JSON lines here too")
    run.add_argument("--cancel-file", metavar="FILE", help="stop cleanly once this file exists")
    run.add_argument(
        "--path-map",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="what a folder of the job is called on this machine; or a file of Open Job Description's rules",
    )
    run.add_argument(
        "--notice",
        type=float,
        default=None,
        metavar="SECONDS",
        help="after SIGTERM or SIGINT, leave a frame that takes longer than this (wait for it)",
    )


def _add_models(commands: Any) -> None:
    models = commands.add_parser("models", help="list, import and verify model bundles")
    actions = models.add_subparsers(title="actions", required=True, metavar="ACTION")
    actions.add_parser("list", help="list installed bundles").set_defaults(command=_models_list)
    verify = actions.add_parser("verify", help="check a bundle's hashes and run its graphs")
    verify.add_argument("bundle", metavar="BUNDLE", help="name or path")
    verify.add_argument("--golden", metavar="DIR", help="compare with the vectors in this folder")
    verify.set_defaults(command=_models_verify)
    imported = actions.add_parser(
        "import", help="turn a published-format checkpoint into a bundle (needs cleanplate[train])"
    )
    imported.add_argument("checkpoint", metavar="CHECKPOINT", help="torch file with a state_dict")
    imported.add_argument("--variant", type=int, choices=(512, 256), required=True)
    imported.add_argument("--out", metavar="BUNDLE", required=True, help="folder to write")
    imported.add_argument(
        "--weights",
        choices=("float32", "float16"),
        default="float32",
        help="how weights are stored: exact, or at half the size (float32)",
    )
    imported.add_argument("--licence", help="licence of the weights, noted in the manifest")
    imported.set_defaults(command=_models_import)


def _render(arguments: argparse.Namespace) -> int:
    from ..progress.stop import Stop, on_signals

    if "dry_run" in arguments:
        from ..probe.forecast import forecast_job

        told = forecast_job(_job(arguments))
        print(told.as_json() if arguments.progress == "json" else told)
        return 0
    stop = Stop()
    with on_signals(stop, ends=True):
        # Loading takes a second: a signal that comes meanwhile is kept until the render can act on it.
        from .run_job import run_job

        return run_job(_job(arguments), arguments.progress, stop, arguments.notice)


def _job(arguments: argparse.Namespace) -> Job:
    """Build the job from job.json, if one is given, and the options over it."""
    from ..job.job import Job, read_job_fields, validated

    given = vars(arguments)
    fields: dict[str, Any] = read_job_fields(Path(given["job"])) if "job" in given else {}
    what = f"Job {given['job']}" if "job" in given else "Options"
    for part, names in _PARTS.items():
        options = {name: given[name] for name in names if name in given}
        if options or part == "shot":
            before = fields.get(part, {})
            if not isinstance(before, dict):
                raise SettingsError(f"{what}: field {part!r} must be an object, got {before!r}.")
            fields[part] = {**before, **options}
    job = validated(Job, fields, what)
    if not given.get("path_map"):
        return job
    from ..job.path_map import mapped_job, read_rules

    return mapped_job(job, read_rules(given["path_map"]))


def _models_list(arguments: argparse.Namespace) -> int:
    from ..network.bundle import Bundle, known_bundles

    for name, path in known_bundles():
        manifest = Bundle.open(path).manifest
        print(f"{name}  variant {manifest.variant}  {manifest.weights}  {manifest.licence}")
    return 0


def _models_verify(arguments: argparse.Namespace) -> int:
    from ..network.bundle import find_bundle
    from ..network.verify import verify_bundle

    golden = None if arguments.golden is None else Path(arguments.golden)
    report = verify_bundle(find_bundle(arguments.bundle), golden)
    for line in report.lines():
        print(line)
    report.require()
    return 0


def _models_import(arguments: argparse.Namespace) -> int:
    # By name: the core does not depend on the training package, and torch is loaded only here.
    checkpoint = importlib.import_module("cleanplate_models.onnx_export.import_checkpoint")
    path = checkpoint.import_checkpoint(
        arguments.checkpoint,
        arguments.variant,
        arguments.out,
        licence=arguments.licence,
        weights=arguments.weights,
    )
    print(f"wrote {path}")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from .demo import run_demo

    return run_demo(Path(arguments.out), arguments.model, arguments.device)


def _doctor(arguments: argparse.Namespace) -> int:
    from .doctor import examine

    return examine(sys.stdout)
