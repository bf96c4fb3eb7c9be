"""Reference frames on disk: which there are, of which frames, and whether they fit their shot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..clips.listing import pictures_in, told, what_is_there
from ..clips.sequence import FileSequence, has_token
from ..color.auto import guess
from ..color.color_map import ColorMap, choose_color
from ..disk.fingerprint import Fingerprint
from ..errors import InputError, MissingFramesError
from ..images import Header, read_header


@dataclass(frozen=True)
class Reference:
    """A picture of one frame in which somebody has painted what is to be seen there.

    Attributes:
        frame: its number.
        path: its file.
        mark: what the file was like when it was found.
    """

    frame: int
    path: Path
    mark: Fingerprint


def find_references(text: str | None) -> dict[int, Path]:
    """Return the files of a shot's reference frames, ascending; none where none are given.

    Args:
        text: a picture with a frame's number in its name, a pattern, or a folder of such pictures.

    Raises:
        InputError: a name has no frame number, or two files are of one frame.
        MissingFramesError: there is none.
    """
    if text is None:
        return {}
    path = Path(text)
    if path.is_dir():
        return _in_folder(path)
    sequence = FileSequence.parse(path)
    if has_token(path.name):
        frames = sequence.frames_on_disk()
        if not frames:
            raise MissingFramesError(f"No reference {sequence} is on disk; {what_is_there(path)}")
        return {frame: sequence.path(frame) for frame in frames}
    if not path.is_file():
        raise MissingFramesError(f"Reference {path} is not there; {what_is_there(path)}")
    if sequence.number is None:
        raise InputError(_without_number(path))
    return {sequence.number: path}


def check_references(found: Mapping[int, Path], plate: Header, lower: int, upper: int) -> None:
    """Refuse references that are of no frame of the shot, or of another size.

    Args:
        found: from `find_references`.
        plate: header of the shot's plate.
        lower, upper: frames that can be read.

    Raises:
        InputError: as above.
        ImageError: a file can't be read.
    """
    beyond = [frame for frame in found if not lower <= frame <= upper]
    if beyond:
        raise InputError(
            f"Reference {found[beyond[0]]} is of frame {beyond[0]}, and the shot has frames {lower}-{upper}; "
            "give it the number of the frame that it was painted on."
        )
    for path in found.values():
        header = read_header(path)
        ours, theirs = plate.display_window, header.display_window
        if ours != theirs:
            raise InputError(
                f"Reference {path} is {_size(theirs)}, the plate is {_size(ours)}; paint it on the plate's "
                "own frame, whole."
            )


def check_reference_color(path: Path, plate: Header, color: ColorMap, config: str | None) -> None:
    """Refuse a reference whose file says that it is in another color space than the plate.

    One that says nothing, as floating-point pictures may, is taken to be in the plate's.

    Args:
        path: the reference.
        plate: header of the shot's plate.
        color: what that was taken for.
        config: of OpenColorIO; None for the usual one.

    Raises:
        InputError: as above.
        SettingsError, ImageError: its tags make no sense.
    """
    header = read_header(path)
    tags = header.color
    if header.is_float and not (tags.name or tags.aces or tags.chromaticities or tags.cicp):
        return
    own = guess(tags, header.format, header.is_float, config)
    ours = choose_color("auto", header, config).color
    if ours.name == color.name:
        return
    if own.asked == guess(plate.color, plate.format, plate.is_float, config).asked:
        return
    raise InputError(
        f"Reference {path} is {ours.name} ({own.why}), the plate is {color.name}; save it in the plate's "
        "color space."
    )


def _in_folder(folder: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    pictures = pictures_in(folder)
    if not pictures:
        raise MissingFramesError(f"Folder {folder} should hold reference frames, and holds no pictures.")
    unnumbered = [one for one in pictures if not one.numbers]
    if unnumbered:
        raise InputError(_without_number(folder / told(unnumbered)))
    for one in pictures:
        for number in one.numbers:
            path = folder / f"{one.head}{number}{one.tail}"
            other = found.setdefault(int(number), path)
            if other != path:
                raise InputError(
                    f"References {other} and {path} are both of frame {int(number)}; leave one of them there."
                )
    return dict(sorted(found.items()))


def _without_number(path: Path) -> str:
    return (
        f"Reference {path} has no frame number in its name; call it by the frame that it was painted on, "
        "such as ref.1012.exr."
    )


def _size(window: tuple[int, int, int, int]) -> str:
    x, y, width, height = window
    return f"{width}x{height}" + (f" at {x},{y}" if (x, y) != (0, 0) else "")
