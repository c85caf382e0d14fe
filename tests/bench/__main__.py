"""`python -m tests.bench [--short] [SECTION…]`: every goal as a row, ratios taken in one run; asserts no time.

Exit code 1 where a row FAILED, as by a loss; 2 for a section that is not known. `--short` only shows that it works.
"""

from __future__ import annotations

import importlib
import sys

from tests.bench.table import HEADS, show

SECTIONS = (
    "wire",
    "decode",
    "disk",
    "replay",
    "query",
    "exchange",
    "viewers",
    "end_to_end",
    "screen",
    "latency",
    "video",
    "startup",
    "programs",
    "hub",
    "hub_http",
    "socket_io",
    "hostile",
    "hostile_kinds",
    "kinds",
    "snippets",
)


def main() -> int:
    short = "--short" in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or list(SECTIONS)
    unknown = ", ".join(word for word in wanted if word not in SECTIONS)
    if unknown:
        print(f"{unknown}: no such section; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    failed = 0
    for section in wanted:
        module = importlib.import_module(f"tests.bench.{section}")
        rows = module.rows(short)
        show(section, rows, getattr(module, "HEADS", HEADS))
        sys.stdout.flush()
        failed += sum(bool(row.failed) for row in rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
