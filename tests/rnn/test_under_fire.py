"""Training under fire: killed, cut, damaged, on a full or locked disk, for long, in many threads.

Each in the form that `make test` has time for, and in the full one.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any

import pytest

import rnn
from minigrad.tree import flatten
from rnn.exercises import EXERCISES, train
from viz.cli import main
from viz.cli.training import WEIGHTS

posix = pytest.mark.skipif(os.name != "posix", reason="forks and signals of POSIX")
linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")


def in_a_process(
    script: str, *arguments: object, before: Sequence[str] = (), told: bool = False
) -> str:
    """What a script prints; or tells, on the other stream."""
    call = [*before, sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr if told else done.stdout


KILLED = """
import os, random, signal, sys
import numpy as np, rnn
from minigrad import files
from rnn import checkpoint
path, kills, rng = sys.argv[1], int(sys.argv[2]), random.Random(0)
folder = os.path.dirname(path)
cell = rnn.Stack([rnn.LSTMCell(30, 60), rnn.Dense(60, 30)])
params = rnn.Params(cell.init(0))

def save(k):
    params.layer2.b = np.full(30, float(k))
    checkpoint.save(path, params, cell, step=k, moments=[np.full(3000, float(k))])

def whole():
    found, again, known = checkpoint.load(path)
    k = known["step"]
    assert again == cell and (found.layer2.b == k).all() and (known["moments"][0] == k).all()
    return k

def count(frame, event, argument):  # calls and returns, of Python and of C
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

save(0)  # what is imported at the first time is not counted
left = 0
sys.setprofile(count)
save(0)
sys.setprofile(None)
events, now, old, new, parts = -left, 0, 0, 0, 0
for k in range(1, kills + 1):
    left = rng.choice((rng.randint(1, events), rng.randint(events - 120, events)))
    child = os.fork()
    if not child:
        sys.setprofile(count)
        save(k)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (-signal.SIGKILL, 1)
    old, new = old + (whole() == now), new + (whole() == k)
    assert whole() in (now, k)
    now = whole()
    parts = max(parts, len(os.listdir(folder)) - 1)
with files.alone(path):
    pass
print(old + new == kills, old > 0, new > 0, parts > 0, os.listdir(folder))
"""


@posix
@pytest.mark.parametrize("kills", [25, pytest.param(500, marks=pytest.mark.deep)])
def test_a_kill_at_any_moment_of_saving_leaves_the_old_file_or_the_new_one(
    kills: int, tmp_path: Path
) -> None:
    """Both are seen, and halves of files beside them, which the next run takes away."""
    assert in_a_process(KILLED, tmp_path / "w", kills) == "True True True True ['w']\n"


DAMAGED = """
import sys, time, tracemalloc
from pathlib import Path
from random import Random
import numpy as np, rnn
from rnn import checkpoint
from tests.rnn.damage import CHANGES, sealed, swell
file, count, changes = Path(sys.argv[1]), int(sys.argv[2]), (*CHANGES, swell)
net = rnn.Stack([rnn.LSTMCell(30, 60), rnn.GRUCell(60, 40), rnn.Dense(40, 30)])
checkpoint.save(file, net.init(0), net, vocabulary="abc", state=net.start(2), step=7)
good = file.read_bytes()

def load(content):
    file.write_bytes(content)
    try:
        return checkpoint.load(file)
    except checkpoint.CheckpointError as error:
        assert str(error).startswith(repr(str(file)))

seconds, most, told, forged = 0, 0, 0, 0
for k in range(count):
    content = changes[k % len(changes)](good, Random(k))
    told += content != good
    start = time.process_time()
    assert load(content) is None or content == good
    seconds = max(seconds, time.process_time() - start)
    tracemalloc.start()
    load(content)
    most = max(most, tracemalloc.get_traced_memory()[1] / max(2**16, len(content)))
    tracemalloc.stop()
    found = load(sealed(content)) if k % 4 == 0 else None
    if found:
        params, cell, _ = found
        assert np.isfinite(rnn.run(cell, params, np.ones((2, 1, cell.inputs)))[0]).all()
        forged += 1
