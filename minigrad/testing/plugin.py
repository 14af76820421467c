"""The pytest plugin: profiles for how long to search, a folder for what failed, one summary line.

`--grad-profile=quick|ci|deep` chooses Hypothesis' settings, `--grad-artifacts=DIR` is where every
failed `check_gradients` of the session saves its report, program and picture.
"""

from __future__ import annotations

import os
from typing import Any

PROFILES: dict[str, dict[str, Any]] = {
    "quick": {"max_examples": 20, "deadline": None},
    "ci": {"max_examples": 200, "deadline": None, "derandomize": True, "print_blob": True},
    "deep": {"max_examples": 5000, "deadline": None},
}
ARTIFACTS = "MINIGRAD_ARTIFACTS"


def pytest_addoption(parser: Any) -> None:
    """Add the two options."""
    group = parser.getgroup("minigrad", "gradient checks")
    group.addoption("--grad-profile", choices=sorted(PROFILES), help="how long to search")
    group.addoption("--grad-artifacts", metavar="DIR", help="where failed checks are saved")


def pytest_configure(config: Any) -> None:
    """Load the profile, after conftest files have loaded theirs."""
    chosen = config.getoption("--grad-profile")
    if config.getoption("--grad-artifacts"):
        os.environ[ARTIFACTS] = config.getoption("--grad-artifacts")
    if chosen:
        from hypothesis import settings

        for name, about in PROFILES.items():
            settings.register_profile(f"minigrad-{name}", **about)
        settings.load_profile(f"minigrad-{chosen}")


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """One line, if a profile was asked for or a check failed."""
    from minigrad.testing.check import TALLY

    if TALLY["checks"] and (config.getoption("--grad-profile") or TALLY["failed"]):
        profile = config.getoption("--grad-profile") or "default"
        terminalreporter.write_line(
            f"minigrad: {TALLY['checks']} gradient checks, {TALLY['failed']} failed, "
            f"{TALLY['kinks']} at a kink (profile {profile})"
        )


def pytest_unconfigure(config: Any) -> None:
    """Leave the environment as it was."""
    if config.getoption("--grad-artifacts"):
        os.environ.pop(ARTIFACTS, None)
