"""From files of an instrument to its result: a module per technique joins reading and inference."""

from collections.abc import Sequence
from importlib import import_module

from lampyris.core.bench import BenchResult, BenchSource
from lampyris.core.techniques import TechniqueSettings
from lampyris.study.graph.blas import blas_limit


def measure(technique: str, sources: Sequence[BenchSource], /, *, settings: TechniqueSettings) -> BenchResult:
    """Result of a technique from its files.

    Parameters
    ----------
    technique : str
        A key of `lampyris.core.bench.TECHNIQUES`.
    sources : sequence of BenchSource
        Files in the order given, with the role of each.
    settings : TechniqueSettings
        Of the technique's own class.

    Returns
    -------
    BenchResult
        Numbers with uncertainty, flags, findings and curves.

    Raises
    ------
    LampyrisError
        If no file can be read, or the options contradict each other.

    Notes
    -----
    Linear algebra is held to one thread, as in a run of a study: the fits are many and small, threads only wait for each other on a
    busy machine, and sums split over them differ in their last digits.
    """
    module = import_module(f"{__name__}.{technique.replace('-', '_')}")
    with blas_limit():
        result: BenchResult = module.measure(tuple(sources), settings)
    return result
