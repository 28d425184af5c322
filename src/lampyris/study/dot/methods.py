"""The bench in the methods text: how each technique was done, and what was replicated."""

from lampyris.core.bench_study import StudyBench
from lampyris.study.dot.groups import group_name


def bench_methods(bench: StudyBench, /) -> tuple[str, ...]:
    """A paragraph over all techniques.

    Parameters
    ----------
    bench : StudyBench

    Returns
    -------
    tuple of str
        One paragraph, or none where nothing was measured.
    """
    if not bench.groups:
        return ()
    notes: dict[str, dict[str, None]] = {}
    replicated: dict[str, list[str]] = {}
    for group in bench.groups:
        result = group.result
        notes.setdefault(result.technique, {}).update(dict.fromkeys(result.notes))
        name = group_name("", group.probe, group.lot).removeprefix(" of ").removeprefix(", ")
        replicated.setdefault(result.technique, []).append(f"{name}: {result.replicate}" if name else result.replicate)
    parts = [
        " ".join([f"{technique.capitalize()} ({'; '.join(replicated[technique])}).", *own])
        for technique, own in notes.items()
    ]
    lots = (
        [
            "Lots weigh alike in means over lots, which have Student's interval widened by a lot's own error, as if all lots shared it."
        ]
        if bench.lots
        else []
    )
    flagged = dict.fromkeys(f"{one.technique}, lot {lot}" for one in bench.lots for lot in one.flagged)
    if flagged:
        lots.append(f"Flagged lots are in these means: {'; '.join(flagged)}.")
    return (" ".join(["The probe was characterised from the instruments' own files.", *parts, *lots]),)
