"""The ex vivo part of a virtual study, written as a lab would have it: trays, weights, standards, doses and an ICP-MS table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.schemas import (
    ASSAYS,
    ICP_MS,
    ORGANS,
    STANDARDS,
    AnimalRow,
    AssayRow,
    IcpRow,
    OrganRow,
    StandardRow,
)
from lampyris.core.seeds import seed_sequence
from lampyris.imaging.amounts import PMOL, WELL_REFRACTIVE_INDEX
from lampyris.io.sheets import write_sheet
from lampyris.probe.probe import band_fractions, photon_irradiance_per_mm2, probe_from_settings
from lampyris.virtual.design import Design
from lampyris.virtual.frames import DrawnCamera
from lampyris.virtual.individual import Individual
from lampyris.virtual.raw_files import write_shot
from lampyris.virtual.tray import Excised, Tray, draw_trays, organ_rows, tray_rows
from lampyris.virtual.truth import TrueOrgan, TrueTray

PMOL_UNIT, CELLS = "pmol", "labelled cells"
# wells from a thousandth of the dose to three quarters of it, twice each, and two blanks
WELL_SHARES = (0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.75)
WELL_REPEATS = 2
DOSE_DILUTION, DOSE_WEIGHT_G, DOSE_REPEATS = 20.0, 0.1, 3
VOLUME_ML, SYRINGE_G = 0.2, 1.15
DIGEST_ML = 10.0
ICP_BLANKS = 5
ICP_TABLE = "exvivo/icp-ms.csv"


@dataclass(frozen=True, slots=True)
class ExVivoPart:
    """What was written, for the study's sheets and its truth.

    Parameters
    ----------
    doses : dict of animal to AnimalRow
        Columns of the dose that an animal's row gains.
    truth : tuple of TrueTray
    files : tuple of str
        Relative to the study.
    """

    doses: dict[str, dict[str, float]] = field(default_factory=dict)
    truth: tuple[TrueTray, ...] = ()
    files: tuple[str, ...] = ()

    def with_dose(self, entry: AnimalRow, /) -> AnimalRow:
        """An animal's row with what it was given."""
        return replace(entry, **self.doses.get(entry.animal, {}))  # type: ignore[arg-type]


def write_exvivo(
    directory: Path,
    design: Design,
    drawn: DrawnCamera,
    darks: Mapping[float, NDArray[np.uint16]],
    animals: Sequence[Excised],
    /,
    *,
    seed: int,
    date: str,
) -> ExVivoPart:
    """Write trays and all that turns their light into shares of the dose.

    Parameters
    ----------
    directory : Path
        The study.
    design : Design
    drawn : DrawnCamera
    darks : mapping of exposure to ndarray, dims (y, x)
    animals : sequence of Excised
    seed : int
    date : str
        ISO 8601 date of all of it.

    Returns
    -------
    ExVivoPart
    """
    rng = np.random.default_rng(seed_sequence("virtual", design.name, "ex vivo", seed))
    doses = {one.who.animal: _Given(design, one.who) for one in animals}
    trays = draw_trays(design, drawn, darks, animals, seed=seed, acquired=f"{date}T16:00:00")
    assays: list[AssayRow] = []
    organs: list[OrganRow] = []
    files: list[str] = []
    truth = []
    for tray in trays:
        written = write_shot(directory, design, tray.shot, "ome-tiff")
        files += [*written.written, *(path for path in written.backgrounds if path)]
        probe = design.arms[tray.arm].probe
        assays += tray_rows(design, tray, written.image, written.photo, written.backgrounds, probe)
        organs += organ_rows(tray, written.image, rng, weighing_sd_g=design.exvivo.weighing_sd_g)
        truth.append(_true_tray(tray, written.image, doses))
    if design.exvivo.icp:
        write_sheet(directory / ICP_TABLE, ICP_MS, _icp_rows(design, trays, doses, rng))
        assays.append(_icp_assay(date))
        files.append(ICP_TABLE)
    write_sheet(directory / "assays.csv", ASSAYS, assays)
    write_sheet(directory / "organs.csv", ORGANS, organs)
    standards = list(_standards(design, drawn, doses, rng, date))
    if standards:
        write_sheet(directory / "standards.csv", STANDARDS, standards)
        files.append("standards.csv")
    return ExVivoPart(
        {animal: _syringe(one, rng) for animal, one in doses.items() if one.unit == PMOL_UNIT},
        tuple(truth),
        tuple(sorted({*files, "assays.csv", "organs.csv"})),
    )


