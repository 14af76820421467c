"""A page says what it was given, whatever that is, and loads and runs nothing."""

import base64
import xml.etree.ElementTree as xml_tree
from html.parser import HTMLParser

from hypothesis import given

from tests.viz.hostile import HOSTILE, everywhere, shown
from viz.cli.check import Finding, report
from viz.figures.gallery import Entry, page


class Reader(HTMLParser):
    """Texts by the tag that they stand in, and the attributes of each image."""

    def __init__(self, source):
        super().__init__()
        self.open, self.texts, self.images = [], {}, []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.texts[self.open[-1]][-1] += data


def shown_lines(text):
    return "\n".join(map(shown, text.split("\n")))


@given(HOSTILE)
def test_any_text_is_read_back_from_the_page_of_figures(text):
    drawing = everywhere(text)
    source = page([(Entry("a", text, text, lambda: drawing), drawing)], text)
    read = Reader(source.encode().decode())
    for tag in ("title", "h1", "h2", "a", "figcaption"):
        assert read.texts[tag] == [shown_lines(text)], tag
    (image,) = read.images
    assert image["alt"].startswith(shown_lines(drawing.scene.title))
    svg = base64.b64decode(image["src"].partition(",")[2])
    assert xml_tree.fromstring(svg).findtext("{*}title") == shown(f"{text} ")


@given(HOSTILE)
def test_any_text_is_read_back_from_a_report(text):
    svg = everywhere(text).svg()
    source = report([Finding(text, False, f"x\n{text}", ((text, svg),))])
    read = Reader(source.encode().decode())
    assert read.texts["p"] == [f"1 of 1 wrong: {shown_lines(text)}."]
    assert read.texts["h2"] == [f"{shown_lines(text)}: WRONG"]
    assert read.texts["pre"] == [f"x\n{shown_lines(text)}"]
    assert read.texts["figcaption"] == [shown_lines(text)]
