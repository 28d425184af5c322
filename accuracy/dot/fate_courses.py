"""Quantiles of published tumour courses, from the workbook in the public domain that they came in.

``python -m accuracy.dot.fate_courses WORKBOOK TABLE`` writes the table that the package holds, the same bytes each time.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from lampyris.io.durable import write_bytes

SOURCE = "nanoparticle tumour time courses, CC0 workbook saved by W.-C. Chou on 2023-03-13, 378 courses"
HOURS = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 48.0, 72.0, 168.0)
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
HEADER = ("quantity", "hours", "count", "q10", "q25", "q50", "q75", "q90", "unit", "source", "mark")


def courses(workbook: Path, /) -> list[np.ndarray]:
    """Courses: per particle, dims (time, 3) of hours, %ID and %ID/g."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(workbook))
    rows = book.get_sheet_by_name(book.sheet_names[0]).to_python()[1:]
    found: list[list[list[float]]] = []
    for name, *numbers in rows:
        if name != "":
            found.append([])
        if all(isinstance(one, float) for one in numbers):
            found[-1].append([float(one) for one in numbers if isinstance(one, float)])
    return [np.array(one) for one in found if one]


def table(found: list[np.ndarray], /) -> list[tuple[object, ...]]:
    """Quantiles over courses by hour: %ID, %ID/g, and %ID/g over the same course's value at 24 h."""
    lines: list[tuple[object, ...]] = []
    for quantity, unit in (("dose", "%ID"), ("content", "%ID/g"), ("relative to 24 h", "1")):
        for hour in HOURS:
            values = np.array([value for one in found for value in _values(one, quantity, hour)])
            ends = [f"{value:.4g}" for value in np.quantile(values, QUANTILES)]
            lines.append((quantity, f"{hour:g}", values.size, *ends, unit, SOURCE, "computed"))
    return lines


def _values(course: np.ndarray, quantity: str, hour: float) -> list[float]:
    at = course[np.isclose(course[:, 0], hour)]
    if quantity == "dose":
        return list(at[:, 1])
    if quantity == "content":
        return list(at[:, 2])
    base = course[np.isclose(course[:, 0], 24.0), 2]
    return list(at[:, 2] / base[0]) if base.size and base[0] > 0 else []


if __name__ == "__main__":
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(table(courses(Path(sys.argv[1]))))
    write_bytes(Path(sys.argv[2]), text.getvalue().encode("utf-8"))
