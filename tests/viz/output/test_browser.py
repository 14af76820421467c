"""A browser's picture of the SVG and Graphviz' picture of the DOT are one picture.

Everything is measured in what they have made of it: a label that is wider in a real font than in
our estimate is seen here.
"""

import shutil
from statistics import median

import pytest

from tests.viz.browser import CHROMIUM, by_dot, in_chromium
from viz.figures.gallery import gallery

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(not (CHROMIUM and shutil.which("dot")), reason="needs Chromium and dot"),
]
FIGURES = {entry.name: entry for entry in gallery()}


@pytest.fixture(scope="module")
def drawings():
    return {name: entry.drawing() for name, entry in FIGURES.items()}


@pytest.fixture(scope="module")
def browser(drawings, tmp_path_factory):
    pictures = {name: drawing.svg() for name, drawing in drawings.items()}
    return in_chromium(pictures, tmp_path_factory.mktemp("page"))


@pytest.mark.parametrize("name", FIGURES)
def test_shapes_are_where_graphviz_puts_them(name, drawings, browser):
    ours, theirs = browser[name][0], by_dot(drawings[name].source)[0]
    assert set(ours) <= set(theirs)
    dx, dy = offset(ours, theirs)
    for key, box in ours.items():
        moved = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        assert theirs[key] == pytest.approx(moved, abs=0.6), key


@pytest.mark.parametrize("name", FIGURES)
def test_texts_are_where_graphviz_puts_them(name, drawings, browser):
    shapes, texts, _ = browser[name]
    others, laid = by_dot(drawings[name].source)
    dx, dy = offset(shapes, others)
    assert len(texts) == len(laid)
    for text in texts:
        # The nearest of those that say the same.
        same = [t for t in laid if bare(t.text) == bare(text.text)]
        assert same, text
        middle = (text.box[0] + text.box[2]) / 2 + dx
        apart = [
            (abs((t.box[0] + t.box[2]) / 2 - middle), abs(t.base - text.base - dy)) for t in same
        ]
        x, y = min(apart, key=sum)
        assert x < 3.5, text
        assert y < 0.25 * text.size, text


@pytest.mark.parametrize("name", FIGURES)
def test_real_letters_keep_to_their_places(name, browser):
    """Nothing is cut off at the edge, wider than its node, or upon another text."""
    shapes, texts, whole = browser[name]
    for text in texts:
        assert inside(text.box, whole), text
        if text.owner:
            left, _, right, _ = shapes[text.owner]
            assert left + 1 < text.box[0] < text.box[2] < right - 1, text
    for k, a in enumerate(texts):
        for b in texts[:k]:
            # Boxes are as high as a whole line of the face: letters take about half of it.
            tight_a, tight_b = (shrink(t) for t in (a, b))
            assert (
                tight_a[2] <= tight_b[0] or tight_b[2] <= tight_a[0]
                or tight_a[3] <= tight_b[1] or tight_b[3] <= tight_a[1]
            ), (a, b)  # fmt: skip


def offset(ours, theirs):
    """Graphviz moves a picture into the first quadrant."""
    return tuple(median(theirs[key][k] - box[k] for key, box in ours.items()) for k in (0, 1))


def bare(text):
    return "".join(text.split()).replace("\xa0", "")


def inside(box, whole):
    return box[0] > whole[0] and box[1] > whole[1] and box[2] < whole[2] and box[3] < whole[3]


def shrink(text):
    return (text.box[0], text.base, text.box[2], text.base + 0.6 * text.size)
