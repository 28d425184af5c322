"""The truth of drawn sections, outside the study as all truth; only `lampyris.virtual` and `lampyris.trial` may import this."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.io.durable import write_bytes, write_json

FILE = "sections.json"


@dataclass(frozen=True, slots=True, eq=False)
class TrueSection:
    """A section as it was drawn.

    Parameters
    ----------
    animal, organ, section, file : str
    organ_per_mm2 : float
        Labelled cells per mm2 that sections of this organ are expected to show, the chosen fields' enrichment included.
    section_per_mm2 : float
        The same of this section.
    tissue_mm2, pixel_um, blur_um : float
    labelled, crowded : ndarray of bool, dims (nucleus,)
    labels : ndarray of int32, dims (y, x)
    matrix : tuple of ((yy, yx), (xy, xx))
        Organ's place in mm = matrix @ place in the section in mm + shift.
    shift_mm : (float, float)
    """

    animal: str
    organ: str
    section: str
    file: str
    organ_per_mm2: float
    section_per_mm2: float
    tissue_mm2: float
    pixel_um: float
    blur_um: float
    labelled: NDArray[np.bool_]
    crowded: NDArray[np.bool_]
    labels: NDArray[np.int32]
    matrix: tuple[tuple[float, float], tuple[float, float]]
    shift_mm: tuple[float, float]


def write_section_truth(folder: Path, sections: Sequence[TrueSection], /) -> None:
    """Write the truth of sections beside that of the study; nothing where there are none."""
    rows = []
    for number, one in enumerate(sections):
        write_bytes(folder / "sections" / f"{number}.i32", np.ascontiguousarray(one.labels, "<i4").tobytes())
        plain = {name: value for name, value in asdict(one).items() if name != "labels"}
        rows.append(
            plain
            | {"shape": list(one.labels.shape), "labelled": one.labelled.tolist(), "crowded": one.crowded.tolist()}
        )
    if rows:
        write_json(folder / FILE, {"synthetic": True, "sections": rows})


def read_section_truth(folder: Path, /) -> tuple[TrueSection, ...]:
    """Read what `write_section_truth` wrote; empty where the study has no sections."""
    path = folder / FILE
    if not path.exists():
        return ()
    found = []
    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8"))["sections"]):
        shape = tuple(row.pop("shape"))
        labels = np.fromfile(folder / "sections" / f"{number}.i32", "<i4").reshape(shape)
        row["matrix"] = tuple(tuple(line) for line in row["matrix"])
        row["shift_mm"] = tuple(row["shift_mm"])
        for name in ("labelled", "crowded"):
            row[name] = np.array(row[name], bool)
        found.append(TrueSection(**row, labels=labels))
    return tuple(found)
