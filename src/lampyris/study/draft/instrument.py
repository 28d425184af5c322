"""Drafts the instrument: bands and wavelengths, pixel pitch, noise, colours of tissue and leakage, calibration."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.camera.photon_transfer import sensor_noise
from lampyris.core.finding import Finding
from lampyris.core.schemas import SAMPLESHEET
from lampyris.io.settings import UNFILLED
from lampyris.study.draft.names import is_control, plain_text, read_name
from lampyris.study.draft.notes import Notebook
from lampyris.study.draft.scan import FoundImage
from lampyris.study.draft.shots import Said, Shot, clean_name, keep

WAVELENGTH_TOLERANCE_NM = 0.5
PIXEL_TOLERANCE = 0.005
ASSUMED_EMISSION_NM = 800.0
ASSUMED_EMISSION_STEP_NM = 30.0
ASSUMED_STOKES_NM = 70.0
"""Excitation below the shortest band, where no file says it."""
ASSUMED_WIDTH_NM = 20.0
"""Width of the emission filters of common small-animal imagers."""
ASSUMED_GAIN = 1.0
ASSUMED_READ_NOISE_E = 10.0
ASSUMED_RADIANCE_PER_RATE = 1.5e5
"""Of a cooled camera with 50-um pixels after binning behind an f/2 lens, at half efficiency; others differ threefold."""
ASSUMED_RADIANCE_SD = 0.5
VENDOR_RADIANCE_SD = 0.1
ASSUMED_IRRADIANCE_MW_CM2 = 1.0
_MOST_NOISE_PLANES = 300
# counts at which converters of fewer bits than their files end
_FULL_SCALES = (1023.0, 4095.0, 16383.0, 32767.0)
# pixels that share the largest count: no chance
_PILED_UP = 5
_CELLS_ONLY = "It scales numbers of cells, nothing else: write your own."
_LIMITS = {column.name: (column.low, column.high) for column in SAMPLESHEET}


@dataclass(frozen=True, slots=True, eq=False)
class DraftedInstrument:
    """What the images say of the instrument.

    Parameters
    ----------
    table : dict
        Of study.toml.
    shots : list of Shot
        Those that fit it, with channel and wavelengths.
    findings : list of Finding
        Images that do not fit it.
    offset_counts : float
        Dark level.
    """

    table: dict[str, Any]
    shots: list[Shot]
    findings: list[Finding]
    offset_counts: float


def draft_instrument(
    shots: Sequence[Shot], darks: Sequence[FoundImage], photos: Mapping[str, FoundImage], notes: Notebook, /
) -> DraftedInstrument:
    """Draft ``[instrument]`` from the images of a study.

    Parameters
    ----------
    shots : sequence of Shot
        Rows so far.
    darks : sequence of FoundImage
        Dark frames.
    photos : mapping of str to FoundImage
        Photograph by image path.
    notes : Notebook
        Where every value is written down.
    """
    findings: list[Finding] = []
    used = _with_channels(shots)
    used, excitation = _with_excitation(used)
    used, left = _of_one_excitation(used, excitation)
    findings += left
    used, left, pixel = _of_one_pixel(used, notes)
    findings += left
    used, left = _of_common_bands(used)
    findings += left
    bands = _bands(used, notes)
    offset = _offset(used, darks)
    table: dict[str, Any] = {"name": _camera_name(used, notes), "pixel_mm": pixel}
    gain = _noise(used, darks, offset, table, notes)
    _full_scale(used, table, notes)
    _radiance(used, gain, table, notes)
    table["blur_mm"] = 0.3
    notes.note(
        "instrument.blur_mm",
        0.3,
        "assumed",
        "low",
        "It shapes the faintest spots: write the lens's, from a point of light.",
    )
    table["excitation_nm"] = excitation.value
    notes.note("instrument.excitation_nm", excitation.value, excitation.source, excitation.confidence, excitation.do)
    table["excitation_mw_per_cm2"] = ASSUMED_IRRADIANCE_MW_CM2
    notes.note("instrument.excitation_mw_per_cm2", ASSUMED_IRRADIANCE_MW_CM2, "assumed", "low", _CELLS_ONLY)
    table["bands"] = _with_colours(bands, used, photos, offset, notes)
    used = [replace(shot, excitation_nm=float(str(excitation.value))) for shot in used]
    return DraftedInstrument(table, used, findings, offset)


def _camera_name(shots: Sequence[Shot], notes: Notebook) -> str:
    named = Counter(shot.found.image.labels.get("instrument", "") for shot in shots)
    named.pop("", None)
    name = plain_text(min(named, key=lambda word: (-named[word], word))) if named else ""
    if name:
        notes.note("instrument.name", name, "metadata", "high")
    return name


# --- bands --------------------------------------------------------------------------------------------------------


def _with_channels(shots: Sequence[Shot]) -> list[Shot]:
    """Emission and channel name of each shot; one name per light, the one met first."""
    lit = [_with_emission(shot) for shot in shots]
    names: dict[float, str] = {}
    unknown: dict[str, float] = {}
    out = []
    for shot in lit:
        image = shot.found.image
        own = image.channels[shot.index]
        if math.isnan(shot.emission_nm):
            centre = unknown.setdefault(own, ASSUMED_EMISSION_NM + ASSUMED_EMISSION_STEP_NM * len(unknown))
            do = "No file says the band's centre: write it in study.toml and in the column emission_nm."
            shot = shot.with_said("emission_nm", Said(centre, "assumed", "low", do))
        several = len(image.channels) > 1
        # a file of several channels is asked for one by its name
        wished = own if several and own == clean_name(own) else f"{shot.emission_nm:g}"
        known = next(
            (name for nm, name in names.items() if abs(nm - shot.emission_nm) <= WAVELENGTH_TOLERANCE_NM), None
        )
        if known is None:
            known = wished if wished not in names.values() else f"{wished} ({shot.emission_nm:g})"
            names[shot.emission_nm] = known
        source = shot.said["emission_nm"]
        out.append(shot.with_said("channel", Said(known, source.source, source.confidence)))
    # where a file of several channels calls a band otherwise, its rows cannot name it
    return [
        shot
        for shot in out
        if len(shot.found.image.channels) == 1 or shot.found.image.channels[shot.index] == shot.channel
    ]


def _with_emission(shot: Shot) -> Shot:
    image, named = shot.found.image, shot.found.says.emission_nm
    own = image.emission_nm[shot.index]
    if _is_wavelength(own):
        return shot.with_said("emission_nm", Said(float(own), "metadata", "high"))
    spoken = read_name(image.channels[shot.index]).emission_nm
    if spoken:
        return shot.with_said("emission_nm", Said(spoken[-1], "metadata", "medium"))
    if len(named) == len(image.channels):
        return shot.with_said("emission_nm", Said(named[shot.index], "name", "medium"))
    if len(image.channels) == 1 and len(named) > 1:
        do = "The name has several wavelengths: the longest was taken for emission, the shortest for excitation."
        return shot.with_said("emission_nm", Said(max(named), "name", "medium", do))
    return shot


def _is_wavelength(value: float) -> bool:
    low, high = _LIMITS["emission_nm"]
    return bool(low is not None and high is not None and low <= value <= high)


def _with_excitation(shots: list[Shot]) -> tuple[list[Shot], Said]:
    """Excitation of each shot, and the instrument's: the most common one."""
    out = []
    for shot in shots:
        image, says = shot.found.image, shot.found.says
        own = image.excitation_nm[shot.index]
        if _is_wavelength(own):
            shot = shot.with_said("excitation_nm", Said(float(own), "metadata", "high"))
        elif _is_wavelength(says.excitation_nm):
            shot = shot.with_said("excitation_nm", Said(says.excitation_nm, "name", "medium"))
        elif len(image.channels) == 1 and len(says.emission_nm) > 1:
            shot = shot.with_said("excitation_nm", Said(min(says.emission_nm), "name", "medium"))
        out.append(shot)
    said = [shot.said["excitation_nm"] for shot in out if not math.isnan(shot.excitation_nm)]
    if said:
        counts = Counter(float(str(one.value)) for one in said)
        value = min(counts, key=lambda nm: (-counts[nm], nm))
        return out, next(one for one in said if one.value == value)
    shortest = min((shot.emission_nm for shot in out), default=ASSUMED_EMISSION_NM)
    do = "No file says it: write it here and in the column excitation_nm."
    return out, Said(max(200.0, shortest - ASSUMED_STOKES_NM), "assumed", "low", do)


