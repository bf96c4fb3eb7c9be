"""What to render and how: the same for the command line, Python, hosts and farms.

A `Job` is what a `job.json` holds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from ..disk.bounded import UnreadableError, load_json
from ..disk.regular import read_regular
from ..errors import SettingsError
from .settings import Run, Settings, Shot
from .strict import Strict, validated

JOB_VERSION = 1


class Job(Strict):
    """One render, as a `job.json` holds it."""

    version: Literal[1] = 1
    shot: Shot
    settings: Settings = Settings()
    run: Run = Run()

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
