"""From a module to its test, by name: `testing/laws.py` has `tests/testing/test_laws.py`."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOMS = {"minigrad/testing": HERE, "rnn/testing": HERE / "rnn"}
MODULES = [
    (place, path.relative_to(HERE.parents[1] / room))
    for room, place in ROOMS.items()
    for path in sorted((HERE.parents[1] / room).rglob("*.py"))
    if path.name != "__init__.py"
]


@pytest.mark.parametrize(("place", "module"), MODULES, ids=lambda x: str(x) if x.suffix else None)
def test_a_module_has_its_test(place, module):
    assert (place / module.parent / f"test_{module.name}").is_file()
