"""`python -m tuistream`, and the script `tuistream`."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    from tuistream.cli import run

    sys.exit(run())


if __name__ == "__main__":
    main()
