"""The pytest plugin: profiles for how long to search, a folder for what failed, one summary line.

`--grad-profile=quick|ci|deep` chooses Hypothesis' settings, `--grad-artifacts=DIR` is where every
failed `check_gradients` of the session saves its report, program, picture and numbers.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from minigrad.extras import needed
from minigrad.testing.artifacts import ARTIFACTS
from minigrad.testing.check import TALLY

PROFILES: dict[str, dict[str, Any]] = {
    "quick": {"max_examples": 20},
    "ci": {"max_examples": 100, "derandomize": True, "print_blob": True},
    "deep": {"max_examples": 5000},
}
"""How long Hypothesis searches; `ci` draws the same examples on every machine."""


def pytest_addoption(parser: Any) -> None:
    """Add the two options."""
    group = parser.getgroup("minigrad", "gradient checks")
    group.addoption("--grad-profile", choices=sorted(PROFILES), help="how long to search")
    group.addoption("--grad-artifacts", metavar="DIR", help="where failed checks are saved")


def load_profile(name: str) -> None:
    """Let Hypothesis search as long as a profile of `PROFILES` says; for a conftest file.

    Raises:
        ValueError: there is no such profile.
    """
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; there are {', '.join(PROFILES)}")
    settings = needed("hypothesis", "testing", f"the profile {name!r}").settings
    settings.register_profile(f"minigrad-{name}", deadline=None, **PROFILES[name])
    settings.load_profile(f"minigrad-{name}")


def pytest_configure(config: Any) -> None:
    """Load the profile, after conftest files have loaded theirs."""
    if config.getoption("--grad-artifacts"):
        os.environ[ARTIFACTS] = config.getoption("--grad-artifacts")
    if config.getoption("--grad-profile"):
        load_profile(config.getoption("--grad-profile"))


def pytest_sessionfinish(session: Any) -> None:
    """Under pytest-xdist a worker hands over what it counted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["minigrad"] = TALLY


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Under pytest-xdist what a worker counted is added."""
    for what, count in getattr(node, "workeroutput", {}).get("minigrad", {}).items():
        TALLY[what] += count


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """One line, if a profile was asked for or a check failed."""
    if TALLY["checks"] and (config.getoption("--grad-profile") or TALLY["failed"]):
        profile = config.getoption("--grad-profile") or "default"
        terminalreporter.write_line(
            f"minigrad: {TALLY['checks']} gradient checks, {TALLY['failed']} found a fault, "
            f"{TALLY['kinks']} at a kink, {TALLY['unjudged']} cannot be judged (profile {profile})"
        )


def pytest_unconfigure(config: Any) -> None:
    """Leave the environment as it was."""
    if config.getoption("--grad-artifacts"):
        os.environ.pop(ARTIFACTS, None)
