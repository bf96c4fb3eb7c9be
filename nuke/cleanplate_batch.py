"""Render the inpaint nodes of a script without a window: nuke -t cleanplate_batch.py [options] SCRIPT

Each node is rendered after those whose result it needs. Ends with exit code 1 and one sentence at the first
that fails.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(globals().get("__file__", sys.argv[0])).resolve().parent))

import nuke

import cleanplate_nuke
from cleanplate_nuke import callbacks


def main(arguments: list[str]) -> int:
    """Render as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="nuke -t cleanplate_batch.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("script", metavar="SCRIPT", help="the Nuke script")
    parser.add_argument(
        "--node", action="append", metavar="NAME", help="only this node and what it needs; may be repeated"
    )
    parser.add_argument(
        "--list", action="store_true", help="list the nodes in the order they would be rendered"
    )
    parser.add_argument("--save", action="store_true", help="save the script with the clean plates loaded")
    given = parser.parse_args(arguments)
    callbacks.register()
    nuke.scriptOpen(given.script)
    try:
        if given.list:
            for node in cleanplate_nuke.order.all_inpaints():
                print(node.fullName())
            return 0
        cleanplate_nuke.render_all(given.node)
    except cleanplate_nuke.InpaintError as error:
        print(f"cleanplate: {error}", file=sys.stderr)
        return 1
    if given.save:
        nuke.scriptSave(given.script)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
