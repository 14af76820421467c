"""The table of tasks in the README, from the figures of `docs/tasks.md`: `make readme` makes it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "tasks.md"
PLACE = re.compile(r"(<!-- tasks -->\n).*?(<!-- end of tasks -->\n)", re.DOTALL)


def rows(text: str) -> list[list[str]]:
    """The cells of each row of all tables."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


def figures(page: str) -> list[list[str]]:
    """Of each task its row in the table of figures."""
    return [row for row in rows(page) if row[0].startswith("`") and len(row) > 3]


def table(page: str) -> str:
    """Of each task its pattern, and the first of its figures: with two seeds, and of baselines."""
    patterns = {row[0]: row[1] for row in rows(page) if len(row) == 3}
    lines = ["| task | pattern | figure | two seeds | to beat |", "|---|---|---|---|---|"]
    for task, figure, one, two, beaten, _ in figures(page):
        first = [cell.partition(";")[0] for cell in (figure, one, two, beaten)]
        cells = task, patterns[task.partition(" (")[0]], first[0], ", ".join(first[1:3]), first[3]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def renewed(readme: str, page: str) -> str:
    """The README with the table of this page.

    Raises:
        ValueError: there is no place for it.
    """
    new, count = PLACE.subn(lambda place: f"{place[1]}\n{table(page)}\n{place[2]}", readme)
    if count != 1:
        raise ValueError(f"the README has {count} places for the table of tasks")
    return new


if __name__ == "__main__":
    text, told = (path.read_text(encoding="utf-8") for path in (README, PAGE))
    README.write_text(renewed(text, told), encoding="utf-8")
