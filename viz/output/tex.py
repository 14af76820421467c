r"""Labels in the commands of LaTeX.

Signs become commands, names formulas, and a letter that LaTeX does not know is spelt by its code.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence

from viz.scene.label import Label, Run

SIGNS = {
    "∂": r"\partial ", "σ": r"\sigma ", "Σ": r"\Sigma ", "Π": r"\Pi ", "µ": r"\mu ", "μ": r"\mu ",
    "⊙": r"\odot ", "×": r"\times ", "÷": r"\div ", "−": "-", "±": r"\pm ", "·": r"\cdot ",
    "…": r"\dots ", "⋯": r"\cdots ", "→": r"\rightarrow ", "←": r"\leftarrow ", "′": "'",
    "√": r"\surd ", "≥": r"\ge ", "≤": r"\le ", "≠": r"\ne ", "∧": r"\wedge ", "¬": r"\neg ",
    "‖": r"\Vert ",
    "²": "{}^2", "ᵀ": r"{}^{\top}", "<": "<", ">": ">", "|": r"\vert ", "^": r"\hat{}",
    "\\": r"\backslash ", "~": r"\sim ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ",
    "δ": r"\delta ", "ε": r"\varepsilon ", "θ": r"\theta ", "λ": r"\lambda ", "φ": r"\varphi ",
    "ω": r"\omega ", "η": r"\eta ", "τ": r"\tau ", "ρ": r"\rho ", "π": r"\pi ", "ψ": r"\psi ",
}  # fmt: skip
ACCENTS = {
    "\u0303": "tilde", "\u0302": "hat", "\u0304": "bar", "\u0301": "acute", "\u0300": "grave",
    "\u0308": "ddot", "\u030c": "check", "\u0307": "dot",
}  # fmt: skip
SPECIAL = {c: rf"\{c}" for c in "{}$&#%_"}


def tex(label: Label) -> str:
    r"""A label in the commands of LaTeX.

    >>> from viz.scene.label import symbol, words
    >>> print(tex((*words("× "), *symbol("W_xh", "t−1"))))
    $\times $ $W_{xh}^{(t-1)}$
    """
    parts: list[str] = []
    for is_word, runs in itertools.groupby(label, lambda run: run.role == "word"):
        part = list(runs)
        parts.append(_words(part) if is_word else _mathematics(part))
    return "".join(parts)


def _words(runs: Sequence[Run]) -> str:
    text = unicodedata.normalize("NFC", "".join(run.text for run in runs))
    return "".join(
        SPECIAL.get(c) or (c if c.isascii() and c not in SIGNS else _letter(c)) for c in text
    )


def _letter(char: str) -> str:
    """A character that plain text of LaTeX has not."""
    if char in SIGNS:
        return f"${SIGNS[char]}$"
    base, *marks = list(unicodedata.normalize("NFD", char))
    if base.isascii() and len(marks) == 1 and marks[0] in ACCENTS:
        return rf"$\{ACCENTS[marks[0]]}{{\mathrm{{{base}}}}}$"
    if char in ("\u2002", "\xa0", "\u2009", "\u3000"):
        return r"\enspace "
    return char if "\xa0" < char <= "\u017f" else rf"\texttt{{U+{ord(char):04X}}}"


def _mathematics(runs: Sequence[Run]) -> str:
    """Names and what stands below and above them, in one formula."""
    found = []
    for script, group in itertools.groupby(runs, lambda run: run.script):
        inner = "".join(_symbols(run) for run in group)
        found.append({0: inner, 1: f"^{{{inner}}}", -1: f"_{{{inner}}}"}[script])
    whole = "".join(found)
    return r"\enspace " if not whole.strip() else f"${whole}$"


def _symbols(run: Run) -> str:
    """Letters of a run in a formula: names in italics, times upright."""
    found: list[str] = []
    for char in unicodedata.normalize("NFD", run.text):
        if char in ACCENTS and found:
            found.append(rf"\{ACCENTS[char]}{{{found.pop()}}}")
        elif char in SIGNS or char in SPECIAL:
            found.append(SIGNS.get(char) or SPECIAL[char])
        elif char.isspace():
            found.append(r"\enspace " if char == "\u2002" else r"\ ")
        elif char.isascii():
            found.append(char)
        else:
            found.append(rf"\mbox{{{_letter(char)}}}")
    text = "".join(found)
    long = run.role == "name" and not run.script and len(run.text) > 1 and run.text.isalpha()
    return rf"\mathit{{{text}}}" if long and text.isascii() and text.isalpha() else text
