"""What this machine offers an analysis, and what would be slow on it. Looks only; imports none of the heavy parts."""

import os
import platform
import re
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import lampyris

# the demo's own appetite, with room: peak memory below 2 GB and some hundred megabytes of files
MEMORY_GB = 2.0
DISK_GB = 2.0
CORES = 2


def examine(directory: Path = Path(), /) -> dict[str, Any]:
    """Look at versions, cores, memory, disk and optional parts.

    Parameters
    ----------
    directory : Path
        Where results would be written; its file system's free space is looked at.

    Returns
    -------
    dict
        ``lampyris``, ``python``, ``system``; ``packages`` (version or None by name), ``extras`` (installed or not,
        by extra and package), ``cores``, ``memory_gb``, ``disk_free_gb``, ``gpu``, ``kernel_cache``;
        ``missing`` (required packages that are not installed), ``slow`` (each: ``seen``, ``mend``) and ``ready``.

    Examples
    --------
    >>> examine()["ready"]
    True
    """
    needed, extras = _requirements()
    packages = {name: _version(name) for name in needed}
    found: dict[str, Any] = {
        "lampyris": lampyris.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": packages,
        "extras": {extra: {name: _version(name) for name in names} for extra, names in extras.items()},
        "cores": _cores(),
        "memory_gb": _memory_gb(),
        "disk_free_gb": round(shutil.disk_usage(directory.resolve()).free / 1e9, 1),
        "gpu": shutil.which("nvidia-smi") is not None,
        "kernel_cache": _kernel_cache(),
    }
    found["missing"] = [name for name, version in packages.items() if version is None]
    found["slow"] = _slow(found)
    found["ready"] = not found["missing"]
    return found


def describe(found: dict[str, Any], /) -> str:
    """The result of `examine` as text for a terminal.

    Parameters
    ----------
    found : dict
        From `examine`.

    Returns
    -------
    str
        Some lines, without a line end.
    """
    memory = "unknown" if found["memory_gb"] is None else f"{found['memory_gb']:g} GB"
    rows = [
        ("lampyris", found["lampyris"]),
        ("python", f"{found['python']} on {found['system']}"),
        ("cores", found["cores"]),
        ("memory", memory),
        ("disk free here", f"{found['disk_free_gb']:g} GB"),
        ("NVIDIA GPU", "present; nothing uses it yet" if found["gpu"] else "none seen; nothing needs one yet"),
        ("compiled kernels", "kept between runs" if found["kernel_cache"] else "not kept: compiled anew in every run"),
    ]
    rows += [(name, version or "MISSING") for name, version in found["packages"].items()]
    rows += [
        (f"{name} (extra {extra})", version or f"not installed; `pip install lampyris[{extra}]` adds it")
        for extra, names in found["extras"].items()
        for name, version in names.items()
    ]
    lines = [f"{name:<24} {value}" for name, value in rows]
    lines += [f"slow: {entry['seen']} -> {entry['mend']}" for entry in found["slow"]]
    if found["missing"]:
        lines.append(f"missing: {', '.join(found['missing'])} -> install lampyris again with its dependencies")
    elif not found["slow"]:
        lines.append("ready; nothing here would be slow")
    return "\n".join(lines)


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """Names of the packages that are needed, and those of each extra, as the installed package declares them."""
    needed: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in metadata.requires("lampyris") or []:
        name = re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        (extras.setdefault(extra[1], []) if extra else needed).append(name)
    return needed, extras


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cores() -> int:
    """Cores that this process may use: its affinity, and in a container its share of time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _first_words(Path("/sys/fs/cgroup/cpu.max"))
    if len(quota) == 2 and quota[0].isdigit():
        cores = min(cores, max(1, int(quota[0]) // int(quota[1])))
    return cores


def _memory_gb() -> float | None:
    """Memory that this process may use in GB; None where the system does not say."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
    cap = _first_words(Path("/sys/fs/cgroup/memory.max"))
    if cap and cap[0].isdigit():
        total = min(total, int(cap[0]))
    return round(total / 1e9, 1)


def _first_words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _kernel_cache() -> bool:
    """Whether compiled kernels can be kept: Numba's folder, else beside the source, else in the user's cache."""
    places = [os.environ.get("NUMBA_CACHE_DIR"), str(Path(lampyris.__file__).parent), str(Path.home())]
    return any(os.access(place, os.W_OK) for place in places if place)


def _slow(found: dict[str, Any]) -> list[dict[str, str]]:
    remarks: Iterable[tuple[bool, str, str]] = (
        (
            found["cores"] < CORES,
            f"{found['cores']} core may be used; figures in the documentation are for {CORES}.",
            "give the process more cores; results are the same for any number",
        ),
        (
            found["memory_gb"] is not None and found["memory_gb"] < MEMORY_GB,
            f"{found['memory_gb']} GB of memory; {MEMORY_GB:g} GB keep the default study out of the swap file.",
            "close other programs, or analyse with `--workers 1`",
        ),
        (
            found["disk_free_gb"] < DISK_GB,
            f"{found['disk_free_gb']} GB of disk are free here; a study needs about {DISK_GB:g} GB.",
            "work in a folder on a larger disk",
        ),
        (
            not found["kernel_cache"],
            "compiled kernels cannot be kept, so every run compiles them anew.",
            "set NUMBA_CACHE_DIR to a folder that can be written to",
        ),
    )
    return [{"seen": seen, "mend": mend} for holds, seen, mend in remarks if holds]
