"""The methods text: paragraphs ready to paste, with every parameter, its unit and the citations."""

from collections.abc import Sequence

from lampyris.core.settings import AnalysisOptions, Band, Instrument, ProbeSettings, StudySettings
from lampyris.core.study import RunRecord

# the numbers themselves, so that the text cannot say another
from lampyris.imaging import step
from lampyris.imaging.detection import background, detect, matched_filter, photometry, regions
from lampyris.imaging.light import nominal
from lampyris.imaging.radiance import calibrate
from lampyris.study.methods.spread import SPREAD_REFERENCES, listed, spread_methods
from lampyris.study.methods.statistics import STATISTICS_REFERENCES, StatisticsDone, statistics_methods

REFERENCES = (
    "Alexandrakis G, Rannou FR, Chatziioannou AF (2005) Phys Med Biol 50:4225. doi:10.1088/0031-9155/50/17/021",
    "Currie LA (1968) Anal Chem 40:586. doi:10.1021/ac60259a007",
    "Haskell RC et al. (1994) J Opt Soc Am A 11:2727. doi:10.1364/JOSAA.11.002727",
    "Worsley KJ et al. (1996) Hum Brain Mapp 4:58. doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O",
)


def methods_text(
    settings: StudySettings, record: RunRecord, /, *, views: int = 2, done: StatisticsDone | None = None
) -> tuple[str, ...]:
    """Describe how the results were made.

    Parameters
    ----------
    settings : StudySettings
        Every setting used.
    record : RunRecord
        Versions and command.
    views : int
        Most views that a session has.
    done : StatisticsDone, optional
        What of the statistics was done; by default all that a study may hold is described.

    Returns
    -------
    tuple of str
        Paragraphs: imaging, probes, calibration, unmixing, detection, background, photometry, limits, registration, linking,
        localisation, kinds, outcomes, statistics, limits in comparisons, courses, onsets, relations, multiplicity, software,
        references.
    """
    options = settings.analysis
    statistics = statistics_methods(options, views=views, done=done)
    # of what was not done nothing is cited
    cited = [one for one in STATISTICS_REFERENCES if any(one.split()[0] in paragraph for paragraph in statistics)]
    return (
        _imaging(settings),
        *([_probes(settings.probes)] if settings.probes else []),
        _calibration(settings.instrument, options),
        _unmixing(settings.instrument.bands, options),
        _detection(options, views),
        _background(options),
        _photometry(settings.instrument, options),
        _limits(options),
        *spread_methods(
            options,
            settings.growth,
            views=views,
            injected=any(group.label == "injected" for group in settings.groups.values()),
        ),
        *statistics,
        _software(record),
        "References. " + "; ".join(sorted((*REFERENCES, *SPREAD_REFERENCES, *cited))) + ".",
    )


def _imaging(settings: StudySettings) -> str:
    instrument = settings.instrument
    camera = f" with {instrument.name}" if instrument.name else ""
    bands = listed([f"{band.centre_nm:g}/{band.width_nm:g} nm ({band.channel})" for band in instrument.bands])
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
    return f"Probes. {listed(sheets)}."


def _calibration(instrument: Instrument, options: AnalysisOptions) -> str:
    flats = "and divided by the flat field " if any(band.flat for band in instrument.bands) else ""
    return (
        f"Calibration. From each image the dark frame of the same exposure was subtracted {flats}and counts were converted to "
        f"radiance (ph s-1 cm-2 sr-1) with {instrument.gain_e_per_count:g} electrons per count, the exposure, the band's "
        f"transmission ({listed([f'{band.transmission:g}' for band in instrument.bands])}) and "
        f"{instrument.radiance_per_rate:g} ph s-1 cm-2 sr-1 per electron per second, known to "
        f"{100 * instrument.radiance_relative_sd:g} %; where image files brought their own coefficients, these stood in place of it and "
        "of the transmission. The variance of photon and read noise "
        f"({instrument.read_noise_e:g} electrons) was carried through every step. Pixels at or above "
        f"{_percent(calibrate.SATURATED_SHARE)} of full scale ({instrument.full_scale_counts:g} counts) were marked saturated, and "
        f"an image was refused where more than {100 * options.saturated_fraction_max:g} % of the animal's pixels were. Hot pixels "
        f"(dark frame more than {calibrate.HOT_SIGMAS:g} robust standard deviations above its surroundings) and cosmic rays "
        f"(more than {calibrate.COSMIC_SIGMAS:g} standard deviations above what the lens blur can make) were replaced by the local "
        f"median. Places where the flat field is below {_percent(calibrate.LOW_FLAT_SHARE)} of its centre were not searched."
    )


