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


def test_what_is_typed_without_make_is_what_make_does():
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^(?:demo|test|lint):.*\n((?:\t.*\n)+)", make, re.MULTILINE)
    commands = [line.strip() for recipe in recipes for line in recipe.splitlines()]
    assert len(commands) == 4
    for command in commands:
        assert command.replace("$(BIN)/", ".venv\\Scripts\\") in README.splitlines()
