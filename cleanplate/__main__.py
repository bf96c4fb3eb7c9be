"""Run the command: `python -m cleanplate`."""

import sys

from plugin_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
