"""The command `cleanplate stream`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from .look import add_look
from .options import add_some
from .parser import Parser

if TYPE_CHECKING:
    from ..live.filler import OpenFiller
    from ..live.run import Matte, Output
    from ..live.source import Asked

_EXAMPLES = """\
examples:
  ffmpeg -i in.mov -f yuv4mpegpipe - | cleanplate stream --box 600,300,160,160 | ffplay -
  ffmpeg -i keyed.mov -f rawvideo -pix_fmt rgba - | cleanplate stream --size 1920x1080 --pix-fmt rgba |
      ffplay -f rawvideo -pixel_format rgb24 -video_size 1920x1080 -       (matte as alpha)
  cleanplate stream plate.mov --matte matte.mov --realtime | ffplay -      (two movies)
  cleanplate stream - --matte matte.pipe < plate.y4m > clean.y4m           (mkfifo matte.pipe before)
  cleanplate stream --camera --box 600,300,160,160 --virtual-camera        (a camera that others open)
  cleanplate stream plate.mov --viewer                                     (look, and mark what goes away)

exit codes:
  0    the video has ended, and all of it is sent
  2    bad usage or input: a wrong option, no header, a video that ends inside a frame, sizes that differ
  3    the matte ends before the video, or what is named is not there
  4    a model that is damaged
  5    the device is not there or out of memory
  6    whoever reads the output has gone away, or it can't be written
  130  interrupted
  143  terminated
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    stream = add_look(
        commands,
        "stream",
        summary="fill video as it comes: pipes, movies, cameras, a viewer",
        description="Fill frames as they come, from those before, and send them on: y4m or raw video from a "
        "pipe, a movie or a camera, to a pipe or a virtual camera. What is not filled keeps its bits.",
        usage="[INPUT] [options]",
        brief="example: ffmpeg -i in.mov -f yuv4mpegpipe - | cleanplate stream --box 9,9,80,80 | ffplay -",
        epilog=_EXAMPLES,
    )
    _add_input(stream)
    _add_matte(stream)
    _add_output(stream)
    group = stream.add_argument_group("the fill")
    add_some(stream, "grow", "feather", "model", "device", to=group)
    stream.advanced(
        group.add_argument("--threads", type=int, metavar="N", help="processor threads of the network (1)")
    )
    stream.set_defaults(command=_stream)


def _add_input(stream: Parser) -> None:
    group = stream.add_argument_group("input")
    group.add_argument(
        "input",
        nargs="?",
        default=None,
        metavar="INPUT",
        help="- (standard input), a named pipe or a movie (-)",
    )
    group.add_argument(
        "--size", metavar="WxH", help="of raw video, or asked of a camera (y4m and movies say it)"
    )
    group.add_argument(
        "--pix-fmt",
        metavar="F",
        help="of raw video, by FFmpeg's name; gray+F has the matte before each frame (rgb24)",
    )
    stream.brief(group._group_actions[-1], "of raw video: rgb24, rgba, yuv420p, gray+rgb ... (rgb24)")
    group.add_argument(
        "--rate", metavar="FPS", help="of raw video, or asked of a camera (y4m and movies say it)"
    )
    group.add_argument(
        "--camera", nargs="?", const="", metavar="NAME", help="a camera, by the system's name (the first)"
    )
    group.add_argument("--loop", action="store_true", help="begin a movie again at its end")


def _add_matte(stream: Parser) -> None:
    group = stream.add_argument_group("what goes away (else: the matte in the video's alpha)")
    group.add_argument("--matte", metavar="M", help="a named pipe or a movie, white is filled")
    group.add_argument("--box", metavar="X,Y,W,H", help="one box on all frames")
    stream.advanced(
        group.add_argument(
            "--matte-pix-fmt", metavar="F", help="of a raw matte, which has the video's size (gray)"
        )
    )
    stream.advanced(group.add_argument("--matte-invert", action="store_true", help="black is filled"))


