"""The log that a render's notes go to, beside its progress: `logging.getLogger("cleanplate.notes")`."""

from __future__ import annotations

import logging

NOTES = "cleanplate.notes"

notes = logging.getLogger(NOTES)
