"""The house stands: what may import what, what is never used, what must not depend on depth."""

from __future__ import annotations

import ast
import gc
import re
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz  # noqa: F401  # one of the packages
from tests import stub

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("minigrad", "rnn", "viz")
"""From the ground up: a package imports itself and those before it."""

FLOORS = {
    "minigrad": (
        ("errors", "extras", "facts", "files", "scopes", "show", "tree"),
        ("anomaly", "habits"),
        ("core",),
        ("captured", "frozen", "history"),
        ("ops",),
        ("autodiff",),
        ("graph",),
        ("folded",),
        ("lower",),
        ("engines",),
        ("scan", "loops"),
        ("compile", "explain"),
        ("export",),
        ("testing",),
    ),
    "viz": (
        ("scene",),
        ("given",),
        ("quotients", "output"),
        ("textbook", "columns", "memory", "formulas"),
        ("views",),
        ("figures",),
        ("page", "workbook"),
        ("cli",),
        ("__main__",),
    ),
}
"""Packages with rooms, from the ground up."""


# --- reading the sources ------------------------------------------------------------------------


def sources() -> dict[str, str]:
    """The text of every module by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path.read_text(encoding="utf-8")
    return found


def imports(source: str, known: Mapping[str, Any] | set[str]) -> dict[str, bool]:
    """Every module a source names in an import; whether it is imported at the top, not in a call.

    `from a import b` names `a.b` if that is a module, and `a` otherwise.
    """
    found: dict[str, bool] = {}
    for node, top in walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that they can be read"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in inner]
        else:
            continue
        for name in names:
            found[name] = found.get(name, False) or top
    return found


def walk(tree: ast.AST, top: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes, and whether they stand outside of functions and type-checking blocks."""
    for node in ast.iter_child_nodes(tree):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        yield node, top
        yield from walk(node, top and not function and not typing)


def upward(modules: Mapping[str, str]) -> list[str]:
    """Imports that point up: from a package to a later one, or from a floor to one not below."""
    wrong = []
    for name, source in modules.items():
        package, _, rest = name.partition(".")
        floor = {room: k for k, rooms in enumerate(FLOORS.get(package, ())) for room in rooms}
        own = rest.partition(".")[0]
        for target in imports(source, set(modules)):
            other, _, inner = target.partition(".")
            if other not in PACKAGES:
                continue
            there = inner.partition(".")[0]
            if PACKAGES.index(other) > PACKAGES.index(package):
                wrong.append(f"{name} imports {target}: {other} is above {package}")
            elif package == other and floor and own and own != there:
                if not there and own != "cli":  # the command is a user
                    wrong.append(f"{name} imports the whole of {package} from inside")
                elif floor.get(there, 99) >= floor.get(own, 99) and there:
                    wrong.append(f"{name} imports {target}: {there} is not below {own}")
    return wrong


def cycle(modules: Mapping[str, str]) -> list[str]:
    """Modules that import each other in a ring when they are loaded; empty if there is none."""
    edges = {
        name: [target for target, top in imports(source, set(modules)).items()
               if top and target in modules and target != name]
        for name, source in modules.items()
    }  # fmt: skip
    # A package's own name stands for its __init__, which may import its parts.
    left = {name: {t for t in targets if not name.startswith(f"{t}.")}
            for name, targets in edges.items()}  # fmt: skip
    while free := [name for name, targets in left.items() if not targets]:
        for name in free:
            del left[name]
        left = {name: targets.difference(free) for name, targets in left.items()}
    return sorted(left)


# --- the order of the rooms ---------------------------------------------------------------------


def test_imports_point_down():
    assert upward(sources()) == []


def test_no_modules_import_each_other_in_a_ring():
    assert cycle(sources()) == []


@pytest.mark.parametrize("package", FLOORS)
def test_every_room_has_its_floor(package):
    rooms = {name.split(".")[1] for name in sources() if name.startswith(f"{package}.")}
    assert rooms <= {name for names in FLOORS[package] for name in names}


@pytest.mark.parametrize(
    ("module", "source", "told"),
    [
        ("minigrad.core", "from minigrad.ops import add", "ops is not below core"),
        ("minigrad.core", "def f():\n    import minigrad.graph", "graph is not below core"),
        ("minigrad.folded", "from minigrad import engines", "engines is not below folded"),
        ("minigrad.ops.shapes", "import minigrad as mg", "the whole of minigrad from inside"),
        ("minigrad.scan", "from rnn.cell import Cell", "rnn is above minigrad"),
        ("viz.scene.label", "from viz.output.svg import svg", "output is not below scene"),
        ("viz.views.draw", "import viz", "the whole of viz from inside"),
        ("rnn.cells", "import viz.draw", "viz is above rnn"),
    ],
)
def test_an_import_that_points_up_is_seen(module, source, told):
    known = {"minigrad.engines": "", "minigrad.graph.nodes": "", "viz.output.svg": ""}
    (wrong,) = upward({**known, module: source})
    assert told in wrong


