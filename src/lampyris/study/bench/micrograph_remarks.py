"""What lowers trust in a micrograph's sizes: said, with a mend, and flagged."""

from typing import TYPE_CHECKING

import numpy as np

from lampyris.bench.micrographs.measure import Particles
from lampyris.bench.micrographs.sizes import Diameters, SizeLaw, two_kinds
from lampyris.core.finding import Finding
from lampyris.statistics.thresholds import robust_sd
from lampyris.study.bench.micrograph_scale import Scaled
from lampyris.study.bench.reading import Doubts

if TYPE_CHECKING:
    from lampyris.study.bench.micrograph_outlines import Kept

LEAST_DIAMETER_PX = 5.0
"""Below, a particle's size is that of its blur."""
FEW = 50
"""Particles below which the spread is hardly known: its interval spans more than a fifth of it."""
_FRINGE, _ROUGH, _OUTLYING, _LEAST_SPREAD = 0.03, 0.1, 5.0, 0.03
_SATURATED, _BLURRED, _CROWDED, _SCALES = 1e-3, 0.3, 0.4, 0.03


def image_flags(
    scaled: Scaled, found: Particles, kept: "Kept", brighter: bool, findings: list[Finding]
) -> tuple[str, ...]:
    """Flags of a picture as a whole."""
    micrograph, used = scaled.micrograph, kept.used
    radius = 0.5 * float(np.median(kept.diameter_px[used])) if used.any() else np.nan
    kinds = list(kept.kinds)
    whole = sum(kind != "edge" for kind in kinds)
    contrast = found.flat.contrast
    deep = 6.0 * found.flat.pixel_sd
    other = float(np.mean(contrast[::2, ::2] < -deep))
    same = float(np.mean(contrast[::2, ::2] > deep))
    word = "dark" if brighter else "bright"
    told = [
        ("saturated", _saturated(scaled) > _SATURATED,
         f"has {100 * _saturated(scaled):.2g} % of its pixels at an end of the grey scale: contrast is cut there.",
         "Expose less, and export without stretching the contrast."),
        ("out-of-focus", found.edge.blur_px > _BLURRED * radius,
         f"has a blur of {found.edge.blur_px:.2g} pixels where particles have a radius of {radius:.2g}.",
         "Focus, or magnify more."),
        ("unresolved", 2 * radius < LEAST_DIAMETER_PX,
         f"shows particles {2 * radius:.2g} pixels wide: below {LEAST_DIAMETER_PX:g} their size is not told.", "Magnify more."),
        ("crowded", found.found.covered > _CROWDED,
         f"is covered to {100 * found.found.covered:.0f} %: particles lie upon each other, and little background is left.",
         "Dilute the sample on the grid."),
        ("touching", whole > 0 and kinds.count("cluster") > 0.5 * whole,
         "has more than half of its particles parted from touching ones.", "Dilute the sample, or check the outlines."),
        ("many-rejected", whole > 0 and kinds.count("rejected") > 0.1 * whole,
         f"has {kinds.count('rejected')} of {whole} things that are no particle's shape or overlap: {_reasons(found)}.",
         "Check the outlines (--outlines) and mend them (--corrections)."),
        ("faint", bool(used.any()) and bool(np.median(kept.diameter_sd_px[used] / kept.diameter_px[used]) > 0.1),
         "shows particles so faint that noise moves the usual diameter by more than 10 %.", "Expose longer, or stain."),
        ("polarity", other > 2.0 * same,
         f"has more that is {word} than what was measured.", f"If particles are {word}, give --particles {word}."),
        *_of_outlines_and_edges(found),
        ("edge-unknown", found.edge.fit is None,
         "has too few particles that stand alone to tell blur and edge: a usual edge was taken.", "Give more pictures."),
        ("scales-disagree", scaled.disagree > _SCALES,
         f"gives another scale itself, {100 * scaled.disagree:.2g} % away from what was used.", "Check which holds."),
        ("lossy", "lossy" in micrograph.words, "is a JPEG, whose compression blurs edges.", "Export as TIFF."),
    ]  # fmt: skip
    doubts = Doubts("micrograph", micrograph.file, findings)
    doubts.add_held(told)
    return tuple(doubts.flags)


