"""Tropism: weights, organs, sources."""

import csv
from importlib import resources

import pytest

from lampyris.metastasis.seeding import tropism
from lampyris.tissue.anatomy import organ_names


def rows():
    text = (resources.files("lampyris.metastasis") / "data" / "tropism.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


@pytest.mark.parametrize("primary", sorted({row["primary"] for row in rows()}))
def test_frequencies_of_a_primary_sum_to_one(primary):
    found = tropism(primary)
    assert sum(one.weight for one in found) == pytest.approx(1.0, rel=1e-12)
    assert all(one.weight > 0 and one.arrival_day > 0 and one.arrival_spread >= 1 for one in found)
    # each organ once, and one that the animal model draws
    organs = [one.organ for one in found]
    assert len(set(organs)) == len(organs)
    assert set(organs) <= set(organ_names())


def test_order_of_the_common_pattern():
    # Pulaski & Ostrand-Rosenberg 2000: lung, node, liver before the others
    ranked = sorted(tropism("mammary fat pad"), key=lambda one: -one.weight)
    assert [one.organ for one in ranked[:3]] == ["lungs", "axillary nodes", "liver"]


def test_the_values_are_the_tables():
    table = {row["organ"]: row for row in rows() if row["primary"] == "mammary fat pad"}
    total = sum(float(row["weight"]) for row in table.values())
    for one in tropism("mammary fat pad"):
        assert one.weight == pytest.approx(float(table[one.organ]["weight"]) / total)
        assert one.arrival_day == float(table[one.organ]["arrival_day"])


def test_an_unknown_primary_is_refused():
    with pytest.raises(KeyError, match="left ear"):
        tropism("left ear")


def test_every_row_is_cited_and_says_how_it_was_obtained():
    for row in rows():
        assert row["citation"].strip()
        assert row["status"] in {"certified", "printed", "computed", "secondary", "unseen", "assumed"}
