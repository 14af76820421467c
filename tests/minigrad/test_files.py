"""A file is the old one or the new one, its permissions and links stay, and one run writes it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from minigrad.files import alone, write

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "a.svg"
    file.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match=r"No space left on device: '.*a\.svg'"):
            write(str(file), b"new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_a_file_keeps_its_permissions(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "a"
    write(file, b"old")
    usual = stat.S_IMODE(file.stat().st_mode)
    (tmp_path / "b").touch()
    assert usual == stat.S_IMODE((tmp_path / "b").stat().st_mode)
    file.chmod(mode)
    write(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", mode)


@posix
def test_a_link_stays_a_link_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    file, link = tmp_path / "disk" / "a", tmp_path / "latest"
    link.symlink_to(Path("disk", "a"))
    for content in (b"one", b"two"):  # to a file that is not there yet, and to one that is
        write(link, content)
        assert link.is_symlink()
        assert file.read_bytes() == content
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "disk", "latest"]


@posix
def test_the_folder_is_on_the_disk_before_a_write_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a machine that stops may forget the new name of the file."""
    seen: list[str] = []

    def note(name: str, function: Any) -> None:
        def noted(*args: Any) -> Any:
            if name == "fsync":
                kind = "folder" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else "file"
                seen.append(f"{name} {kind}")
            else:
                seen.append(name)
            return function(*args)

        monkeypatch.setattr(os, name, noted)

    note("fsync", os.fsync)
    note("replace", os.replace)
    write(tmp_path / "a", b"new")
    assert seen == ["fsync file", "replace", "fsync folder"]


@posix
@pytest.mark.parametrize("name", [".", "pipe", "/dev/null"])
def test_what_is_no_file_is_not_replaced_by_one(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no file: give the name of one"):
        write(tmp_path / name, b"new")
    assert Path("/dev/null").is_char_device()


def test_threads_that_write_one_file_leave_one_of_their_contents(tmp_path: Path) -> None:
    file, contents = tmp_path / "a", [bytes([k]) * 100_000 for k in range(4)]
    threads = [
        threading.Thread(target=lambda c=c: [write(file, c) for _ in range(2)]) for c in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [file]


# --- one at a time -------------------------------------------------------------------------------


def test_the_second_who_would_write_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a"
    with alone(file):
        with pytest.raises(BlockingIOError, match=r"another run is writing '.*a'; let it end"):
            alone(file).__enter__()
        with alone(tmp_path / "b"):
            pass
    with alone(file):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed_and_holds_nobody_up(tmp_path: Path) -> None:
    script = f"""
import os, signal
from minigrad.files import alone, write
os.replace = lambda *args: os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
with alone({str(tmp_path / "a")!r}):
    write({str(tmp_path / "a")!r}, b"new")
"""
    write(tmp_path / "a", b"old")
    (tmp_path / "another.part").touch()
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode != 0
    assert len(list(tmp_path.iterdir())) == 4  # beside the two: a sign, and a part of the new file
    with alone(tmp_path / "a"):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "another.part"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is no name of a file"):
        write(tmp_path / "a\0b", b"new")
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_into_is_told(tmp_path: Path) -> None:
    for attempt in (lambda path: write(path, b""), lambda path: alone(path).__enter__()):
        with pytest.raises(FileNotFoundError, match=r"there is no folder '.*no' to write a into"):
            attempt(tmp_path / "no" / "a")