def test_a_ring_of_imports_is_seen():
    ring = {"rnn.a": "import rnn.b", "rnn.b": "from rnn import c", "rnn.c": "from rnn.a import f"}
    assert cycle(ring) == ["rnn.a", "rnn.b", "rnn.c"]
    late = {**ring, "rnn.c": "def g():\n    from rnn.a import f"}
    assert cycle(late) == []


def outside(statement: str) -> set[str]:
    """The packages, but for our own and those of Python, that a statement loads."""
    script = f"""
        import sys
        before = set(sys.modules)
        {statement}
        loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
        print(*sorted(loaded - sys.stdlib_module_names - {set(PACKAGES)!r}))
    """
    return set(in_a_new_process(script).split())


@pytest.mark.parametrize("package", ["minigrad", "rnn"])
def test_importing_loads_numpy_and_nothing_else_from_outside(package):
    assert outside(f"import {package}") == {"numpy"}


def test_loading_of_a_package_from_outside_is_seen():
    assert outside("import hypothesis") >= {"hypothesis"}


def namesakes() -> list[str]:
    """The files of modules in whose place their package has something else of the same name."""
    found = []
    for name in sources():
        package, _, module = name.rpartition(".")
        if package in PACKAGES and callable(getattr(sys.modules[package], module, None)):
            found.append(f"{package}/{module}.py")
    return found


def test_modules_with_the_names_of_functions_pass_pytest_by_themselves():
    """Loading one for its doctests must not put the module in the function's place."""
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *namesakes()]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# --- how large it is ----------------------------------------------------------------------------

ROOMS = {
    "what is needed to follow a gradient":
        (("minigrad.core", "minigrad.ops.elementwise", "minigrad.ops.products"), 1600),
    "the operations": (("minigrad.ops",), 4100),
    "graphs, their loops, and the way down":
        (("minigrad.graph", "minigrad.folded", "minigrad.loops", "minigrad.lower"), 4100),
    "the NumPy engine": (("minigrad.engines.numpy",), 1800),
    "all other engines": (("minigrad.engines",), 1900, "minigrad.engines.numpy"),
    "gradient tests": (("minigrad.testing",), 3100),
    "the engine, its operations, other engines and tests aside":
        (("minigrad",), 7800, "minigrad.ops", "minigrad.engines", "minigrad.testing"),
}  # fmt: skip
"""Modules, and the lines they may have, in hundreds; those named behind do not count. More is a
decision: raise the number in the commit that needs it, and say there what for. Less: lower it."""


