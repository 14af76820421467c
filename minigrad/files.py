"""Files that are written whole or not at all, and by one program at a time.

The new content is written beside a file and takes its place in one step, so a crash at any moment
leaves the old file or the new one. What a crash leaves beside it, the next run takes away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def write(path: str | Path, content: bytes) -> None:
    """Give a file this content, all of it or none.

    A symbolic link stays one, the file that it names is written. A file keeps its permissions.

    Raises:
        OSError: the folder is missing, full or not writable, or the path is a folder or a device;
            an old file is unharmed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a", b"new")
    ...     Path(folder, "a").read_bytes()
    b'new'
    """
    place = _place(path)
    if place.exists() and not place.is_file():
        raise OSError(f"{str(path)!r} is no file: give the name of one, in a folder that exists")
    # Two threads may write one file at the same time: the last one wins.
    new = place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with new.open("wb") as file:
            if place.exists():
                new.chmod(stat.S_IMODE(place.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, place)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with contextlib.suppress(OSError):  # there is nothing left to remove after os.replace
            new.unlink()
    if sys.platform != "win32":  # the new name is safe once its folder is on the disk
        folder = os.open(place.parent, os.O_RDONLY)
        with contextlib.suppress(OSError):  # some file systems do not sync folders
            os.fsync(folder)
        os.close(folder)


@contextlib.contextmanager
def alone(path: str | Path) -> Iterator[None]:
    """Inside, nobody else who asks for it writes this file; what killed writers left is removed.

    A program that ends, however it does, gives the file free.

    Raises:
        BlockingIOError: another program, or another thread of this one, is writing it.
    """
    place = _place(path)
    sign = place.with_name(f".{place.name}.lock")
    descriptor = _held(sign, str(path))
    try:
        for beside in place.parent.iterdir():
            if beside.name.startswith(f".{place.name}.") and beside.suffix == ".part":
                beside.unlink(missing_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows does not remove what is open
            sign.unlink()
        os.close(descriptor)


def _place(path: str | Path) -> Path:
    """The file that a path names, in a folder that exists."""
    try:
        place = Path(os.path.realpath(path))
    except ValueError as error:
        raise OSError(f"{str(path)!r} is no name of a file: {error}") from None
    if not place.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(place.parent)!r} to write {place.name} into"
        )
    return place


def _held(sign: Path, path: str) -> int:
    """A descriptor of the sign, locked."""
    while True:
        try:
            descriptor = os.open(sign, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None
        if not _locked(descriptor):
            os.close(descriptor)
            raise BlockingIOError(
                f"another run is writing {path!r}; let it end, or give this one another folder"
            )
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), sign.stat()):
                return descriptor
        os.close(descriptor)  # the one before took its sign away between the two calls


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks cannot tell of others, and is no reason not to train.
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True
