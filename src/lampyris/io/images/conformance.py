"""A test for readers, ours and other people's: whatever bytes come, a valid image or an error that names the file.

`check_reader` cuts every file of an example short, changes bytes, takes files away, tightens the caps, and looks at each
outcome. The reader runs in a child process with limited memory, so that a hang, a crash or a bomb is told, not suffered.
`check_text_reader` does the same for readers of tables and regions. Both return a report; nothing is raised.
"""

import contextlib
import hashlib
import math
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from lampyris.core.errors import LampyrisError, UnsafeFileError
from lampyris.core.images import LABELS, RawImage
from lampyris.io.images.readers import image_files

CAPS = {"max_pixels": 4_000_000, "max_pages": 512, "max_bytes": 64_000_000}
"""Caps that a reader is called with, unless a case tightens them."""
MAX_VIOLATIONS = 20
"""After so many the check stops."""
MAX_HANGS = 3
"""Or after so many hangs, each of which takes its time."""

_HEAD = 1024
# half of all changes go into the first bytes, where formats declare their sizes


@dataclass(frozen=True, slots=True)
class Violation:
    """What a reader did that it may not.

    Parameters
    ----------
    case : str
        What was done to the example, such as "m01.tif cut at byte 80".
    seen : str
        What the reader did.
    """

    case: str
    seen: str

    def __str__(self) -> str:
        return f"{self.case}: {self.seen}"


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """Outcome of a check.

    Parameters
    ----------
    cases : int
        Changed examples that were read.
    read : int
        Those that gave a valid result.
    refused : int
        Those that gave a typed error.
    slowest_s : float
        Longest time of one case.
    violations : tuple of Violation
        Everything else.
    """

    cases: int
    read: int
    refused: int
    slowest_s: float
    violations: tuple[Violation, ...]

    @property
    def passed(self) -> bool:
        """Nothing was violated, and something was read and refused at all."""
        return not self.violations and self.read > 0 and self.refused > 0

    def __str__(self) -> str:
        head = f"{self.cases} cases: {self.read} read, {self.refused} refused, {len(self.violations)} violations"
        return "\n".join([head, *(f"  {violation}" for violation in self.violations)])


@dataclass(frozen=True, slots=True)
class _Case:
    """One change of the example; the caps that differ; what must come."""

    name: str
    file: str = ""
    cut: int | None = None
    bytes_at: tuple[tuple[int, int], ...] = ()
    removed: bool = False
    linked: bool = False
    caps: tuple[tuple[str, int], ...] = ()
    must: type[LampyrisError] | None = None
    must_read: bool = False
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class _Trial:
    """What the child needs: how to read, how to judge, and what is allowed."""

    call: Callable[[Path, dict[str, int], str], Any]
    fault: Callable[[Any, dict[str, int]], str]
    example: Path
    max_seconds: float
    max_memory_mb: float


def check_reader(
    read: Callable[..., RawImage],
    example: Path,
    /,
    *,
    seed: int = 0,
    truncations: int = 256,
    mutations: int = 1000,
    max_seconds: float = 10.0,
    max_memory_mb: float = 256.0,
) -> ConformanceReport:
    """Check a reader of images against what `lampyris.io.images.readers` asks of it.

    Parameters
    ----------
    read : callable
        The reader, called as ``read(path, max_pixels=..., max_pages=..., max_bytes=..., file=...)``.
    example : Path
        A small valid file, or folder, of more than one pixel; it is copied and not changed.
    seed : int
        Of where bytes change.
    truncations : int
        Lengths to which each file is cut, from 0 on, evenly spread.
    mutations : int
        Changes of one to four bytes, spread over the files.
    max_seconds : float
        Most that one case may take.
    max_memory_mb : float
        Most that the reader may take above what Python held before, in MB.

    Returns
    -------
    ConformanceReport
        All violations up to `MAX_VIOLATIONS`.

    Raises
    ------
    ImageError
        If the example itself is missing.

    Examples
    --------
    >>> from lampyris.io.images.ome.tiff import read_ome_tiff, write_ome_tiff
    >>> image = RawImage(np.arange(64, dtype=np.uint16).reshape(1, 8, 8), ("800",), 0.1, (5.0,), (660.0,), (800.0,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_ome_tiff(Path(folder) / "m01.ome.tif", image)
    ...     report = check_reader(read_ome_tiff, Path(folder) / "m01.ome.tif", truncations=8, mutations=8)
    >>> report.passed
    True
    """
    example = Path(example)

    def call(path: Path, caps: dict[str, int], file: str) -> Any:
        return read(path, **{**CAPS, **caps}, file=file)

    trial = _Trial(call, _image_fault, example, max_seconds, max_memory_mb)
    data = _contents(example)
    cases = [_Case("the example as it is", must_read=True)]
    image = _outcome_in_child(trial, cases[0])
    if isinstance(image, int) and image > 1:
        cases.append(_Case("max_pixels one too low", caps=(("max_pixels", image - 1),), must=UnsafeFileError))
    largest = max(map(len, data.values()), default=0)
    cases.append(_Case("max_bytes one too low", caps=(("max_bytes", largest - 1),), must=LampyrisError))
    cases += _changes(data, example, seed, truncations, mutations)
    return _report(trial, cases)


