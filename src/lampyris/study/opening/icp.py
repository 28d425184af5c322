"""Reads a table of an ICP-MS, with the faults of its rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lampyris.assays.exvivo.icp import amount_ng
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import ICP_MS, IcpRow
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import inside
from lampyris.io.sheets import read_sheet
from lampyris.study.rules.sheets import SHEET_ASSAYS

# drying and weighing twice part a whole organ's weights
MOST_DIGESTED = 1.1


def icp_rows(
    study: Path, file: str, animals: Sequence[str], organs: Mapping[tuple[str, str], float], /
) -> tuple[tuple[IcpRow, ...], tuple[Finding, ...]]:
    """Rows of one ICP-MS table.

    Parameters
    ----------
    study : Path
    file : str
        Relative to the study.
    animals : sequence of str
        Those of animals.csv.
    organs : mapping of (animal, organ) to float
        Those of organs.csv, with their weights in g.

    Returns
    -------
    rows : tuple of IcpRow
    findings : tuple of Finding
    """
    path = inside(study, file, place=Place(SHEET_ASSAYS))
    rows, findings = read_sheet(path, ICP_MS, IcpRow)
    # a table that cannot be read stops itself alone: its rules are not those of the study's sheets
    found = (replace(one, rule=one.rule.replace("sheet.", "icp.", 1)) for one in findings)
    return rows, (*found, *_faults(rows, path.name, animals, organs))


def _faults(
    rows: Sequence[IcpRow], file: str, known: Sequence[str], organs: Mapping[tuple[str, str], float]
) -> list[Finding]:
    found = []
    for row in rows:

        def fault(rule: str, column: str, seen: str, mend: str, row: IcpRow = row) -> None:
            found.append(Finding(f"icp.{rule}", Severity.ERROR, Place(file, row.row, column), seen, mend))

        if math.isnan(amount_ng(row)) and not row.below_lod:
            mend = "Write amount_ng, or concentration_ppb with digest_ml; or yes under below_lod."
            fault("amount", "amount_ng", "has neither an amount nor a concentration with its volume.", mend)
        if row.sample == "blank" and row.animal:
            fault(
                "blank", "animal", f"a blank belongs to no animal, this one to {row.animal}.", "Leave the cell empty."
            )
        if row.sample == "sample" and not (row.animal and row.organ):
            fault("sample", "organ", "a sample needs its animal and organ.", "Fill both in.")
        weight = organs.get((row.animal, row.organ), math.nan)
        if row.digested_g > weight * MOST_DIGESTED:
            seen = f"{row.digested_g:g} g of the {row.organ} were digested, which weighs {weight:g} g."
            near = (
                f"Is it in mg? Then write {1e-3 * row.digested_g:g}."
                if row.digested_g > 50 * weight
                else "Correct one of both."
            )
            fault("digested", "digested_g", seen, near)
        if row.animal and known and row.animal not in known:
            near = did_you_mean(row.animal, known)
            fault(
                "animal", "animal", f"there is no animal {row.animal!r}.", f"Write {near}." if near else "Correct it."
            )
        elif row.sample == "sample" and row.organ and organs and (row.animal, row.organ) not in organs:
            near = did_you_mean(row.organ, [organ for animal, organ in organs if animal == row.animal])
            mend = f"Write {near}." if near else "Add it with its weight to organs.csv."
            found.append(
                Finding("icp.organ", Severity.WARNING, Place(file, row.row, "organ"),
                        f"organs.csv has no {row.organ} of {row.animal}.", mend)
            )  # fmt: skip
    return found
