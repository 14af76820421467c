"""Packages beside NumPy: which extra brings them, and how the extras of this copy are installed."""

from __future__ import annotations

from importlib import import_module, metadata
from pathlib import Path
from typing import Any

DISTRIBUTION = "minigrad-rnn"
"""What pip calls all of this; `minigrad` is somebody else's in package indexes."""


def installing(extra: str) -> str:
    """The command that installs an extra of this copy, and where it is to be run.

    >>> installing("train").partition(" in ")[0]
    'pip install -e ".[train]"'
    """
    folder = Path(__file__).resolve().parents[1]
    where = str(folder) if (folder / "pyproject.toml").exists() else "the checkout of minigrad"
    return f'pip install -e ".[{extra}]" in {where}'


def needed(package: str, extra: str, what: str) -> Any:
    """The module of a package, for `what` needs it.

    Raises:
        ImportError: it is not here; says how it is installed.
    """
    try:
        return import_module(package)
    except ImportError:
        name = package.partition(".")[0]
        raise ImportError(f"{what} needs {name}: {installing(extra)}") from None


def version(distribution: str = DISTRIBUTION) -> str | None:
    """The version of what is installed, None without it.

    >>> version("no-such-package") is None
    True
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
