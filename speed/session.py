"""Session: frames of 2048 x 2048 unsigned 16-bit through one pass in little memory, beside streaming dask.

A real BigTIFF of synthetic noise is written for it, 16.8 GB for 2000 frames. Each pass runs in a process of its own and
tells the most memory that it ever held. Where the disk has no room the sequence is shorter, and the part's name says so;
``--quick`` takes 100 frames.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from speed.measurement import Measurement

ROW = "session"
PEER = "dask.array mean and variance over tifffile pages"
GOAL_GB = 1.0
FRAMES, BESIDE = 2000, 100
SIDE = 2048
POOL = 16
LEVEL = 1000.0
# of the rows, those that are compared: enough to show a frame that was lost or taken twice
EVERY = 16

OURS = """
import json, sys, time
import numpy as np
from lampyris.core.settings import Limits
from lampyris.imaging.radiance.sequence import RegionLight, reduce_frames
from lampyris.io.images.frames import open_frames
start = time.perf_counter()
stream = open_frames(sys.argv[1], Limits())
labels = np.zeros(stream.shape[1:], np.uint16)
labels[400:900, 600:1100], labels[1200:1300, 300:500] = 1, 2
light = RegionLight(labels, np.full(stream.shape, 100.0), np.ones(stream.shape), 1.0, 2.0)
found = reduce_frames(stream, light=light)
took = time.perf_counter() - start
np.savez(sys.argv[2], mean=found.mean[0, ::EVERY], variance=found.variance[0, ::EVERY])
"""
THEIRS = """
import json, sys, time
import dask, dask.array as da, numpy as np, tifffile
start = time.perf_counter()
with tifffile.TiffFile(sys.argv[1]) as file:
    pages = len(file.pages)
def page(number):
    with tifffile.TiffFile(sys.argv[1]) as file:
        return file.pages[number].asarray()
frames = da.stack([da.from_delayed(dask.delayed(page)(n), (SIDE, SIDE), "u2") for n in range(pages)])
with dask.config.set(scheduler="single-threaded"):
    mean, variance = dask.compute(frames.mean(axis=0), frames.var(axis=0, ddof=1))
took = time.perf_counter() - start
np.savez(sys.argv[2], mean=mean[::EVERY], variance=variance[::EVERY])
"""
# the highest memory of this process image alone, which the resource module mixes with the parent's
TOLD = """
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps({"seconds": took, "gb": peak * 1024 / 1e9}))
"""


def measure(*, quick: bool = False) -> list[Measurement]:
    """Ours and dask's on a short sequence, then ours alone on the long one."""
    with tempfile.TemporaryDirectory() as folder:
        count = BESIDE if quick else min(FRAMES, int(0.8 * shutil.disk_usage(folder).free / (2 * SIDE * SIDE)))
        if not Path("/proc/self/status").exists():
            return [
                Measurement(ROW, "", PEER, f"{GOAL_GB:g} GB", note="this system does not tell a process' peak memory")
            ]
        found = [_beside(Path(folder))]
        if count > BESIDE:
            path, ours = _written(Path(folder), count), Path(folder, "ours.npz")
            told = _pass(OURS, path, ours)
            agree = _is_right(ours, count)
            short = "" if count == FRAMES else f"; the disk has room for {count} frames of {FRAMES} only"
            found.append(
                Measurement(
                    ROW,
                    f"{count} frames, peak memory",
                    "",
                    f"{GOAL_GB:g} GB",
                    ours_s=told["seconds"],
                    ours_gb=told["gb"],
                    held=agree and told["gb"] <= GOAL_GB,
                    answers_agree=agree,
                    note=f"{path.stat().st_size / 1e9:.1f} GB file, {told['seconds'] / count * 1e3:.1f} ms a frame{short}",
                )
            )
    return found


def _beside(folder: Path) -> Measurement:
    path = _written(folder, BESIDE)
    results = folder / "ours.npz", folder / "theirs.npz"
    _pass(OURS, path, results[0])
    ours = _pass(OURS, path, results[0])
    agree = _is_right(results[0], BESIDE)
    part, goal = f"{BESIDE} frames", f"{GOAL_GB:g} GB"
    try:
        import dask  # noqa: F401
    except ImportError:
        note = "the peer dask is not installed; `make speed` installs it"
        held = agree and ours["gb"] <= GOAL_GB
        return Measurement(ROW, part, PEER, goal, ours_s=ours["seconds"], ours_gb=ours["gb"], held=held, note=note)
    theirs = _pass(THEIRS, path, results[1])
    path.unlink()
    agree = agree and _is_right(results[1], BESIDE)
    ratio = theirs["seconds"] / ours["seconds"]
    return Measurement(
        ROW,
        part,
        PEER,
        goal,
        ours_s=ours["seconds"],
        peer_s=theirs["seconds"],
        ratio=ratio,
        ratio_low=ratio,
        ratio_high=ratio,
        held=agree and ours["gb"] <= GOAL_GB,
        answers_agree=agree,
        note="ours also sums two regions, hashes each frame and looks for motion",
        ours_gb=ours["gb"],
        peer_gb=theirs["gb"],
    )


def _pass(script: str, path: Path, result: Path) -> dict[str, float]:
    source = script.replace("EVERY", str(EVERY)).replace("SIDE", str(SIDE)) + TOLD
    done = subprocess.run([sys.executable, "-c", source, path, result], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _pool() -> np.ndarray:
    """Frames that the sequence is made of, dims (frame, y, x)."""
    rng = np.random.default_rng(17)
    return rng.poisson(LEVEL, (POOL, SIDE, SIDE)).astype(np.uint16)


def _lift(number: int) -> int:
    """What a frame lies above the one of the pool that it is a copy of, so that no two are the same."""
    return number // POOL


def _written(folder: Path, count: int) -> Path:
    import tifffile

    pool, path = _pool(), folder / "synthetic.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for number in range(count):
            writer.write(pool[number % POOL] + np.uint16(_lift(number)), contiguous=False, metadata=None)
    return path


def _is_right(result: Path, count: int) -> bool:
    """Whether mean and variance are those of the frames that were written, summed in whole numbers."""
    pool = _pool()[:, ::EVERY].astype(np.int64)
    total, squares = np.zeros((2, *pool.shape[1:]), np.int64)
    for number in range(count):
        frame = pool[number % POOL] + _lift(number)
        total += frame
        squares += frame * frame
    found = np.load(result)
    # both sums are exact; the division is not, nor is the pass's own rounding
    variance = (count * squares - total * total) / (count * (count - 1))
    return bool(
        np.allclose(found["mean"], total / count, rtol=1e-10) and np.allclose(found["variance"], variance, rtol=1e-8)
    )
