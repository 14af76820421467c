"""What is known of an operation is true of it, and one definition is all that it takes."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from random import Random

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import check_gradients
from minigrad.testing.cases import draw_case

ROOT = Path(__file__).resolve().parents[2]
PRIMITIVES = [p for p in mg.PRIMITIVES.values() if p.kind != "loop"]
named = lambda p: p.name


def cases(primitive, count=8):
    return [draw_case(primitive, Random(seed)) for seed in range(count)]


def shares(case):
    y = case.primitive(*case.operands, **case.attrs)
    return any(np.shares_memory(x, y) for x in case.operands)


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=named)
def test_a_view_is_what_shares_the_memory_of_its_operand(primitive):
    drawn = [c for c in cases(primitive, 32) if all(x.size for x in c.operands)]
    assert any(map(shares, drawn)) == primitive.lowering.view


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if p.lowering.through], ids=named)
def test_a_sum_passes_through_what_says_so(primitive):
    for case in cases(primitive):
        f = lambda *xs, case=case: case.primitive(*xs, **case.attrs)
        steps = [case.operands, [0.5 * x for x in case.operands], [x * x for x in case.operands]]
        whole = f(*(np.sum(column, axis=0) for column in zip(*steps, strict=True)))
        np.testing.assert_allclose(whole, sum(f(*xs) for xs in steps), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if p.lowering.chain], ids=named)
def test_a_chain_can_be_regrouped(primitive):
    both = mg.PRIMITIVES[primitive.lowering.chain]
    a, b, c = np.random.default_rng(0).normal(size=(3, 2, 2))
    np.testing.assert_allclose(both(primitive(a, b), c), both(a, primitive(b, c)), rtol=1e-12)


@pytest.mark.parametrize(
    "primitive", [p for p in PRIMITIVES if p.lowering.weight is not None], ids=named
)
def test_weights_can_stand_side_by_side(primitive):
    case, at = draw_case(primitive, Random(0)), primitive.lowering.weight
    f = lambda w: primitive(*(w if k == at else x for k, x in enumerate(case.operands)))
    w = case.operands[at]
    np.testing.assert_array_equal(
        f(np.concatenate([w, 2 * w], -1)), np.concatenate([f(w), f(2 * w)], -1)
    )


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if p.numerics.bends], ids=named)
def test_a_function_is_nearly_straight_over_a_small_part_of_its_bend(primitive):
    """Within 1/32 of it the slope changes by no more than a tenth of the greatest nearby."""
    for case in cases(primitive):
        for k, bend in enumerate(primitive.numerics.bends):
            if bend is None or not all(x.size for x in case.operands):
                continue
            far = np.broadcast_to(bend(case.operands[k]) / 32, case.operands[k].shape)

            def slope(side, k=k, case=case, far=far):
                xs = [x + side * far if i == k else x for i, x in enumerate(case.operands)]
                one = lambda x: case.primitive(
                    *(x if i == k else o for i, o in enumerate(xs)), **case.attrs
                )
                return mg.jvp(one, [xs[k]], [far])[1]

            here, there = slope(0), slope(1)
            size = np.maximum(np.abs(here), np.max(np.abs(far), initial=0.0))
            assert np.all(np.abs(there - here) <= 0.15 * size)


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if p.numerics.kink], ids=named)
def test_nothing_bends_before_a_kink_is_reached(primitive):
    """On steps of less than the distance the derivative by rules is the slope."""
    for case in cases(primitive):
        if not case.wrt or not all(x.size for x in case.operands):
            continue
        gap = primitive.numerics.kink(*case.operands, **case.attrs)
        if not gap.size:
            continue
        h = 0.4 * float(np.min(gap))
        for sign in (-1.0, 1.0):
            y, pull = mg.vjp(case.apply, *case.points())
            moved = case.apply(*(x + sign * h * (k == 0) for k, x in enumerate(case.points())))
            wanted = np.sum(pull(np.ones_like(y))[0]) * sign * h
            np.testing.assert_allclose(np.sum(moved - y), wanted, rtol=1e-9, atol=1e-12)


def test_a_bound_that_is_not_there_has_no_kink():
    x = np.array([-2.0, 0.25, 3.0])
    for low, high in ((None, 1.0), (-1.0, None), (None, None)):
        assert check_gradients(lambda x, a=low, b=high: mg.clip(x, a, b), x).kink is None


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if p.formula], ids=named)
def test_a_formula_names_the_operands_that_there_are(primitive):
    letters = set(re.findall("[a-z]", primitive.formula.pattern))
    assert letters == set("ab"[: len(primitive.rules)])
    assert len(primitive.formula.needs) >= len(letters)


ADDED = '''

@elementwise(lambda y, x: 1.0 / (1.0 + x * x), kernel=np.arctan, numerics=SATURATES)
def arctan(x: Any) -> Any:
    """Inverse tangent, in radians."""
'''

THERE = re.compile(r'@entrywise\([^@]*kernel=np.arctan, .*\ndef arctan\(.*\n.*"""\n\n\n')


def test_an_operation_added_in_one_place_is_everywhere(tmp_path):
    """Also `mg.arctan`, where `np.arctan(t)` is: in a copy where it was taken out before."""
    for part in ("minigrad", "rnn", "viz", "tests", "docs"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    own = tmp_path / "minigrad" / "ops" / "trigonometric.py"
    without, taken_out = THERE.subn("", own.read_text(encoding="utf-8"))
    assert taken_out == 1
    own.write_text(without, encoding="utf-8")
    table = tmp_path / "minigrad" / "ops" / "elementwise.py"
    table.write_text(table.read_text(encoding="utf-8") + ADDED, encoding="utf-8")
    script = """
        import contextlib, io
        from random import Random
        import numpy as np
        import minigrad as mg, rnn, viz
        from minigrad.testing.cases import draw_case
        from minigrad.testing.laws import LAWS, check_law
        from minigrad.testing.programs import differentiable
        from docs.generated import primitives
        from tests import stub
        from viz.cli import main

        x = np.array([0.5, -2.0])
        t = mg.Tensor(x, name="x")
        for y in (mg.arctan(t), mg.ops.arctan(t), np.arctan(t), mg.compile(mg.arctan)(x)):
            assert np.array_equal(np.asarray(getattr(y, "data", y)), np.arctan(x))
        assert {"arctan"} <= {*mg.__all__, *dir(mg)} & {*mg.ops.__all__}
        try:
            t.arctan()
        except AttributeError as error:
            assert "write minigrad.arctan(tensor, ...)" in str(error)
        for law in LAWS:
            for seed in range(4):
                check_law(law, draw_case(mg.PRIMITIVES["arctan"], Random(seed)), seed)
        mg.testing.check_gradients(mg.arctan, x, order=2)
        assert mg.PRIMITIVES["arctan"] in differentiable()
        with contextlib.redirect_stdout(io.StringIO()) as told:
            main(["ops"])
        assert "arctan" in told.getvalue()
        assert "`arctan`" in primitives() and "    arctan," in stub.text()
        cell = rnn.RNNCell(2, 3, activation="arctan")
        assert "arctan" in str(viz.equations(cell)) and "arctan" in viz.draw(cell, level="op").svg()
        ys, _ = rnn.run(cell, cell.init(0), np.ones((4, 1, 2)))
        print("found in", mg.__file__)
    """
    call = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == f"found in {tmp_path / 'minigrad' / '__init__.py'}\n", done.stderr[-2000:]