def _of_one_excitation(shots: list[Shot], said: Said) -> tuple[list[Shot], list[Finding]]:
    value = float(str(said.value))
    kept, left = keep(
        shots,
        lambda shot: math.isnan(shot.excitation_nm) or abs(shot.excitation_nm - value) <= WAVELENGTH_TOLERANCE_NM,
        lambda shot: f"was excited at {shot.excitation_nm:g} nm, most images at {value:g} nm.",
        "A study has one excitation: draft another study for the other.",
    )
    return [
        shot if not math.isnan(shot.excitation_nm) else shot.with_said("excitation_nm", said) for shot in kept
    ], left


def _of_one_pixel(shots: list[Shot], notes: Notebook) -> tuple[list[Shot], list[Finding], Any]:
    """Images of the most common pixel pitch, which is the instrument's."""
    pitches = Counter(round(shot.found.image.pixel_mm, 9) for shot in shots if shot.found.image.pixel_mm > 0)
    if not pitches:
        do = "pixel pitch at the stage in mm, after binning: the width of the field of view divided by the pixels across."
        notes.note("instrument.pixel_mm", UNFILLED, "assumed", "low", do)
        return shots, [], UNFILLED
    pixel = min(pitches, key=lambda one: (-pitches[one], one))
    kept, left = keep(
        shots,
        lambda shot: (
            not shot.found.image.pixel_mm > 0 or abs(shot.found.image.pixel_mm - pixel) <= PIXEL_TOLERANCE * pixel
        ),
        lambda shot: f"has {shot.found.image.pixel_mm:g} mm a pixel, most images {pixel:g} mm.",
        "A study has one field of view and binning: draft another study for the other.",
    )
    notes.note("instrument.pixel_mm", pixel, "metadata", "high")
    return kept, left, pixel


