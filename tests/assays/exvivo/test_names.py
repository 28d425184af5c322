"""Which outline is whose: by place, by position, by a person's name; and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.assays.exvivo.names import Fit, check_sizes, name_organs
from lampyris.assays.exvivo.outlines import Segment
from lampyris.core.errors import ImageError
from lampyris.core.schemas import ORGANS, OrganRow

SHAPE = (60, 90)
EMPTY = {column.name: math.nan if column.kind in ("number", "integer") else "" for column in ORGANS}


def disc(y, x, radius=6, label=""):
    rows, columns = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])[None, :]
    return Segment((rows - y) ** 2 + (columns - x) ** 2 <= radius**2, label=label)


def row(organ, animal="m01", line=2, **more):
    return OrganRow(**{**EMPTY, "row": line, "animal": animal, "organ": organ, "weight_g": 0.3, **more})


# two rows, the second a little askew
FOUR = [disc(15, 70), disc(14, 20), disc(44, 25), disc(40, 60)]
ORDER = ["liver", "spleen", "heart", "brain"]


def named(segments, rows):
    return {one.organ: segment.centroid_px() for one, segment, _ in name_organs(segments, rows, pixel_mm=1.0)}


def test_places_are_counted_row_by_row_whatever_the_order_of_outlines():
    rows = [row(organ, place=place) for place, organ in enumerate(ORDER, start=1)]
    for order in (FOUR, FOUR[::-1]):
        assert {organ: (round(y), round(x)) for organ, (y, x) in named(order, rows).items()} == {
            "liver": (14, 20), "spleen": (15, 70), "heart": (44, 25), "brain": (40, 60),
        }  # fmt: skip


def test_positions_and_a_persons_names():
    rows = [row("liver", y_mm=43.0, x_mm=24.0), row("spleen", y_mm=15.0, x_mm=69.0), row("heart", y_mm=41.0, x_mm=66.0)]
    found = named([FOUR[0], FOUR[2], FOUR[3]], rows)
    assert round(found["liver"][0]) == 44 and round(found["heart"][1]) == 60
    called = [disc(15, 70), disc(14, 20, label="M01 Heart"), disc(44, 25), disc(40, 60)]
    rows = [row(organ, place=place) for organ, place in (("liver", 2), ("heart", 1), ("spleen", 4), ("brain", 3))]
    assert round(named(called, rows)["heart"][1]) == 20


def outlines_between_rows():
    return [disc(15, 20), disc(22, 40), disc(29, 60), disc(36, 80)]


PLACED = [row(organ, place=place) for place, organ in enumerate(ORDER, start=1)]
REFUSED = {
    "fewer outlines": (FOUR[:3], PLACED, "3 outlines for 4 organs"),
    "a place twice": (FOUR, [replace(one, place=min(one.place, 3)) for one in PLACED], "places 1, 2, 3, 3"),
    "no place": (FOUR, [replace(PLACED[0], place=math.nan), *PLACED[1:]], "neither a place"),
    "stairs": (outlines_between_rows(), PLACED, "clear rows"),
    "far from every outline": (FOUR[:1], [row("liver", y_mm=50.0, x_mm=10.0)], "from the nearest outline"),
    "between two": ([disc(20, 20), disc(20, 40)], [row("liver", y_mm=20.0, x_mm=30.0), row("heart", y_mm=20.0, x_mm=30.0)], "as near"),
    "an unknown name": ([disc(15, 70, label="m01 lver"), *FOUR[1:]], PLACED, "m01 liver"),
    "a name twice": ([disc(15, 70, label="liver"), disc(14, 20, label="liver"), *FOUR[2:]], PLACED, "two outlines"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_ambiguous_names_are_refused(case):
    segments, rows, words = REFUSED[case]
    with pytest.raises(ImageError, match="cannot be named") as refused:
        name_organs(segments, rows, pixel_mm=1.0, file="tray.tif")
    assert words in refused.value.findings[0].seen


def test_what_does_not_fit_its_weight_is_told_apart():
    # 113 mm2: a kidney of 0.3 g, no liver of 6 g; of 1.9 g (1.3 times the cube root high) hardly
    fitting = [(row(f"organ {at}", weight_g=0.5), disc(20, 20), at) for at in range(1, 6)]
    cases = {0.3: Fit.USUAL, 1.9: Fit.USUAL, 2.2: Fit.ODD, 6.0: Fit.WEIGHT, math.nan: Fit.USUAL}
    for weight, fit in cases.items():
        checks, findings = check_sizes([*fitting, (row("liver", weight_g=weight), disc(20, 60), 6)], pixel_mm=1.0)
        assert [one.fit for one in checks] == [Fit.USUAL] * 5 + [fit]
        assert len(findings) == (fit is not Fit.USUAL) and all(
            "liver: 113 mm2 are too small" in one.seen for one in findings
        )
        assert (checks[-1].weight_log_off > 0) == (fit is not Fit.USUAL)


def test_two_rows_exchanged_have_no_sure_name():
    usual = [(row(f"organ {at}", weight_g=0.1), disc(20, 20, 3), at) for at in range(1, 7)]
    # 81 and 197 mm2
    swapped = [(row("liver", weight_g=1.6), disc(20, 60, 5), 7), (row("heart", weight_g=0.4), disc(20, 20, 8), 8)]
    checks, findings = check_sizes([*usual, *swapped], pixel_mm=1.0)
    assert [one.fit for one in checks] == [Fit.USUAL] * 6 + [Fit.NAME] * 2 and len(findings) == 2


def test_a_tray_of_wrong_weights_is_refused():
    with pytest.raises(ImageError) as refused:
        check_sizes([(row("liver", weight_g=6.0), disc(20, 20), 1), (row("node", weight_g=0.003), disc(20, 60), 2)],
                    pixel_mm=1.0)  # fmt: skip
    seen = refused.value.findings[0].seen
    assert "liver: 113 mm2 are too small" in seen and "node: 113 mm2 are too large" in seen
