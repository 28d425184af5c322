"""Checks of the design: numbers of animals, regions, blinding, exclusions, confounding (L08, L13-L17)."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from lampyris.core.comparison import Comparison
from lampyris.core.finding import Finding, Place, Severity
from lampyris.study.checks.evidence import (
    NEEDS_SHEETS,
    NO_STUDY,
    Answer,
    Evidence,
    answer,
    beside_the_point,
    fault,
)
from lampyris.study.draft.rules import ALLOCATION, BLINDING, UNBLINDING
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS, SHEET_REGIONS

FEW_ANIMALS = 5
LEAST_ANIMALS = 3
CONFOUNDED = 0.8
SAME = 0.999
AREAS_DIFFER = 0.10
REPORTING = "reporting"


def _missing_study(evidence: Evidence) -> Answer | None:
    sheets = evidence.sheets
    if sheets.settings is not None and sheets.whole and sheets.samples:
        return None
    return beside_the_point(NEEDS_SHEETS if sheets.samples or sheets.animals or not sheets.whole else NO_STUDY)


def check_small_n(evidence: Evidence, /) -> Answer:
    """L08: enough animals per arm, and a reason for the number."""
    if evidence.settings is None and evidence.comparisons is None:
        return beside_the_point(NEEDS_SHEETS)
    counts: dict[str, int] = {}
    if _missing_study(evidence) is None and evidence.settings is not None:
        tally = Counter(
            evidence.groups[animal] for animal in {row.animal for row in evidence.sheets.samples} & set(evidence.groups)
        )
        counts = {name: tally[name] for name, arm in evidence.settings.groups.items() if arm.role == "labelled"}
    elif evidence.comparisons is None:
        return beside_the_point(NEEDS_SHEETS)
    told = ", ".join(f"{name} {count}" for name, count in counts.items()) or "every tested arm has 5 or more"
    seen = f"{told}; the number of animals has a reason." if counts else f"{told}."
    return answer([*_few_in_arms(counts), *_few_in_tests(evidence), *_no_reason(evidence, counts)], seen)


def _few_in_arms(counts: dict[str, int]) -> Iterator[Finding]:
    for name, count in counts.items():
        place, animals = Place(SETTINGS, None, f"groups.{name}"), f"{count} animal{'' if count == 1 else 's'}"
        if count < LEAST_ANIMALS:
            seen = f"the arm {name} has {animals}: no test will be made with it."
            yield fault("L08", Severity.WARNING, place, seen, "Three are the least, five the convention.")
        elif count < FEW_ANIMALS:
            seen = f"the arm {name} has {animals}; five are the convention."
            mend = "Expect wide intervals; a difference that is not seen is not excluded."
            yield fault("L08", Severity.WARNING, place, seen, mend)


def _few_in_tests(evidence: Evidence) -> Iterator[Finding]:
    for comparison in evidence.comparisons or ():
        tested = _tested(comparison)
        if math.isnan(comparison.p):
            continue
        for group in comparison.groups:
            if group.group in tested and 0 < group.n < LEAST_ANIMALS:
                seen = f"{comparison.endpoint}: {group.group} was tested with n = {group.n}."
                yield fault("L08", Severity.ERROR, Place(), seen, "Describe it; make no test.")
            elif group.group in tested and group.n < FEW_ANIMALS and evidence.settings is None:
                seen = f"{comparison.endpoint}: {group.group} has n = {group.n}; five are the convention."
                yield fault("L08", Severity.WARNING, Place(), seen)


def _tested(comparison: Comparison) -> set[str]:
    """Arms that took part: those of its pairs; without pairs all that the notes do not leave out."""
    if comparison.pairs:
        return {arm for pair in comparison.pairs for arm in (pair.a, pair.b)}
    opening = "Left out of the test: "
    named = [part for note in comparison.notes if note.startswith(opening) for part in note[len(opening) :].split("; ")]
    arms = {group.group for group in comparison.groups}
    return {arm for arm in arms if not any(part.startswith(f"{arm} (") for part in named)}


def _no_reason(evidence: Evidence, counts: dict[str, int]) -> Iterator[Finding]:
    if counts and not evidence.reporting.sample_size:
        seen = "how the number of animals was decided is not stated."
        yield fault("L08", Severity.NOTE, Place(SETTINGS, None, f"{REPORTING}.sample_size"), seen)


def check_region_bias(evidence: Evidence, /) -> Answer:
    """L13: regions drawn by somebody who did not know the arms."""
    if (missing := _missing_study(evidence)) is not None:
        return missing
    by_hand = [
        name
        for name, rows in ((SHEET_REGIONS, evidence.sheets.regions), ("curation.csv", evidence.sheets.curation))
        if rows
    ]
    if not by_hand and not evidence.regions:
        return beside_the_point(
            "no region was drawn and nothing corrected by hand; outlines are found by one rule for all arms."
        )
    findings = [*evidence.earlier("blinding.curated-after")]
    if BLINDING not in evidence.records:
        seen = f"{' and '.join(by_hand) or 'regions'} was made in a study that was never blinded: who drew may have known the arms."
        findings.append(fault("L13", Severity.WARNING, Place(by_hand[0] if by_hand else SHEET_REGIONS), seen))
    findings += _areas_differ(evidence)
    return answer(findings, f"{' and '.join(by_hand)} was made while the arms were coded; who and when stand in it.")


def _areas_differ(evidence: Evidence) -> Iterator[Finding]:
    areas: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for region in evidence.regions:
        group = evidence.groups.get(region.tied.animal)
        if group is not None and math.isfinite(region.area_mm2):
            areas[region.tied.meaning or region.tied.region.label][group].append(region.area_mm2)
    for meaning, arms in areas.items():
        means = {arm: sum(values) / len(values) for arm, values in arms.items()}
        if len(means) < 2 or min(means.values()) <= 0:
            continue
        small, large = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        ratio = means[large] / means[small] - 1
        if ratio > AREAS_DIFFER:
            seen = f"regions{f' of {meaning}' if meaning else ''} are {100 * ratio:.0f} % larger in {large} than in {small}."
            yield fault("L13", Severity.WARNING, Place(SHEET_REGIONS), seen)


def check_circularity(evidence: Evidence, /) -> Answer:
    """L14: nothing was chosen by the contrast that is tested."""
    if (missing := _missing_study(evidence)) is not None:
        return missing
    chosen = evidence.reporting.endpoint_selection
    place = Place(SETTINGS, None, f"{REPORTING}.endpoint_selection")
    if chosen == "from the tested data":
        seen = "regions, thresholds or days were chosen from the data that are tested."
        return answer([fault("L14", Severity.ERROR, place, seen)], "")
    rate = evidence.settings.analysis.false_alarms_per_session if evidence.settings else math.nan
    rule = (
        f"spots are found at {rate:g} expected false alarms a session in all arms, and the compared days are the last and the "
        "first that the arms share"
    )
    if evidence.sheets.regions and chosen == "not stated":
        seen = (
            "regions were drawn by hand, and it is not stated whether they were chosen before the arms were compared."
        )
        return answer([fault("L14", Severity.NOTE, place, seen)], "")
    told = "" if chosen == "not stated" else f"; chosen {chosen}" if chosen == "from other data" else "; set beforehand"
    return answer([], f"{rule}{told}.")


def check_blinding_stated(evidence: Evidence, /) -> Answer:
    """L15: randomisation and blinding are stated."""
    if (missing := _missing_study(evidence)) is not None:
        return missing
    allocation, blinding = randomisation_of(evidence), blinding_of(evidence)
    findings = list(evidence.earlier("allocation.changed"))
    for key, told, asked in (
        ("randomisation", allocation, "how animals came to their arms"),
        ("blinding", blinding, "who was blind to the arms"),
    ):
        if not told:
            seen = f"{asked} is not stated."
            findings.append(fault("L15", Severity.WARNING, Place(SETTINGS, None, f"{REPORTING}.{key}"), seen))
    return answer(findings, f"randomisation: {allocation}; blinding: {blinding}.")


def randomisation_of(evidence: Evidence, /) -> str:
    """How animals were allocated, from the settings or from the record of the draw."""
    record, blinding = evidence.records.get(ALLOCATION), evidence.records.get(BLINDING, {})
    drawn = f"{record['method']}, seed {record['seed']}" if record else str(blinding.get("allocated", ""))
    seed = evidence.reporting.randomisation_seed
    own = (evidence.reporting.randomisation or "").rstrip(".")
    if own and seed is not None and not record:
        own += f", seed {seed}"
    return "; ".join(filter(None, (own, drawn)))


def blinding_of(evidence: Evidence, /) -> str:
    """Who was blind, from the settings or from the record of the coding."""
    own = (evidence.reporting.blinding or "").rstrip(".")
    unblinding = evidence.records.get(UNBLINDING)
    coded = "arms coded by lampyris" if BLINDING in evidence.records else ""
    if coded:
        coded += f", key opened {unblinding.get('unblinded', '')}".rstrip() if unblinding else ", still blind"
    return "; ".join(filter(None, (own, coded)))


def check_exclusions(evidence: Evidence, /) -> Answer:
    """L16: who is missing is missing for a stated reason."""
    if (missing := _missing_study(evidence)) is not None:
        return missing
    findings = [*evidence.earlier("animals.exclusion-reason", "animals.not-excluded"), *_unexplained(evidence)]
    left = sum(outcome.status == "excluded" for outcome in evidence.outcomes or ()) or len(evidence.excluded)
    total = len({row.animal for row in evidence.sheets.animals} | {row.animal for row in evidence.sheets.samples})
    told = f"{left} left out, each with reason, author and time" if left else "none left out"
    return answer(findings, f"{total} animals, {told}.")


def _unexplained(evidence: Evidence) -> Iterator[Finding]:
    imaged = {row.animal for row in evidence.sheets.samples}
    unblinded = str(evidence.records.get(UNBLINDING, {}).get("unblinded", ""))[:10]
    absent = [entry for entry in evidence.sheets.animals if entry.animal not in imaged and not entry.excluded]
    if absent:
        have = f"{', '.join(entry.animal for entry in absent)} {'has' if len(absent) == 1 else 'have'}"
        place = Place(SHEET_ANIMALS, absent[0].row, "excluded")
        yield fault("L16", Severity.WARNING, place, f"{have} no image and no reason for it.")
    for entry in evidence.sheets.animals:
        place = Place(SHEET_ANIMALS, entry.row, "excluded")
        if entry.excluded and not (entry.exclusion_author and entry.exclusion_time):
            seen = f"{entry.animal} is left out, and who decided it and when is not said."
            yield fault("L16", Severity.WARNING, place, seen)
        if entry.excluded and unblinded and entry.exclusion_time[:10] > unblinded:
            seen = (
                f"{entry.animal} was left out on {entry.exclusion_time[:10]}, after the key was opened on {unblinded}."
            )
            yield fault("L16", Severity.WARNING, place, seen)
    for outcome in evidence.outcomes or ():
        if outcome.status == "failed":
            seen = f"{outcome.animal} could not be analysed: {outcome.reason}"
            yield fault(
                "L16",
                Severity.WARNING,
                Place(f"sub-{outcome.animal}"),
                seen,
                "Mend its images and run again, or exclude it.",
            )


def check_confounding(evidence: Evidence, /) -> Answer:
    """L17: arms are not the same as cages, lots or days."""
    if (missing := _missing_study(evidence)) is not None:
        return missing
    groups = evidence.groups
    imaged = {row.animal for row in evidence.sheets.samples} & set(groups)
    findings: list[Finding] = []
    cages = {
        row.animal: (groups[row.animal], row.cage)
        for row in evidence.sheets.animals
        if row.cage and row.animal in imaged
    }
    findings += _confounded("cage", Place(SHEET_ANIMALS, None, "cage"), cages)
    lots: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    dates: dict[str, tuple[str, str]] = {}
    for row in sorted(evidence.sheets.samples, key=lambda one: (one.day, one.row)):
        if row.animal not in imaged:
            continue
        if row.probe and row.lot:
            lots[row.probe][row.animal] = (row.group, row.lot)
        if row.date:
            dates.setdefault(row.animal, (row.group, row.date[:10]))
    # arms with different probes have different lots by necessity
    for pairs in lots.values():
        findings += _confounded("lot", Place(SHEET, None, "lot"), pairs)
    findings += _confounded("day", Place(SHEET, None, "date"), dates)
    known = [name for name, pairs in (("cage", cages), ("lot", lots), ("first day of imaging", dates)) if pairs]
    if not known:
        return beside_the_point("neither cages nor lots nor dates are in the sheets.")
    return answer(findings, f"arms are spread over {', '.join(known)}.")


def _confounded(factor: str, place: Place, pairs: dict[str, tuple[str, str]]) -> Iterator[Finding]:
    levels = Counter(level for _, level in pairs.values())
    # with one animal per level there is nothing to separate
    if not levels or max(levels.values()) < 2:
        return
    v = cramers_v(list(pairs.values()))
    if v > SAME and len(levels) > len({group for group, _ in pairs.values()}):
        seen = f"each {factor} holds one arm only (Cramér's V {v:.2f}): animals of one {factor} are not independent."
        mend = f"Say so, and take the {factor} as a random effect; spread each over the arms next time."
        yield fault("L17", Severity.WARNING, place, seen, mend)
    elif v > CONFOUNDED:
        how = "are the same" if v > SAME else "go together"
        seen = f"group and {factor} {how} (Cramér's V {v:.2f}): an effect of one cannot be told from the other."
        severity = Severity.ERROR if v > SAME else Severity.WARNING
        yield fault("L17", severity, place, seen)


def cramers_v(pairs: Sequence[tuple[str, str]], /) -> float:
    """Cramér's V of two labels: 0 unrelated, 1 the same; NaN where either takes one value only.

    Examples
    --------
    >>> cramers_v([("a", "1"), ("a", "1"), ("b", "2"), ("b", "2")])
    1.0
    >>> cramers_v([("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")])
    0.0
    """
    n = len(pairs)
    rows, columns = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    least = min(len(rows), len(columns)) - 1
    if least < 1:
        return math.nan
    cells = Counter(pairs)
    chi2 = sum(
        (cells[a, b] - rows[a] * columns[b] / n) ** 2 / (rows[a] * columns[b] / n) for a in rows for b in columns
    )
    return math.sqrt(chi2 / (n * least))
