"""`python -m models.evaluate`: the command by its short name."""

from __future__ import annotations

import sys

from .evaluation.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
