"""One shot's color: the space of its plate, and the exposure the network sees it at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ..clips.clip import Clip
from ..errors import ImageError
from ..images import Header, Plate
from ..job.settings import Settings, Shot
from .color_map import ColorChoice, choose_color
from .exposure import exposure_note, measure_stops, sample_frames


def shot_color(shot: Shot, settings: Settings, plate: Clip, header: Header, on_disk: range) -> ColorChoice:
    """Decide how a shot's plates are shown to the network, and what to tell of it.

    Args:
        shot, settings: what was asked for.
        plate: measured where the exposure is to be found out.
        header: of the plate.
        on_disk: every frame that can be read; not only the range, so that a chunk is shown as the whole is.

    Raises:
        SettingsError: an unknown color space, or a configuration that can't be read.
        ImageError: the plate's color tags make no sense.
    """
    choice = choose_color(shot.colorspace, header, shot.ocio_config)
    if settings.exposure != "auto":
        return ColorChoice(choice.color.exposed(int(settings.exposure)), choice.notes)
    if choice.color.encoding == "display":
        return choice
    stops = measure_stops(choice.color, _readable(plate, sample_frames(on_disk[0], on_disk[-1])))
    return ColorChoice(choice.color.exposed(stops), choice.notes + exposure_note(stops))


def _readable(plate: Clip, frames: list[int]) -> Iterator[Plate]:
    """A frame that can't be read is left out here, and refused when the render reaches it."""
    for frame in frames:
        with suppress(ImageError):
            yield plate.plate(frame)
