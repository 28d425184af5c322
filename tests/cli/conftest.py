"""Published answers that the verbs must meet."""

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def published():
    return json.loads((Path(__file__).parents[1] / "data" / "statistics" / "relations.json").read_text("utf-8"))
