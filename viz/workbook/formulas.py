"""Instructions on single numbers as formulas of a spreadsheet, and as text with names.

What has a cell of its own is referred to; what has none is written where it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from minigrad.engines.scalars import Instruction

SUM, PRODUCT, ATOM = 1, 2, 3
"""How tightly an expression holds together."""

Pattern = tuple[str, int, tuple[int, ...]]
Term = tuple[str, int]

FORMULAS: dict[str, Pattern] = {
    "+": ("{}+{}", SUM, (SUM, PRODUCT)), "−": ("{}-{}", SUM, (SUM, PRODUCT)),
    "×": ("{}*{}", PRODUCT, (PRODUCT, ATOM)), "÷": ("{}/{}", PRODUCT, (PRODUCT, ATOM)),
    "neg": ("(-{})", ATOM, (ATOM,)), "^": ("POWER({},{})", ATOM, (SUM, SUM)),
    **{op: (f"IF({{}}{sign}{{}},1,0)", ATOM, (SUM, SUM))
       for op, sign in {"<": "<", "≤": "<=", "=": "=", "≠": "<>"}.items()},
    "and": ("IF(AND({},{}),1,0)", ATOM, (SUM, SUM)), "not": ("IF({},0,1)", ATOM, (SUM,)),
    "select": ("IF({},{},{})", ATOM, (SUM, SUM, SUM)),
    **{op: (f"{op.upper()}({{}},{{}})", ATOM, (SUM, SUM)) for op in ("max", "min")},
    **{op: (f"{op.upper()}({{}})", ATOM, (SUM,)) for op in (
        "exp", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
        "asinh", "acosh", "atanh", "abs", "sign", "trunc")},
    "log": ("LN({})", ATOM, (SUM,)), "log2": ("LOG({},2)", ATOM, (SUM,)),
    "√": ("SQRT({})", ATOM, (SUM,)), "∛": ("(SIGN({0})*POWER(ABS({0}),1/3))", ATOM, (SUM,)),
    "hypot": ("SQRT(SUMSQ({},{}))", ATOM, (SUM, SUM)),
    "atan2": ("ATAN2({1},{0})", ATOM, (SUM, SUM)),  # there the point is (x, y)
    "floor": ("INT({})", ATOM, (SUM,)), "ceil": ("(-INT(-({})))", ATOM, (SUM,)),
    "rem": ("({0}-{1}*TRUNC({0}/{1}))", ATOM, (PRODUCT, ATOM)),
    # Spreadsheets have no expm1 and log1p. Near 0 these keep their digits, far from it the others.
    "expm1": ("IF(ABS({0})<1,2*TANH(({0})/2)/(1-TANH(({0})/2)),EXP({0})-1)", ATOM, (SUM,)),
    "log1p": ("IF(ABS({0})<0.5,2*ATANH(({0})/(2+{0})),LN(1+{0}))", ATOM, (SUM,)),
}  # fmt: skip
"""For each instruction how it is written, how tightly that holds, and how tightly operands must."""

WORDS: dict[str, Pattern] = {
    "+": ("{} + {}", SUM, (SUM, PRODUCT)), "−": ("{} − {}", SUM, (SUM, PRODUCT)),
    "×": ("{} × {}", PRODUCT, (PRODUCT, ATOM)), "÷": ("{} ÷ {}", PRODUCT, (PRODUCT, ATOM)),
    "neg": ("−{}", PRODUCT, (ATOM,)), "^": ("{}^{}", ATOM, (ATOM, ATOM)),
    "√": ("√({})", ATOM, (SUM,)), "not": ("not {}", SUM, (ATOM,)),
    "select": ("({1} if {0} else {2})", ATOM, (SUM, SUM, SUM)),
    **{op: (f"{{}} {op} {{}}", SUM, (ATOM, ATOM)) for op in ("<", "≤", "=", "≠", "and")},
}  # fmt: skip
"""The same for readers; what is not here is written as a function."""


def formula(lines: Sequence[Instruction], k: int, references: Mapping[int, str]) -> str:
    """The formula of line k, with references for the lines that have cells.

    >>> from minigrad.engines.scalars import Instruction
    >>> lines = [Instruction("input"), Instruction("constant", (), 0.5)]
    >>> lines += [Instruction("+", (0, 1)), Instruction("×", (2, 0)), Instruction("tanh", (3,))]
    >>> formula(lines, 4, {0: "C2"})
    '=TANH((C2+0.5)*C2)'
    """

    def cell(i: int) -> Term | None:
        return (references[i], ATOM) if i in references and i != k else None

    return "=" + _written(lines, k, FORMULAS, cell, _one)[0]


def words(lines: Sequence[Instruction], k: int, names: Mapping[int, Term]) -> Term:
    """Line k for readers, by the names of values: entries are left out, so sums of alike are one.

    >>> from minigrad.engines.scalars import Instruction
    >>> lines = [Instruction("input")] * 4 + [Instruction("×", (0, 2)), Instruction("×", (1, 3))]
    >>> words([*lines, Instruction("+", (4, 5))], 6, {i: ("xxWW"[i], ATOM) for i in range(4)})
    ('x × W', 2)
    """

    def one(line: Instruction, operands: list[Term], patterns: Mapping[str, Pattern]) -> Term:
        if line.op == "+":
            before, added = line.operands
            ends = lines[before].operands[1:] if lines[before].op == "+" else (before,)
            (left, _), (right, _) = operands
            if added not in ends and (left == right or left.endswith(f" + {right}")):
                return operands[0]
        return _one(line, operands, patterns)

    return _written(lines, k, WORDS, names.get, one)


def _written(
    lines: Sequence[Instruction],
    k: int,
    patterns: Mapping[str, Pattern],
    name: Callable[[int], Term | None],
    one: Callable[..., Term],
) -> Term:
    """One expression, without recursion: sums are as deep as they are long."""
    known: dict[int, Term] = {}
    work = [k]
    while work:
        i = work[-1]
        line, found = lines[i], name(i)
        if found is None and line.op == "constant":
            found = _number(line.value)
        waiting = [] if found else [j for j in line.operands if j not in known]
        if waiting:
            work += waiting
            continue
        known[i] = found or one(line, [known[j] for j in line.operands], patterns)
        work.pop()
    return known[k]


def _one(line: Instruction, operands: list[Term], patterns: Mapping[str, Pattern]) -> Term:
    function = f"{line.op}({', '.join('{}' for _ in operands)})", ATOM, (SUM,) * len(operands)
    pattern, holds, needs = patterns.get(line.op, function)
    parts = [
        text if tight >= need else f"({text})"
        for (text, tight), need in zip(operands, needs, strict=True)
    ]
    return pattern.format(*parts), holds


def _number(x: float) -> Term:
    text = repr(float(x)).removesuffix(".0").upper()
    return (f"({text})" if text.startswith("-") else text), ATOM
