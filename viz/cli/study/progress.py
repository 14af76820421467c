"""A bar on the terminal that names what is being computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from viz.page.numbers import Report, unheard


@contextmanager
def progress(parts: int) -> Iterator[Report]:
    """Inside, what the function hears stands in a bar; there is none on a pipe, or without tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield unheard
        return
    looks = "{percentage:3.0f}%|{bar}| {desc}"
    with tqdm(total=parts, disable=None, leave=False, bar_format=looks) as bar:

        def report(part: str) -> None:
            bar.set_description_str(part)
            bar.n += 1  # it is done when the next one is told

        yield report
