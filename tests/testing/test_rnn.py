"""Every recurrent law holds for every cell there is, drawn ones too."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnn
from rnn.testing import (
    LAWS,
    DoesNotApply,
    all_laws,
    assert_law,
    cells,
)


@settings(max_examples=5)
@pytest.mark.parametrize("law", LAWS)
@given(cell=cells(), seed=st.integers(0, 2**16))
def test_every_law_holds_for_drawn_cells(law, cell, seed):
    with suppress(DoesNotApply):
        assert_law(law, cell, seed)


def test_a_card_without_a_cell_or_a_draw_is_refused():
    with pytest.raises(TypeError, match="all_laws takes a cell"):
        all_laws(rnn.LSTMCell)
    with pytest.raises(ValueError, match="no seeds, so no law would be tried"):
        all_laws(rnn.LSTMCell(2, 2), seeds=[])


def test_an_unknown_law_is_told():
    with pytest.raises(ValueError, match="unknown law 'gravity'"):
        assert_law("gravity", rnn.LSTMCell(2, 2))
    with pytest.raises(TypeError, match="takes a cell"):
        assert_law("padding", "LSTM")