def _add_output(stream: Parser) -> None:
    group = stream.add_argument_group("output")
    group.add_argument("--output", metavar="PIPE", help="- (standard output), or a named pipe (-)")
    group.add_argument("--to", choices=("y4m", "rawvideo"), help="y4m or rawvideo (y4m, but raw for RGB)")
    group.add_argument(
        "--virtual-camera",
        nargs="?",
        const="",
        metavar="NAME",
        help="a camera for other programs (pyvirtualcam)",
    )
    stream.brief(
        group.add_argument(
            "--viewer",
            nargs="?",
            const=0,
            type=int,
            metavar="PORT",
            help="a page to look at it, and to mark what goes away; for this machine alone. "
            "Implies --realtime and --loop",
        ),
        "a page to look at it, and to mark what goes away",
    )
    stream.advanced(group.add_argument("--open", action="store_true", help="open the page in the browser"))
    group.add_argument(
        "--realtime", action="store_true", help="keep to the clock: drop frames rather than lag"
    )
    group.add_argument(
        "--progress",
        choices=("auto", "lines", "json", "none"),
        default="auto",
        metavar="HOW",
        help="lines, json (lines of it), none; on standard error (lines)",
    )


def _stream(arguments: argparse.Namespace) -> int:
    import webbrowser

    from ..api import open_model
    from ..job.settings import Run, Settings
    from ..job.strict import validated
    from ..live.meter import Meter
    from ..live.run import run_stream
    from ..live.telling import Telling
    from ..progress.signals import on_signals
    from ..progress.stop import Stop

    given = vars(arguments)
    source, matte, output = _source(given), _matte(given), _output(given)
    settings = validated(Settings, {n: given[n] for n in ("grow", "feather") if n in given}, "Options")
    run = validated(Run, {n: given[n] for n in ("model", "device", "threads") if n in given}, "Options")
    stop = Stop()
    with on_signals(stop, ends=True), open_model(run.model, run.device, run.threads or 1) as model:
        how = "lines" if given["progress"] == "auto" else given["progress"]
        telling = Telling(how, Meter(), run.model, model.device)
        run_stream(
            source,
            matte,
            output,
            _opened_by(model.network, settings),
            telling,
            settings,
            stop,
            realtime=given.get("realtime", False) or output.viewer is not None,
            show=webbrowser.open if given.get("open", False) else lambda address: None,
        )
    return 0


def _opened_by(network: Any, settings: Any) -> OpenFiller:
    from ..live.causal import CausalFiller

    return lambda width, height: CausalFiller(network, width, height, settings)


def _source(given: dict[str, Any]) -> Asked:
    from ..live.source import Asked, rate_of, size_of

    if "camera" in given and given["input"] is not None:
        raise SettingsError("Give an input or --camera, not both.")
    return Asked(
        (given["camera"] or None) if "camera" in given else given["input"] or "-",
        size=size_of(given["size"]) if "size" in given else None,
        pixels=given.get("pix_fmt"),
        rate=rate_of(given["rate"]) if "rate" in given else None,
        loop=given.get("loop", False) or "viewer" in given,
        is_camera="camera" in given,
    )


def _matte(given: dict[str, Any]) -> Matte:
    from ..live.mattes import box_of
    from ..live.run import Matte

    return Matte(
        box=box_of(given["box"]) if "box" in given else None,
        stream=given.get("matte"),
        pixels=given.get("matte_pix_fmt", "gray"),
        invert=given.get("matte_invert", False),
    )


def _output(given: dict[str, Any]) -> Output:
    from ..live.pipe import STANDARD
    from ..live.run import Output

    camera, viewer = "virtual_camera" in given, given.get("viewer")
    if viewer is not None and not 0 <= viewer < 1 << 16:
        raise SettingsError(
            f"--viewer {viewer} is no port; expected 1 to 65535, or none for any that is free."
        )
    return Output(
        given.get("output", None if camera or viewer is not None else STANDARD),
        y4m={"y4m": True, "rawvideo": False}.get(given.get("to", "")),
        camera=camera,
        camera_device=given.get("virtual_camera") or None,
        viewer=viewer,
    )
