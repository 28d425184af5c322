"""Near-infrared quantum-dot imaging of metastasis, from raw files to the answer.

The package is a house of rooms (see ``docs/architecture.md``); importing it loads none of them.
A public name below is fetched from its room when it is first used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "run_study": "lampyris.study.run",
    "check_study": "lampyris.study.check",
    "Estimate": "lampyris.core.estimate",
    "LampyrisError": "lampyris.core.errors",
}

__all__ = ["Estimate", "LampyrisError", "__version__", "check_study", "run_study"]

if TYPE_CHECKING:
    from lampyris.core.errors import LampyrisError
    from lampyris.core.estimate import Estimate
    from lampyris.study.check import check_study
    from lampyris.study.run import run_study


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'lampyris' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
