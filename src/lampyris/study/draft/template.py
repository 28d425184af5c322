"""A study to fill in by hand: settings with the meaning of every key, sheets with an example row."""

import math
from collections.abc import Mapping
from pathlib import Path

from lampyris.core.schemas import ANIMALS, SAMPLESHEET, AnimalRow, SampleRow
from lampyris.io.durable import write_text
from lampyris.io.sheets import write_sheet
from lampyris.io.toml import toml_text
from lampyris.study.draft.asked import reporting_template
from lampyris.study.draft.files import meanings
from lampyris.study.draft.names import is_control
from lampyris.study.draft.notes import UNFILLED
from lampyris.study.draft.shots import clean_name
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS

_PROBE = "probe"
_BANDS = ((780.0, 1.0, 1.0), (810.0, 0.72, 0.85), (840.0, 0.5, 0.8))


def write_template(study: Path, /, *, groups: Mapping[str, int]) -> tuple[str, ...]:
    """Write study.toml and the sheets with one animal as an example.

    Parameters
    ----------
    study : Path
        Made where it is not there.
    groups : mapping of str to int
        Arms; two to begin with where there are none.

    Returns
    -------
    tuple of str
        What a person does next.
    """
    arms = list(groups) or ["treated", "control"]
    first = next((arm for arm in arms if not is_control(arm)), arms[0])
    settings = {
        "study": {"name": clean_name(study.resolve().name), "title": "", "synthetic": False, "diet": "unknown"},
        "instrument": {
            "name": "",
            **dict.fromkeys(("pixel_mm", "gain_e_per_count", "read_noise_e"), UNFILLED),
            "full_scale_counts": 65535.0,
            **dict.fromkeys(("radiance_per_rate",), UNFILLED),
            "excitation_nm": 710.0,
            "excitation_mw_per_cm2": UNFILLED,
            "bands": [
                {
                    "channel": f"{centre:g}",
                    "centre_nm": centre,
                    "width_nm": 20.0,
                    "transmission": 0.9,
                    "autofluorescence": tissue,
                    "leakage": leak,
                }
                for centre, tissue, leak in _BANDS
            ],
        },
        "groups": {
            arm: {
                "title": "",
                "role": "control" if is_control(arm) else "labelled",
                "probe": "" if is_control(arm) else _PROBE,
            }
            for arm in arms
        },
        "probes": {
            _PROBE: {
                "kind": "quantum dot",
                "title": "",
                "emission_nm": 810.0,
                "fwhm_nm": 60.0,
                **dict.fromkeys(("molar_extinction_per_m_cm", "quantum_yield", "per_cell"), UNFILLED),
            }
        },
    }
    header = (
        f'Template of a study: write a value for every "{UNFILLED}", and your own for the others; then `lampyris check`.\n'
        "Bands, colours and groups are examples."
    )
    write_sheet(study / SHEET, SAMPLESHEET, _example_rows(first, "" if is_control(first) else _PROBE))
    if not (study / SHEET_ANIMALS).exists():
        animal = AnimalRow(0, "m01", first, "", "", 22.0, "c1", "", "", math.nan, False, "", "", "")
        write_sheet(study / SHEET_ANIMALS, ANIMALS, [] if groups else [animal])
    write_text(
        study / SETTINGS, toml_text(settings, remarks=meanings(settings), header=header) + reporting_template(_PROBE)
    )
    return (
        f"A template was written: {SETTINGS}, {SHEET} and {SHEET_ANIMALS} with an example animal. Replace it by yours.",
    )


def _example_rows(group: str, probe: str) -> list[SampleRow]:
    return [
        SampleRow(
            row=0,
            animal="m01",
            session="d00",
            day=0.0,
            date="",
            group=group,
            view="dorsal",
            channel=f"{centre:g}",
            excitation_nm=710.0,
            emission_nm=centre,
            exposure_s=1.0,
            image="raw/m01_d00_dorsal.ome.tiff",
            photo="raw/m01_d00_dorsal_photo.ome.tiff",
            background="raw/dark_1s.ome.tiff",
            probe=probe,
            lot="",
        )
        for centre, _, _ in _BANDS
    ]
