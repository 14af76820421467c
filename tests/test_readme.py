"""The README tells the truth: its session runs, its tables are those of the code."""

import doctest
import re

from tests.readme import ROOT, renewed

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_session_gives_what_it_shows():
    session = re.sub(r"```(python)?", "", README)
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert len(test.examples) > 20


def test_the_tables_are_made_from_the_code():
    assert renewed(README) == README, "`make readme` renews them"


def test_every_file_it_names_exists():
    named = re.findall(r"\((docs/\w+\.svg)\)", README) + re.findall(
        r"`((?:minigrad|rnn|viz|tests)/[\w/]+\.py)`", README
    )
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
