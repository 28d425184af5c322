"""The methods text of what is followed over days: registration, linking, localisation, kinds and outcomes."""

from collections.abc import Sequence

from lampyris.core.settings import AnalysisOptions, Growth

# the numbers themselves, so that the text cannot say another
from lampyris.imaging.body import register, view_labels
from lampyris.imaging.detection import windows
from lampyris.imaging.following import follow, kinds, localise, sightings, sources
from lampyris.imaging.following.link import LinkOptions
from lampyris.imaging.light import light_table, nominal
from lampyris.metastasis import kinetics, spread

SPREAD_REFERENCES = (
    "Clopper CJ, Pearson ES (1934) Biometrika 26:404. doi:10.1093/biomet/26.4.404",
    "Fenton L (1960) IRE Trans Commun Syst 8:57. doi:10.1109/TCOM.1960.1097606",
    "Geman S, McClure DE (1987) Bull Int Stat Inst 52:5",
    "Jaqaman K et al. (2008) Nat Methods 5:695. doi:10.1038/nmeth.1237",
    "Reid D (1979) IEEE Trans Autom Control 24:843. doi:10.1109/TAC.1979.1102177",
)


def spread_methods(options: AnalysisOptions, growth: Growth, /, *, views: int, injected: bool) -> tuple[str, ...]:
    """Describe how lesions were followed over days.

    Parameters
    ----------
    options : AnalysisOptions
        Every setting used.
    growth : Growth
        What was stated of the cells' growth.
    views : int
        Most views that a session has.
    injected : bool
        An arm's probe is injected before each session.

    Returns
    -------
    tuple of str
        Paragraphs: registration, linking, localisation, kinds, outcomes.
    """
    return (
        _registration(views),
        _linking(views),
        _localisation(options, views),
        _kinds(),
        _outcomes(options, growth, injected),
    )


def _registration(views: int) -> str:
    bends, girths = (_numbers(values) for values in (register.BEND_SD_MM, register.GIRTH_SD))
    near, exchanged = register.NEAR_OUTLINE_SD, ""
    if views == 2:
        exchanged = (
            " A session's views are said to look exchanged where its photographs correlate better with the other view of the other "
            f"days by {register.EXCHANGED_MARGIN:g} or more, or where its spots, laid as the other label would, lie nearer to the other "
            f"days' by a logarithm of the odds of {view_labels.LEAST_LOG_ODDS:g} (standard deviation {view_labels.SPOT_SD_MM:g} mm, "
            f"distances up to {view_labels.SPOT_APART_MM:g} mm); such a session was not aligned by its photographs."
        )
    return (
        f"Registration. The outline of a nominal mouse (on a grid of {nominal.OUTLINE_VOXEL_MM:g} mm, smoothed by "
        f"{nominal.OUTLINE_SMOOTH_MM:g} mm) was laid on the animal's by shift, turn, length and width, a bent midline and a girth that "
        "changes along it, by iterated least squares of the distances of points every "
        f"{register.OUTLINE_STEP_MM:g} mm (standard deviation {register.OUTLINE_SD_MM:g} mm or what is left, in common over "
        f"{register.OUTLINE_REACH_MM:g} mm), with the weights of Geman and McClure (Geman 1987) for outliers beyond "
        f"{_numbers(register.OUTLIERS_MM)} mm by turns; what lies within {register.EDGE_MM:g} mm of the image's edge, or "
        f"{register.BEYOND_MM:g} mm beyond it, was given no weight. Before the fit the turn had a standard deviation of "
        f"{register.TURN_SD_RAD:g} rad, the logarithm of the length {register.SIZE_LOG_SD:g} and of the width against it "
        f"{register.RATIO_LOG_SD:g}, the terms of the bend {bends} mm and of the logarithm of the girth {girths}. Where a person had named "
        f"landmarks, these were fitted instead (standard deviation {register.LANDMARK_SD_MM:g} mm). The photographs of one view "
        f"were then aligned over the days at {register.PHOTO_PITCH_MM:g} mm (freed of shading wider than {register.LEVEL_MM:g} mm and of a "
        f"rim of {register.RIM_MM:g} mm; residuals in common over {register.PHOTO_REACH_MM:g} mm), near what the outlines had said "
        f"(standard deviations {_numbers(near)} of centre in mm, turn in rad, logarithms of length and width, bend in mm and girth); "
        f"kept where what the correlation lacked of one shrank to below {_percent(register.LEAST_GAIN)} of it. The misplacement of "
        f"inner places was the fit's own and {register.INNER_SD_MM:g} mm that no outline shows, {register.WITHOUT_RUMP:g} times "
        f"as much where the rump is off the image.{exchanged}"
    )