class _Given:
    """What an animal was given, and what one cell equivalent of it is."""

    def __init__(self, design: Design, who: Individual) -> None:
        arm = design.arms[who.arm]
        self.probe, self.arm = who.probe, who.arm
        self.unit, self.amount, self.per_cell, self.per_ml = "", 0.0, 0.0, math.nan
        if not who.probe:
            return
        if arm.label == "injected":
            # brighter animals were given more: their light per cell equivalent is the same label
            self.unit = PMOL_UNIT
            dose = design.injections[who.probe].dose_pmol
            self.amount, self.per_ml = dose * who.brightness, dose / VOLUME_ML
            self.per_cell = design.probes[who.probe].per_cell * who.brightness / PMOL
        else:
            self.unit, self.amount, self.per_cell = CELLS, design.world.primary_cells, 1.0


def _true_tray(tray: Tray, file: str, doses: Mapping[str, _Given]) -> TrueTray:
    organs = []
    for place, (laid, flux) in enumerate(zip(tray.organs, tray.flux, strict=True), start=1):
        given = doses[laid.organ.animal]
        amount = laid.organ.cells * given.per_cell
        percent = 100.0 * amount / given.amount if given.amount > 0 else 0.0
        beside = place < len(tray.organs) and tray.organs[place].touching
        organs.append(
            TrueOrgan(
                animal=laid.organ.animal,
                organ=laid.organ.kind.organ,
                place=place,
                weight_g=laid.organ.weight_g,
                amount=amount,
                unit=given.unit,
                percent_dose=percent,
                percent_dose_per_gram=percent / laid.organ.weight_g,
                focal_share=laid.organ.focal / laid.organ.cells if laid.organ.cells > 0 else 0.0,
                flux=flux,
                escape=laid.organ.escape,
                touching=laid.touching or beside,
            )
        )
    return TrueTray(file, tuple(organs), tray.labels)


def _syringe(given: _Given, rng: np.random.Generator) -> dict[str, float]:
    """Weights of the syringe, as a balance shows them; the concentration is left to the dose standards."""
    volume = given.amount / given.per_ml
    empty = SYRINGE_G + float(rng.normal(0.0, 0.02))
    return {
        "dose_syringe_full_g": round(empty + volume + float(rng.normal(0.0, 0.0002)), 4),
        "dose_syringe_empty_g": round(empty + float(rng.normal(0.0, 0.0002)), 4),
        "dose_syringe_sd_g": 0.0002,
    }


def _standards(
    design: Design, drawn: DrawnCamera, doses: Mapping[str, _Given], rng: np.random.Generator, date: str
) -> list[StandardRow]:
    """Wells of each probe under the same camera, and dose standards of injected ones; values as the camera gives them."""
    drawn_part, instrument = design.exvivo, design.instrument
    lamp = photon_irradiance_per_mm2(instrument.excitation_mw_per_cm2, instrument.excitation_nm)
    n = WELL_REFRACTIVE_INDEX
    out = 4.0 * n**2 / (1.0 - ((n - 1.0) / (n + 1.0)) ** 2)
    # the camera's own error of calibration is in the wells as in everything else
    camera = instrument.radiance_per_rate / drawn.camera.radiance_per_rate
    walls = 1.0 + float(rng.normal(0.0, drawn_part.well_relative_sd))
    rows = []
    for probe in sorted({one.probe for one in doses.values() if one.probe}):
        given = next(one for one in doses.values() if one.probe == probe)
        dot = probe_from_settings(probe, design.probes[probe])
        share = float(band_fractions(dot, instrument.bands).sum())
        each = lamp * share * dot.cross_section_mm2 * dot.quantum_yield / out * camera * walls
        per_unit = each * (PMOL if given.unit == PMOL_UNIT else dot.per_cell)
        nominal = given.per_ml * VOLUME_ML if given.unit == PMOL_UNIT else given.amount
        noise = 2e-6 * nominal * per_unit
        for share_of_dose in WELL_SHARES:
            for repeat in range(1, WELL_REPEATS + 1):
                amount = share_of_dose * nominal
                value = per_unit * amount * (1.0 + float(rng.normal(0.0, drawn_part.well_scatter)))
                rows.append(
                    _standard(f"{probe} {amount:.4g}", "well plate", probe, value + float(rng.normal(0.0, noise)), repeat, date,
                              amount=amount, unit=given.unit)
                )  # fmt: skip
        if given.unit == PMOL_UNIT:
            held = given.per_ml / DOSE_DILUTION * DOSE_WEIGHT_G
            for repeat in range(1, DOSE_REPEATS + 1):
                value = per_unit * held * (1.0 + float(rng.normal(0.0, drawn_part.well_scatter)))
                rows.append(
                    _standard(f"{probe} dose", "dose standard", probe, value, repeat, date,
                              weight_g=DOSE_WEIGHT_G, dilution=DOSE_DILUTION)
                )  # fmt: skip
    return rows