def check_text_reader(
    read: Callable[..., Any],
    example: Path,
    /,
    *,
    seed: int = 0,
    truncations: int = 64,
    mutations: int = 250,
    max_seconds: float = 10.0,
    max_memory_mb: float = 256.0,
) -> ConformanceReport:
    """Check a reader of a table or of regions: whatever it returns, or a typed error that names the file.

    Parameters
    ----------
    read : callable
        Called as ``read(path, file=...)``.
    example, seed, truncations, mutations, max_seconds, max_memory_mb
        As `check_reader`.

    Returns
    -------
    ConformanceReport
        All violations up to `MAX_VIOLATIONS`.

    Raises
    ------
    ImageError
        If the example itself is missing.
    """
    example = Path(example)

    def call(path: Path, _caps: dict[str, int], file: str) -> Any:
        return read(path, file=file)

    trial = _Trial(call, lambda _result, _caps: "", example, max_seconds, max_memory_mb)
    cases = [_Case("the example as it is", must_read=True)]
    return _report(trial, cases + _changes(_contents(example), example, seed, truncations, mutations))


def _contents(example: Path) -> dict[str, bytes]:
    """Content of each file by its path within the example, "" for a lone file."""
    files = image_files(example)
    return {"" if one == example else one.relative_to(example).as_posix(): one.read_bytes() for one in files}


def _other(value: int, rng: np.random.Generator) -> int:
    """Another byte: one bit turned, which makes other numbers in text too, or one from the edge, or any."""
    kind = rng.integers(0, 4)
    if kind < 2:
        return value ^ (1 << int(rng.integers(0, 8)))
    return int(rng.choice([0, 1, 127, 128, 255])) if kind == 2 else int(rng.integers(0, 256))


def _changes(data: dict[str, bytes], example: Path, seed: int, truncations: int, mutations: int) -> list[_Case]:
    """Every change of the example that is tried."""
    rng = np.random.default_rng(seed)
    sizes = {file: len(content) for file, content in data.items()}
    is_folder = "" not in sizes
    cases = [
        _Case("a name that does not exist", elsewhere="nothing", must=LampyrisError),
        _Case("a folder" if not is_folder else "a file", elsewhere="other kind", must=LampyrisError),
    ]
    if is_folder:
        cases += [_Case(f"{file} taken away", file, removed=True) for file in sizes]
        cases += [_Case(f"{file} a link that leads out", file, removed=True, linked=True) for file in sizes]
    for file, size in sizes.items():
        shown = file or example.name
        cuts = sorted({int(cut) for cut in np.linspace(0, max(size - 1, 0), min(truncations, size) or 1)})
        cases += [_Case(f"{shown} cut at byte {cut}", file, cut=cut) for cut in cuts]
    changeable = [file for file, size in sizes.items() if size]
    for number in range(mutations if changeable else 0):
        file = changeable[number % len(changeable)]
        size = min(sizes[file], _HEAD) if rng.random() < 0.5 else sizes[file]
        places = rng.integers(0, size, rng.integers(1, 5)).tolist()
        at = tuple((place, _other(data[file][place], rng)) for place in places)
        shown = ", ".join(f"{value} at byte {place}" for place, value in at)
        cases.append(_Case(f"{file or example.name} with {shown}", file, bytes_at=at))
    return cases


# running


def _report(trial: _Trial, cases: list[_Case]) -> ConformanceReport:
    """Run all cases, in as many children as it takes."""
    counts = {"read": 0, "refused": 0}
    violations: list[Violation] = []
    slowest = 0.0
    begin = hangs = 0
    while begin < len(cases) and len(violations) < MAX_VIOLATIONS and hangs < MAX_HANGS:
        for kind, seen, seconds in _child_outcomes(trial, cases[begin:]):
            case = cases[min(begin, len(cases) - 1)].name if kind != "printed" else "any case"
            slowest = max(slowest, seconds)
            if kind in counts:
                counts[kind] += 1
            else:
                violations.append(Violation(case, seen))
            begin += kind != "printed"
            hangs += kind == "hang"
            if len(violations) >= MAX_VIOLATIONS:
                break
    return ConformanceReport(begin, counts["read"], counts["refused"], slowest, tuple(violations))