def lines(names: Sequence[str], aside: Sequence[str] = ()) -> int:
    """The lines of modules and of all that is in their packages."""
    inside = lambda module, of: any(module == n or module.startswith(f"{n}.") for n in of)
    return sum(
        source.count("\n")
        for module, source in sources().items()
        if inside(module, names) and not inside(module, aside)
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_no_larger_than_it_was(room):
    names, most, *aside = ROOMS[room]
    assert most - 200 < lines(names, aside) <= most


# --- from a formula to its line -------------------------------------------------------------------


def lost(table: str) -> list[str]:
    """Files that a table names and that are not there, and names that are not in their file."""
    found = [path for path in re.findall(r"`([\w/]+\.py)`", table) if not (ROOT / path).is_file()]
    for path, names in re.findall(r"`([\w/]+\.py)` ((?:`\w+`(?:, )?)+)", table):
        defined = re.findall(r"^ *(?:def|class) (\w+)", (ROOT / path).read_text("utf-8"), re.M)
        found += [f"{path}: {n}" for n in re.findall(r"`(\w+)`", names) if n not in defined]
    return found


def test_the_readers_map_leads_to_lines_and_tests_that_are_there():
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("<!-- map -->")[2].partition("<!-- end -->")[0]
    assert table.count("\n|") > 10
    assert lost(table) == []


def test_a_way_that_is_lost_is_seen():
    assert lost("`minigrad/nowhere.py` and `minigrad/folded/unfolding.py` `unfold`, `refold`") == [
        "minigrad/nowhere.py", "minigrad/folded/unfolding.py: refold"]  # fmt: skip


# --- from a module to its test --------------------------------------------------------------------

MIRRORED = ("minigrad", "rnn")
"""The packages whose modules have each a test of their name; other laws are tested elsewhere."""


def mirror(module: str) -> str:
    """The test file of a module: that of `minigrad.lower.gates` is `minigrad/lower/test_gates.py`.

    What is for testing stands together: `minigrad.testing.laws` has `testing/test_laws.py`,
    `rnn.testing.problem` has `testing/rnn/test_problem.py`.
    """
    parts = module.split(".")
    if "testing" in parts:
        parts = ["testing", *(part for part in parts if part not in ("minigrad", "testing"))]
    *rooms, name = parts
    return "/".join((*rooms, f"test_{name}.py"))


def untested(modules: Mapping[str, str], tests: set[str]) -> list[str]:
    """Modules with code whose mirrored test file is missing."""
    return [
        name
        for name, source in modules.items()
        if name.partition(".")[0] in MIRRORED and mirror(name) not in tests
        and any(isinstance(x, ast.FunctionDef | ast.ClassDef) for x in ast.parse(source).body)
    ]  # fmt: skip


def test_every_module_has_the_test_of_its_name():
    folder = ROOT / "tests"
    tests = {path.relative_to(folder).as_posix() for path in folder.rglob("test_*.py")}
    assert untested(sources(), tests) == []


def test_a_module_without_a_test_is_seen():
    code = ("rnn.a", "rnn.b.c", "rnn.testing.d", "minigrad.testing.e")
    modules = {**dict.fromkeys(code, "def f(): ..."), "rnn.b": '"""A room."""'}
    tests = {"rnn/test_a.py", "testing/rnn/test_d.py", "testing/test_a.py"}
    assert untested(modules, tests) == ["rnn.b.c", "minigrad.testing.e"]


# --- what is never used -------------------------------------------------------------------------


def calls_id(source: str) -> bool:
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(isinstance(call.func, ast.Name) and call.func.id == "id" for call in calls)


def imports_pickle(source: str) -> bool:
    unsafe = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    return any(name.partition(".")[0] in unsafe for name in imports(source, set()))


def has_star(source: str) -> bool:
    stars = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return any(alias.name == "*" for node in stars for alias in node.names)


NEVER = {
    "id(), which differs from run to run": (calls_id, "seen = {id(node)}", set()),
    "pickle, which runs what it loads": (imports_pickle, "def f():\n    import pickle", set()),
    "star imports, but the one of the table": (has_star, "from a import *", {"minigrad"}),
}


@pytest.mark.parametrize("what", NEVER)
def test_sources_never_use(what):
    uses, _, allowed = NEVER[what]
    assert {name for name, source in sources().items() if uses(source)} == allowed


@pytest.mark.parametrize("what", NEVER)
def test_a_use_of_what_is_never_used_is_seen(what):
    uses, planted, _ = NEVER[what]
    assert uses(planted)
    assert not uses("identity = grid(1)")


# --- what is known of an operation --------------------------------------------------------------

RULES = {
    "minigrad.engines.numpy.needs": ("contract matmul", "weight gradients; what has a buffer"),
    "minigrad.engines.numpy.nests": ("add_n matmul", "what is several calls, or one of all rows"),
    "minigrad.engines.numpy.program": ("lookup matmul", "what is done for all rows at once"),
    "minigrad.engines.numpy.source": (
        "expand_dims index reshape squeeze transpose", "what is written as a method of its array",
    ),
    "minigrad.engines.numpy.storage": (
        "expand_dims matmul transpose", "the order of axes in memory; one entry of a pile",
    ),
    "minigrad.engines.numpy.straight": ("matmul project scan", "all rows at once; a loop inside"),
    "minigrad.engines.numpy.totals": ("contract put sum", "sums over steps that are one call"),
    "minigrad.graph.nodes": ("alias", "what `named` makes"),
    "minigrad.engines.scalars.instructions": (
        "ceil cos cosh exp expm1 floor hypot log log10 log1p log2 max min sign sin sinh tan tanh "
        "trunc",
        "what a machine of single numbers can do",
    ),
    "minigrad.engines.scalars.javascript": (
        "ceil cos cosh exp expm1 floor hypot log log10 log1p log2 max min sign sin sinh tan tanh "
        "trunc",
        "what JavaScript calls them",
    ),
    "minigrad.engines.scalars.symbols": ("add", "Python's operators"),
    "minigrad.engines.walk": (
        "contract project put scan", "sums over steps that are one call; a loop inside",
    ),
    "minigrad.loops.embed": ("add_n", "what adds all steps"),
    "minigrad.loops.rolled": (
        "add_n index scan scatter stack", "what gathers, or takes apart, the values of all steps",
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
    "rnn.cell": ("astype matmul one_hot", "a product with one-hot rows is a look-up"),
    "viz.figures.cells": ("multiply", "the memory cell: nothing on its line but × and +"),
    "viz.formulas.step": ("broadcast_to squeeze sum", "what stretches, what a sum keeps"),
    "viz.formulas.terms": ("concatenate index multiply reshape", "written by more than operands"),
    "viz.memory.memory": ("add multiply", "nothing on the line but × and +"),
    "viz.quotients.roles": ("multiply sigmoid", "gates are known by what they multiply"),
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
        "relu sigmoid softplus tanh", "activations, by the names that others have for them",
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
        if not module.startswith("minigrad.ops")
        and (named := operations_named(source))
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


# --- depth --------------------------------------------------------------------------------------


def in_a_new_process(script: str, **environment: str) -> str:
    """What a script prints, run by a Python of its own with the default stack."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        cwd=ROOT, env={"PATH": "", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


CHAIN = """
    import gc, sys
    gc.disable()
    assert sys.getrecursionlimit() == 1000
    import minigrad as mg

    def chain(x, n={n}):
        h = x
        for _ in range(n):
            h = h + 1.0
        return h

    x = mg.Tensor(0.5, name="x")
    loss = chain(x)
    assert loss.item() == {n} + 0.5
    loss.backward()
    assert x.grad == 1.0
    assert len(repr(loss)) < 100
    assert len(mg.ancestors(loss)) == {n} + 1
    assert mg.find(loss, "x") is x
    del loss
    graph = mg.trace(chain, 0.5)
    assert len(graph) >= {n}
    assert len(str(graph)) < 20_000, "the text is abridged"
    assert graph(1.5) == {n} + 1.5
    assert mg.isomorphic(graph, graph)
    del graph
    assert mg.grad(chain)(2.0) == 1.0
    print("freed")
"""


def test_a_chain_of_100_000_operations_needs_no_recursion():
    assert in_a_new_process(CHAIN.format(n=100_000)) == "freed\n"


@pytest.mark.deep
def test_a_chain_of_1_000_000_operations_needs_no_recursion():
    assert in_a_new_process(CHAIN.format(n=1_000_000)) == "freed\n"


def test_an_adjoint_of_a_deep_graph_needs_no_recursion():
    script = """
        import minigrad as mg
        def chain(x):
            for _ in range(20_000):
                x = mg.sin(x)
            return x
        forward, backward = mg.adjoint(mg.trace(chain, 0.5))
        print(len(forward), len(backward.outputs), len(str(backward)) < 20_000)
    """
    assert in_a_new_process(script) == "20001 1 True\n"


def test_the_text_of_a_graph_is_the_same_in_every_process():
    script = """
        import numpy as np, minigrad as mg, rnn
        cell = rnn.Stack([rnn.LSTMCell(3, 2), rnn.Dense(2, 2)])
        print(cell.folded(), *mg.adjoint(cell.folded()), mg.unfold(cell.folded(), 2))
        loss = lambda p: mg.sum(rnn.run(cell, p, np.ones((2, 1, 3)), unfolded=True)[0])
        print(mg.trace(loss, cell.init(0)))
    """
    texts = {in_a_new_process(script, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(texts) == 1


# --- memory -------------------------------------------------------------------------------------

CELL = rnn.Stack([rnn.LSTMCell(3, 2), rnn.Bidirectional(rnn.GRUCell(2, 2))])


def _backward() -> Any:
    w = mg.Tensor(np.ones(3), name="w")
    loss = mg.sum(mg.named("h", mg.tanh(w * w)))
    loss.backward()
    return loss


def _run(unfolded: bool) -> Any:
    ys, _ = rnn.run(CELL, CELL.init(0).tensors(), np.ones((4, 2, 3)), unfolded=unfolded)
    loss = mg.sum(ys * ys)
    loss.backward()
    return loss


def _second_order() -> Any:
    w = mg.Tensor(np.ones(3), name="w")
    return mg.sum(mg.grad(lambda v: mg.sum(mg.tanh(v * w)))(w) * w)


GRAPHS: dict[str, Callable[[], Any]] = {
    "after backward": _backward,
    "of a scan": lambda: _run(False),
    "of an unfolded run": lambda: _run(True),
    "of a derivative": _second_order,
}


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_is_freed_by_reference_count(graph):
    """With the garbage collector off: nodes hold no cycle."""
    GRAPHS[graph]()  # what is made once and kept, such as compiled programs
    gc.collect()
    gc.disable()
    try:
        loss = GRAPHS[graph]()
        alive = [weakref.ref(tensor) for tensor in mg.ancestors(loss)]
        assert len(alive) > 3
        del loss
        assert [ref() for ref in alive if ref() is not None] == []
    finally:
        gc.enable()


def test_a_cycle_would_be_seen():
    """The check above is not empty: a tensor that holds itself stays alive."""
    gc.disable()
    try:
        tensor = mg.tanh(mg.Tensor(1.0))
        tensor.attrs = {"self": tensor}
        ref = weakref.ref(tensor)
        del tensor
        assert ref() is not None
    finally:
        gc.enable()
        gc.collect()