print(told > count * 0.9, 0 < forged < count / 4, most, seconds)
"""


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=pytest.mark.deep)])
def test_a_damaged_file_is_told_at_once_and_takes_less_than_twice_its_memory(
    count: int, tmp_path: Path
) -> None:
    """Files of less than 64 KB count as such.

    With a checksum forged for the damage, one is told too, or holds a network that runs.
    """
    *right, most, seconds = in_a_process(DAMAGED, tmp_path / "w", count).split()
    assert right == ["True", "True"]
    assert float(most) < 2
    assert float(seconds) < 0.05


FULL = """
import os, resource, sys
import rnn
from rnn import checkpoint
path, cell = sys.argv[1], rnn.Dense(100, 100)
checkpoint.save(path, cell.init(1), cell)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    checkpoint.save(path, cell.init(2), cell)
except OSError as error:
    print(error)
print((checkpoint.load(path)[0].W == cell.init(1).W).all(), os.listdir(os.path.dirname(path)))
"""


@posix
def test_a_file_that_may_grow_no_more_leaves_the_old_one(tmp_path: Path) -> None:
    """The kernel itself stops the write in the middle of the file, as on a full disk."""
    said, kept = in_a_process(FULL, tmp_path / "w").splitlines()
    assert said == f"[Errno {errno.EFBIG}] File too large: {str(tmp_path / 'w')!r}"
    assert kept == "True ['w']"


CALL = ["train", "--task", "parity", "--hidden", "4"]


@pytest.mark.parametrize(
    ("where", "trouble"),
    [
        ("fsync", OSError(errno.ENOSPC, "No space left on device")),
        ("open", OSError(errno.EROFS, "Read-only file system")),
        ("open", PermissionError(errno.EACCES, "Permission denied")),
    ],
)
def test_a_full_disk_or_a_locked_folder_is_a_sentence_and_the_run_is_as_it_was(
    where: str, trouble: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main([*CALL, "--out", str(tmp_path), "--steps", "2"]) in (0, 1)
    file = tmp_path / WEIGHTS
    before = file.read_bytes()
    capsys.readouterr()

    def refuse(*args: Any, **more: Any) -> Any:
        raise type(trouble)(*trouble.args)

    with monkeypatch.context() as patch:
        patch.setattr(os, where, refuse)
        assert main([*CALL, "--out", str(tmp_path), "--steps", "9", "--resume"]) == 2
    told = capsys.readouterr().err
    assert told == f"minigrad: [Errno {trouble.errno}] {trouble.strerror}: {str(file)!r}\n"
    assert file.read_bytes() == before
    assert main([*CALL, "--out", str(tmp_path), "--steps", "3", "--resume"]) in (0, 1)


DISK = """
import subprocess, sys
from pathlib import Path
from viz.cli import main
from viz.cli.training import WEIGHTS
disk = Path(sys.argv[1])
file = disk / "run" / WEIGHTS
call = ["train", "--task", "parity", "--hidden", "4", "--out", str(file.parent)]

def mount(*options):
    subprocess.run(["mount", *options, str(disk)], check=True)

def refused(name, *more):
    assert main([*call, "--steps", "9", *more]) == 2, name
    assert sorted(p.name for p in disk.rglob("*")) == left, name

mount("-t", "tmpfs", "-o", "size=1m", "none")
assert main([*call, "--steps", "2"]) in (0, 1)
before, left = file.read_bytes(), sorted(["ballast", *(p.name for p in disk.rglob("*"))])
try:
    with open(disk / "ballast", "wb", 0) as ballast:
        while True:
            ballast.write(bytes(4096))
except OSError:
    pass
