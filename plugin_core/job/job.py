"""What to render and how: the same for the command line, Python, hosts and farms.

A `Job` is what a `job.json` holds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from ..disk.bounded import UnreadableError, load_json
from ..disk.regular import read_regular
from ..errors import SettingsError
from .restore_settings import Restore
from .retarget_settings import Retarget
from .settings import Run, Settings, Shot
from .strict import Strict, validated

JOB_VERSION = 1

Do = Literal["render", "detect", "restore", "retarget"]
DO = (
    "What is done: render a clean plate; detect film damage and write mattes of it; restore, which repairs "
    "it; or retarget, which gives the shot another aspect."
)
"""What the field of that name says of itself."""

_NEEDS_A_MATTE: dict[str, JsonValue] = {
    "if": {"properties": {"do": {"enum": ["detect", "restore"]}}, "required": ["do"]},
    "else": {"properties": {"shot": {"required": ["matte"]}}},
}


class Job(Strict):
    """What is to be done with one shot, as a `job.json` holds it.

    `restore` counts where damage is detected or restored, `retarget` where a shot is retargeted, and
    `settings` where there is a matte.
    """

    model_config = ConfigDict(json_schema_extra=_NEEDS_A_MATTE)

    version: Literal[1] = 1
    do: Annotated[Do, Field(description=DO)] = "render"
    shot: Shot
    settings: Settings = Settings()
    run: Run = Run()
    restore: Restore = Restore()
    retarget: Retarget = Retarget()

    def beside(self) -> tuple[str, ...]:
        """Return what the job reads beside the shot's pictures: clips, and a list of finds."""
        found = self.restore.protect, self.restore.finds, self.retarget.clean
        return tuple(name for name in found if name is not None)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.do in ("render", "retarget"):
            self.shot.needed_matte()
        if self.do == "retarget":
            self.retarget.target()
        return self

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Job:
        """Read a job.json (UTF-8).

        Raises:
            SettingsError: it can't be read, isn't JSON, or has a field that is unknown or out of range.
        """
        return validated(cls, read_job_fields(Path(path)), f"Job {os.fspath(path)}")


def read_job_fields(path: Path) -> dict[str, Any]:
    """Read a job.json's fields as they stand. Raises SettingsError when it isn't one this version reads."""
    try:
        fields = load_json(read_regular(path).decode("utf-8-sig"), f"Job {path}")
    except OSError as error:
        raise SettingsError(f"Can't read job {path}: {error.strerror or error}.") from error
    except UnreadableError as error:
        raise SettingsError(str(error)) from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"Job {path} is not UTF-8 text: {error.reason} at byte {error.start}.") from None
    if not isinstance(fields, dict):
        raise SettingsError(f"Job {path} must hold one JSON object, got {type(fields).__name__}.")
    version = fields.get("version", JOB_VERSION)
    if isinstance(version, int) and version > JOB_VERSION:
        raise SettingsError(
            f"Job {path} has version {version}, this Cleanplate reads version {JOB_VERSION}; update it."
        )
    return fields
