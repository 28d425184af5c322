"""Before anything is imported: linear algebra keeps to one thread, here and in the processes that tests start.

Tests run side by side, one per core; more threads would only wait for each other, for a tenth of the suite's time. Runs of a
study set the same for themselves, whatever they find (``tests/study/graph``).
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")


@pytest.fixture(scope="session")
def samples_of() -> Callable[[str], Path]:
    """The folder of public samples of a kind; a test that asks is skipped where it is not there."""

    def folder(kind: str) -> Path:
        named = os.environ.get("LAMPYRIS_SAMPLES")
        if not named or not Path(named, kind).is_dir():
            pytest.skip("needs the folder of samples, named by LAMPYRIS_SAMPLES")
        return Path(named, kind)

    return folder
