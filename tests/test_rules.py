"""What is known of an operation stands in `ops/`; rules that are about single ones are listed."""

from __future__ import annotations

import ast

import pytest

import minigrad as mg
from tests import stub
from tests.house import sources

RULES = {
    "minigrad.engines.numpy.calls": (
        "lookup matmul project",
        "what is done for all rows at once; results of a loop inside",
    ),
    "minigrad.engines.numpy.needs": ("matmul scan", "what has a buffer, and what holds others'"),
    "minigrad.engines.numpy.nests": ("matmul", "a step's product with a fixed weight"),
    "minigrad.engines.numpy.operations": (
        "add_n expand_dims index reshape squeeze transpose",
        "what is several calls; what is written as a method of its array",
    ),
    "minigrad.engines.numpy.source": ("contract matmul", "products, and how NumPy multiplies"),
    "minigrad.engines.numpy.storage": (
        "expand_dims matmul scan transpose",
        "the order of axes in memory; one entry of a pile; a loop inside",
    ),
    "minigrad.engines.numpy.totals": ("contract put sum", "sums over steps that are one call"),
    "minigrad.graph.nodes": ("alias", "what `named` makes"),
    "minigrad.engines.scalars.instructions": (
        "ceil cos cosh exp expm1 floor hypot log log10 log1p log2 max min sign sin sinh tan tanh "
        "trunc",
        "what a machine of single numbers can do",
    ),
    "viz.page.javascript": (
        "ceil cos cosh exp expm1 floor hypot log log10 log1p log2 max min sign sin sinh tan tanh "
        "trunc",
        "what JavaScript calls them",
    ),
    "minigrad.engines.scalars.symbols": ("add", "Python's operators"),
    "minigrad.engines.walk": (
        "contract project put scan",
        "sums over steps that are one call; a loop inside",
    ),
    "minigrad.loops.embed": ("add_n", "what adds all steps"),
    "minigrad.loops.rolled": (
        "add_n index scan scatter stack",
        "what gathers, or takes apart, the values of all steps",
    ),
    "minigrad.loops.steps": ("index", "what takes one step of a sequence"),
    "minigrad.loops.tags": ("index", "what takes one step of a sequence"),
    "minigrad.lower.gates": ("expand_dims matmul multiply", "x W beside x V; s a beside s b"),
    "minigrad.lower.regroup": (
        "add expand_dims matmul multiply negative scatter subtract",
        "s a + s b = s (a + b); products of what is joined",
    ),
    "minigrad.lower.nodes": ("index", "the span that it takes"),
    "minigrad.lower.rewrite": ("lookup", "the dtype of a table"),
    "minigrad.lower.scale": (
        "add expand_dims index multiply reshape sigmoid transpose",
        "numbers that go into weights; σ by fewer calls",
    ),
    "minigrad.lower.schedule": ("lookup", "its table must be known before the loop"),
    "minigrad.testing.programs": ("astype", "random programs are of one precision"),
    "minigrad.testing.report": ("detach", "the one that cuts a gradient on purpose"),
    "minigrad.testing.rounding": ("project scan", "loops are run step by step"),
    "rnn.bptt.surgery": ("contract", "what sums over leading axes has no axis of its own in front"),
    "rnn.step": ("astype matmul one_hot", "a product with one-hot rows is a look-up"),
    "viz.figures.cells": ("multiply", "the memory cell: nothing on its line but × and +"),
    "viz.formulas.step": ("broadcast_to squeeze sum", "what stretches, what a sum keeps"),
    "viz.formulas.terms": ("concatenate index multiply reshape", "written by more than operands"),
    "viz.memory.memory": ("add multiply", "nothing on the line but × and +"),
    "viz.quotients.roles": ("multiply sigmoid subtract", "gates are known by what they multiply"),
    "viz.quotients.operations": ("multiply", "peepholes: a weight for each unit"),
}
"""The rules that are about single operations, and why each is no fact of an operation."""

