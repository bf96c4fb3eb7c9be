"""Write what is generated from the declarations in plugin_core/job/settings.py: `make generated`.

python -m generate            write the files that are stale, and name them
python -m generate --check    write nothing; exit with 1 when one is stale
"""

from __future__ import annotations

import sys

from .files import ROOT, stale


def main() -> int:
    """Write or check; returns the exit code."""
    check = "--check" in sys.argv[1:]
    due = stale()
    for path, text in due.items():
        if not check:
            path.write_text(text, "utf-8")
        print(f"{path.relative_to(ROOT)} {'is stale: make generated' if check else 'written'}")
    return int(check and bool(due))


if __name__ == "__main__":
    sys.exit(main())
