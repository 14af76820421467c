"""The README and the pages of `docs/` tell the truth: sessions and commands give what they show."""

import doctest
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from rnn.exercises import EXERCISES
from tests import readme
from tests.readme import rows
from viz import cli
from viz.cli.study import STUDIES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
}
SHOWN = [
    (page, command, shown)
    for page, text in PAGES.items()
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.S | re.M)
    for command, shown in re.findall(r"^\$ minigrad (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
]
"""The commands whose output is shown, and it."""


def test_the_session_gives_what_it_shows():
    session = re.sub(r"```(python)?", "", README)
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert len(test.examples) > 20


@pytest.mark.parametrize(("page", "command", "shown"), SHOWN, ids=[c for _, c, _ in SHOWN])
def test_a_command_prints_what_is_shown(page, command, shown, capsys):
    assert cli.main(shlex.split(command)) == 0
    printed = capsys.readouterr().out
    assert doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS), printed


def test_no_command_with_its_output_is_left_out():
    assert len(SHOWN) == sum(text.count("\n$ ") for text in PAGES.values()) > 1


def unknown(text):
    """Commands in a page that the parser refuses."""
    found = []
    for line in re.findall(r"(?:^(?:\$ )?|`)(minigrad [a-z][^`\n#]*)", text, re.M):
        try:
            cli.parser().parse_args(shlex.split(line)[1:])
        except SystemExit:
            found.append(line)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_there_is(page):
    assert unknown(PAGES[page]) == []


def test_a_command_that_is_none_is_seen(capsys):
    text = "`minigrad study flow` and `minigrad nonsense`\n```\n$ minigrad draw --no\n```\n"
    assert unknown(text) == ["minigrad nonsense", "minigrad draw --no"]


def anchor(heading):
    """What GitHub makes of a heading; MyST does the same."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def lost(page, text):
    """Links of a page to files, or to places in pages, that are not there."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("generated/"):  # what the site alone has
            continue
        name, _, place = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if not path.is_file():
            found.append(target)
        elif place:
            headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.M)
            found += [target] * (place not in map(anchor, headings))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere_also_on_github(page):
    assert lost(page, PAGES[page]) == []


def test_a_link_that_leads_nowhere_is_seen():
    text = "[a](docs/no.md) ![b](docs/rnn.svg) [c](docs/bptt.md#as-a-page) [d](docs/bptt.md#no)"
    assert lost("README.md", text) == ["docs/no.md", "docs/bptt.md#no"]


def test_every_file_it_names_exists():
    named = re.findall(r"`((?:minigrad|rnn|viz|tests)/[\w/]+\.py)`", "".join(PAGES.values()))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_what_is_typed_without_make_is_what_make_does():
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^(?:demo|test|lint):.*\n((?:\t.*\n)+)", make, re.MULTILINE)
    commands = [line.strip() for recipe in recipes for line in recipe.splitlines()]
    assert len(commands) == 4
    for command in commands:
        assert (
            command.replace("$(BIN)/", ".venv\\Scripts\\")
            in PAGES["docs/installing.md"].splitlines()
        )


def test_timings_here_are_those_of_the_page_on_speed():
    """The README has the columns of float32."""
    known = rows(PAGES["docs/speed.md"])
    timed = [row for row in rows(README) if row[1].endswith(("µs", "ms"))]
    assert len(timed) == 8
    assert [row for row in timed if row not in [whole[:6] for whole in known]] == []


def test_every_task_has_its_row_and_its_figures():
    told = [row for row in rows(PAGES["docs/tasks.md"]) if row[0].startswith("`")]
    known = [[f"`{name}`", task.pattern, task.shows] for name, task in EXERCISES.items()]
    assert told[: len(known)] == known
    assert [row[0].partition(" (")[0] for row in told[len(known) :]] == [row[0] for row in known]


def test_the_table_of_tasks_is_that_of_their_page():
    assert readme.renewed(README, PAGES["docs/tasks.md"]) == README, "`make readme` renews it"
    assert readme.table(PAGES["docs/tasks.md"]).count("\n") == 2 + len(EXERCISES)


def test_a_figure_of_a_task_that_changed_is_seen():
    page = PAGES["docs/tasks.md"]
    changed = page.replace("0.928 | 0.943", "0.929 | 0.943")
    assert changed != page
    assert "| 0.929, 0.943 |" in readme.renewed(README, changed)
    with pytest.raises(ValueError, match="has 0 places for the table"):
        readme.renewed("", page)


def test_every_study_has_its_row():
    told = set(re.findall(r"`minigrad study (\w+)`", PAGES["docs/bptt.md"]))
    assert told == set(STUDIES)


def test_every_extra_has_its_row():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = [row[0].strip("`") for row in rows(PAGES["docs/installing.md"]) if row[0][0] == "`"]
    assert sorted(told) == sorted(extras["optional-dependencies"])
