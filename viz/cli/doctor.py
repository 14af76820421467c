"""`minigrad doctor`: what is installed, and what works with it."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from shutil import which
from typing import Any

import numpy as np

import viz
from minigrad.extras import DISTRIBUTION, installing, version
from rnn.threads import CHOOSING
from viz.output.typst import converter
from viz.scene.styles import PRINT

NEEDED_FOR = {
    "numpy": ("everything", ""),
    "graphviz": ("pictures", ""),
    "safetensors": ("minigrad train, sample: weights files", "train"),
    "tqdm": ("minigrad train, study: the progress bar", "train"),
    "threadpoolctl": ("minigrad train, sample: one BLAS thread", "train"),
    "matplotlib": ("plots", "study"),
    "jinja2": ("minigrad study: the page", "study"),
    "openpyxl": ("minigrad study --spreadsheet", "study"),
    "typst": ("PNG, PDF and EPS pictures", "render"),
    "pygraphviz": ("free-form layouts where there is no dot", "render"),
    "h5py": ("rnn.from_keras: weights files", "interop"),
    "onnx": ("rnn.from_onnx, rnn.to_onnx, minigrad.export", "onnx"),
    "jax": ('minigrad.compile(f, engine="jax"), minigrad.export', "jax"),
    "hypothesis": ("strategies of minigrad.testing and rnn.testing", "testing"),
}
"""For each package what it is needed for, and the extra that brings it."""


def add(commands: Any) -> None:
    """Say what `minigrad doctor` takes."""
    p = commands.add_parser("doctor", help="say what works here", description=__doc__)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings."""
    found = {name: version(name) for name in (DISTRIBUTION, *NEEDED_FOR)}
    print(f"python        {platform.python_version()} on {platform.system()} {platform.machine()}")
    print(f"minigrad      {found[DISTRIBUTION] or 'not installed, run from its folder'}")
    for name, (purpose, extra) in NEEDED_FOR.items():
        hint = f": {installing(extra)}" if extra and not found[name] else ""
        print(f"{name:13} {found[name] or 'missing':10} {purpose}{hint}")
    renderers = viz.available()
    print(f"dot           {renderers['dot'] or 'missing':10} free-form layouts")
    print(f"fonts         {fonts()}")
    print(f"BLAS          {blas()}")
    needs = f"needs {installing('train')}"
    training = found["safetensors"] and found["tqdm"]
    print()
    print("SVG pictures work.")
    drawn = renderers["typst"] or renderers["dot"] or renderers["pygraphviz"]
    print(f"PNG and PDF pictures {'work' if drawn else 'need typst, dot or pygraphviz'}.")
    works = renderers["typst"] and converter()
    print(f"EPS pictures {'work' if works else 'need typst, and pdftops or gs'}.")
    print(f"Training from the command line {'works' if training else needs}.")
    if not any(name in os.environ for name in CHOOSING):
        print(
            f"Small matrices gain nothing from threads: {CHOOSING[0]}=1 is often faster. With "
            "threadpoolctl,\nminigrad train and sample take one, and so does what stands inside "
            "`with rnn.one_thread():`."
        )
    return 0


def fonts() -> str:
    """What the fonts of PNG and PDF pictures turn into on this machine."""
    if which("fc-match") is None:
        return "chosen by the renderer; SVG leaves them to the reader's program"
    found = [
        subprocess.run(["fc-match", name], capture_output=True, check=False).stdout.decode(
            errors="replace"
        )
        for name in sorted(set(PRINT.faces.values()))
    ]
    return ", ".join(line.strip() for line in found)


def blas() -> str:
    """Which library multiplies matrices, and on how many threads."""
    config: Any = np.show_config(mode="dicts")
    name = config["Build Dependencies"]["blas"]["name"]
    set_by = next((name for name in CHOOSING if name in os.environ), None)
    threads = f"{os.environ[set_by]} by {set_by}" if set_by else f"up to {os.cpu_count()}"
    return f"{name}, threads: {threads}"
