"""The house stands: what may import what, how large it is, what is never used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

import viz  # noqa: F401  # one of the packages
from tests.house import PACKAGES, ROOT, imports, in_a_new_process, sources

FLOORS = {
    "minigrad": (
        ("errors", "extras", "facts", "files", "scopes", "show", "tree"),
        ("anomaly", "habits"),
        ("core",),
        ("captured", "frozen", "history"),
        ("ops",),
        ("autodiff", "backward"),
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
        (("minigrad.core", "minigrad.ops.elementwise", "minigrad.ops.products"), 1400),
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