def _linking(views: int) -> str:
    options = LinkOptions()
    short, long = options.half_life_days
    both = f" and, of two views, by {options.view_offset:g} widths per axis" if views == 2 else ""
    return (
        "Linking. The spots of all days and views of an animal were parted into sources of light, at most one spot per source and "
        "image, as the partition of greatest likelihood (Reid 1979), found by linear assignment with gaps (Jaqaman 2008) and by moves, "
        "splits and merges. A source keeps its place: spots differ by their uncertainty and the registration's (or "
        f"{sources.REGISTRATION_SD_MM:g} mm where that is not known){both}. Its flux falls with a half-life of {short:g} to {long:g} days, "
        f"even in the logarithm, or jumps ({_percent(options.rise_share)} of steps), with a spread of the logarithm of "
        f"{options.flux_spread:g} beyond its uncertainty; a flux counts as at least {sources.FAINTEST_SDS:g} of its standard deviations. "
        f"Assumed: {options.lesions:g} sources an animal on {options.area_mm2:g} mm2 a view, {options.false_spots:g} passing spots an "
        f"image, {_percent(options.present_first)} of sources present from the first session, a source lost with "
        f"{_percent(options.loss)} a session and missed with {_percent(options.miss)} well above the limit. Sources nearer than "
        f"{options.blend_width:g} width may be one spot. An image whose spots all lie beside the other days' by the same way "
        f"({_percent(options.bad_registration)} of images, standard deviation {options.shift_sd_mm:g} mm) was moved, and this is said; a "
        f"session whose spots fit no other's (logarithm of the odds below {follow.MISFIT_LOG_ODDS:g}) is named."
    )


def _localisation(options: AnalysisOptions, views: int) -> str:
    sides = "in its own view and at the same place of the animal in the other" if views == 2 else "in its view"
    shared = (
        f", of which {_percent(localise.COMMON_REGISTRATION)} of the variance is common to both views"
        if views == 2
        else ""
    )
    return (
        f"Localisation. Each spot was read as flux, centre and spread under Gaussian windows ({_numbers(windows.WINDOW_SIGMAS_MM)} mm) on "
        f"the skin, {sides}, neighbours farther than {windows.OWN_REACH_MM:g} mm removed; where a view showed no spot, profiles of "
        f"{windows.FORCED_DEPTH_MM:g} mm depth and more were fitted. The same windows read places where nothing is, at least "
        f"{_percent(windows.QUIET_SHARE)} of the animal, as noise. What a cell at every place of the nominal animal would give under "
        f"the windows was computed by diffusion (grid {light_table.TABLE_VOXEL_MM:g} mm), and all days and views of a source were "
        f"compared with it at once, within {localise.REACH_MM:g} mm of the windows. The error of that model was part of the likelihood: "
        f"{light_table.ENSEMBLE} animals with organs and optics drawn from their tabulated spread, height from "
        f"{_percent(light_table.HEIGHT_RELATIVE_SD)}; {_percent(localise.SHAPE_ERROR)} of each moment; {localise.CENTRE_ERROR_MM:g} mm of "
        f"each centre; the registration's error{shared}; {_percent(localise.UNFITTED_SHARE)} of light that no fitted spot holds. "
        f"Amounts were at least {localise.LEAST_SIGNIFICANCE:g} of their standard deviation, logarithms known to "
        f"{localise.WIDEST_LOG_SD:g} at worst. "
        f"Positions are in the nominal animal, with {_percent(options.interval_level)} intervals; those of depths hold the grid's "
        f"{sources.STEPS_SD_MM:g} mm; sources that no image shows apart "
        f"and that lie within {follow.SAME_PLACE_SDS:g} standard deviations of each other along every axis are one. The probability of "
        "an organ is the share of the drawn animals in which the place belongs to it, weighted with the likelihood; below "
        f"{light_table.LEAST_PROBABILITY:g} it is 0, and what lies in no organ is called subcutis."
    )


