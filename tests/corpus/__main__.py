"""``python -m tests.corpus [FOLDER ...] [--cut]``: the table of docs/reliability.md, of any pictures.

Without a folder, the corpus is the made one, truncations included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .made import make_corpus
from .run import pictures_in, run


def main() -> int:
    """Run; returns 1 where there is any fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("folder", nargs="*", type=Path, help="of pictures; none for the made corpus")
    parser.add_argument("--cut", action="store_true", help="look at truncated copies, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "out")
        out.mkdir()
        if given.folder:
            files = [path for folder in given.folder for path in pictures_in(folder)]
        else:
            files = make_corpus(Path(scratch, "made"))
        result = run(files, out, cut=given.cut or not given.folder)
    print(result.table())
    for path, faults in sorted(result.faults.items()):
        for fault in faults:
            print(f"FAULT {path}: {fault}", file=sys.stderr)
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