def _child_outcomes(trial: _Trial, cases: list[_Case]) -> Iterator[tuple[str, str, float]]:
    """Kind, words and seconds of each case, as a child tells them; ends with a hang or crash, or when all are done."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="lampyris-conformance-", dir=_fast_folder(trial.example)) as folder:
        child = context.Process(target=_child, args=(trial, cases, Path(folder), send), daemon=True)
        with warnings.catch_warnings():
            # the child only reads files: it takes no lock that a thread of this process might hold
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
        send.close()
        done = 0
        try:
            while True:
                # a little more than allowed, so that the child itself can tell a case that was merely slow
                if not receive.poll(trial.max_seconds * 1.5 + 0.3):
                    yield "hang", f"was not finished after {trial.max_seconds:g} s", trial.max_seconds
                    return
                kind, seen, seconds = receive.recv()
                yield kind, seen, seconds
                done += kind != "printed"
        except EOFError:
            child.join()
            if done < len(cases):
                yield "crash", f"ended the process (exit code {child.exitcode})", 0.0
        finally:
            child.kill()
            child.join()
            receive.close()


def _fast_folder(example: Path) -> str | None:
    """Where thousands of small files are written without a disk, where the system has such a place and the example fits."""
    memory = "/dev/shm"
    small = sum(one.stat().st_size for one in image_files(example)) < 4_000_000
    return memory if small and Path(memory).is_dir() and os.access(memory, os.W_OK) else None


def _outcome_in_child(trial: _Trial, case: _Case) -> int | None:
    """Pixels of the example's counts, which a child reads; None where it cannot."""
    for kind, seen, _ in _child_outcomes(trial, [case]):
        if kind == "read":
            return int(seen)
    return None


def _child(trial: _Trial, cases: list[_Case], folder: Path, send: Connection) -> None:
    """Read every case and tell what came."""
    said = folder / "said"
    with said.open("wb") as sink:
        for stream in (1, 2):
            os.dup2(sink.fileno(), stream)
    sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115
    copy = folder / "raw" / trial.example.name
    copy.parent.mkdir()
    if trial.example.is_dir():
        shutil.copytree(trial.example, copy)
    else:
        shutil.copyfile(trial.example, copy)
    base = _limit_memory(trial.max_memory_mb)
    for case in cases:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            began = time.perf_counter()
            kind, seen = _outcome(trial, case, copy, folder)
            seconds = time.perf_counter() - began
        if warned:
            kind, seen = "warned", f"a reader prints nothing, this one warned: {str(warned[0].message)[:200]}"
        if seconds > trial.max_seconds:
            kind, seen = "slow", f"took {seconds:.1f} s, above {trial.max_seconds:g} s"
        if (grown := _peak_mb() - base) > trial.max_memory_mb:
            kind, seen = "memory", f"took {grown:.0f} MB, above {trial.max_memory_mb:g} MB"
            base = _peak_mb()
        send.send((kind, seen, seconds))
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    if words := said.read_bytes()[:200]:
        send.send(("printed", f"a reader prints nothing, this one {words!r}", 0.0))
    send.close()


def _limit_memory(max_memory_mb: float) -> float:
    """Let the process grow by no more than that; its peak until now, in MB."""
    with contextlib.suppress(OSError, ValueError):
        # what the process has mapped already, where the system tells
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limit = pages * resource.getpagesize() + int(max_memory_mb * 1e6)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return _peak_mb()


