"""A small text to train on."""

from __future__ import annotations

from pathlib import Path

import pytest

TEXT = "she sells sea shells by the sea shore; " * 20


@pytest.fixture
def text(tmp_path: Path) -> str:
    file = tmp_path / "shells.txt"
    file.write_text(TEXT, encoding="utf-8")
    return str(file)
