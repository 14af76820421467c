"""Pictures, pages and workbooks in files."""

from __future__ import annotations

from minigrad import files


def write(path: str, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        files.write(path, data)
    except (OSError, ValueError) as error:  # a name may hold what no file's name can
        why = getattr(error, "strerror", None) or error
        raise OSError(f"cannot write {path}: {why}") from None
