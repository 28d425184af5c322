"""Options of each technique of the bench, a module per technique: from flags of the command line or ``[bench.TECHNIQUE]``."""

from importlib import import_module

from lampyris.core.bench import TECHNIQUES
from lampyris.core.techniques.base import TechniqueSettings

__all__ = ["TechniqueSettings", "settings_of"]


def settings_of(technique: str, /) -> type[TechniqueSettings]:
    """Class of a technique's options, ``Settings`` of the module that has its name.

    Raises
    ------
    ValueError
        If there is no such technique.
    """
    if technique not in TECHNIQUES:
        raise ValueError(f"technique is one of {', '.join(TECHNIQUES)}, got {technique!r}")
    found: type[TechniqueSettings] = import_module(f"{__name__}.{technique.replace('-', '_')}").Settings
    return found
