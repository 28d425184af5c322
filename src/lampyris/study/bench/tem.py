"""Transmission micrographs to particle sizes."""

from lampyris.core.bench import BenchResult, BenchSource
from lampyris.core.techniques.tem import Settings
from lampyris.study.bench.micrographs import measure_micrographs


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Sizes of particles that are darker than what is between them, unless said otherwise.

    Raises
    ------
    ImageError
        If no picture can be read and scaled.
    """
    return measure_micrographs("tem", sources, settings)