def _of_common_bands(shots: list[Shot]) -> tuple[list[Shot], list[Finding]]:
    """Bands that most views have, and views that have them all."""
    views: dict[tuple[str, float, str], set[str]] = {}
    for shot in shots:
        views.setdefault((shot.animal, shot.day, shot.view), set()).add(shot.channel)
    counts = Counter(channel for channels in views.values() for channel in channels)
    bands = {channel for channel, count in counts.items() if 2 * count >= len(views)} or set(
        next(iter(views.values()), set())
    )
    kept, rare = keep(
        shots,
        lambda shot: shot.channel in bands,
        lambda shot: f"is of {shot.channel}, which fewer than half of the views have.",
        "Add the band to study.toml and the missing images, or leave it.",
    )
    whole = {view for view, channels in views.items() if bands <= channels}
    kept, short = keep(
        kept,
        lambda shot: (shot.animal, shot.day, shot.view) in whole,
        lambda shot: (
            f"belongs to a view that lacks {', '.join(sorted(bands - views[shot.animal, shot.day, shot.view]))}."
        ),
        "Unmixing needs every band: add the missing images.",
    )
    return kept, [*rare, *short]


def _bands(shots: Sequence[Shot], notes: Notebook) -> list[dict[str, Any]]:
    found: dict[str, Shot] = {}
    for shot in sorted(shots, key=lambda one: (one.emission_nm, one.channel)):
        found.setdefault(shot.channel, shot)
    bands = []
    for number, (channel, shot) in enumerate(found.items()):
        said = shot.said["emission_nm"]
        bands.append(
            {"channel": channel, "centre_nm": float(str(said.value)), "width_nm": ASSUMED_WIDTH_NM, "transmission": 0.9}
        )
        field = f"instrument.bands[{number}]"
        notes.note(f"{field}.centre_nm", said.value, said.source, said.confidence, said.do)
        notes.note(
            f"{field}.width_nm", ASSUMED_WIDTH_NM, "assumed", "low", f"The filter's, from its maker. {_CELLS_ONLY}"
        )
        notes.note(f"{field}.transmission", 0.9, "assumed", "low", f"The filter's, from its maker. {_CELLS_ONLY}")
    return bands


