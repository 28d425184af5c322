"""From a flattened micrograph to measured particles: blur and kind of contrast from their edges, then each by least squares."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.micrographs.background import Flattened, flattened, without_spikes
from lampyris.bench.micrographs.contrast import blended, predict_profile
from lampyris.bench.micrographs.corners import Corners, Ripples, Taper, corner_size, corners, hidden_taper
from lampyris.bench.micrographs.find import SIGMAS, Found, find_particles
from lampyris.bench.micrographs.roundness import Roundness, roundness
from lampyris.bench.micrographs.shapes import Known, aspect, beyond_linear, fit_particles, half_extents, take_off
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares
from lampyris.statistics.thresholds import robust_sd

KINDS = ("measured", "cluster", "edge", "rejected")
"""What becomes of a particle; ``cluster`` was parted from a touching one and counts as measured."""
MOST_ASPECT = 3.0
# in robust standard deviations of the particles' own misfits
_POOR = 8.0
_BINS, _REACH = 36, 1.8
_ANGLES, _HARMONICS = 48, 8
_USUAL_FLATNESS, _FLATNESS_SD = 0.1, 0.35
_NEAR_DISC, _CHI2_95, _FRINGE_SIGMAS = 0.6, 3.84, 5.0
# particles that tell the edge
_EDGES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Edge that the particles of an image share.

    Parameters
    ----------
    blur_px : float
        Standard deviation of the Gaussian blur.
    flatness : float
        0: contrast of a projected sphere; 1: of a flat disc; below 0: of one that tapers, see `contrast.predict_profile`.
    radius, contrast, fitted, sd : numpy.ndarray, dims (point,)
        Mean contrast along the radius, in units of particle's radius and contrast, and the fit.
    even_stretch : float
        By how much particles of even contrast would be larger (below 0: smaller), as a share, where they fit as well but were not
        taken; 0 otherwise.
    fit : Fit or None
        None where too few particles stand alone; blur and flatness are then those of the start.
    """

    blur_px: float
    flatness: float
    radius: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    contrast: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    fitted: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    sd: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    fit: Fit | None = None
    even_stretch: float = 0.0

    def blur_share(self) -> float:
        """Relative standard error of the blur; 0 where it was not fitted."""
        sd = self.fit["blur_px"].sd if self.fit is not None else math.nan
        return sd / self.blur_px if math.isfinite(sd) and self.blur_px > 0 else 0.0

    def fringe(self) -> float:
        """By how much contrast falls below 0 just beside particles, as a share of their height: of Fresnel fringes, or an
        oversharpened picture. 0 where noise may be all."""
        out, far = (self.radius > 1.0) & (self.radius < 1.5), self.radius > 1.55
        if not (out.any() and far.any()):
            return 0.0
        deep = np.median(self.contrast[far]) - self.contrast[out]
        low = int(np.argmax(deep))
        sd = float(self.sd[out][low])
        # the deepest of some rings is deeper than one by chance
        return float(deep[low]) if deep[low] > _FRINGE_SIGMAS * sd else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pixels whose mean profile along given particles counts with a weight; NaN where they do not count."""

    contrast: NDArray[np.float32]
    particles: NDArray[np.float64]
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Particles:
    """Particles of one image, in pixels.

    Parameters
    ----------
    parameters : numpy.ndarray, dims (particle, 7)
        Columns of `shapes.COLUMNS`.
    diameter_px, diameter_sd_px, aspect, height : numpy.ndarray, dims (particle,)
        Diameter of the circle of equal area with the noise of measuring it; contrast over the noise of a pixel.
    round : Roundness
    lone : numpy.ndarray of bool, dims (particle,)
        Those that stand alone and far enough within the image: they tell of corners.
    corners : str
        Whether outlines have corners, see `corners.corners`.
    taper : Taper
        What facets hide, none where outlines have no corners; the usual is added to the diameters.
    weight : numpy.ndarray, dims (particle,)
        Inverse of the chance to lie whole within the image, of those that do.
    kinds : tuple of str
        Of `KINDS`.
    reasons : tuple of str
        Why each was rejected, "" otherwise.
    outlines : tuple of numpy.ndarray, dims (point, 2)
        x and y in pixels from the centre of the first pixel.
    edge : Edge
    flat : Flattened
    found : Found
    shape : tuple of int
        Height and width of the image.
    """

    parameters: NDArray[np.float64]
    diameter_px: NDArray[np.float64]
    diameter_sd_px: NDArray[np.float64]
    aspect: NDArray[np.float64]
    height: NDArray[np.float64]
    weight: NDArray[np.float64]
    kinds: tuple[str, ...]
    reasons: tuple[str, ...]
    outlines: tuple[NDArray[np.float64], ...]
    edge: Edge
    round: Roundness
    lone: NDArray[np.bool_]
    corners: Corners
    taper: Taper
    flat: Flattened
    found: Found
    shape: tuple[int, int]

    def used(self) -> NDArray[np.bool_]:
        """Particles that count."""
        return np.array([kind in ("measured", "cluster") for kind in self.kinds], bool)


def measure_particles(
    pixels: NDArray[np.generic],
    /,
    *,
    brighter: bool,
    ignored: NDArray[np.bool_] | None = None,
    sigmas: float = SIGMAS,
    flatness: float | None = None,
    least_px: float = 3.0,
    corner: float | None = None,
) -> Particles:
    """Particles of a micrograph with their sizes.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)
    brighter : bool
        Particles are brighter than what is between them.
    ignored : numpy.ndarray of bool, dims (y, x), optional
        Scale bar and text.
    sigmas : float
        Threshold over the noise of the background.
    flatness : float, optional
        Kind of contrast where it is known; fitted otherwise.
    least_px : float
        Least diameter; smaller things are specks of noise.
    corner : float, optional
        Size of the outlines' corners (`corners.corner_size`), 0 for none, where other pictures of the sample told it; told from this
        picture otherwise.

    Returns
    -------
    Particles

    Raises
    ------
    ValueError
        If nothing stands out, or far too much.

    Notes
    -----
    A particle is an ellipse with the contrast of a projected sphere, flatter up to a disc's or more tapered, blurred by a Gaussian. Blur
    and kind are those of the image, from the mean profile of particles that stand alone; centre, area, shape, contrast and a
    level below are each particle's own, fitted to what the others leave. So the diameter hangs on no threshold, and not on blur.
    """
    if ignored is not None and ignored.any():
        pixels = np.where(ignored, np.median(np.asarray(pixels[~ignored], np.float64)).astype(pixels.dtype), pixels)
    pixels, _ = without_spikes(pixels)
    flat = flattened(pixels, brighter=brighter)
    found = find_particles(flat, ignored=ignored, sigmas=sigmas)
    if not len(found.particles):
        raise ValueError("nothing stands out of the background's noise")
    contrast = flat.contrast
    if ignored is not None:
        contrast[ignored] = np.nan
    particles = found.particles.copy()
    edge = Edge(1.2, _USUAL_FLATNESS if flatness is None else flatness)
    residual = contrast.copy()
    lone = _lone(found)
    for steps in (12, 8, 8):
        # the edge is told by those that stand alone
        told = _fitted(residual, contrast, particles, edge, flat, np.flatnonzero(lone)[:_EDGES], steps)
        edge = _edge([Seen(contrast, particles, 1.0)], lone, told, edge, flat, fixed=flatness)
    edge = _edge(_halves(residual, contrast, particles, edge, flat, lone), lone, told, edge, flat, fixed=flatness)
    told = _fitted(residual, contrast, particles, edge, flat, np.arange(len(particles)), 12)
    beside = np.flatnonzero(~lone)
    if beside.size:
        told[beside] = _fitted(residual, contrast, particles, edge, flat, beside, 10)[beside]
    return _judged(residual, particles, told, edge, flat, found, least_px, corner)


def _fitted(
    residual: NDArray[np.float32],
    contrast: NDArray[np.float32],
    particles: NDArray[np.float64],
    edge: Edge,
    flat: Flattened,
    which: NDArray[np.intp],
    steps: int,
) -> NDArray[np.float64]:
    """Fit some particles in turn, in place; what is told of the others is that they failed."""
    np.copyto(residual, contrast)
    profile = blended(edge.blur_px, edge.flatness)
    take_off(residual, particles, profile)
    offset_sd = max(flat.area_sd / 8.0, 0.05 * flat.pixel_sd)
    known = Known(flat.pixel_sd, offset_sd)
    told: NDArray[np.float64] = fit_particles(residual, particles, which, profile, known, steps)
    return told


def _lone(found: Found) -> NDArray[np.bool_]:
    """Particles that stand alone in their piece, and far from the next."""
    from scipy.spatial import cKDTree

    places, radius = found.particles[:, :2], found.particles[:, 2]
    if len(places) == 1:
        return np.ones(1, bool)
    gap, other = cKDTree(places).query(places, k=2)
    apart = gap[:, 1] > radius + radius[other[:, 1]] + 3.0
    counts = np.bincount(found.together)
    return np.asarray(apart & (counts[found.together] == 1))


def _halves(
    residual: NDArray[np.float32],
    contrast: NDArray[np.float32],
    particles: NDArray[np.float64],
    edge: Edge,
    flat: Flattened,
    lone: NDArray[np.bool_],
) -> list[Seen]:
    """All pixels along the particles fitted to them, and each half of a chequerboard along those fitted to the other half.

    A particle fitted to noisy pixels follows their noise: along it those pixels show an edge that is too sharp, by as much as
    other pixels, of other noise, show it too blurred. Fitted to half the pixels it errs by twice the variance, so two parts
    of the one and one part of the other show the edge as it is.
    """
    chequered = np.zeros(contrast.shape, bool)
    chequered[::2, ::2] = chequered[1::2, 1::2] = True
    found = [Seen(contrast, particles, 2.0 / 3.0)]
    for own in (chequered, ~chequered):
        there = particles.copy()
        # all that is not this half is left out of the fit, and only that is looked at
        told = _fitted(residual, np.where(own, contrast, np.nan), there, edge, flat, np.flatnonzero(lone)[:_EDGES], 8)
        failed = told[:, 2] != 0
        there[failed] = particles[failed]
        found.append(Seen(np.where(own, np.nan, contrast), there, 1.0 / 6.0))
    return found


def _edge(
    seen: Sequence[Seen],
    lone: NDArray[np.bool_],
    told: NDArray[np.float64],
    edge: Edge,
    flat: Flattened,
    *,
    fixed: float | None,
) -> Edge:
    """Blur and kind of contrast from the mean profiles of particles of like size."""
    particles = seen[0].particles
    height, width = seen[0].contrast.shape
    extent_x, extent_y = half_extents(particles)
    reach = _REACH * np.maximum(extent_x, extent_y)
    x, y = particles[:, 0], particles[:, 1]
    inside = (x > reach) & (x < width - 1 - reach) & (y > reach) & (y < height - 1 - reach)
    # a faint or odd one tells little of the edge
    good = lone & inside & (told[:, 2] == 0) & (particles[:, 5] > 2.0 * flat.pixel_sd) & (aspect(particles) < 1.6)
    chosen = np.flatnonzero(good)
    if chosen.size > 8:
        usual = np.median(particles[chosen, 2])
        chosen = chosen[np.abs(np.log(particles[chosen, 2] / usual)) < 0.9]
    if chosen.size < 4:
        return edge
    radii = particles[chosen, 2]
    groups = np.array_split(chosen[np.argsort(radii)], 3 if chosen.size >= 12 else 1)
    profiles = [_weighted_profile(seen, own) for own in groups]
    sizes = [float(np.exp(np.mean(np.log(particles[own, 2])))) for own in groups]
    centres = (np.arange(_BINS) + 0.5) * _REACH / _BINS
    sets = []
    for k, ((mean, sd, kept), size) in enumerate(zip(profiles, sizes, strict=True)):

        def model(p: NDArray[np.float64], size: float = size, kept: NDArray[np.bool_] = kept) -> NDArray[np.float64]:
            blur, flatness, stretch, tall, level = p
            return level + tall * predict_profile(centres[kept] / stretch, blur / (size * stretch), flatness)

        names = ("blur_px", "flatness", f"stretch {k}", f"height {k}", f"level {k}")
        sets.append(DataSet(model, mean[kept], sd=sd[kept], parameters=names, name=f"profile {k}"))
    parameters = _edge_parameters(edge, min(sizes), len(groups), fixed=fixed is not None)
    # noise that tells nothing of the kind leaves it between sphere and disc
    usual = DataSet(lambda p: p, [_USUAL_FLATNESS], sd=[_FLATNESS_SD], parameters=("flatness",), name="usual kind")
    fit = fit_least_squares(sets if fixed is not None else [*sets, usual], parameters, scatter="residual")
    even_stretch = 0.0
    # whether a disc fits as well is asked next to one, and at the end
    if fixed is None and (fit["flatness"].value > _NEAR_DISC or len(seen) > 1):
        fit, even_stretch = _even_instead(sets, parameters, fit)
    blur, flatness = fit["blur_px"].value, fit["flatness"].value
    inside = [own for _, _, own in profiles]
    return Edge(
        blur,
        flatness,
        np.concatenate([centres[one] for one in inside]),
        np.concatenate([mean[one] for (mean, _, _), one in zip(profiles, inside, strict=True)]),
        np.concatenate(fit.fitted[: len(sets)]),
        np.concatenate([sd[one] for (_, sd, _), one in zip(profiles, inside, strict=True)]),
        fit,
        even_stretch,
    )


def _even_instead(sets: list[DataSet], parameters: list[Parameter], fit: Fit) -> tuple[Fit, float]:
    """Even contrast where it fits as well: taken next to it, and otherwise said by how much it would change sizes.

    Almost even contrast means matter that lets hardly anything through, so that near a disc a disc is more likely.
    """
    even = [replace(one, fixed=True, start=1.0) if one.name == "flatness" else one for one in parameters]
    disc = fit_least_squares(sets, even, scatter="residual")
    pull = ((fit["flatness"].value - _USUAL_FLATNESS) / _FLATNESS_SD) ** 2
    if disc.goodness.chi2 > fit.goodness.chi2 - pull + _CHI2_95 * max(1.0, fit.goodness.reduced_chi2):
        return fit, 0.0
    if fit["flatness"].value > _NEAR_DISC:
        return disc, 0.0
    names = [one.name for one in parameters if one.name.startswith("stretch")]
    return fit, float(np.mean([disc[name].value / fit[name].value - 1.0 for name in names]))


def _edge_parameters(edge: Edge, least_px: float, groups: int, *, fixed: bool) -> list[Parameter]:
    most = max(1.0, 1.2 * least_px)
    found = [
        Parameter("blur_px", min(max(edge.blur_px, 0.2), 0.5 * most), 0.05, most, scale=0.1),
        Parameter("flatness", edge.flatness, -1.0, 1.0, fixed=fixed, scale=0.1),
    ]
    for k in range(groups):
        found += [
            Parameter(f"stretch {k}", 1.0, 0.6, 1.6, scale=0.02),
            Parameter(f"height {k}", 1.0, 0.2, 5.0, scale=0.05),
            Parameter(f"level {k}", 0.0, -0.5, 0.5, scale=0.02),
        ]
    return found


def _weighted_profile(
    seen: Sequence[Seen], own: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Weighted mean of the profiles of some particles, with the errors of the first."""
    parts = [_profile(one.contrast, one.particles[own]) for one in seen]
    mean = np.asarray(sum(one.weight * part[0] for one, part in zip(seen, parts, strict=True)))
    return mean, parts[0][1], np.logical_and.reduce([part[2] for part in parts])


