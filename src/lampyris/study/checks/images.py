"""Checks of images: saturation, dark frames, exposures (L01-L03)."""

import math
from collections import defaultdict
from collections.abc import Iterator

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DetectionFlag
from lampyris.study.checks.evidence import (
    NEEDS_IMAGES,
    NEEDS_SHEETS,
    NO_STUDY,
    Answer,
    Evidence,
    answer,
    beside_the_point,
    fault,
)
from lampyris.study.rules.sheets import SHEET

SATURATED_ERROR = 0.001
DARK_SIGMAS = 5.0


def check_saturation(evidence: Evidence, /) -> Answer:
    """L01: nothing that is measured is clipped."""
    if evidence.settings is None:
        return beside_the_point(NEEDS_SHEETS if evidence.sheets.samples else NO_STUDY)
    if evidence.sessions is not None:
        views = sum(len(session.views) for session in evidence.sessions)
        seen = f"no saturated pixel on the animal in {views} views, and none in {len(evidence.regions)} drawn regions."
        return answer(_saturated_results(evidence), seen)
    if evidence.headers is None:
        return beside_the_point(NEEDS_IMAGES)
    images = {row.image for row in evidence.sheets.samples} & set(evidence.headers)
    # pixels of the whole image: of the animal's own share the report tells
    return answer(evidence.earlier("image.saturated", "header.full-scale"), _saturated_share(evidence, images))


def _saturated_share(evidence: Evidence, images: set[str]) -> str:
    headers = [header for name in images if (header := (evidence.headers or {})[name]) is not None]
    highest = max((share for header in headers for share in header.saturated), default=0.0)
    return f"at most {100 * highest:.2g} % of the pixels of any of {len(headers)} images are at full scale, off the animal included."


def _saturated_results(evidence: Evidence) -> Iterator[Finding]:
    for session in evidence.sessions or ():
        for view in session.views:
            share = view.quality.get("saturated_fraction", 0.0)
            place = Place(view.file or f"{session.animal}, {session.session}, {view.view}")
            if share > 0:
                seen = f"{100 * share:.2g} % of the pixels on the animal are saturated."
                yield fault("L01", _worse(share), place, seen)
            for one in view.detections:
                if one.flags & DetectionFlag.SATURATED:
                    seen = f"detection {one.number} of {session.animal}, {session.session} holds saturated pixels."
                    yield fault("L01", Severity.WARNING, place, seen)
    for region in evidence.regions:
        if region.saturated_share > 0:
            name = region.tied.meaning or region.tied.region.name
            seen = (
                f"{100 * region.saturated_share:.2g} % of the drawn region {name} of {region.tied.animal} is saturated."
            )
            yield fault("L01", _worse(region.saturated_share), Place(region.tied.file), seen)


def _worse(share: float) -> Severity:
    return Severity.ERROR if share > SATURATED_ERROR else Severity.WARNING


def check_dark(evidence: Evidence, /) -> Answer:
    """L02: a dark frame that belongs to the image."""
    if evidence.settings is None:
        return beside_the_point(NEEDS_SHEETS if evidence.sheets.samples else NO_STUDY)
    if evidence.headers is None:
        return beside_the_point(NEEDS_IMAGES)
    seen = (
        f"no image is darker than its dark frame by more than {DARK_SIGMAS:g} of that frame's standard deviations; "
        "values below zero are kept by the calibration."
    )
    return answer(
        [*evidence.earlier("header.no-dark", "header.dark-exposure", "image.no-dark"), *_too_dark(evidence)], seen
    )


def _too_dark(evidence: Evidence) -> Iterator[Finding]:
    headers, settings = evidence.headers or {}, evidence.settings
    if settings is None:
        return
    read_noise = settings.instrument.read_noise_e / settings.instrument.gain_e_per_count
    for row in evidence.sheets.samples:
        image, dark = headers.get(row.image), headers.get(row.background) if row.background else None
        index = None if image is None else image.index(row.channel)
        if image is None or index is None or not image.floor:
            continue
        if row.background:
            # a dark frame of one channel is that of all
            other = None if dark is None else 0 if len(dark.level) == 1 else dark.index(row.channel)
            if dark is None or other is None:
                continue
            level, spread = dark.level[other], dark.spread[other]
        elif image.dark_level:
            level, spread = image.dark_level[index], image.dark_spread[index]
        else:
            continue
        # a mean of many frames varies less than the image it is taken off
        noise = max(spread, read_noise)
        if math.isfinite(level) and image.floor[index] < level - DARK_SIGMAS * noise:
            seen = (
                f"the darkest hundredth of {row.channel} in {row.image} is at {image.floor[index]:.4g} counts, its dark frame "
                f"at {level:.4g} +- {noise:.2g}."
            )
            yield fault("L02", Severity.WARNING, Place(SHEET, row.row, "background"), seen)


def check_exposure(evidence: Evidence, /) -> Answer:
    """L03: signals are normalised, and no arm has exposures of its own."""
    sheets = evidence.sheets
    if evidence.settings is None or not sheets.whole or not sheets.samples:
        return beside_the_point(NEEDS_SHEETS if sheets.samples else NO_STUDY)
    used: dict[str, dict[str, set[float]]] = defaultdict(lambda: defaultdict(set))
    members: dict[str, set[str]] = defaultdict(set)
    rows: dict[tuple[str, str], int] = {}
    for row in sheets.samples:
        if row.animal not in evidence.excluded:
            used[row.channel][row.group].add(row.exposure_s)
            members[row.group].add(row.animal)
            rows.setdefault((row.channel, row.group), row.row)
    findings = []
    for channel, arms in used.items():
        for arm, own in arms.items():
            others = set().union(*(exposures for name, exposures in arms.items() if name != arm))
            # exposures of a single animal say nothing of its arm
            if others and not own & others and len(members[arm]) > 1:
                values, rest = (", ".join(f"{value:g}" for value in sorted(part)) for part in (own, others))
                seen = f"the arm {arm} was imaged in {channel} with {values} s, the others with {rest} s."
                findings.append(fault("L03", Severity.WARNING, Place(SHEET, rows[channel, arm], "exposure_s"), seen))
    findings += evidence.earlier("header.exposure")
    exposures = sorted({row.exposure_s for row in sheets.samples})
    light = evidence.settings.instrument.excitation_mw_per_cm2
    span = f"{exposures[0]:g} s" if len(exposures) == 1 else f"{exposures[0]:g} to {exposures[-1]:g} s"
    return answer(findings, f"exposures of {span} at {light:g} mW/cm2 are known and divided out; no arm has its own.")
