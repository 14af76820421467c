"""A small reader of workbooks: what their formulas give, by Python and by LibreOffice."""

import re
import shutil
import subprocess

import numpy as np
import openpyxl

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")

FUNCTIONS = {
    **{f.upper(): getattr(np, f) for f in (
        "exp", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "abs", "sign", "trunc",
        "power")},
    **{f"A{f.upper()}": getattr(np, f"arc{f}")
       for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "LN": np.log, "LOG": lambda x, base: np.log(x) / np.log(base), "INT": np.floor,
    "ATAN2": lambda x, y: np.arctan2(y, x), "SUMSQ": lambda a, b: a * a + b * b,
    "MAX": np.maximum, "MIN": np.minimum, "IF": np.where, "AND": np.logical_and,
}  # fmt: skip
CELL = re.compile(r"\b(?:(\w+)!)?([A-Z]{1,3}[0-9]+)\b(?!\()")


def python_of(formula, sheet):
    """A formula as Python, with `at(sheet, cell)` for what it refers to."""
    text = CELL.sub(lambda m: f"at({(m[1] or sheet)!r}, {m[2]!r})", formula.removeprefix("="))
    return re.sub(r"(?<![<>])=", "==", text).replace("<>", "!=")


def by_python(book):
    """The values of all cells, by sheet and address."""
    sheets = {sheet.title: sheet for sheet in book}
    found = {}

    def at(sheet, cell):
        if (sheet, cell) not in found:
            content = sheets[sheet][cell]
            value = content.value
            if content.data_type == "f":
                value = eval(python_of(value, sheet), {"__builtins__": {}, "at": at, **FUNCTIONS})
            found[sheet, cell] = value if isinstance(value, str) or value is None else float(value)
        return found[sheet, cell]

    places = [(s.title, cell.coordinate) for s in book for row in s.iter_rows() for cell in row]
    with np.errstate(all="ignore"):
        return {place: at(*place) for place in places}  # in reading order, not in that of computing


def by_libreoffice(paths, folder):
    """The same of several files, recalculated by LibreOffice."""
    out = folder / "recalculated"
    call = [SOFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    call += ["--convert-to", "xlsx", "--outdir", out, *paths]
    subprocess.run(call, check=True, capture_output=True, timeout=180)
    books = [openpyxl.load_workbook(out / path.name, data_only=True) for path in paths]
    return [
        {(s.title, c.coordinate): c.value for s in book for row in s.iter_rows() for c in row}
        for book in books
    ]


def rows(values, sheet):
    """The rows of a sheet by what is written before them."""
    found = {}
    for (where, cell), value in values.items():
        letters, number = re.match(r"([A-Z]+)(\d+)", cell).groups()
        if where == sheet and int(number) > 3:
            label, entries = found.setdefault(int(number), [None, []])
            if letters == "A":
                found[int(number)][0] = value
            elif letters != "B" and value is not None:
                entries.append(value)
    named = {}
    for label, entries in found.values():
        name, _, _ = (label or "").partition(", ")
        named.setdefault(name, []).append(entries)
    return {name: np.array(entries, float) for name, entries in named.items() if name}