def _unmixing(bands: Sequence[Band], options: AnalysisOptions) -> str:
    lights = {
        "tissue autofluorescence": [band.autofluorescence for band in bands],
        "leaked excitation": [band.leakage for band in bands],
    }
    # as many components as bands, and none that no band records
    unmixed = {name: light for name, light in list(lights.items())[: len(bands) - 1] if sum(light) > 0}
    kept = [name for name, light in lights.items() if name not in unmixed and sum(light) > 0]
    spectra = "".join(f"; {name} {', '.join(f'{part:g}' for part in light)}" for name, light in unmixed.items())
    relative = " (relative, in the order of the bands)" if unmixed else ""
    stays = (
        f" With {_bands(len(bands))} {listed(kept)} could not be unmixed and stayed in the probe image." if kept else ""
    )
    return (
        f"Unmixing. Every pixel's {_bands(len(bands))} gave {listed(['probe', *unmixed])} by weighted least squares, which is "
        "unbiased and may be negative, with its variance; this abundance served detection and photometry. A non-negative solution "
        f"served display only. Reference spectra: the probe's emission in each band{spectra}{relative}. Images of animals "
        f"without a probe were unmixed with the first probe of the settings.{stays} A relative error of "
        f"{options.spectral_error:g} of flux was allowed for the colour that tissue gives the light."
    )


def _bands(count: int) -> str:
    return f"{count} band{'' if count == 1 else 's'}"


def _detection(options: AnalysisOptions, views: int) -> str:
    depths = listed([f"{depth:g}" for depth in options.template_depths_mm])
    both = ", over both views" if views == 2 else ""
    return (
        "Detection. The animal's outline was taken from its photograph, or from its own glow where there was none. Of an image of "
        "several animals each was cut out, and pixels nearer to another were emptied. "
        "The probe image was searched with the surface profiles of point sources at depths of "
        f"{depths} mm, computed by diffusion in homogeneous tissue with Haskell's boundary condition (Haskell 1994), each within "
        f"at most {matched_filter.WINDOW_MAX_MM:g} mm of its centre, against the structure of the background as measured in the same "
        "image, not against photon noise alone: how much each profile's fit scatters over the whole view once background and "
        f"spots are subtracted (away from the spots where room is left), at least "
        f"{detect.LEAST_INFLATION:g} times white noise and at least that of the next narrower profile. "
        "A spot counted as found where its significance exceeded the height that the Euler characteristic of a Gaussian random "
        "field allows (Worsley 1996), widened to Student's t for the degrees of freedom with which the scatter was measured "
        f"(at least {detect.LEAST_FREEDOM:g}), for an expected {options.false_alarms_per_session:g} false alarms per animal and "
        f"session{both}. A peak nearer to a known spot than {detect.MERGE_MM:g} mm or {detect.MERGE_WIDTHS:g} times the width "
        f"of the widest profile among them belonged to that spot. A spot of a significance "
        f"above {detect.FREE_SHAPE_Z:g} was fitted with all "
        "profiles at once, a fainter one with its best. At most "
        f"{options.max_detections_per_view} spots were kept per view. A spot that following "
        f"did not explain is an injection site's within {step.INJECTION_SITE_MM:g} mm of one, else a lesion's."
    )


