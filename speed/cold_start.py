"""Cold start: what a user waits for before anything happens."""

import statistics
import subprocess
import sys
import tempfile
import time

from speed.measurement import Measurement

ROW = "cold-start"
ROUNDS = 5
PARTS = {
    "import lampyris": (["-c", "import lampyris"], 0.1),
    "lampyris --help": (["-m", "lampyris", "--help"], 0.5),
}
DEMO_GOAL_S = 60.0


def measure() -> list[Measurement]:
    """Wall time of fresh interpreters, the bare interpreter's own start included; the demo once."""
    found = []
    for part, (arguments, goal) in PARTS.items():
        took = statistics.median(_wall(arguments) for _ in range(ROUNDS))
        found.append(Measurement(ROW, part, "", f"{goal:g} s", ours_s=took, held=took <= goal))
    with tempfile.TemporaryDirectory() as folder:
        took = _wall(["-m", "lampyris", "demo", f"{folder}/demo", "--no-open"])
    found.append(Measurement(ROW, "lampyris demo", "", f"{DEMO_GOAL_S:g} s", ours_s=took, held=took <= DEMO_GOAL_S))
    found.append(
        Measurement(ROW, "installation", "", "90 s", note="installs nothing itself: time `make demo` in a fresh clone")
    )
    return found


def _wall(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start