refused("full", "--resume")
mount("-o", "remount,ro")
refused("to be read only", "--resume")
call[-1] += "/another"
refused("to be read only, a new folder")
call[-1] = str(file.parent)
assert file.read_bytes() == before
mount("-o", "remount,rw")
(disk / "ballast").unlink()
assert main([*call, "--steps", "9", "--resume"]) in (0, 1)
"""


@linux
def test_a_disk_that_is_full_or_may_only_be_read_is_a_sentence_and_the_run_is_as_it_was(
    tmp_path: Path,
) -> None:
    """A real one, in memory, that the processes of this test alone see."""
    call = ["unshare", "--map-root-user", "--mount"]
    if not which("unshare") or subprocess.run([*call, "true"], check=False).returncode:
        pytest.skip("this system lets nobody mount a disk of his own")
    file = tmp_path / "run" / WEIGHTS
    assert in_a_process(DISK, tmp_path, before=call, told=True).splitlines() == [
        f"minigrad: [Errno {errno.ENOSPC}] No space left on device: {str(file)!r}",
        f"minigrad: [Errno {errno.EROFS}] Read-only file system: {str(file)!r}",
        f"minigrad: [Errno {errno.EROFS}] Read-only file system: {str(file.parent / 'another')!r}",
    ]


def test_the_second_run_in_one_folder_is_told_and_the_first_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [*CALL, "--out", str(tmp_path), "--steps", "150"]
    codes: list[int] = []
    monkeypatch.setattr("viz.cli.tasks.tell", lambda fit: codes.append(main([*call, "--resume"])))
    assert main(call) in (0, 1)
    assert codes == [2]
    file = str(tmp_path / WEIGHTS)
    assert capsys.readouterr().err == (
        f"minigrad: another run is writing {file!r}; let it end, or give this one another folder\n"
    )
    assert rnn.Fit.load(file).step == 150


FLAT = """
import gc
gc.disable()
import numpy as np, rnn
import minigrad as mg
from rnn.data.toys import parity
from rnn.text.characters import character_model
from rnn.text.train import train
from rnn.text.training import Recipe, Training
sizes = []

def note(*args):
    with open("/proc/self/statm") as file:
        sizes.append(int(file.read().split()[1]))

cell = rnn.Stack([rnn.LSTMCell(1, 8), rnn.Dense(8, 1)])
batches = lambda step: parity(np.random.default_rng(step), 10, 4)
"""

LOOPS = {
    "fit": "rnn.fit(cell, batches, 1000, carry=True, every=100, callbacks=[note])",
    "text": """
text = "to be or not to be, that is the question " * 50
run = Training.start(character_model("gru", len(set(text)), 8), text, Recipe(4, 10))
train(run, text, 1000, every=100, report=note)
""",
    "one's own, every operation on the graph": """
adam, params = rnn.Adam(), cell.init(0)
moments = adam.init(params)
for k in range(1, 1001):
    xs, targets = batches(k)
    p = params.tensors()
    rnn.mse(rnn.run(cell, p, xs, unfolded=True)[0], targets).backward()
    grads = rnn.Params({name: {n: w.grad for n, w in own.items()} for name, own in p.items()})
    params, moments = adam.update(params, grads, moments)
    if k % 100 == 0:
        note()
""",
}


@linux
@pytest.mark.parametrize(
    "loop", [pytest.param(n, marks=[] if n == "fit" else pytest.mark.deep) for n in LOOPS]
)
def test_memory_is_flat_over_a_thousand_steps_without_the_collector(loop: str) -> None:
    assert float(in_a_process(f"{FLAT}{LOOPS[loop]}\nprint(max(sizes[1:]) / sizes[0])")) < 1.05


def test_eight_threads_fit_eight_networks_bit_for_bit_as_one_after_the_other() -> None:
    exercise = EXERCISES["reber"]
    lesson = exercise.lesson()

    def go(seed: int) -> list[bytes]:
        kind = ("rnn", "lstm", "gru")[seed % 3]
        fitted = train(exercise, lesson, steps=6, kind=kind, seed=seed, hidden=8)
        return [leaf.tobytes() for leaf in flatten(fitted.params)[0]]

    found: dict[int, list[bytes]] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: go(seed)}))
        for seed in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {seed: go(seed) for seed in range(8)}
    assert len({b"".join(parts) for parts in found.values()}) == 8