def _kinds() -> str:
    stays = ", ".join(f"{kind} {_percent(chance)}" for kind, chance in kinds.STAYS.items())
    return (
        "Kinds. What a source is was weighed by where its light may come from, when it came and went, and how many of each an animal "
        f"is assumed to have: {kinds.PRIMARIES:g} primary, {kinds.METASTASES:g} metastases (spread over the organs by published "
        f"tropism, {_percent(kinds.ELSEWHERE_SHARE)} elsewhere), {kinds.HALOS:g} halos, {kinds.UPTAKES:g} spots of uptake, "
        f"{kinds.TRAPPINGS:g} of trapped cells, {kinds.GUT_SPOTS:g} of gut, {kinds.BLADDERS:g} of bladder (where the probe was injected "
        f"{kinds.INJECTED_UPTAKES:g} each of uptake in liver and spleen, and {kinds.INJECTED_MORE:g} times the bladder), and "
        f"{kinds.ARTEFACTS_PER_SESSION:g} artefacts a session, the last raised or lowered by what the study's unlabelled controls show; "
        f"a control's spot within {follow.CONTROL_REACH_MM:g} mm speaks for an artefact or food at its place. A primary lies within "
        f"{kinds.PRIMARY_SD_MM:g} mm (standard deviation) of the site of inoculation, a halo within {kinds.HALO_SD_MM:g} mm, an artefact "
        f"within {kinds.SKIN_DEPTH_MM:g} mm of the skin; trapping ends on day {kinds.TRAPPED_UNTIL_DAY:g}. Of sources that would still be "
        f"seen, a next session shows: {stays}. What should be there from the start shows late with {_percent(kinds.LATE)}; an arrival is "
        f"never less likely than {_percent(kinds.LEAST_ARRIVAL)}. Tropism is known of a primary in the {listed(kinds.KNOWN_PRIMARIES)}. "
        f"A source where a needle went in is an injection site but for {_percent(follow.NEEDLE_DOUBT)}. These figures are assumptions, "
        "not measurements."
    )


def _outcomes(options: AnalysisOptions, growth: Growth, injected: bool) -> str:
    uptake = (
        " For injected probes the flux of organs and lesions is given by day, in one view on all days; the time over which it halves "
        "is given after one dose alone, where injection_days names the doses."
        if injected
        else ""
    )
    return (
        "Outcomes. A lesion arrived between the last session in which it would have been seen, its label fading no faster than with a "
        f"half-life of {sightings.FASTEST_HALF_LIFE_DAYS:g} days, and the first that shows it. An organ counts as reached on the first day "
        "by which the probability that any lesion lies in it exceeds "
        f"{_percent(spread.REACHED)}. Burden is the sum of labelled-cell equivalents of lesions other than the primary, by Fenton's "
        f"moments of log-normal values (Fenton 1960), {_percent(spread.SHARED_SHARE)} of each variance in common to all; where none was "
        "seen it is the limit. Half-lives are fitted to the logarithm of the flux over "
        f"{kinetics.LEAST_POINTS} sessions or more, each known to {kinetics.LEAST_LOG_SD:g} at best; stated uncertainties are not believed "
        f"where residuals as large have a chance below {_percent(kinetics.DOUBTED)}. The share of an arm's animals in which an organ was "
        "reached by a day is given with the exact binomial interval (Clopper 1934) and beside it the share in which it may have been."
        f"{uptake}{_growth(growth)} Intervals cover {_percent(options.interval_level)}."
    )


def _growth(growth: Growth) -> str:
    if growth.model == "none" or growth.doubling_days is None or growth.doubling_log_sd is None:
        return " No number of cells at present is given, as nothing was stated of their growth."
    capacity = (
        f", up to {growth.capacity_cells:g} cells (standard deviation of the logarithm {growth.capacity_log_sd:g})"
        if growth.capacity_cells is not None
        else ""
    )
    return (
        f" Cells at present are labelled-cell equivalents of the first sighting, grown since day 0 by the law that was stated, not "
        f"measured: {growth.model}, doubling in {growth.doubling_days:g} days (standard deviation of the logarithm "
        f"{growth.doubling_log_sd:g}){capacity}; label lost before the first sighting is not counted."
    )


def _numbers(values: Sequence[float]) -> str:
    return listed([f"{value:g}" for value in values])


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def listed(parts: Sequence[str], /) -> str:
    """Words in a row: commas, and "and" before the last."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
