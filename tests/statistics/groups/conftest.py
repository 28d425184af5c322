"""Published answers and tables that the tests of this room share."""

import csv
import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data" / "statistics"


@pytest.fixture(scope="session")
def published():
    return json.loads((DATA / "groups.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def insect_sprays():
    groups: dict[str, list[int]] = {}
    with (DATA / "r_InsectSprays.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            # integers on purpose
            groups.setdefault(row["spray"], []).append(int(row["count"]))
    return list(groups.values())
