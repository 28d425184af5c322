"""One organ more or fewer on a tray than its sheet names: what that makes of the names."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lampyris.assays.exvivo.census import Borders, census
from lampyris.assays.exvivo.names import check_sizes, sheet_reader
from lampyris.assays.exvivo.outlines import Segment
from lampyris.assays.exvivo.partings import Lump, Parting
from lampyris.core.schemas import ORGANS, OrganRow

EMPTY = {column.name: math.nan if column.kind in ("number", "integer") else "" for column in ORGANS}
BORDERS = Borders(0.15, 0.35)
# of pieces side by side, 5 mm high
AREAS = (100, 30, 60, 200)


def rows(*areas):
    """Rows of organs that lie as organs do: their mean height is 0.65 of the cube root of their volume."""
    weights = [1.05e-3 * (0.65 * area) ** 1.5 for area in areas]
    return [OrganRow(**{**EMPTY, "row": n, "animal": "m01", "organ": f"o{n}", "weight_g": w, "place": n})
            for n, w in enumerate(weights, start=1)]  # fmt: skip


def counted(areas, evidence, made):
    """Four pieces in a chain, of which some borders are cut, read by a sheet of organs of these areas."""
    pieces = np.repeat(np.arange(1, 5, dtype=np.int32), [area // 5 for area in AREAS])[None, :].repeat(5, axis=0)
    cuts = dict(zip([(1, 2), (2, 3), (3, 4)], evidence, strict=True))
    reader = sheet_reader(rows(*areas), pixel_mm=1.0)
    odds = {pair: BORDERS.log_odds(one) for pair, one in cuts.items()}
    return census(pieces, odds, Parting(made), reader=reader, pixel_mm=1.0)


def test_a_sheet_that_fits_stands():
    found = counted(AREAS, (0.3, 0.3, 0.3), ((1, 2), (2, 3), (3, 4)))
    assert not found.refused and not found.parting.unsure and not found.parting.disputed and found.right > 0.99
    # a lobe of the last organ is one: its weight says so
    found = counted((100, 30, 260), (0.5, 0.5, 0.1), ((1, 2), (2, 3)))
    assert not found.refused and not found.parting.unsure


def test_a_row_left_out_is_told_by_the_piece_that_none_names():
    found = counted((30, 60, 200), (0.2, 0.5, 0.5), ((2, 3), (3, 4)))
    assert found.right < 0.05 and "names 3 organs, and 4 seem to lie there" in found.refused
    assert "no row is that of the 100 mm2 at y 2, x 10 mm" in found.refused
    # the names stand, and what the second has of the first's neighbour is in dispute
    found = counted((100, 60, 200), (0.5, 0.2, 0.5), ((1, 2), (3, 4)))
    assert not found.refused and found.parting.disputed == (({2, 3}, {2}),) and not found.parting.unsure


def test_a_row_too_many_is_told_by_its_place():
    found = counted((130, 500, 60, 200), (0.0, 0.5, 0.5), ((1, 2), (2, 3), (3, 4)))
    assert found.right < 0.05 and "3 seem to lie there: most likely that of place 2 does not" in found.refused
    # two organs or one: with less to choose between them more than a quarter of the names hang on it
    found = counted((130, 80, 60, 200), (0.12, 0.5, 0.5), ((1, 2), (2, 3), (3, 4)))
    assert (
        0.05 < found.right < 0.95
        and "4 organs, as organs.csv names, or 3 lie there, and names hang on" in found.refused
    )


def test_a_sheet_without_places_or_on_other_counts_is_not_read():
    placed = rows(100, 30, 60)
    assert sheet_reader([*placed[:2], replace(placed[2], place=math.nan)], pixel_mm=1.0) is None
    apart = [Lump(100.0, 0.0, 9.0, 5.0, 20.0 * n) for n in range(5)]
    read = sheet_reader(placed, pixel_mm=1.0)
    assert read(apart) == () and len(read(apart[:4])) == 4 and len(read(apart[:2])) == 3
    stairs = [Lump(100.0, 6.0 * n, 6.0 * n + 9.0, 6.0 * n + 5.0, 20.0 * n) for n in range(3)]
    assert read(stairs) == ()


def test_weights_that_are_missing_or_wrong_bound_what_they_say():
    lumps = [Lump(100.0, 0.0, 9.0, 5.0, 20.0 * n) for n in range(2)]
    unweighed = [*rows(100), replace(rows(100, 100)[1], weight_g=math.nan)]
    (fit,), (wrong,), (none,) = (
        sheet_reader(sheet, pixel_mm=1.0)(lumps) for sheet in (rows(100, 100), rows(100, 1e6), unweighed)
    )
    assert fit.lumps == (0, 1) and fit.score > none.score > wrong.score > fit.score - 8.0


def test_evidence_becomes_odds():
    assert BORDERS.log_odds(0.15) == 0.0 and BORDERS.log_odds(0.35) == pytest.approx(math.log(20.0))


def test_names_that_are_not_sure_are_said():
    mask = np.zeros((30, 60), bool)
    mask[5:15, 5:15] = True
    tied = [(rows(100)[0], Segment(mask, unsure=True), 1), (rows(100)[0], Segment(mask), 2)]
    _, findings = check_sizes(tied, pixel_mm=1.0)
    assert [one.rule for one in findings] == ["exvivo.names"] and findings[0].seen.startswith("place 1, m01 o1: if")
