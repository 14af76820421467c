"""What a mistake is: a call, and the whole message it meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Mistake = tuple[Callable[[], Any], type[Exception], str]


def told_in_full(mistake: Mistake) -> None:
    """Fail unless the call raises this error, no other kind, with this message and no more."""
    call, kind, message = mistake
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message
