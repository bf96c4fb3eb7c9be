"""Run the command: `python -m plugin_core.cli`, and the script `cleanplate`."""

import contextlib
import os
import sys
from typing import NoReturn

from . import main

_STOPPED = (130, 143)


def run() -> NoReturn:
    """Run the command and end the process with its exit code."""
    code = main()
    if code in _STOPPED:
        # All is said and saved. Whoever stopped it need not wait until the libraries are taken down.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
