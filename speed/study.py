"""Study: 40 synthetic animals in 10 sessions through the whole of ``lampyris run``, two workers beside one.

The analysis is the real one on simulated raw images; every run is a fresh process, which starts its workers itself. ``--quick``
takes 6 animals in 3 sessions: the parts that one process does alone weigh more there, so its ratio is lower.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from lampyris.io.durable import sha256_tree
from speed.measurement import Measurement

ROW = "study"
PEER = "one worker"
GOAL = 1.8
WORKERS = 2
ARMS = ("targeted", "untargeted", "dye", "control")
DAYS = {True: (3, 7, 14), False: (0, 2, 4, 7, 9, 11, 14, 16, 18, 21)}
ANIMALS = {True: (2, 2, 1, 1), False: (10, 10, 10, 10)}


def measure(*, quick: bool = False) -> list[Measurement]:
    """Both number of workers on the same study; results must have the same bytes."""
    part = f"{sum(ANIMALS[quick])} animals, {len(DAYS[quick])} sessions"
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder, "study")
        Path(folder, "design.toml").write_text(design(ANIMALS[quick], DAYS[quick]), "utf-8")
        _lampyris("simulate", str(study), "--design", f"{folder}/design.toml")
        # compiled kernels are kept on disk: nobody waits for them here
        _lampyris("run", str(study), "--workers", "1", "--only", "m01")
        shutil.rmtree(study / "results")
        alone, alone_hash = _run(study, 1)
        shared, shared_hash = _run(study, WORKERS)
    agree, ratio = alone_hash == shared_hash, alone["total"] / shared["total"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    stages = ", ".join(f"{name} {alone[name]:.1f} s to {shared[name]:.1f} s" for name in alone if name != "total")
    return [
        Measurement(
            ROW,
            part,
            PEER,
            f"{GOAL:g} x",
            ours_s=shared["total"],
            peer_s=alone["total"],
            ratio=ratio,
            ratio_low=ratio,
            ratio_high=ratio,
            # on one core, or on a few sessions, nothing can be told of the goal
            held=(agree and ratio >= GOAL) if cores >= WORKERS and not quick else None if agree else False,
            answers_agree=agree,
            note=f"{stages}; {cores} cores, load {os.getloadavg()[0]:.1f}" + ("; a quick form" if quick else ""),
        )
    ]


def design(animals: tuple[int, ...], days: tuple[int, ...]) -> str:
    """The default virtual study with other numbers of animals and other days."""
    text = resources.files("lampyris.virtual").joinpath("data", "default.toml").read_text("utf-8")
    lines = []
    arm = ""
    for line in text.splitlines():
        if line.startswith("["):
            arm = line.strip("[]").removeprefix("arms.")
        if line.startswith("days ="):
            line = f"days = {list(days)}"
        if line.startswith("animals =") and arm in ARMS:
            line = f"animals = {animals[ARMS.index(arm)]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _run(study: Path, workers: int) -> tuple[Mapping[str, float], str]:
    """Seconds of each stage, and the hash of the results, which are removed."""
    found = json.loads(_lampyris("run", str(study), "--workers", str(workers), "--json"))
    digest = sha256_tree(study / "results")
    shutil.rmtree(study / "results")
    return found["seconds"], digest


def _lampyris(*words: str) -> str:
    command = [sys.executable, "-m", "lampyris", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
