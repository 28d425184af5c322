"""What each column of the tables of results means: for the documentation, and for the note beside exported tables.

Most columns mean what the docstring of the noun that the row holds says; the rest stand in `COLUMN_MEANING` and, where one
table means another thing, in `TABLE_MEANING`.
"""

import inspect
import re

from lampyris.core.amounts import CalibrationLine, InjectedDose, InstrumentRatio, SignalAmount
from lampyris.core.analyses import Relation, StudyTest
from lampyris.core.assays import Balance, OrganAgreement, OrganPair, OrganReference, OrganResult
from lampyris.core.bench_study import BenchLots, BenchNumber, BenchStated
from lampyris.core.checks import CheckVerdict, ReportingItem
from lampyris.core.comparison import Comparison
from lampyris.core.design import TestResult
from lampyris.core.histology import OrganCall, OrganDensity, SectionResult
from lampyris.core.lesions import Endpoints, Lesion, OrganActivity, OrganOnset, Passage, Reach, Sighting
from lampyris.core.onset import OnsetArm, OnsetResult
from lampyris.core.regions import RegionResult
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import AnimalOutcome, Correction

DESCRIBED: dict[str, tuple[type, ...]] = {
    "detections": (Detection,),
    "limits": (DetectionLimit,),
    "organ_signals": (OrganSignal,),
    "outcomes": (AnimalOutcome,),
    "comparisons": (Comparison,),
    "pairs": (),
    "tests": (TestResult, StudyTest),
    "over_time": (),
    "onset_tests": (TestResult, OnsetResult),
    "onset_curves": (OnsetArm,),
    "relations": (Relation,),
    "lesions": (Lesion,),
    "sightings": (Sighting,),
    "endpoints": (Endpoints,),
    "onsets": (OrganOnset,),
    "burden": (Endpoints,),
    "route": (Passage,),
    "activities": (OrganActivity,),
    "washout": (),
    "reach": (Reach,),
    "calibration": (CalibrationLine,),
    "instruments": (InstrumentRatio,),
    "doses": (InjectedDose,),
    "amounts": (SignalAmount,),
    "organs": (OrganResult,),
    "icp_ms": (OrganReference,),
    "mass_balance": (Balance,),
    "exvivo_pairs": (OrganPair,),
    "exvivo_agreement": (OrganAgreement,),
    "exvivo_comparisons": (Comparison,),
    "exvivo_differences": (),
    "sections": (SectionResult,),
    "organ_densities": (OrganDensity,),
    "organ_calls": (OrganCall,),
    "bench": (BenchNumber,),
    "bench_lots": (BenchLots,),
    "bench_stated": (BenchStated,),
    "curation": (Correction,),
    "regions": (RegionResult,),
    "methods_checks": (CheckVerdict,),
    "reporting_items": (ReportingItem,),
}


def column_meaning(table: str, column: str, /) -> str:
    """Meaning of a column; of ``x_sd``, ``x_low`` and ``x_high`` that of their own.

    Parameters
    ----------
    table, column : str

    Returns
    -------
    str
        "" where nothing is known.

    Examples
    --------
    >>> column_meaning("detections", "flux_low")
    'lower end of the interval of flux'
    """
    # what was found without corrections has the columns of what stands with them
    table = table.removesuffix("_automatic")
    meaning = {key: text for kind in DESCRIBED.get(table, ()) for key, text in parameter_meaning(kind).items()}
    meaning |= COLUMN_MEANING | TABLE_MEANING.get(table, {})
    if column in meaning:
        return meaning[column]
    for end, words in (
        ("_sd", "standard uncertainty"),
        ("_low", "lower end of the interval"),
        ("_high", "upper end of the interval"),
    ):
        if column.endswith(end) and column.removesuffix(end) in meaning:
            return f"{words} of {column.removesuffix(end)}"
    return ""


def parameter_meaning(kind: type) -> dict[str, str]:
    """What the docstring says of each parameter."""
    text = inspect.cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")[2]
    found = {}
    for entry in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?|\n(?=    ))+)", text, re.MULTILINE):
        for name in entry[0].split(", "):
            found[name] = " ".join(entry[1].split())
    return found


# columns that no docstring explains, because they say whose row it is
COLUMN_MEANING = {
    "animal": "whose",
    "group": "arm",
    "session": "imaging session",
    "day": "days since inoculation",
    "view": "side that faces the camera",
    "kind": "one of the kinds below",
    "flags": "names of the flags below that are set",
    "lesions": "lesions in the view with most",
    "endpoint": "what is compared",
    "unit": "unit of the values",
    "n": "animals",
    "censored": "animals whose value is a limit",
    "mean": "mean of the arm",
    "omega_squared": "effect size",
    "statistic": "statistic of the test",
    "df1": "its first degrees of freedom",
    "df2": "its second degrees of freedom",
    "p": "its p value",
    "a": "first arm",
    "b": "second arm",
    "difference": "mean of a minus mean of b",
    "method": "name of the post hoc procedure",
    "test": "name of the test; empty where none could be made",
    "role": "``primary`` the answer; ``assumption`` a check that informs; ``beside`` shown for comparison, or described",
    "design": "what was replicated, and how many",
    "hedges_g": "standardised mean difference (Hedges g); empty where values are limits",
    "superiority": "probability that an animal of a exceeds one of b; empty where values are limits",
}

