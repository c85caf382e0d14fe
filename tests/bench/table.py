"""One row a goal: what was wanted, what this run gave, and the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`failed` says what went wrong: a loss makes a row worthless, however fast it was."""

    what: str
    goal: str
    got: str
    figures: str
    failed: str = ""


HEADS = ("what", "goal", "this run", "figures")


def show(section: str, rows: list[Row], heads: tuple[str, str, str, str] = HEADS) -> None:
    print(f"\n{section}")
    lines = [(row.what, row.goal, f"FAILED: {row.failed}" if row.failed else row.got, row.figures) for row in rows]
    widths = [*(max(len(line[i]) for line in [heads, *lines]) for i in range(3)), len(heads[3])]
    for line in [heads, tuple("-" * width for width in widths), *lines]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.1f} x" if theirs else "-"
