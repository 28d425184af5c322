"""A column per group, as Prism and many spreadsheets have it, turned into a row per value."""

import re
from collections.abc import Sequence

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding
from lampyris.io.data_tables.table import MISSING, NUMBER, DataTable

_IDENTITY = re.compile(
    r"((animal|mouse|rat|fish|subject|patient|sample|cage)([ _-]?(id|no\.?|nr\.?|number|#))?|id|no\.?|nr\.?|number|index|row|day|time)",
    re.IGNORECASE,
)


def long_form(
    table: DataTable,
    /,
    *,
    columns: Sequence[str] = (),
    keep: Sequence[str] = (),
    group: str = "group",
    value: str = "value",
) -> DataTable:
    """A row per value from a column per group.

    Parameters
    ----------
    table : DataTable
        The wide table.
    columns : sequence of str
        Columns to take as groups; every column of numbers by default.
    keep : sequence of str
        Columns repeated for each value, such as the animal of a row.
    group, value : str
        Names of the two new columns.

    Returns
    -------
    DataTable
        Empty cells make no row; how many there were is noted. Columns of one title are one group.

    Raises
    ------
    InputError
        If fewer than two columns hold numbers, or a cell of a chosen column holds text.
    """
    for name in keep:
        table.words(name)
    titles = dict(zip(table.columns, table.titles or tuple(table.columns), strict=True))
    chosen = [name for name in table.columns if name not in keep and (titles[name] in columns or name in columns)]
    if not columns:
        chosen = [
            name for name in table.columns if name not in keep and _mostly_numbers(table.columns[name], table.decimal)
        ]
        _refuse_identities(table, chosen)
    if len({titles[name] for name in chosen}) < 2:
        seen = f"{len(chosen)} of its columns hold numbers alone, and a wide table needs one per group."
        left = [name for name in table.columns if name not in chosen and name not in keep]
        mend = f"Look at {', '.join(left)}." if left else "Say --value and --group for a table with a row per value."
        raise table.refusal("table.not-wide", None, "", seen, mend)
    _refuse_text(table, chosen)
    made: dict[str, list[str]] = {group: [], value: [], **{name: [] for name in keep}}
    lines, empty = [], 0
    for name in chosen:
        for k, cell in enumerate(table.columns[name]):
            if cell.casefold() in MISSING:
                empty += 1
                continue
            made[group].append(titles[name] or name)
            made[value].append(cell)
            for kept in keep:
                made[kept].append(table.columns[kept][k])
            lines.append(table.lines[k])
    groups = list(dict.fromkeys(titles[name] or name for name in chosen))
    notes = [*table.notes, f"read as a wide table: {len(groups)} columns are groups ({', '.join(groups)[:120]})"]
    if empty:
        notes.append(f"{empty} empty cells of the wide table hold no value")
    left = [name for name in table.columns if name not in chosen and name not in keep]
    if left:
        notes.append(f"left out, as no group of numbers: {', '.join(left)[:120]}")
    return DataTable(table.file, {k: tuple(v) for k, v in made.items()}, tuple(lines), table.decimal, tuple(notes))


def _mostly_numbers(cells: Sequence[str], decimal: str) -> bool:
    """Whether a column is meant for numbers: a cell of text in it is a fault, not a reason to pass it over."""
    filled = [cell.lstrip("<≤ ").replace(decimal, ".") for cell in cells if cell.casefold() not in MISSING]
    return 2 * sum(1 for cell in filled if NUMBER.fullmatch(cell)) > len(filled)


def _refuse_identities(table: DataTable, chosen: Sequence[str]) -> None:
    """Refuse a column that numbers the rows, or has no name: its values are of no group."""
    for name in chosen:
        filled = [cell for cell in table.columns[name] if cell]
        if table.titles and not table.titles[list(table.columns).index(name)]:
            seen = f"{name} holds numbers and has no name."
            mend = "Give it the name of its group (replicates of one group may share a name), or list the groups with --columns."
            raise table.refusal("table.no-name", None, name, seen, mend)
        counted = len(filled) > 3 and filled == [str(k) for k in range(1, len(filled) + 1)]
        if counted or _IDENTITY.fullmatch(name):
            seen = f"column {name!r} looks like the number of an animal or a row, not like a group of values."
            mend = f"Say --subject {name!r} if it names the subject of each row, or list the groups with --columns."
            raise table.refusal("table.identity", None, name, seen, mend)


def _refuse_text(table: DataTable, chosen: Sequence[str]) -> None:
    faults: list[Finding] = []
    for name in chosen:
        try:
            DataTable(table.file, {name: table.columns[name]}, table.lines, table.decimal).limited_numbers(name)
        except InputError as error:
            faults += error.findings
    if faults:
        raise InputError(f"{table.file}: {len(faults)} cells of the wide table hold text", faults)
