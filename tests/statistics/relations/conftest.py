"""Published answers, and independent packages as oracles."""

import json
import warnings
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[2] / "data" / "statistics" / "relations.json"


@pytest.fixture(scope="session")
def published():
    return json.loads(PUBLISHED.read_text("utf-8"))


@pytest.fixture(scope="session")
def pingouin():
    # it warns of its own dependencies while it is imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pingouin

        pingouin.options["round"] = None
    return pingouin


@pytest.fixture(scope="session")
def pandas():
    return pytest.importorskip("pandas")