# --- noise and scale ----------------------------------------------------------------------------------------------


def _offset(shots: Sequence[Shot], darks: Sequence[FoundImage]) -> float:
    """Counts where no light falls: of dark frames, else the lowest that an image has."""
    levels = [plane.median for dark in darks for plane in dark.planes]
    levels = levels or [level for shot in shots for level in shot.found.dark]
    lows = [shot.found.planes[shot.index].low for shot in shots]
    return float(median(levels)) if levels else min(lows, default=0.0)


def _noise(
    shots: Sequence[Shot], darks: Sequence[FoundImage], offset: float, table: dict[str, Any], notes: Notebook
) -> float:
    planes = {shot.plane_key: shot.found.planes[shot.index].noise for shot in shots}
    step = max(1, len(planes) // _MOST_NOISE_PLANES)
    found = sensor_noise(
        list(planes.values())[::step],
        offset_counts=offset,
        dark=[plane.noise for dark in darks for plane in dark.planes][:_MOST_NOISE_PLANES],
    )
    if found is None:
        do = "The images do not show it: write the data sheet's. It weighs on every uncertainty."
        table["gain_e_per_count"], table["read_noise_e"] = ASSUMED_GAIN, ASSUMED_READ_NOISE_E
        for key in ("gain_e_per_count", "read_noise_e"):
            notes.note(f"instrument.{key}", table[key], "assumed", "low", do)
        return ASSUMED_GAIN
    for key, estimate in (("gain_e_per_count", found.gain_e_per_count), ("read_noise_e", found.read_noise_e)):
        table[key] = float(f"{estimate.value:.4g}")
        spread = estimate.sd / estimate.value if estimate.value > 0 else math.inf
        do = f"± {estimate.sd:.2g} from the noise of {found.blocks} smooth places in the images; a data sheet knows it better."
        notes.note(f"instrument.{key}", table[key], "estimated", "medium" if spread < 0.25 else "low", do)
    return float(table["gain_e_per_count"])


def _full_scale(shots: Sequence[Shot], table: dict[str, Any], notes: Notebook) -> None:
    planes = [shot.found.planes[shot.index] for shot in shots]
    dtype = shots[0].found.image.counts.dtype if shots else np.dtype(np.uint16)
    top = float(2 ** (8 * dtype.itemsize) - 1) if dtype.kind == "u" and dtype.itemsize <= 2 else 65535.0
    highest = max((plane.highest for plane in planes), default=top)
    piled = any(plane.highest == highest and plane.at_highest >= _PILED_UP for plane in planes)
    ends = next((full for full in _FULL_SCALES if piled and 0.98 * full <= highest <= full), None)
    if ends is not None and ends < top:
        table["full_scale_counts"] = highest
        do = f"Pixels pile up there, below the {top:g} that the files could hold."
        notes.note("instrument.full_scale_counts", highest, "estimated", "medium", do)
    else:
        table["full_scale_counts"] = max(top, highest)
        notes.note("instrument.full_scale_counts", table["full_scale_counts"], "metadata", "medium")


def _radiance(shots: Sequence[Shot], gain: float, table: dict[str, Any], notes: Notebook) -> None:
    """Radiance of an electron per second: from a vendor's coefficient where files have one."""
    vendor = [
        shot.found.image.radiance_per_count_rate[shot.index]
        for shot in shots
        if shot.found.image.radiance_per_count_rate and shot.found.image.radiance_per_count_rate[shot.index] > 0
    ]
    if vendor:
        # a band's transmission is in the vendor's coefficient; the settings want that of a band that lets all through
        table["radiance_per_rate"] = float(f"{0.9 * median(vendor) / gain:.4g}")
        table["radiance_relative_sd"] = VENDOR_RADIANCE_SD
        do = "From the coefficients in the files; its uncertainty is assumed."
        notes.note("instrument.radiance_per_rate", table["radiance_per_rate"], "metadata", "medium", do)
        notes.note("instrument.radiance_relative_sd", VENDOR_RADIANCE_SD, "assumed", "medium")
        return
    table["radiance_per_rate"] = ASSUMED_RADIANCE_PER_RATE
    table["radiance_relative_sd"] = ASSUMED_RADIANCE_SD
    do = "Radiance, flux and cells are relative until it is known: calibrate, or write the maker's. Groups and days still compare."
    notes.note("instrument.radiance_per_rate", ASSUMED_RADIANCE_PER_RATE, "assumed", "low", do)
    notes.note(
        "instrument.radiance_relative_sd", ASSUMED_RADIANCE_SD, "assumed", "low", "Set it with radiance_per_rate."
    )


# --- colours ------------------------------------------------------------------------------------------------------


def _with_colours(
    bands: list[dict[str, Any]],
    shots: Sequence[Shot],
    photos: Mapping[str, FoundImage],
    offset: float,
    notes: Notebook,
) -> list[dict[str, Any]]:
    """Relative autofluorescence and leakage of the bands, from animals and from the stage around them."""
    if len(bands) < 2:
        return [{**band, "autofluorescence": 1.0, "leakage": 0.0} for band in bands]
    colours = _colours([band["channel"] for band in bands], shots, photos, offset)
    confidence = "low"
    if colours is None:
        # tissue glows less the longer the wave; leakage is left in the image
        centres = np.array([band["centre_nm"] for band in bands])
        tissue, leak = (centres[0] / centres) ** 8, np.zeros(len(bands))
        source, do = "assumed", "The images do not show it: measure an unlabelled animal and an empty stage."
    else:
        tissue, leak, controls = colours
        source = "estimated"
        do = f"From {'unlabelled animals' if controls else 'all animals, labelled ones too'} and the stage around them; measure both."
    out = []
    for number, band in enumerate(bands):
        values = {"autofluorescence": round(float(tissue[number]), 4), "leakage": round(float(leak[number]), 4)}
        out.append({**band, **values})
        for key, value in values.items():
            notes.note(f"instrument.bands[{number}].{key}", value, source, confidence, do)  # type: ignore[arg-type]
    return out


def _colours(
    channels: Sequence[str], shots: Sequence[Shot], photos: Mapping[str, FoundImage], offset: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool] | None:
    """Colour of tissue and of leaked light relative to the first band; None where they cannot be told apart."""
    controls = [shot for shot in shots if is_control(shot.group)]
    views: dict[tuple[str, float, str], dict[str, Shot]] = {}
    for shot in controls or shots:
        views.setdefault((shot.animal, shot.day, shot.view), {})[shot.channel] = shot
    tissue, leak = [], []
    for view in views.values():
        rates = np.array([_rates(view[channel], offset) for channel in channels])
        body, stage = rates.T
        photo = photos.get(view[channels[0]].found.path)
        # leaked light is thrown back by what it meets: the photograph says how much more by the animal than by the stage
        brighter = _brighter(photo, view[channels[0]].found)
        own = body - stage * brighter
        if (own <= 0).any():
            own = body - stage
        if (own > 0).all():
            tissue.append(own / own.sum())
        if (stage > 0).all():
            leak.append(stage / stage.sum())
    if not tissue:
        return None
    mean = np.median(tissue, axis=0)
    stray = np.median(leak, axis=0) if leak else np.zeros(len(channels))
    if stray.any() and np.linalg.cond(np.stack([mean / mean.sum(), stray / stray.sum()], axis=1)) > 200:
        stray = np.zeros(len(channels))
    return mean / mean[0], stray / stray[0] if stray.any() else stray, bool(controls)


def _rates(shot: Shot, offset: float) -> tuple[float, float]:
    plane = shot.found.planes[shot.index]
    dark = shot.found.dark[shot.index] if shot.found.dark else offset
    return (plane.body - dark) / shot.exposure_s, (plane.stage - dark) / shot.exposure_s


def _brighter(photo: FoundImage | None, found: FoundImage) -> float:
    """How much brighter the animal is than the stage, by its photograph; 1 where that is not known."""
    contrast = found.photo_contrast
    if photo is not None:
        plane = photo.planes[0]
        contrast = plane.body / plane.stage if plane.stage > 0 else math.nan
    return min(max(contrast, 1.0), 50.0) if math.isfinite(contrast) else 1.0
