"""The small study of `small_study.py`, fresh for each test."""

import shutil
import sys
from pathlib import Path

import pytest

# the study's builder and the cheap step must be importable by name, in worker processes too
sys.path.insert(0, str(Path(__file__).parent))

from small_study import write_small_study


@pytest.fixture(scope="session")
def _written_study(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("small") / "study")


@pytest.fixture
def small_study(_written_study, tmp_path):
    return Path(shutil.copytree(_written_study, tmp_path / "study"))
