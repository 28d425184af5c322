"""Hand-made sessions and outcomes of animals, for tests of what is compared."""

import numpy as np
from cheap_step import detection, flux_of, limit, view_result

from lampyris.core.study import AnimalOutcome, SessionResult, ViewTotal

GROUPS = {
    "targeted": {"title": "Targeted", "role": "labelled", "probe": "qd"},
    "dye": {"title": "Dye", "role": "labelled", "probe": "dye"},
    "none": {"title": "None", "role": "control", "probe": ""},
}


def session(*views, day=0.0, name="d00", animal="m01", group="targeted"):
    """Each view is a pair of detections and limits."""
    image = np.ones((1, 8, 8), np.float32)
    results = tuple(
        view_result(side, image, channels=("b1",), detections=tuple(found), limits=tuple(limits))
        for side, (found, limits) in zip(("dorsal", "ventral"), views, strict=False)
    )
    return SessionResult(animal, name, day, "", group, "qd", results)


def outcome(animal, group, fluxes, *, days=(0.0, 14.0), below=None, status="done", reason=""):
    totals = tuple(flux_of(value) for value in fluxes)
    flags = tuple(below) if below else (False,) * len(totals)
    views = tuple((ViewTotal("dorsal", total, flag),) for total, flag in zip(totals, flags, strict=True))
    counts = tuple(0 if flag else 1 for flag in flags)
    return AnimalOutcome(animal, group, status, reason, tuple(days), totals, flags, counts, views)


def arm(group, values, **options):
    return [outcome(f"{group}{place}", group, (1e4, value), **options) for place, value in enumerate(values)]


def both_views(day, dorsal, ventral):
    """A session with one lesion per view, or None for a view with nothing above its limit of 10."""
    sides = [([] if value is None else [detection(1, value)], [limit("lung", 10.0)]) for value in (dorsal, ventral)]
    return session(*sides, day=day, name=f"d{day:g}")