def _background(options: AnalysisOptions) -> str:
    organs = listed([f"the {organ}" for organ in nominal.UPTAKE_ORGANS])
    return (
        "Background. Together with the spots, smooth terms, the images of the other unmixed components (smoothed by "
        f"{background.SMOOTHING_MM:g} mm, capped not below {background.CLIP_AT_MEDIANS:g} medians) and "
        f"diffuse uptake with the shape of {organs} "
        f"(the lungs before day {step.LUNG_TRAPPING_DAYS:g} only, while cells are trapped there) were fitted by least squares with "
        f"Huber's weights ({background.HUBER_SIGMAS:g} standard deviations, {background.ROBUST_PASSES} passes). Organ shapes were "
        f"allowed a relative error of {options.organ_model_error:g}, the profiles of fitted spots one of up to "
        f"{options.spot_model_error:g} away from their centres; what these errors may feign within {detect.SHAPE_REACH_MM:g} mm was "
        "taken off a spot before its significance was judged."
    )


def _photometry(instrument: Instrument, options: AnalysisOptions) -> str:
    return (
        f"Photometry. A lesion was outlined at {100 * options.outline_fraction:g} % of its fitted peak, in the data where its "
        f"significance was above {photometry.OUTLINE_FROM_DATA_Z:g}, else in its fitted profile. Its flux (ph s-1, summed over "
        "the recorded bands) is pi times radiance times area inside the outline, as Lambert's law gives for a diffuse surface, with "
        "background and neighbours removed; the 'total flux' of vendor software, 4 pi times radiance times area, is listed beside "
        f"it. The {_percent(options.interval_level)} intervals hold photon and read noise, background structure as measured in equal "
        f"areas of the animal, {_percent(photometry.NEIGHBOUR_ERROR)} of subtracted neighbours and "
        f"{_percent(options.organ_model_error)} of subtracted organ uptake, the tissue's colour "
        f"({_percent(options.spectral_error)}), the calibration ({_percent(instrument.radiance_relative_sd)}), "
        f"{_percent(options.edge_error)} where the outline touches the animal's edge, and for probe around wide spots that cannot be "
        f"told from them {_percent(options.wide_spot_error)} times w2/(w2 + ({photometry.WIDE_MM:g} mm)2) for a spot of width w. A "
        f"spot whose flux is less than {photometry.FAINT_SDS:g} of its own standard deviations is flagged. Fluxes are of light that "
        "leaves the skin: they are not corrected for depth."
    )


def _limits(options: AnalysisOptions) -> str:
    return (
        "Limits. For every region of the animal, view and session the weakest spot was computed that the same rule would have found "
        f"with probability {options.detection_power:g} (Currie 1968) at {_percent(regions.HOLDS_AT_SHARE)} of the region's places, "
        "from the background measured in the same image after spots were subtracted. What the background's smooth terms take of "
        f"a spot was added back (at least {_percent(regions.LEAST_SEEN)} of it was taken to be left); a spot found within "
        f"{regions.OWN_SPOT_MM:g} mm of a region did not raise the region's own limit. The limit is given as the flux inside such a "
        "spot's outline, comparable with a lesion's, with the share that this is of the whole, and, for the whole, through light "
        f"transport by diffusion in a nominal mouse on a grid of {options.voxel_mm:g} mm with organ optics of Alexandrakis (2005) "
        "and the probe's label per cell, as labelled-cell equivalents at injection. The subcutis reaches "
        f"{nominal.SUBCUTIS_DEPTH_MM:g} mm deep. The cells' interval holds the spread over a region's places, the probe's spread, and "
        f"a standard deviation of {regions.OPTICS_LOG_SD:g} of the natural logarithm for the animal's optics. These are not cell "
        "numbers at the time of imaging: label is diluted by division, and lost."
    )


def _software(record: RunRecord) -> str:
    versions = listed([f"{name} {version}" for name, version in sorted(record.packages.items())])
    return (
        f"Software. Lampyris {record.lampyris} (source SHA-256 {record.source_hash[:16]}) with {versions}. "
        f"The analysis is repeated by `{record.command}`; the SHA-256 of every input and result is listed with the results."
    )


def _percent(level: float) -> str:
    return f"{100 * level:g} %"
