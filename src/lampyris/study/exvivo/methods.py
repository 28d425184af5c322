"""What the methods text says of organs on trays and of mass spectrometry."""

from typing import TYPE_CHECKING

from lampyris.core.histology import Histology
from lampyris.core.settings import StudySettings

if TYPE_CHECKING:
    from lampyris.study.exvivo.stored import StoredExVivo

REFERENCES = (
    "Bland JM, Altman DG (1986) Lancet 327:307. doi:10.1016/S0140-6736(86)90837-8",
    "Bland JM, Altman DG (2007) J Biopharm Stat 17:571. doi:10.1080/10543400701329422",
    "Holm S (1979) Scand J Stat 6:65",
    "Lin LI (1989) Biometrics 45:255. doi:10.2307/2532051",
    "Peto R, Peto J (1972) J R Stat Soc A 135:185. doi:10.2307/2344317",
    "Richardson WH (1972) J Opt Soc Am 62:55. doi:10.1364/JOSA.62.000055",
    "York D et al. (2004) Am J Phys 72:367. doi:10.1119/1.1632486",
)


def exvivo_methods(
    stored: "StoredExVivo | None", histology: Histology | None, settings: StudySettings, /
) -> tuple[str, ...]:
    """Paragraphs on the ex vivo part of a study.

    Parameters
    ----------
    stored : StoredExVivo or None
    histology : Histology or None
    settings : StudySettings

    Returns
    -------
    tuple of str
        Trays, mass spectrometry where there is some, agreement, comparison of arms, references; sections.
    """
    organs = _organ_methods(stored, settings) if stored is not None else ()
    return (*organs, *([_section_methods(histology, settings)] if histology is not None else []))


def _section_methods(histology: Histology, settings: StudySettings) -> str:
    cells, sections, animals = histology.controls
    controls = "There was no section of an unlabelled animal. "
    if cells:
        controls = (
            f"The threshold was set on {cells} cells in {sections} sections of {animals} unlabelled "
            f"animal{'' if animals == 1 else 's'}; {100 * histology.false_positives:.2g} % of unlabelled cells are called by it, "
            "and as many are taken off. "
        )
    return (
        f"Sections. In {len(histology.sections)} sections nuclei were segmented in their own channel, and each cell was scored by its "
        f"label in and about the nucleus. {controls}{_detection_words(histology)}Density is labelled cells per area of tissue, an organ's "
        "over its usable sections. "
        "The in vivo call of an organ, at the last session, was judged by its sections: sensitivity and specificity with organs "
        f"nested in animals ({100 * settings.analysis.interval_level:g} % intervals), and the area under the curve of the in vivo "
        "probability (DeLong ER et al. (1988) Biometrics 44:837. doi:10.2307/2531595). Organs that could not be called in vivo, "
        "or whose sections do not tell, are left out and counted."
    )


def _detection_words(histology: Histology) -> str:
    seen = histology.detection
    if seen is None:
        return ""
    return (
        "Scores were counted in no more than what cells of controls vary by. The share of labelled cells that reach the threshold, "
        f"{100 * seen.value:.2g} % ({100 * seen.level:g} % interval {100 * seen.low:.2g} to {100 * seen.high:.2g}), was fitted to how the "
        "scores of labelled sections lie above those of controls, below the threshold too; counts were divided by it. "
    )


def _organ_methods(stored: "StoredExVivo", settings: StudySettings) -> tuple[str, ...]:
    level = f"{100 * settings.analysis.interval_level:g} %"
    count = len(stored.trays)
    trays = (
        f"Excised organs. Organs were imaged on {'a tray' if count == 1 else f'{count} trays'} with the same camera, outlined on the "
        "photograph and their own light (outlines drawn by hand replace automatic ones) and named by their places. Counts became "
        "radiance and were unmixed into probe, tissue and leaked excitation. The tray's own light was fitted around the organs and "
        "taken off; light that the lens carries between neighbours was solved for. What an organ absorbs of its probe's light was "
        "corrected by the diffusion equation in a dome over its outline with the volume of its weight and the tabulated optics of "
        "its tissue. Amounts are over the animal's dose, and over the organ's weight where it was weighed (%ID/g); both were read "
        f"on the same line of wells where there is one. Intervals are {level} and hold the optics' uncertainty."
    )
    parts = [trays] if count else []
    if stored.references:
        parts.append(
            "Mass spectrometry. The mean of the blanks was taken off each digest; what lies below the detection limit is a bound, "
            "never zero. Shares are over the measured dose."
        )
    if stored.agreements:
        parts.append(
            "Agreement. Optical and mass-spectrometric %ID/g of the same organ were compared as ratios: geometric mean and limits of "
            "agreement with organs nested in animals (Bland and Altman), Lin's concordance on logarithms, and a line with errors in "
            "both (York), whose interval is widened where points scatter more than their own errors. Signals of the living animal, "
            "of its last session, and of the excised organ are of different geometry: only the line is given. Animals are the "
            "experimental unit; bounds are not used."
        )
    if stored.comparisons:
        parts.append(
            "Arms were compared on log10 %ID/g, organ by organ, the animal being the unit: Welch's test with Games-Howell intervals, "
            "or, where a value lies below its limit, the likelihood ratio of censored normal means beside Peto and Peto's rank test. "
            f"p was adjusted by Holm over the organs that could be tested. {_tested(stored)}"
        )
    return (*parts, "References to excised organs. " + "; ".join(REFERENCES) + ".")


def _tested(stored: "StoredExVivo") -> str:
    tested = sum(bool(one.test) for one in stored.comparisons)
    return f"Of {len(stored.comparisons)} organs {tested} could be tested."
