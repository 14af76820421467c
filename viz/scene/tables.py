"""A style of one's own: a table, in Python or in a TOML file, of what is to be another way.

base = "print"
ground = "none"
[looks.hidden]
fill = "#E8F4FF"
line = "#004E80"
[words]
unfold = "entfalten"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from viz.scene.style import Look, Style
from viz.scene.styles import STYLES

ENTRIES = ("base", "looks", "inks", "ground", "recurrent", "carries", "faces", "words")


def read(path: Path) -> Style:
    """The style of a TOML file.

    Raises:
        ValueError: no TOML, or no style; the sentence names the file.
        OSError: the file cannot be read.
    """
    try:
        text = path.read_bytes()
    except (OSError, ValueError) as error:  # a name may hold what no file's name can
        why = getattr(error, "strerror", None) or error
        raise OSError(f"style: cannot read {str(path)!r:.200}: {why}") from None
    try:
        return made(tomllib.loads(text.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"style: {str(path)!r:.200} is no TOML: {error}") from None
    except ValueError as error:
        raise ValueError(f"{str(path)!r:.200}: {error}") from None


def made(given: Mapping[str, Any]) -> Style:
    """The style `base` ("print") with entries of a table in place of its own.

    Args:
        given: any of `base`, `looks` (kind to a table of fill, line, dash, pen), `inks`, `ground`,
            `recurrent`, `carries`, `faces`, `words`; see `Style`.

    Raises:
        ValueError: an entry that no style has, or that is none.

    >>> made({"ground": "none", "words": {"unfold": "entfalten"}}).say("unfold")
    'entfalten'
    """
    _known("entry", given, ENTRIES)
    base = given.get("base", "print")
    _known("base", [base], STYLES)
    style = STYLES[base]
    looks = {kind: _look(style, kind, table) for kind, table in _table(given, "looks").items()}
    inks = dict(_table(given, "inks"))
    inks |= {"ground": given["ground"]} if "ground" in given else {}
    _known("ink", inks, style.inks)
    faces, words = _texts(given, "faces"), _texts(given, "words")
    _known("face", faces, style.faces)
    for role, family in faces.items():
        if not re.fullmatch(r"[\w .-]+", family):
            raise ValueError(f"style: faces.{role} must be a family of fonts, got {family!r:.60}")
    carries = given.get("carries", style.carries)
    if not isinstance(carries, list | tuple) or not carries:
        raise ValueError(f"style: carries must be a list of colours, got {carries!r:.60}")
    return replace(
        style,
        looks={**style.looks, **looks},
        inks={**style.inks, **{name: _colour(f"inks.{name}", c) for name, c in inks.items()}},
        recurrent=_colour("recurrent", given.get("recurrent", style.recurrent)),
        carries=tuple(_colour("carries", colour) for colour in carries),
        faces={**style.faces, **faces},
        words={**style.words, **words},
    )


def _look(style: Style, kind: str, given: Any) -> Look:
    _known("kind", [kind.partition(":")[0]], style.looks)
    if not isinstance(given, Mapping) or given.keys() - {"fill", "line", "dash", "pen"}:
        raise ValueError(
            f"style: looks.{kind} is a table of fill, line, dash and pen, got {given!r:.60}"
        )
    new = dict(given)
    for part in {"fill", "line"} & new.keys():
        new[part] = _colour(f"looks.{kind}.{part}", new[part])
    dash, pen = new.get("dash", ""), new.get("pen", 0.0)
    if not isinstance(dash, str) or not re.fullmatch(r"(\d+(\.\d+)?( (?=\d)|$))*", dash):
        raise ValueError(f"style: looks.{kind}.dash must be lengths as '4 2', got {dash!r:.60}")
    if isinstance(pen, bool) or not isinstance(pen, int | float) or not 0 <= pen <= 20:
        raise ValueError(f"style: looks.{kind}.pen must be 0 to 20 points, got {pen!r:.60}")
    return replace(style.look(kind), **new)


def _colour(where: str, given: Any) -> str:
    """A colour that every format knows; `none` only as a ground."""
    is_hex = isinstance(given, str) and re.fullmatch("#[0-9A-Fa-f]{6}", given)
    if not is_hex and not (given in ("none", "white") and where == "inks.ground"):
        raise ValueError(f"style: {where} must be a colour such as '#1F4E9C', got {given!r:.60}")
    return str(given)


def _table(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name, {})
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise ValueError(f"style: {name} must be a table, got {found!r:.60}")
    return found


def _texts(given: Mapping[str, Any], name: str) -> Mapping[str, str]:
    found = _table(given, name)
    for key, text in found.items():
        if not isinstance(text, str):
            raise ValueError(f"style: {name}.{key} must be text, got {text!r:.60}")
    return found


def _known(what: str, given: Iterable[Any], known: Iterable[str]) -> None:
    for name in given:
        if name not in (names := list(known)):
            raise ValueError(f"style: no {what} {name!r:.60}; there are {', '.join(names)}")