def _peak_mb() -> float:
    """Largest resident memory of the process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _outcome(trial: _Trial, case: _Case, copy: Path, folder: Path) -> tuple[str, str]:
    """Kind and words of one case; the copy is as before afterwards."""
    path, file = copy, f"raw/{copy.name}"
    changed = copy / case.file if case.file else copy
    original = changed.read_bytes() if case.cut is not None or case.bytes_at or case.removed else b""
    if case.elsewhere:
        path = folder / "raw" / f"elsewhere{''.join(copy.suffixes)}"
        if case.elsewhere == "other kind":
            path.write_bytes(b"") if copy.is_dir() else path.mkdir()
    elif case.removed:
        changed.unlink()
        if case.linked:
            without = _fingerprint(trial, path, file)
            target = folder / "elsewhere"
            target.write_bytes(original)
            changed.symlink_to(target)
            if _fingerprint(trial, path, file) != without:
                changed.unlink()
                changed.write_bytes(original)
                return "followed", "followed it"
    elif case.cut is not None:
        changed.write_bytes(original[: case.cut])
    elif case.bytes_at:
        data = bytearray(original)
        for place, value in case.bytes_at:
            data[place] = value
        changed.write_bytes(data)
    try:
        return _judged(trial, case, path, file)
    finally:
        if case.removed or case.bytes_at or case.cut is not None:
            # a link is not written through
            changed.unlink(missing_ok=True)
            changed.write_bytes(original)
        if case.elsewhere == "other kind":
            path.unlink() if path.is_file() else path.rmdir()


def _fingerprint(trial: _Trial, path: Path, file: str) -> str:
    """What tells two results apart; "" where the reader refuses."""
    try:
        result = trial.call(path, {}, file)
    except LampyrisError:
        return ""
    except BaseException as error:
        # told when the case is judged
        return type(error).__name__
    if not isinstance(result, RawImage):
        return repr(result)
    parts = [repr(getattr(result, field.name)) for field in fields(RawImage)]
    arrays = (array for array in (result.counts, result.dark, result.photo) if array is not None)
    return "".join([*parts, *(hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in arrays)])


def _judged(trial: _Trial, case: _Case, path: Path, file: str) -> tuple[str, str]:
    """Read, and say what came."""
    caps = dict(case.caps)
    try:
        result = trial.call(path, caps, file)
    except LampyrisError as error:
        if case.must_read:
            return "refused the example", f"refused it: {error}"
        if case.must and not isinstance(error, case.must):
            return "wrong error", f"gave {type(error).__name__}, not {case.must.__name__}"
        fault = _error_fault(error, file)
        return ("wrong error", fault) if fault else ("refused", "")
    except BaseException as error:
        return "untyped", f"raised {type(error).__name__}: {str(error).replace(str(path.parent), 'raw')[:200]}"
    if case.must:
        return "accepted", f"returned a result where {case.must.__name__} must come"
    fault = trial.fault(result, caps)
    if fault:
        return "invalid", f"returned an invalid result: {fault}"
    return "read", str(result.counts.size) if isinstance(result, RawImage) else "0"


# judging


def _error_fault(error: LampyrisError, file: str) -> str:
    """What an error lacks; "" where it is well made."""
    if not error.findings:
        return f"{type(error).__name__} has no finding"
    for finding in error.findings:
        place = finding.place.file
        if place != file and not place.startswith(f"{file}/"):
            return f"a finding names {place!r}, not {file!r}"
        if not finding.rule or not finding.seen or not finding.mend:
            return f"a finding of rule {finding.rule!r} says not what was seen, or no mend"
    return ""


def _image_fault(image: Any, caps: dict[str, int]) -> str:
    """Why a result is no valid image; "" where it is one."""
    if not isinstance(image, RawImage):
        return f"it is {type(image).__name__}, not RawImage"
    counts = image.counts
    numbers = {
        "pixel_mm": (image.pixel_mm,), "photo_pixel_mm": (image.photo_pixel_mm,), "exposure_s": image.exposure_s,
        "excitation_nm": image.excitation_nm, "emission_nm": image.emission_nm,
    }  # fmt: skip
    faults = [
        *(_array_fault(name, getattr(image, name)) for name in ("counts", "dark", "photo")),
        "counts hold no pixel" if not counts.size else "",
        f"counts are {counts.dtype}, neither unsigned nor float" if counts.dtype.kind not in "uf" else "",
        "counts exceed max_pixels" if counts.size > {**CAPS, **caps}["max_pixels"] else "",
        f"channels {image.channels} are not distinct names"
        if len(set(image.channels)) < len(image.channels) or not all(image.channels)
        else "",
        *(
            f"{name} is {value}, neither positive nor NaN"
            for name, values in numbers.items()
            for value in values
            if not (math.isnan(value) or 0 < value < math.inf)
        ),
        *(f"radiance_per_count_rate is {value}" for value in image.radiance_per_count_rate if not 0 < value < math.inf),
        _time_fault(image.acquired),
        *(f"label {key} is {value!r}" for key, value in image.labels.items() if key not in LABELS or not value),
    ]
    return "; ".join(fault for fault in faults if fault)


def _array_fault(name: str, array: Any) -> str:
    """Fault of a pixel array that may be absent."""
    if array is None:
        return ""
    if not array.dtype.isnative:
        return f"{name} are in foreign byte order"
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return f"{name} hold NaN or infinity"
    return ""


def _time_fault(acquired: str) -> str:
    """Fault of a time that may be absent."""
    try:
        if acquired:
            datetime.fromisoformat(acquired)
    except ValueError:
        return f"acquired is {acquired!r}, no ISO 8601 time"
    return ""