def _of_outlines_and_edges(found: Particles) -> list[tuple[str, bool, str, str]]:
    """What corners, the kind of contrast, rims and texture raise: flag, whether it holds, what is seen, what mends it."""
    texture = found.flat.area_sd / 8.0
    usual = float(np.median(found.parameters[:, 5]))
    facets = (
        "Where facets thin out to the edge, that passes for blur and hides "
        f"up to {100 * found.taper.most:.0f} % of a diameter: {100 * found.taper.usual:.0f} % were added, as is usual for such "
        "corners, and the interval holds all."
        if found.taper.most > 0
        else "Their contrast is even, as of plates that lie flat, and nothing was added: cubes and tetrahedra anyhow turned may "
        "look so and are then a quarter larger, beyond the interval."
    )
    return [
        ("faceted", found.corners == "seen", f"shows particles whose outlines have corners. {facets}",
         "Magnify more: the blur, and what may hide in it, is then a smaller share."),
        ("facets-not-excluded", found.corners == "open",
         "is too noisy, or shows too few particles that stand alone, to tell round particles from faceted ones, whose "
         "diameters come out 3 to 15 % too small.", "Expose longer, or magnify more."),
        ("kind-not-told", found.edge.even_stretch != 0.0,
         "fits balls and flat discs alike: as discs all diameters would be "
         f"{100 * found.edge.even_stretch:+.1f} % off, which the interval holds.",
         "Give --contrast sphere or disc if you know, focus, or magnify more."),
        ("fringes", found.edge.fringe() > _FRINGE,
         f"has rims about its particles, {100 * found.edge.fringe():.0f} % of their height: Fresnel fringes of a defocus, or a "
         "sharpening filter; either moves edges.", "Focus, and export without filters."),
        ("rough-support", texture > _ROUGH * usual and found.flat.area_sd > 2.0 * found.flat.pixel_sd,
         f"has a background whose texture is {100 * texture / max(usual, 1e-9):.0f} % of the particles' contrast: it hides some, and "
         "is taken for others.", "Take a thinner support, and check the outlines (--outlines)."),
    ]  # fmt: skip


def _saturated(scaled: Scaled) -> float:
    pixels = scaled.micrograph.pixels
    if pixels.dtype.kind != "u":
        return 0.0
    ends = (pixels == pixels.max()) | (pixels == pixels.min())
    if scaled.ignored is not None:
        ends &= ~scaled.ignored
    share = float(np.mean(ends))
    # a grey scale of few levels has many pixels at its ends without being cut
    inner = float(np.mean((pixels == pixels.max() - 1) | (pixels == pixels.min() + 1)))
    return share if share > 3.0 * inner else 0.0


def _reasons(found: Particles) -> str:
    told = [reason for reason in found.reasons if reason]
    counts = {reason: told.count(reason) for reason in dict.fromkeys(told)}
    return ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "by hand"


def size_flags(
    file: str,
    diameters: Diameters,
    law: SizeLaw,
    flags: tuple[str, ...],
    findings: list[Finding],
) -> tuple[tuple[str, ...], dict[str, tuple[dict[str, float], ...]]]:
    """Flags of sizes, and a table of populations where there are two."""
    both = two_kinds(diameters, law)
    noise = float(np.sqrt(np.mean(diameters.sd_nm**2)))
    logs = np.log(diameters.nm)
    off = np.abs(logs - np.median(logs)) / max(float(robust_sd(logs)), _LEAST_SPREAD)
    outlying = int(np.sum(off > _OUTLYING))
    told = [
        ("outliers", outlying > 0,
         f"has {outlying} of {diameters.nm.size} diameters beyond {_OUTLYING:g} robust standard deviations: "
         f"{diameters.nm.min():.3g} to {diameters.nm.max():.3g} nm where the median is {np.median(diameters.nm):.3g} nm. They count, "
         "and rule the spread.", "Look at them (--outlines), and reject what is no particle (--corrections)."),
        ("few-particles", diameters.nm.size < FEW,
         f"has {diameters.nm.size} particles; below {FEW} the spread is hardly known.", "Measure more pictures."),
        ("spread-not-resolved", noise > law.sd_nm.value,
         f"has a noise of measuring one particle ({noise:.2g} nm) above the spread of the particles.",
         "Expose longer, or magnify more: sd_nm hangs on the noise being right."),
    ]  # fmt: skip
    tables = {}
    if both is not None:
        rows = list(zip(both.shares, both.means_nm, both.sds_nm, strict=True))
        shown = " and ".join(f"{100 * share:.0f} % of {mean:.3g} nm" for share, mean, _ in rows)
        seen = f"holds two kinds of particles: {shown}."
        told.append(("two-populations", True, seen, "Mean and spread speak of the mixture."))
        tables["populations"] = tuple({"share": a, "mean_nm": b, "sd_nm": c} for a, b, c in rows)
    doubts = Doubts("micrograph", file, findings)
    doubts.add_held(told)
    return (*flags, *(one for one in doubts.flags if one not in flags)), tables
