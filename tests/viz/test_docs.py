from pathlib import Path

import pytest

from tests.viz.docs import DRAWINGS, FOLDER


def test_every_picture_in_docs_is_drawn_here():
    assert {Path(f"{name}.svg") for name in DRAWINGS} == {
        p.relative_to(FOLDER) for p in FOLDER.glob("*.svg")
    }


@pytest.mark.parametrize("name", DRAWINGS)
def test_pictures_in_docs_are_those_of_the_code(name):
    written = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert DRAWINGS[name]().svg() == written, "`python -m tests.viz.docs` draws it again"
