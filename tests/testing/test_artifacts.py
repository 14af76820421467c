"""What a failed check leaves in a folder, whatever names and numbers are in it."""

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import (
    GradientMismatch,
    check_gradients,
)
from tests.faults.engine import FAULTS
from tests.faults.planting import WrongRule


def failing(artifacts=None):
    f = lambda x: mg.named("y", mg.sin(2.0 * x)) + x
    with FAULTS["sin slope -cos"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(f, np.array(0.5), artifacts=artifacts)
    return found.value


def test_a_failing_check_saves_report_program_picture_and_numbers(tmp_path):
    told = str(failing(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        f"sin.{suffix}" for suffix in ("txt", "py", "svg", "json")
    }
    assert (tmp_path / "sin.txt").read_text().strip() == told.rpartition("\n")[0]
    assert (tmp_path / "sin.svg").read_text() == failing().svg()
    facts = json.loads((tmp_path / "sin.json").read_text())
    assert facts["primitive"] == "sin"
    assert facts["entry"]["place"] == "x"
    assert [c["holds"] for c in facts["comparisons"]] == [True, False]
    assert facts["comparisons"][1]["leaf"] == ["x"]
    failing(tmp_path)
    assert len(list(tmp_path.iterdir())) == 8  # nothing is overwritten


def test_a_broken_promise_is_saved_too(tmp_path):
    with FAULTS["gradients share memory"].planted(), pytest.raises(GradientMismatch):
        check_gradients(lambda a, b: a + b, np.ones(3), np.ones(3), artifacts=tmp_path)
    facts = json.loads((tmp_path / "gradient.json").read_text())
    assert facts["promises"] == ["the gradients by a and by b share memory"]
    assert facts["program"] is None


@pytest.mark.parametrize("name", ["\ud800", '</b>&"\\N\x00', "a\nb", "∂é\u202e"])
def test_a_report_with_any_names_is_saved_and_read_back(name, tmp_path):
    f = lambda p: mg.sum(mg.named(name, mg.sin(p[name])))
    with FAULTS["sin slope -cos"].planted(), pytest.raises(GradientMismatch):
        check_gradients(f, {name: np.array(0.5)}, artifacts=tmp_path)
    facts = json.loads((tmp_path / "sin.json").read_text(encoding="utf-8"))
    assert facts["entry"]["place"].endswith(name)
    for suffix in ("txt", "py", "svg"):
        assert (tmp_path / f"sin.{suffix}").read_text(encoding="utf-8")


def test_a_report_is_not_lost_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    told = str(failing(tmp_path / "file"))
    assert "first wrong primitive: sin" in told
    assert "not saved: " in told


def test_numbers_that_json_has_not_are_told(tmp_path):
    nan = WrongRule("sin", 0, lambda r, g, y, x: g * np.nan)
    with nan.planted(), pytest.raises(GradientMismatch):
        check_gradients(mg.sin, np.array(0.5), artifacts=tmp_path)
    (path,) = tmp_path.glob("*.json")
    numbers = {c["got"] for c in json.loads(path.read_text())["comparisons"]}
    assert "nan" in numbers
