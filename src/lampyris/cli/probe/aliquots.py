"""Table of aliquots of a batch: sizes, or first absorption peaks that a sizing curve turns into sizes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.tables import table_read
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity

if TYPE_CHECKING:
    import numpy as np

    from lampyris.io.data_tables import DataTable
    from lampyris.probe.growth import Aliquots

_MEND = "Leave the row out, or fill it in."


def aliquots_of(path: Path, material: str, options: argparse.Namespace, /) -> "Aliquots":
    """Aliquots of a table.

    Parameters
    ----------
    path : Path
        Columns ``time_min``; ``diameter_nm`` with ``sd_nm``, the standard uncertainty of the mean, or ``first_exciton_nm`` in place
        of both; and, where it was measured, ``spread_nm`` with ``spread_sd_nm``.
    material : str
        Whose sizing curve is used.
    options : argparse.Namespace
        Of reading.

    Raises
    ------
    InputError
        With every fault and its row.
    """
    import numpy as np

    from lampyris.probe.growth import Aliquots

    table = table_read(path, options)
    minutes = table.numbers("time_min")
    if "diameter_nm" in table.columns:
        size, sd = table.numbers("diameter_nm"), table.numbers("sd_nm")
        wanted = {"time_min": minutes, "diameter_nm": size, "sd_nm": sd}
    else:
        size, sd = _sizes(table, material)
        wanted = {"time_min": minutes}
    spreads = None
    if "spread_nm" in table.columns:
        spreads = (table.numbers("spread_nm"), table.numbers("spread_sd_nm"))
        known = np.isfinite(spreads[0])
        wanted["spread_nm"] = np.where(known, spreads[0], 1.0)
        wanted["spread_sd_nm"] = np.where(known, spreads[1], 1.0)
    faults = [
        Finding(
            "probe.aliquots",
            Severity.ERROR,
            Place(table.file, table.lines[k], name),
            f"needs a number above 0, got {table.columns[name][k]!r}.",
            _MEND,
        )
        for name, values in wanted.items()
        for k in np.flatnonzero(~(values > 0)).tolist()
    ]
    if len(table) < 3:
        seen = f"{len(table)} aliquots are too few for two constants."
        faults.append(Finding("probe.aliquots", Severity.ERROR, Place(table.file), seen, "Give three or more."))
    if faults:
        raise InputError("The aliquots cannot be fitted.", faults)
    return Aliquots(minutes * 60.0, size, sd, *(spreads or (None, None)))


def _sizes(table: "DataTable", material: str) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """Diameters of first absorption peaks, with the scatter about the curve."""
    import numpy as np

    from lampyris.probe.sizing import diameter_nm

    peaks = table.numbers("first_exciton_nm")
    found, faults = [], []
    for k, peak in enumerate(peaks.tolist()):
        try:
            found.append(diameter_nm(material, peak))
        except InputError as error:
            place = Place(table.file, table.lines[k], "first_exciton_nm")
            faults += [Finding("probe.aliquots", Severity.ERROR, place, one.seen, one.mend) for one in error.findings]
    if faults:
        raise InputError("The peaks give no sizes.", faults)
    return np.array([one.value for one in found]), np.array([one.sd for one in found])
