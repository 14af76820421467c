"""The package as it is imported: every public name is there, and others are told from them."""

import pytest

import minigrad as mg


def test_public_names_are_there_once():
    assert len(set(mg.__all__)) == len(mg.__all__)
    assert all(hasattr(mg, name) for name in mg.__all__)


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(AttributeError, match="tanhh"):
        _ = mg.tanhh
