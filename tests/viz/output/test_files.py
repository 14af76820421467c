"""A file is written whole or not at all."""

import os

import pytest

from viz.output import files


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "a.svg"
    file.write_text("old")
    monkeypatch.setattr(os, "replace", _refuse)
    with pytest.raises(OSError, match="cannot write"):
        files.write(str(file), b"new")
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


def _refuse(*args):
    raise OSError(28, "No space left on device")
