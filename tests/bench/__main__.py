"""`python -m tests.bench [--short] [SECTION…]`: every goal as a row, ratios taken in one run; asserts no time."""

from __future__ import annotations

import importlib
import sys

from tests.bench.table import show

SECTIONS = ("wire", "disk", "end_to_end")


def main() -> int:
    short = "--short" in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or list(SECTIONS)
    failed = 0
    for section in wanted:
        rows = importlib.import_module(f"tests.bench.{section}").rows(short)
        show(section, rows)
        failed += sum(bool(row.failed) for row in rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
