"""What a result depends on besides its inputs: the package's source and its dependencies."""

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

import lampyris

# every dependency that can change a byte of a result
DEPENDENCIES = (
    "numpy",
    "scipy",
    "numba",
    "tifffile",
    "zarr",
    "numcodecs",
    "pyarrow",
    "pydantic",
    "matplotlib",
    "jinja2",
)


@cache
def source_hash() -> str:
    """SHA-256 of every source and data file of the package, by its path inside it."""
    root = Path(lampyris.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*"), key=lambda p: p.relative_to(root).as_posix()):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".nbi", ".nbc"}:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version())]
    for name in DEPENDENCIES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(sorted(found))


def package_versions() -> dict[str, str]:
    """Version of Python and of each dependency that can change a result."""
    return dict(_versions())
