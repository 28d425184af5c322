"""The methods text: paragraphs ready to paste, with every parameter, its unit and the citations."""

from collections.abc import Sequence

from lampyris.core.settings import AnalysisOptions, Band, Instrument, ProbeSettings, StudySettings
from lampyris.core.study import RunRecord

REFERENCES = (
    "Alexandrakis G, Rannou FR, Chatziioannou AF (2005) Phys Med Biol 50:4225. doi:10.1088/0031-9155/50/17/021",
    "Currie LA (1968) Anal Chem 40:586. doi:10.1021/ac60259a007",
    "Delacre M, Leys C, Mora YL, Lakens D (2019) Int Rev Soc Psychol 32:13. doi:10.5334/irsp.198",
    "Games PA, Howell JF (1976) J Educ Stat 1:113. doi:10.3102/10769986001002113",
    "Haskell RC et al. (1994) J Opt Soc Am A 11:2727. doi:10.1364/JOSAA.11.002727",
    "Holm S (1979) Scand J Stat 6:65",
    "Steiger JH (2004) Psychol Methods 9:164. doi:10.1037/1082-989X.9.2.164",
    "Welch BL (1951) Biometrika 38:330. doi:10.1093/biomet/38.3-4.330",
    "Worsley KJ et al. (1996) Hum Brain Mapp 4:58. doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O",
)


def methods_text(settings: StudySettings, record: RunRecord, /) -> tuple[str, ...]:
    """Describe how the results were made.

    Parameters
    ----------
    settings : StudySettings
        Every setting used.
    record : RunRecord
        Versions and command.

    Returns
    -------
    tuple of str
        Paragraphs: imaging, probes, calibration, unmixing, detection, photometry, limits, statistics, software, references.
    """
    options = settings.analysis
    return (
        _imaging(settings),
        *([_probes(settings.probes)] if settings.probes else []),
        _calibration(settings.instrument, options),
        _unmixing(settings.instrument.bands, options),
        _detection(options),
        _photometry(settings.instrument, options),
        _limits(options),
        _statistics(options),
        _software(record),
        "References. " + "; ".join(REFERENCES) + ".",
    )


def _imaging(settings: StudySettings) -> str:
    instrument = settings.instrument
    camera = f" with {instrument.name}" if instrument.name else ""
    bands = _listed([f"{band.centre_nm:g}/{band.width_nm:g} nm ({band.channel})" for band in instrument.bands])
    simulated = " The images were simulated, not recorded." if settings.study.synthetic else ""
    diet = {"purified": " Animals were on a purified diet.", "chow": " Animals were on a chow diet."}
    return (
        f"Imaging. Epifluorescence images were recorded{camera}: excitation at {instrument.excitation_nm:g} nm, "
        f"{instrument.excitation_mw_per_cm2:g} mW/cm2, emission bands (centre/width) {bands}; "
        f"{instrument.pixel_mm:g} mm per pixel at the stage, lens blur {instrument.blur_mm:g} mm (standard deviation)."
        f"{simulated}{diet.get(settings.study.diet, '')}"
    )


def _probes(probes: dict[str, ProbeSettings]) -> str:
    sheets = [
        f"{probe.title or name} ({probe.kind}; emission {probe.emission_nm:g} nm, width {probe.fwhm_nm:g} nm; molar extinction "
        f"{probe.molar_extinction_per_m_cm:g} M-1 cm-1 at the excitation; quantum yield {probe.quantum_yield:g}"
        + (f" ± {probe.quantum_yield_sd:g}" if probe.quantum_yield_sd else "")
        + f"; {probe.per_cell:g} per labelled cell at injection, relative standard deviation {probe.per_cell_relative_sd:g}"
        + (f"; lots {', '.join(probe.lots)}" if probe.lots else "")
        + ")"
        for name, probe in probes.items()
    ]
    return f"Probes. {_listed(sheets)}."


def _calibration(instrument: Instrument, options: AnalysisOptions) -> str:
    flats = "and divided by the flat field " if any(band.flat for band in instrument.bands) else ""
    return (
        f"Calibration. From each image the dark frame of the same exposure was subtracted {flats}and counts were converted to "
        f"radiance (ph s-1 cm-2 sr-1) with {instrument.gain_e_per_count:g} electrons per count, the exposure, the band's "
        f"transmission ({_listed([f'{band.transmission:g}' for band in instrument.bands])}) and "
        f"{instrument.radiance_per_rate:g} ph s-1 cm-2 sr-1 per electron per second, known to "
        f"{100 * instrument.radiance_relative_sd:g} %. The variance of photon and read noise "
        f"({instrument.read_noise_e:g} electrons) was carried through every step. Pixels at or above 99 % of full scale "
        f"({instrument.full_scale_counts:g} counts) were marked saturated, and an image was refused where more than "
        f"{100 * options.saturated_fraction_max:g} % of the animal's pixels were; hot pixels and cosmic rays were replaced by "
        "the local median and left out of sums."
    )


