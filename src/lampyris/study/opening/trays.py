"""Opens the image of a tray of excised organs as a view of a session is opened."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AssayRow, SampleRow
from lampyris.core.settings import StudySettings
from lampyris.imaging.inputs import ViewInput
from lampyris.io.images.frames import mean_image
from lampyris.io.paths import inside
from lampyris.study.opening.views import SHEET, file_reader, open_view
from lampyris.study.rules.sheets import SHEET_ASSAYS


def open_tray(study: Path, rows: Sequence[AssayRow], settings: StudySettings, /) -> ViewInput:
    """Open the image of a tray as a view of a session is opened.

    Parameters
    ----------
    study : Path
    rows : sequence of AssayRow
        Of one file: a row per band, or one for all.
    settings : StudySettings

    Returns
    -------
    ViewInput

    Raises
    ------
    ImageError
        If a file cannot be read, lacks a band or an exposure, or does not fit the others.
    """
    read = file_reader(study, settings)
    samples = []
    for row in rows:
        bands = [band for band in settings.instrument.bands if row.channel in ("", band.channel)]
        for band in bands:
            samples.append(_sample(study, row, band.channel, band.centre_nm, settings))
    try:
        return open_view(read, samples, settings)
    except ImageError as error:
        raise ImageError(str(error.args[0]), [_of_assays(one) for one in error.findings]) from error


def _sample(study: Path, row: AssayRow, channel: str, centre_nm: float, settings: StudySettings) -> SampleRow:
    exposure = row.exposure_s
    if math.isnan(exposure):
        image = mean_image(
            inside(study, row.file, place=Place(SHEET_ASSAYS, row.row)),
            settings.limits,
            file=row.file,
            saturation_counts=settings.instrument.full_scale_counts,
        )
        index = image.channels.index(channel) if channel in image.channels else 0
        exposure = image.exposure_s[index]
        if not exposure > 0:
            seen = f"neither the sheet nor {row.file} says how long {channel} was exposed."
            finding = Finding(
                "image.no-exposure", Severity.ERROR, Place(SHEET_ASSAYS, row.row, "exposure_s"), seen, "Write it."
            )
            raise ImageError(f"{row.file} has no exposure", [finding])
    return SampleRow(
        row=row.row, animal="", session="", day=0.0, date=row.date, group="", view="dorsal", channel=channel,
        excitation_nm=settings.instrument.excitation_nm, emission_nm=centre_nm, exposure_s=exposure, image=row.file,
        photo=row.photo, background=row.background, probe=row.probe, lot=row.lot,
    )  # fmt: skip


def _of_assays(finding: Finding) -> Finding:
    """A finding of an image that the sample sheet would name: here it is named by assays.csv."""
    place = finding.place
    if place.file != SHEET:
        return finding
    column = "file" if place.column == "image" else place.column
    return replace(finding, place=Place(SHEET_ASSAYS, place.row, column))
