"""`python -m tests.bench.faults [WORD…]`: a row per fault (those with a WORD in it), and what became of the ticks.

Each is done to a recorder that runs, for a second or two, and undone. Every tick that was offered is then in a file,
as it was, or counted in a gap; exit code 1 where that is not so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.sinks.faults import FAULTS, NotHere, Outcome

SAID = 62


def main() -> int:
    words = sys.argv[1:]
    chosen = {name: fault for name, fault in FAULTS.items() if not words or any(word in name for word in words)}
    print(f"{'fault':36}{'offered':>9}{'kept':>9}{'in gaps':>9}  {'what it said':{SAID}}  wrong")
    failed = 0
    for name, fault in chosen.items():
        with tempfile.TemporaryDirectory(prefix="tuistream-fault-") as folder:
            try:
                outcome = fault(Path(folder))
            except NotHere as reason:
                print(f"{name:36}not here: {reason}", flush=True)
                continue
            except AssertionError as error:
                outcome = Outcome(0, 0, 0, "", (str(error),))
        failed += bool(outcome.wrong)
        wrong = "; ".join(outcome.wrong) or "nothing"
        said = outcome.said.replace(f"{folder}/", "")
        said = said if len(said) <= SAID else f"{said[: SAID - 1]}…"
        cells = f"{name:36}{outcome.offered:9,}{outcome.kept:9,}{outcome.lost:9,}"
        print(f"{cells}  {said:{SAID}}  {wrong}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