def _profile(
    contrast: NDArray[np.float32], particles: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Mean contrast per ring in units of each particle's own, its standard error, and rings that hold enough."""
    places, values = [], []
    for x, y, radius, a, b, tall, offset in particles:
        q = math.sqrt(1.0 + a * a + b * b)
        side = math.ceil(_REACH * radius * math.sqrt(q + math.hypot(a, b)))
        top, left = max(int(y) - side, 0), max(int(x) - side, 0)
        cut = contrast[top : int(y) + side + 2, left : int(x) + side + 2]
        dy = np.arange(top, top + cut.shape[0])[:, None] - y
        dx = np.arange(left, left + cut.shape[1])[None, :] - x
        at = np.sqrt(np.maximum((q - a) * dx**2 - 2 * b * dx * dy + (q + a) * dy**2, 0.0)) / radius
        keep = (at < _REACH) & np.isfinite(cut)
        places.append(at[keep])
        values.append((cut[keep] - offset) / tall)
    at, value = np.concatenate(places), np.concatenate(values)
    ring = (at / _REACH * _BINS).astype(np.intp)
    count = np.bincount(ring, minlength=_BINS)[:_BINS]
    mean = np.bincount(ring, value, minlength=_BINS)[:_BINS] / np.maximum(count, 1)
    square = np.bincount(ring, value**2, minlength=_BINS)[:_BINS] / np.maximum(count, 1)
    sd = np.sqrt(np.maximum(square - mean**2, 1e-8) / np.maximum(count, 1))
    return mean, sd, count >= 5


def _judged(
    residual: NDArray[np.float32],
    particles: NDArray[np.float64],
    told: NDArray[np.float64],
    edge: Edge,
    flat: Flattened,
    found: Found,
    least_px: float,
    corner: float | None,
) -> Particles:
    height, width = flat.contrast.shape
    counts = np.bincount(found.together)
    profile = blended(edge.blur_px, edge.flatness)
    shapes = roundness(residual, particles, told, flat, profile=profile, blur_share=edge.blur_share())
    lone = _telling(particles, (told[:, 2] == 0) & (counts[found.together] == 1), (height, width))
    usual_px = float(np.median(particles[lone if lone.any() else slice(None), 2]))
    seen, taper = _facets(shapes.ripples.of(lone), corner, edge, usual_px)
    outlines = _outlines(residual, particles, edge, 1.0 + taper.usual)
    particles[:, 2] *= 1.0 + taper.usual
    diameter = 2.0 * particles[:, 2]
    # noise that goes together over areas moves an edge more than its pixels alone say
    relative = told[:, 0] * flat.area_sd**2
    sd = diameter * np.sqrt(relative * beyond_linear(particles[:, 2] ** 2 * relative, edge.blur_px))
    tall = particles[:, 5] / flat.pixel_sd
    long = aspect(particles)
    extent_x, extent_y = half_extents(particles)
    x, y = particles[:, 0] + 0.5, particles[:, 1] + 0.5
    whole = (x - extent_x >= 0) & (x + extent_x <= width) & (y - extent_y >= 0) & (y + extent_y <= height)
    room = np.maximum(width - 2 * extent_x, 1.0) * np.maximum(height - 2 * extent_y, 1.0)
    weight = np.where(whole, width * height / room, 0.0)
    misfit = np.sqrt(np.maximum(told[:, 1], 0.0))
    usual = float(np.median(misfit))
    limit = usual + _POOR * float(np.fmax(robust_sd(misfit), 0.08 * usual))
    checks = (
        ("fit failed", (told[:, 2] != 0) | ~np.isfinite(told).all(axis=1) | ~np.isfinite(particles).all(axis=1)),
        ("no contrast", particles[:, 5] <= 0),
        ("too small", diameter < least_px),
        ("too faint", ~(sd < 0.5 * diameter)),
        ("too long", long > MOST_ASPECT),
        ("no particle's shape", misfit > max(limit, 1.3)),
        ("overlaps another", _overlaps(particles)),
        ("covered by bar or text", ~_clear(flat.contrast, particles)),
    )
    reasons = ["" for _ in particles]
    for name, wrong in checks:
        for k in np.flatnonzero(wrong):
            reasons[k] = reasons[k] or name
    kinds = []
    for place, reason in enumerate(reasons):
        if not whole[place]:
            kinds.append("edge")
        else:
            kinds.append("rejected" if reason else "cluster" if counts[found.together[place]] > 1 else "measured")
    return Particles(
        particles, diameter, sd, long, tall, weight, tuple(kinds), tuple(reasons), outlines, edge, shapes, lone, seen,
        taper, flat, found, (height, width),
    )  # fmt: skip


def _facets(ripples: Ripples, corner: float | None, edge: Edge, usual_px: float) -> tuple[Corners, Taper]:
    """Whether outlines have corners, as the picture or others of its sample tell it, and what facets then hide."""
    seen = corners(ripples)
    if corner is not None:
        seen = "seen" if corner else "open" if seen == "seen" else seen
    if seen != "seen":
        return seen, Taper()
    return seen, hidden_taper(edge.blur_px, usual_px, edge.flatness, corner or corner_size(ripples))


def _telling(particles: NDArray[np.float64], fair: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Particles of `fair` whose edges lie whole within the image."""
    x, y, radius = particles[:, :3].T
    reach = 1.5 * radius
    own = fair & (particles[:, 5] > 0) & (aspect(particles) < MOST_ASPECT)
    return np.asarray(own & (x > reach) & (x < shape[1] - reach) & (y > reach) & (y < shape[0] - reach))


def _overlaps(particles: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Particles whose centre lies within another: projected on each other, or one that was parted wrongly."""
    from scipy.spatial import cKDTree

    wrong = np.zeros(len(particles), bool)
    places, radius = particles[:, :2], particles[:, 2]
    if len(particles) < 2 or not np.isfinite(particles).all():
        return wrong
    tree = cKDTree(places)
    for a, b in tree.query_pairs(1.1 * 2 * float(np.quantile(radius, 0.98))):
        if math.hypot(*(places[a] - places[b])) < 0.75 * (radius[a] + radius[b]):
            wrong[[a, b]] = True
    return wrong


def _clear(contrast: NDArray[np.float32], particles: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Particles none of whose pixels is ignored."""
    height, width = contrast.shape
    clear = np.ones(len(particles), bool)
    for k, (x, y, radius) in enumerate(particles[:, :3].tolist()):
        if not math.isfinite(x + y + radius):
            continue
        rows = slice(max(int(y - radius), 0), max(min(int(y + radius) + 2, height), 0))
        columns = slice(max(int(x - radius), 0), max(min(int(x + radius) + 2, width), 0))
        clear[k] = not np.isnan(contrast[rows, columns]).any()
    return clear


def _outlines(
    residual: NDArray[np.float32], particles: NDArray[np.float64], edge: Edge, stretch: float
) -> tuple[NDArray[np.float64], ...]:
    """Outline of each particle along its own half height, of the area that was fitted times the square of `stretch`.

    The half height of particle and residual is sought along 48 directions. Waves of the radius up to the eighth are kept, each
    less the power that waves beyond show, which is that of noise and would lengthen the outline.
    """
    from scipy.ndimage import gaussian_filter

    angle = 2.0 * np.pi * np.arange(_ANGLES) / _ANGLES
    smooth = gaussian_filter(np.nan_to_num(residual), 1.0, truncate=3.0)
    half_heights = [_half_height(smooth, one, edge, angle) for one in particles.tolist()]
    outlines = []
    for k, along in enumerate(half_heights):
        waves = np.fft.rfft(along)
        power = np.abs(waves) ** 2
        noise = float(power[_HARMONICS + 1 : -1].mean())
        kept = np.clip(1.0 - noise / np.maximum(power, 1e-300), 0.0, 1.0)
        kept[0], kept[_HARMONICS + 1 :] = 1.0, 0.0
        along = np.maximum(np.fft.irfft(waves * kept, _ANGLES), 0.05 * particles[k, 2])
        px, py = along * np.cos(angle), along * np.sin(angle)
        next_x, next_y = np.roll(px, -1), np.roll(py, -1)
        area = 0.5 * float(np.sum(px * next_y - next_x * py))
        grow = stretch * (math.sqrt(np.pi * particles[k, 2] ** 2 / area) if area > 0 else 1.0)
        outlines.append(np.column_stack([particles[k, 0] + grow * px, particles[k, 1] + grow * py]))
    return tuple(outlines)


def _half_height(
    residual: NDArray[np.float32], particle: list[float], edge: Edge, angle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance from the centre to half the height, dims (direction,)."""
    x, y, radius, a, b, tall, _ = particle
    q = math.sqrt(1.0 + a * a + b * b)
    cosine, sine = np.cos(angle), np.sin(angle)
    ellipse = radius / np.sqrt((q - a) * cosine**2 - 2 * b * cosine * sine + (q + a) * sine**2)
    at = np.linspace(0.55, 1.4, 18)
    reach = at[:, None] * ellipse
    rows = np.clip(np.rint(y + reach * sine).astype(np.intp), 0, residual.shape[0] - 1)
    columns = np.clip(np.rint(x + reach * cosine).astype(np.intp), 0, residual.shape[1] - 1)
    profile = predict_profile(np.append(at, 0.0), edge.blur_px / radius, edge.flatness)
    seen = tall * profile[:-1, None] + residual[rows, columns]
    half = 0.5 * tall * float(profile[-1])
    below = seen < half
    first = np.where(below.any(axis=0), below.argmax(axis=0), at.size - 1)
    before = np.maximum(first - 1, 0)
    ways = np.arange(angle.size)
    high, low = seen[before, ways], seen[first, ways]
    share = np.clip((high - half) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    found: NDArray[np.float64] = (at[before] + share * (at[first] - at[before])) * ellipse
    return found
