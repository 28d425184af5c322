"""Mass spectrometry: blanks, limits, replicates, shares of the dose, and sums."""

import math

import pytest

from lampyris.assays.exvivo.icp import amount_ng, element_doses, organ_references, reference_balances
from lampyris.core.assays import OrganFlag
from lampyris.core.estimate import Estimate
from lampyris.core.schemas import ICP_MS, IcpRow

EMPTY = {column.name: {"number": math.nan, "flag": False}.get(column.kind, "") for column in ICP_MS}


def row(sample="sample", animal="m01", organ="liver", **more):
    return IcpRow(**{**EMPTY, "row": 2, "sample": sample, "animal": animal, "organ": organ, **more})


def exact(value, unit, sd=0.0):
    return Estimate(value, sd, value - 1.96 * sd, value + 1.96 * sd, 0.95, unit, "given")


BLANKS = [row("blank", "", "", amount_ng=value) for value in (1.0, 2.0, 3.0)]
WEIGHTS = {("m01", "liver"): exact(1.25, "g")}
DOSES = {"m01": exact(1000.0, "ng")}


def test_blanks_are_taken_off_and_shares_follow():
    (one,) = organ_references([*BLANKS, row(amount_ng=102.0, amount_sd_ng=1.0)], WEIGHTS, DOSES)
    assert one.amount_ng.value == pytest.approx(100.0)
    # 1 of the digest, and sqrt(1 + 1/3) of the blanks' spread of 1
    assert one.amount_ng.sd == pytest.approx(math.hypot(1.0, math.sqrt(4 / 3)))
    assert one.percent_dose.value == pytest.approx(10.0) and one.percent_dose.unit == "%ID"
    assert one.percent_dose_per_gram.value == pytest.approx(8.0) and one.percent_dose_per_gram.unit == "%ID/g"
    assert one.limit_ng == pytest.approx(3 * math.sqrt(4 / 3)) and one.flags == ()


def test_below_the_limit_is_censored_and_never_zero():
    cases = {
        "instrument said so": row(below_lod=True, lod_ppb=0.5, digest_ml=10.0),
        "under the blanks' limit": row(amount_ng=4.0),
        "under the written limit": row(concentration_ppb=0.4, digest_ml=10.0, lod_ppb=0.5),
    }
    for name, sample in cases.items():
        (one,) = organ_references([*BLANKS, sample], WEIGHTS, DOSES)
        assert str(OrganFlag.BELOW_LOD) in one.flags, name
        assert math.isnan(one.amount_ng.value) and one.amount_ng.low == 0 < one.amount_ng.high, name
        assert math.isnan(one.percent_dose_per_gram.value) and one.percent_dose_per_gram.high > 0, name
    few = organ_references([BLANKS[1], row(amount_ng=50.0)], WEIGHTS, DOSES)[0]
    assert str(OrganFlag.LIMIT_ASSUMED) in few.flags and few.limit_ng == pytest.approx(3.0)


def test_concentrations_volumes_dilutions_and_parts_of_organs():
    assert amount_ng(row(concentration_ppb=2.0, digest_ml=5.0)) == 10.0
    (one,) = organ_references([row(amount_ng=20.0, digested_g=0.25)], WEIGHTS, DOSES)
    # a fifth of the organ was digested
    assert one.amount_ng.value == pytest.approx(100.0)


def test_replicates_are_averaged_and_their_scatter_counts():
    rows = [row(amount_ng=value, amount_sd_ng=0.1, replicate=str(k)) for k, value in enumerate((90.0, 100.0, 110.0))]
    (one,) = organ_references(rows, WEIGHTS, DOSES)
    assert one.amount_ng.value == pytest.approx(100.0) and one.amount_ng.sd == pytest.approx(10 / math.sqrt(3))


def test_what_is_not_known_is_said():
    (one,) = organ_references([row(amount_ng=20.0)], {}, {})
    assert {str(OrganFlag.NO_WEIGHT), str(OrganFlag.NO_DOSE)} <= set(one.flags)
    assert math.isnan(one.percent_dose.value)


def test_doses_are_the_animals_own_or_all_animals():
    rows = [row("dose", "", "", amount_ng=900.0), row("dose", "m02", "", amount_ng=1100.0)]
    doses = element_doses(rows, ["m01", "m02"])
    assert (doses["m01"].value, doses["m02"].value) == (900.0, 1100.0)


def test_sums_leave_out_what_is_below_the_limit():
    rows = [*BLANKS, row(amount_ng=102.0), row(organ="brain", amount_ng=3.0)]
    weights = WEIGHTS | {("m01", "brain"): exact(0.4, "g")}
    found = organ_references(rows, weights, DOSES)
    (total,) = reference_balances(found, {"m01": "dots"}, DOSES)
    assert total.percent_dose.value == pytest.approx(10.0)
    assert (total.organs, total.missing, total.group) == (("liver",), ("brain",), "dots")


def test_pieces_of_an_organ_are_each_of_their_own_weight():
    pieces = [row(amount_ng=10.0, digested_g=0.1, replicate="1"), row(amount_ng=20.0, digested_g=0.2, replicate="2")]
    (one,) = organ_references(pieces, WEIGHTS, DOSES)
    # 100 ng in each gram of 1.25 g
    assert one.amount_ng.value == pytest.approx(125.0)
    (one,) = organ_references(pieces, {}, DOSES)
    assert math.isnan(one.amount_ng.value) and math.isnan(one.percent_dose.high)
    assert str(OrganFlag.NO_WEIGHT) in one.flags
