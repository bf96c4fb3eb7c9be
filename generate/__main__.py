"""Write what is generated from the declarations in plugin_core/job/settings.py: `make generated`.

python -m generate            write the files that are stale, and name them
python -m generate --check    write nothing; exit with 1 when one is stale
"""

from __future__ import annotations

import sys

from .files import ROOT, copies, generated, stale


def main() -> int:
    """Write or check; returns the exit code."""
    if "--check" in sys.argv[1:]:
        due = stale(generated())
        for path in due:
            print(f"{path.relative_to(ROOT)} is stale: make generated")
        return int(bool(due))
    for made in (copies, generated):
        for path, text in stale(made()).items():
            path.write_text(text, "utf-8")
            print(f"{path.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