def _unmixing(bands: Sequence[Band], options: AnalysisOptions) -> str:
    autofluorescence = ", ".join(f"{band.autofluorescence:g}" for band in bands)
    leakage = ", ".join(f"{band.leakage:g}" for band in bands)
    components = _listed(["probe", "tissue autofluorescence", "leaked excitation"][: len(bands)])
    return (
        f"Unmixing. Every pixel's {len(bands)} bands were unmixed into {components} by weighted least squares, which is unbiased "
        "and may be negative, with its variance; this abundance served detection and photometry. A non-negative solution served "
        f"display only. Reference spectra: the probe's emission in each band; autofluorescence {autofluorescence}; leakage "
        f"{leakage} (relative, in the order of the bands). A relative error of {options.spectral_error:g} of flux was allowed for "
        "the colour that tissue gives the light."
    )


def _detection(options: AnalysisOptions) -> str:
    depths = _listed([f"{depth:g}" for depth in options.template_depths_mm])
    return (
        f"Detection. The probe image was searched with the surface profiles of point sources at depths of {depths} mm, computed "
        "by diffusion in homogeneous tissue with Haskell's boundary condition (Haskell 1994), against the structure of the "
        "background as measured in the same image, not against photon noise alone. A spot counted as found where its significance "
        "exceeded the height that the Euler characteristic of a Gaussian random field allows (Worsley 1996), widened to Student's t "
        "for the degrees of freedom with which the background's spread was measured, for an expected "
        f"{options.false_alarms_per_session:g} false alarms per animal and session, over both views. Diffuse uptake with the "
        f"shape of whole organs was fitted beside the spots (relative template error {options.organ_model_error:g}); the profile "
        f"of a fitted spot was allowed a relative error of up to {options.spot_model_error:g} away from its centre. At most "
        f"{options.max_detections_per_view} spots were kept per view. Spots at injection sites and wide glows around brighter "
        "spots are listed by their kind and are not counted as lesions."
    )


def _photometry(instrument: Instrument, options: AnalysisOptions) -> str:
    return (
        f"Photometry. A lesion was outlined at {100 * options.outline_fraction:g} % of its fitted peak. Its flux (ph s-1, summed over "
        "the recorded bands) is pi times radiance times area, as Lambert's law gives for a diffuse surface, with background and "
        "neighbours removed; the 'total flux' of vendor software, 4 pi times radiance times area, is listed beside it. The "
        f"{_percent(options.interval_level)} intervals hold photon and read noise, background structure, the calibration's "
        f"{100 * instrument.radiance_relative_sd:g} %, the model errors above and, growing with a spot's width, up to "
        f"{100 * options.wide_spot_error:g} % for probe around wide spots that cannot be told from them. Fluxes are of "
        "light that leaves the skin: they are not corrected for depth."
    )


def _limits(options: AnalysisOptions) -> str:
    return (
        "Limits. For every region of the animal, view and session the weakest spot was computed that the same rule would have found "
        f"with probability {options.detection_power:g} (Currie 1968), from the background measured there before anything was "
        "scored. It is given as flux and, through light transport by diffusion in a nominal mouse on a grid of "
        f"{options.voxel_mm:g} mm with organ optics of Alexandrakis (2005) and the probe's label per cell, as labelled-cell "
        "equivalents at injection. These are not cell numbers at the time of imaging: label is diluted by division, and lost."
    )


def _statistics(options: AnalysisOptions) -> str:
    return (
        "Statistics. The animal was the experimental unit. Its value per session was the sum of the lesions' fluxes in the brighter "
        "of its views; own uncertainties were added in quadrature and shared ones linearly. Where nothing was found the animal entered "
        "at its limit (the largest over regions of the smaller over views) and was marked. Endpoints were the logarithm of the flux on "
        "the last day shared by all labelled arms, and of its ratio to the first such day. Labelled arms were compared by Welch's "
        "analysis of variance (Welch 1951), which does not assume equal variances (Delacre 2019), and all pairs by the Games-Howell "
        f"procedure (Games & Howell 1976), with {_percent(options.interval_level)} intervals and omega squared with the interval of the "
        "noncentral F distribution (Steiger 2004); omnibus p values were adjusted over endpoints by Holm's method (Holm 1979). "
        "Means are given with Student's t interval. No test was made with fewer than three animals in an arm. Control arms were "
        "described, not tested."
    )


def _software(record: RunRecord) -> str:
    versions = _listed([f"{name} {version}" for name, version in sorted(record.packages.items())])
    return (
        f"Software. Lampyris {record.lampyris} (source SHA-256 {record.source_hash[:16]}) with {versions}. "
        f"The analysis is repeated by `{record.command}`; the SHA-256 of every input and result is listed with the results."
    )


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
