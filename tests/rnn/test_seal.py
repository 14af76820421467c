"""A checksum fits the file it was written into, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from rnn.seal import BLANK, KEY, examined, sealed


def written(numbers: np.ndarray, **told: str) -> bytes:
    return save({"w": numbers}, {"format": "some 1", KEY: BLANK, **told})


@given(st.text(), st.integers(0, 3), st.data())
def test_a_seal_fits_and_not_one_bit_may_change(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int, data: st.DataObject
) -> None:
    """Whatever texts stand beside it: its own name, its own digits."""
    file = tmp_path_factory.getbasetemp() / "sealed"
    kind = data.draw(st.sampled_from((text, f'"{KEY}":"{BLANK}"', f'"format":"{text}"')))
    content = sealed(written(np.arange(float(size)), about=kind))
    file.write_bytes(content)
    assert examined(file) == ("some 1", True)
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(changed)
    try:
        assert not examined(file)[1]
    except ValueError as error:
        assert "its head is said to have" in str(error)  # noqa: PT017  # both ways are right


def test_what_has_no_seal_is_told(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(save({"w": np.ones(2)}))
    assert examined(tmp_path / "w") == (None, None)
    (tmp_path / "w").write_bytes(save({"w": np.ones(2)}, {"format": "some 1"}))
    assert examined(tmp_path / "w") == ("some 1", None)
    with pytest.raises(ValueError, match="subsection not found"):
        sealed((tmp_path / "w").read_bytes())


@pytest.mark.parametrize("length", [0, 93, 2**63, 2**64 - 1])
def test_a_head_longer_than_the_file_is_told(length: int, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(length.to_bytes(8, "little") + bytes(92))
    with pytest.raises(ValueError, match=f"said to have {length} bytes, behind it are 92"):
        examined(tmp_path / "w")
    (tmp_path / "w").write_bytes(bytes(3))
    with pytest.raises(ValueError, match="behind it are 0"):
        examined(tmp_path / "w")