WORDS = {
    "minigrad": ("scan", "the public function that runs one"),
    "minigrad.folded.program": ("sum", "the role of an output"),
    "minigrad.engines.onnx.functions": (
        "absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort "
        "broadcast_to cbrt ceil clip concatenate cos cosh cumsum divide equal exp exp2 expand_dims "
        "expm1 flip floor floor_divide greater greater_equal hypot less less_equal log log10 log1p "
        "log2 logaddexp logical_and logical_not matmul max maximum min minimum multiply negative "
        "not_equal pad power prod remainder reshape rint searchsorted sign signbit sin sinh sqrt "
        "square squeeze stack subtract sum tan tanh transpose trunc where",
        "the names of NumPy's functions, of which the forwards of operations are made",
    ),
    "minigrad.engines.xla.arrays": ("cholesky", "NumPy's function, which reads one triangle"),
    "minigrad.habits": ("ceil floor index put trunc where", "Python's and NumPy's words"),
    "rnn.activations": ("softmax", "a hint at the activation that a user asks for"),
    "rnn.compose": ("sum", "a way to merge two directions"),
    "rnn.optim": ("square", "the name of a state"),
    "rnn.interop.libraries": (
        "relu sigmoid softplus tanh",
        "activations, by the names that others have for them",
    ),
    "rnn.interop.onnx": ("clip", "an attribute of a node"),
    "rnn.interop.torch": ("relu sigmoid tanh", "the activations that PyTorch's layers have"),
    "rnn.kinds": ("stack", "a kind of cell"),
    "rnn.testing.laws.simple": ("tanh", "the cell that the textbook derives"),
    "rnn.testing.laws.weights": ("sum", "a way to merge two directions"),
    "rnn.testing.networks": ("sigmoid sin softplus stack sum tanh", "networks to draw at random"),
    "viz.output.dot": ("pad square", "Graphviz's words"),
    "viz.workbook.formulas": (
        "ceil cos cosh exp expm1 floor hypot log log10 log1p log2 max min sign sin sinh tan tanh "
        "trunc",
        "instructions on single numbers",
    ),
    "viz.formulas.notation": ("cos exp log max sin tanh", "commands of LaTeX"),
}
"""Texts that are the names of operations, and mean something else."""


def operations_named(source: str) -> set[str]:
    """The operations whose names a source compares with, or has in a set, sequence or mapping."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            found += [node.left, *node.comparators]
        elif isinstance(node, ast.Set | ast.Tuple | ast.List):
            found += node.elts
        elif isinstance(node, ast.Dict):
            found += node.keys
        elif isinstance(node, ast.MatchValue):
            found.append(node.value)
    texts = {x.value for x in found if isinstance(x, ast.Constant)}
    return {name for name in mg.PRIMITIVES if name in texts}


def test_what_is_known_of_an_operation_stands_in_ops():
    """Other sources ask for a fact; `RULES` are about one operation, each for its reason."""
    known = {
        module: set(names.split())
        for module, (names, reason) in (*RULES.items(), *WORDS.items())
        if reason
    }
    found = {
        module: named
        for module, source in sources().items()
        if not module.startswith("minigrad.ops") and (named := operations_named(source))
    }
    assert found == known


@pytest.mark.parametrize(
    "source",
    [
        'VIEWS = frozenset(("reshape", "flip"))',
        'if node.op == "tanh": pass',
        'if "tanh" != node.op: pass',
        'if node.op in {"input", "tanh"}: pass',
        'WEIGHTS = {"matmul": 1}',
        'match op:\n    case "tanh": pass',
    ],
)
def test_a_list_of_operations_is_seen(source):
    assert operations_named(source)
    assert not operations_named('work.add("multiply", [a, b]); PRIMITIVES["tanh"]; x = "tanh"')


def test_type_checkers_and_editors_read_the_table_as_it_is():
    assert stub.STUB.read_text(encoding="utf-8") == stub.text(), "`make readme` renews it"
