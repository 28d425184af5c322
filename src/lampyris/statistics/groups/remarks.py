"""What a comparison's reader must know: how the rows were handled, and what a reviewer would object to."""

from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.groups.answers import LEAST, Arms
from lampyris.statistics.groups.assumptions import REMARKED_RATIO, outliers
from lampyris.statistics.groups.plan import ComparisonPlan, Source, plural
from lampyris.statistics.groups.units import Units, listed

# convention, as the methods checks take it
FEW = 5


def notes_of(units: Units, subjects: bool, plan: ComparisonPlan, /) -> tuple[str, ...]:
    """How the rows became one value per unit.

    Parameters
    ----------
    units : Units
        Values per unit.
    subjects : bool
        Whether the rows named their units.
    plan : ComparisonPlan
        What was asked.

    Returns
    -------
    tuple of str
    """
    notes = []
    unit = plan.experimental_unit
    if units.averaged:
        least, most = min(units.counts), max(units.counts)
        spread = f"{least}" if least == most else f"{least} to {most}"
        notes.append(
            f"{plan.inside.capitalize()}s were averaged within each {unit} ({spread} per {unit}), every {unit} weighing alike; "
            f"n counts {plural(unit)}."
        )
    lost = [f"{count} in {group}" for group, count in zip(units.groups, units.missing, strict=True) if count]
    if lost:
        notes.append(f"Rows without a value were left out: {', '.join(lost)}.")
    if not subjects:
        notes.append(f"No column names the {unit}: every row was taken as an independent {unit}.")
    return tuple(notes)


def left_out(arms: Arms, /, *, spread: bool) -> tuple[str, ...]:
    """Groups that the answer leaves out, each with the reason.

    Parameters
    ----------
    arms : Arms
        All groups.
    spread : bool
        Whether the answer needs a spread within each.

    Returns
    -------
    tuple of str
    """
    reasons = []
    for name, mean, sd, n in zip(arms.names, arms.means, arms.sds, arms.ns, strict=True):
        if n < LEAST:
            reasons.append(f"{name} (n = {n:.0f}, and {LEAST} are the least)")
        elif spread and sd == 0:
            reasons.append(f"{name} (all {n:.0f} values are {mean:g}, so their spread is unknown)")
    return tuple(reasons)


def warnings_of(arms: Arms, units: Units | None, /, *, source: Source, plan: ComparisonPlan) -> tuple[Finding, ...]:
    """What a reviewer would object to; nothing here changes the answer.

    Parameters
    ----------
    arms : Arms
        All groups.
    units : Units or None
        Names of the units, where values are known.
    source : Source
        For the places.
    plan : ComparisonPlan
        What was asked.

    Returns
    -------
    tuple of Finding
    """
    found = [*_size_warnings(arms, source, plan), *_spread_warnings(arms, source, plan)]
    if units is not None:
        found += _outlier_warnings(units, source, plan)
        if not any(units.names):
            seen = f"no column names the {plan.experimental_unit}, so rows of one cannot be told from independent ones."
            mend = f"Name the column of the {plan.experimental_unit} (--subject COLUMN)."
            found.append(_warning("compare.no-subject", source, source.subject, seen, mend))
    return tuple(found)


def _size_warnings(arms: Arms, source: Source, plan: ComparisonPlan) -> list[Finding]:
    if (arms.ns == 1).all():
        seen = f"every group has one {plan.experimental_unit}: nothing can be tested."
        mend = (
            f"Look whether {source.group!r} is the column of the groups, and not one that numbers the rows or animals."
        )
        return [_warning("compare.one-each", source, source.group, seen, mend)]
    few = [f"{name} n = {n:.0f}" for name, n in zip(arms.names, arms.ns, strict=True) if n < FEW]
    if not few:
        return []
    seen = f"fewer than {FEW} {plural(plan.experimental_unit)} (a convention): {listed(few)}."
    mend = "Show every value, give the interval of the difference, and plan the number of units by the power wanted."
    return [_warning("compare.few-units", source, source.group, seen, mend)]


def _spread_warnings(arms: Arms, source: Source, plan: ComparisonPlan) -> list[Finding]:
    found = []
    flat = [f"{name} (all {m:g})" for name, m, s in zip(arms.names, arms.means, arms.sds, strict=True) if s == 0]
    if flat:
        seen = f"the values of a group do not differ: {listed(flat)}."
        mend = "Values at a detection limit are censored, not measured: say the limit. Ranks can take such a group in."
        found.append(_warning("compare.no-spread", source, source.value, seen, mend))
    kept = arms.spread()
    equal = plan.test == "anova" or plan.post_hoc in ("tukey-kramer", "dunnett")
    if equal and len(kept.names) >= 2:
        ratio = float(kept.sds.max() / kept.sds.min())
        if ratio > REMARKED_RATIO:
            seen = f"equal variances were asked for, and standard deviations differ {ratio:.1f}-fold."
            mend = "Welch's test with Games-Howell, or Dunnett without equal variances, needs no such assumption."
            found.append(_warning("compare.unequal-spread", source, source.value, seen, mend))
    return found


def _outlier_warnings(units: Units, source: Source, plan: ComparisonPlan) -> list[Finding]:
    far = []
    for one in outliers(units.values):
        names = units.names[one.group]
        who = f"{plan.experimental_unit} {names[one.place]!r}" if names else f"value {one.place + 1}"
        far.append(f"{who} in {units.groups[one.group]} ({one.value:g})")
    if not far:
        return []
    seen = f"far from the others of its group (Grubbs, Bonferroni-adjusted p below 0.05): {listed(far)}."
    mend = "Look at the images. Leave it out only for a reason set before unblinding, and report the result both ways."
    return [_warning("compare.outlier", source, source.value, seen, mend)]


def _warning(rule: str, source: Source, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.WARNING, Place(source.file, None, column), seen, mend)
