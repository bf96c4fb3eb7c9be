"""Tell reporters of what ends a run before it leaves the command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..progress.reporters import Reporters


@contextlib.contextmanager
def told_errors(reporters: Reporters) -> Iterator[None]:
    """Report an error of what runs inside, and raise it as a CleanplateError. Bugs pass as they are."""
    from ..errors import translated

    try:
        yield
    except Exception as error:
        ours = translated(error)
        if ours is None:
            raise
        reporters.error(str(ours), ours.exit_code)
        raise ours from error