# columns that mean another thing in one table, or that several parameters make
TABLE_MEANING = {
    "regions": {
        "region": "name that the file gives it",
        "label": "class or kind that the file gives it",
        "meaning": "as regions.csv says",
        "file": "file of regions that it comes from",
        "area_mm2": "area of its pixels",
        "detections": "numbers of the view's detections whose outlines meet the region",
        "lesions": "lesions that own those detections",
    },
    "comparisons": {
        "sd": "standard deviation of the arm's animals (divisor n - 1)",
        "letters": "arms without a common letter differ, those with one were not told apart",
    },
    "tests": {
        "question": "what was asked",
        "stated_primary": "stated in advance as the primary endpoint",
        "p_family": "p adjusted for what was asked together; of answers alone",
        "p_all": "p adjusted by Holm's method for every answer of the study",
        "df1": "its first degrees of freedom; empty where it has none",
        "note": "what a reader must know",
    },
    "over_time": {
        "what": "``mean`` of an arm, or ``difference`` of two",
        "a": "arm, or first arm",
        "b": "second arm of a difference",
        "n": "animals of the arm on that day",
        "value": "mean or difference that the model gives",
        "p_alone": "p of the difference before adjustment",
        "p": "and after",
        "method": "how p was adjusted",
        "model": "the model in words",
    },
    "onset_tests": {"df1": "its degrees of freedom; empty where it has none"},
    "onset_curves": {
        "event": "what came",
        "day": "end of an interval between sessions",
        "free": "share of animals without the event",
        "median_after": "half of the animals was reached after this day, which is all that is known of the median",
        "median_by": "and by this day; inf where half was not reached",
    },
    "relations": {
        "n": "animals with both values measured",
        "p": "p of its test; empty where the arm is described beside the answer",
        "left_out": "animals of which a value is a detection limit",
    },
    "detections": {"lesion": "the lesion that owns it, in the table of lesions; of those that share it the first"},
    "lesions": {
        "lesion": "Identity within the animal, from 1; the same on every day.",
        "kind": "likeliest of the kinds of the table of detections",
        "kind_probability": "probability of that kind",
        "organ_probability": "probability of that organ",
        "second_organ": "the organ that is next likely",
        "second_organ_probability": "its probability",
        "z_mm": "towards the back, in the nominal animal",
        "y_mm": "from the nose, in the nominal animal",
        "x_mm": "to the animal's left, in the nominal animal",
        "after_day": "its cells arrived after this day; -inf for before the first session",
        "by_day": "and by this day, the first session that shows it",
        "last_day": "the last session that shows it",
        "lost_by_day": "the first session after that that would have shown it and did not; inf if there is none",
        "split_from": "the lesion with which it shares a spot before its first own sighting",
        "merged_into": "the lesion with which it shares a spot after its last own sighting",
        "reasons": "what spoke for the kind and the organ",
    },
    "sightings": {
        "lesion": "of the table of lesions",
        "kind": "of the lesion",
        "organ": "of the lesion",
        "detections": "view and number of each detection that shows it",
    },
    "endpoints": {
        "after_day": "first spread after this day",
        "by_day": "first spread by this day; inf where none is seen",
        "sites": "lesions other than the primary that were seen up to the last session",
    },
    "onsets": {
        "organ": "every organ of the nominal animal",
        "after_day": "reached after this day",
        "by_day": "reached by this day; inf where no lesion is called there",
    },
    "burden": {"sites": "lesions other than the primary that were seen up to then"},
    "route": {
        "source": "organ of the primary, or where cells were put in",
        "target": "organ of the lesion",
        "after_day": "arrived after this day",
        "by_day": "arrived by this day",
    },
    "washout": {
        "organ": "organ, or lesion N",
        "half_life_days": "days over which its signal halves after one dose; empty where each session has a dose of its own",
    },
    "reach": {"organ": "``any`` for any organ but the primary's"},
    "calibration": {
        "calibration": "name of the line, in words",
        "kind": "kind of its standards: well plate or phantom",
        "probe": "what the standards hold",
        "instrument": "what measured them",
        "unit": "unit of their amounts",
        "n": "standards that carry the line",
        "levels": "different amounts among them",
        "low_amount": "smallest amount for which the line holds",
        "high_amount": "largest amount for which the line holds",
        "absolute_sd": "scatter of one standard where there is no amount",
        "relative_sd": "scatter of one standard as a share of its flux",
        "detection_amount": "amount that can be told from none: 3.3 standard deviations of the flux at no amount",
        "quantification_amount": "amount that can be measured: 10 standard deviations of the flux at no amount",
        "lack_of_fit_p": "p of the test for scatter beyond the replicates'",
        "quadratic_p": "p of the test for a bend",
        "brightness_ratio": "how brightly the label shines in wells, over what study.toml gives",
        "flags": "what to know of the line",
    },
    "instruments": {
        "a": "first instrument",
        "b": "second instrument",
        "kind": "kind of the standards",
        "probe": "what the standards hold",
        "unit": "unit of their amounts",
        "pairs": "standards measured on both",
        "agreement_low": "95 % of single standards' ratios are expected above this",
        "agreement_high": "and below this",
    },
    "doses": {"method": "how it was obtained"},
    "organs": {
        "organ": "which organ, as in organs.csv",
        "probe": "key of the probe; empty for unlabelled controls",
        "file": "image of the tray",
        "tissue": "whose optics were used",
        "y_mm": "middle of the outline, down from the first pixel's centre",
        "x_mm": "the same, to the right",
        "area_mm2": "of the outline",
        "unit": "unit of the amount",
        "percent_dose": "share of the animal's dose",
        "percent_dose_per_gram": "the same per gram of organ",
        "below_limit": "not told from nothing: the value lies below the upper end of its interval",
        "flags": "what to know of the organ, in words",
        "left_out": "why the animal is in no sum, agreement or comparison; empty where it is",
    },
    "icp_ms": {
        "organ": "which organ, as in organs.csv",
        "percent_dose": "share of the animal's dose",
        "percent_dose_per_gram": "the same per gram of organ",
        "replicates": "digests of the organ",
        "flags": "what to know of the organ, in words",
    },
    "mass_balance": {"percent_dose": "sum over the organs"},
    "exvivo_pairs": {
        "compared": "with what: icp-ms (a the tray, b mass spectrometry) or in vivo (a the living animal, b the tray)",
        "organ": "which organ of the animal",
        "unit_a": "unit of a",
        "a": "the first measurement",
        "unit_b": "unit of b",
        "b": "the second measurement",
    },
    "exvivo_agreement": {
        "a": "first way of measuring",
        "b": "second way of measuring",
        "organ": "which organ; all for every organ, nested in the animals",
        "animals": "animals: the unit of replication",
        "pairs": "organs measured in both ways",
        "lower": "95 % of single ratios are expected above this",
        "upper": "and below this",
        "slope": "of log10 a against log10 b, errors in both; 1 is proportional",
        "intercept": "of that line",
        "notes": "what a reader must know",
    },
    "sections": {
        "organ": "of which it is",
        "section": "which section of the organ",
        "file": "its micrograph",
        "pixel_um": "width of a pixel in the tissue",
        "tissue_mm2": "area of tissue in it",
        "blur_um": "width of the nuclei's edges",
        "saturated_share": "share of the tissue at the camera's ceiling",
        "flags": "what to know of the section, in words",
    },
    "organ_densities": {
        "organ": "which organ",
        "sections": "used",
        "nuclei": "in them",
        "labelled": "in them",
        "tissue_mm2": "area of tissue in them",
        "positive": "yes where labelled cells are there: p is below the stated level; empty where that cannot be told",
        "flags": "what to know of the organ's sections, in words",
    },
    "organ_calls": {
        "organ": "of the living animal",
        "called": "what the living animal's images say; empty where they were not called, for the reason",
        "truth": "by sections; empty where they do not tell",
    },
    "bench": {
        "technique": "what measured it",
        "probe": "key of [probes] in study.toml; empty where nothing was said",
        "lot": "lot of the probe; empty where nothing was said",
        "sample": "name of the record, ``(pooled)`` for what the technique reports",
        "value": "the number",
        "sd": "its standard uncertainty; empty where only an interval is known",
        "low": "lower end of its interval",
        "high": "upper end of its interval",
        "level": "coverage of the interval",
        "unit": "unit of value, sd, low and high",
        "method": "how value and interval were obtained",
        "n": "records behind it",
        "replicate": "what those are, in words: what the uncertainty speaks of",
        "flags": "what lowers trust in its record",
    },
    "bench_lots": {
        "technique": "what measured it",
        "probe": "key of [probes] in study.toml",
        "quantity": "as in the table of the bench",
        "lots": "how many lots",
        "unit": "unit of mean and sd",
        "mean": "of the lots' values; its interval is widened as if all lots shared a lot's own error",
        "sd_between": "standard deviation between lots, errors of measuring included",
        "flagged": "lots in the mean whose own number is flagged, with their flags; they are not left out",
    },
    "bench_stated": {
        "technique": "what measured it",
        "probe": "key of [probes] in study.toml",
        "lot": "lot of the probe; empty where lots were averaged or none was named",
        "quantity": "as in the table of the bench",
        "unit": "unit of all numbers of the row",
        "stated": "what study.toml says",
        "stated_sd": "its standard uncertainty; 0 where none is stated",
        "inside": "yes where the interval of the difference holds 0; empty where there is no interval",
    },
    "exvivo_comparisons": {"p_adjusted": "p adjusted for the number of organs", "adjustment": "how, and over how many"},
    "amounts": {
        "view": "of an organ's glow; empty for lesions",
        "lesion": "number of the lesion; empty for an organ's glow",
        "organ": "organ called for it",
        "unit": "unit of the amounts",
        "flags": "what to know of the amount",
    },
}