def _standard(
    name: str, kind: str, probe: str, value: float, repeat: int, date: str, **more: float | str
) -> StandardRow:
    empty = {column.name: math.nan if column.kind in ("number", "integer") else "" for column in STANDARDS}
    filled = {
        "standard": name,
        "kind": kind,
        "probe": probe,
        "value": value,
        "value_unit": "ph s-1",
        "replicate": str(repeat),
    }
    return StandardRow(row=0, **(empty | filled | {"date": date} | more))  # type: ignore[arg-type]


def _icp_rows(
    design: Design, trays: Sequence[Tray], doses: Mapping[str, _Given], rng: np.random.Generator
) -> list[IcpRow]:
    """Digests of every labelled animal's organs, blanks, and what each animal was given."""
    part = design.exvivo
    blank_ppb = 0.6 * part.icp_lod_ppb
    rows = [
        _icp_row("blank", "", "", blank_ppb + float(rng.normal(0.0, part.icp_lod_ppb / 3.0)), str(repeat))
        for repeat in range(1, ICP_BLANKS + 1)
    ]
    per_pmol = part.icp_ng_per_pmol
    for animal, given in doses.items():
        if given.probe:
            ng = per_pmol * given.amount * _pmol_per_unit(design, given)
            rows.append(
                _icp_row("dose", animal, "", _measured(ng / DIGEST_ML, part.icp_relative_sd, blank_ppb, rng), "")
            )
    for tray in trays:
        for laid in tray.organs:
            given = doses[laid.organ.animal]
            if given.probe:
                ng = per_pmol * laid.organ.cells * given.per_cell * _pmol_per_unit(design, given)
                value = _measured(ng / DIGEST_ML, part.icp_relative_sd, blank_ppb, rng)
                value += float(rng.normal(0.0, part.icp_lod_ppb / 3.0))
                rows.append(_icp_row("sample", laid.organ.animal, laid.organ.kind.organ, value, ""))
    return [replace(row, lod_ppb=part.icp_lod_ppb) if row.sample == "sample" else row for row in rows]


def _pmol_per_unit(design: Design, given: _Given) -> float:
    return 1.0 if given.unit == PMOL_UNIT else design.probes[given.probe].per_cell / PMOL


def _measured(ppb: float, relative_sd: float, blank: float, rng: np.random.Generator) -> float:
    return ppb * (1.0 + float(rng.normal(0.0, relative_sd))) + blank


def _icp_row(sample: str, animal: str, organ: str, ppb: float, replicate: str) -> IcpRow:
    nan = math.nan
    return IcpRow(
        row=0, sample=sample, animal=animal, organ=organ, amount_ng=nan, amount_sd_ng=nan, concentration_ppb=ppb,
        concentration_sd_ppb=nan, digest_ml=DIGEST_ML, dilution=nan, lod_ppb=nan, below_lod=False, digested_g=nan,
        replicate=replicate,
    )  # fmt: skip


def _icp_assay(date: str) -> AssayRow:
    nan = math.nan
    return AssayRow(
        row=0, kind="icp-ms", file=ICP_TABLE, animal="", organ="", section="", channel="", stain="", exposure_s=nan,
        background="", photo="", outlines="", pixel_um=nan, probe="", lot="", replicate="", date=date,
        instrument="virtual ICP-MS",
    )  # fmt: skip
