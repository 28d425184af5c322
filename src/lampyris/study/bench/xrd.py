"""Diffractograms of powders to phase, size, strain and lattice constant."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.photons import noise_line
from lampyris.bench.xrd.crystals import anodes, phases
from lampyris.bench.xrd.infer import (
    SPHERE,
    STRAIN_UNIT,
    LineFit,
    Recorded,
    infer_lines,
    sphere_nm,
)
from lampyris.bench.xrd.match import Match, beside, close_matches, match_phases
from lampyris.bench.xrd.pattern import (
    Beam,
    Resolution,
    breadth_over_width,
    line_widths,
    two_theta_of,
    variance_pattern,
)
from lampyris.bench.xrd.shape_errors import (
    LINES,
    SUM,
    Shapes,
    column_of,
    lattice_of,
    misfits,
    shift_of,
    size_of,
    strain_with_shape,
)
from lampyris.bench.xrd.single import infer_breadth, infer_resolution, infer_single
from lampyris.bench.xrd.whole import LARGEST_NM, WholeFit, infer_whole
from lampyris.core.bench import BenchCurve, BenchRecord, BenchResult, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.instruments import Spectrum
from lampyris.core.techniques.xrd import Settings
from lampyris.io.instruments.diffractograms import read
from lampyris.study.bench.reading import (
    CurveError,
    Doubts,
    flat_topped,
    over_replicates,
    record_each,
    remark,
    saturated,
    with_role,
)

Array = NDArray[np.float64]
_ASSUMED_WIDTH_DEG, _ASSUMED_SD, _GIVEN_SD = 0.1, 0.5, 0.05
_LEAST_EXPLAINED = 0.6
_MOST_MARKS = 5
_HUMP_TERMS = 6


def measure(sources: tuple[BenchSource, ...], settings: Settings) -> BenchResult:
    """Phase, size, strain and lattice constant of every pattern.

    Raises
    ------
    ImageError
        If no pattern can be read or fitted.
    InputError
        If a phase is not in the table, or the standard gives no width.
    """
    limit = int(settings.max_file_mb * 1e6)

    def read_one(path: Path, file: str) -> tuple[Spectrum, ...]:
        return read(path, max_bytes=limit, file=file, axis=settings.axis or "")

    names = candidates(settings.phase)
    standards = [one for source in with_role(sources, "standard") for one in read_one(source.path, source.file)]
    resolution = _standard(standards[0], settings) if standards else None
    records, samples, findings = record_each(
        sources,
        read_one,
        lambda spectrum, findings: _record(spectrum, resolution, names, settings, findings),
        rule="xrd.pattern",
        mend="Export counts over angle, from --low-deg to --high-deg around the lines, and say what --axis and --anode are.",
    )
    if not records:
        raise ImageError("No diffractogram can be evaluated.", findings)
    pooled, replicate = over_replicates(records, samples, "patterns")
    return BenchResult(
        "xrd", pooled, tuple(records), replicate, tuple(findings), _notes(settings, resolution is not None)
    )


def candidates(words: Sequence[str], /) -> tuple[str, ...]:
    """Phases that words name: by their whole name, their formula, or their structure; all without a word.

    Raises
    ------
    InputError
        If a word names none.
    """
    table = phases()
    if not words:
        return tuple(table)
    chosen: list[str] = []
    unknown = []
    for word in words:
        own = [name for name in table if word.casefold() in (name.casefold(), name.split()[0].casefold())]
        own = own or [name for name, one in table.items() if word.casefold() == one.structure]
        chosen += [name for name in own if name not in chosen]
        if not own:
            unknown.append(word)
    if unknown:
        mend = f"Say one of {', '.join(table)}, or a formula."
        raise InputError(
            "A phase is not in the table.",
            [remark("", "xrd.phase", f"there is no phase {word!r}.", mend, column="--phase") for word in unknown],
        )
    return tuple(chosen)


def _notes(settings: Settings, standard: bool) -> tuple[str, ...]:
    shape = (
        f"{SPHERE:.4g} times the volume-weighted column, the diameter of a sphere"
        if settings.shape_factor is None
        else f"Scherrer's with K {settings.shape_factor:g} on full widths at half maximum"
    )
    width = (
        f"from the standard {settings.standard_phase}"
        if standard
        else f"given as {settings.instrument_width_deg:g} deg"
        if settings.instrument_width_deg
        else f"assumed as {_ASSUMED_WIDTH_DEG:g} deg within a half, and fitted with that"
    )
    return (
        "All lines of the phase are fitted at once: K alpha 1 and 2, the instrument's width, size alike in q and strain in "
        "proportion to q, over a Chebyshev background.",
        f"size_nm is {shape}; it is weighted by volume, so larger dots count more. The instrument's width is {width}.",
        "strain is the root mean square of relative changes of the lattice; a shift by the sample's height is fitted, known to "
        f"be within {settings.shift_sd_deg:g} deg (standard deviation).",
        "Where lines overlap, Debye's sum of spheres and of spheres that facets cut replaces them; for shapes that are neither, sizes "
        f"hold {_percents(SUM)} (sum) or {_percents(LINES)} (lines), by structure and size.",
    )


def _percents(kinds: Mapping[str, tuple[Shapes, Shapes]]) -> str:
    sds = [100.0 * one.size.sd for ends in kinds.values() for one in ends]
    return f"{min(sds):.1f} to {max(sds):.1f} %"


def beam_of(spectrum: Spectrum, settings: Settings, /) -> Beam:
    """Lines of the source, by the user's word, the file's wavelengths, or its anode.

    Raises
    ------
    ValueError
        If nothing says the wavelength.
    """
    if settings.wavelength_A is not None:
        return Beam((settings.wavelength_A,), (1.0,), settings.monochromator_deg)
    words = spectrum.words
    if settings.anode is None:
        told = [_number(words.get(key, "")) for key in ("alpha1_A", "alpha2_A", "alpha_ratio")]
        if 0.05 < told[0] < 5.0 and abs(told[1] / told[0] - 1.0) < 0.02:
            ratio = told[2] if 0.0 <= told[2] <= 1.0 else 0.5
            weights = (1.0 / (1.0 + ratio), ratio / (1.0 + ratio))
            return Beam((told[0], told[1]), weights, settings.monochromator_deg)
    anode = settings.anode or words.get("anode", "").capitalize()
    if anode in anodes():
        one = anodes()[anode]
        weights = (1.0 / (1.0 + one.ratio), one.ratio / (1.0 + one.ratio))
        return Beam((one.alpha1.value, one.alpha2.value), weights, settings.monochromator_deg)
    alone = _number(words.get("alpha1_A", ""))
    if 0.05 < alone < 5.0:
        return Beam((alone,), (1.0,), settings.monochromator_deg)
    raise CurveError("neither file nor options say the wavelength", "Give --anode Cu, or --wavelength-A 1.5406.")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _method_of(lines: LineFit, whole: WholeFit | None) -> str:
    if whole is not None:
        return "Debye's sum of the whole pattern"
    return "lines of dots" if lines.of_dots else "pseudo-Voigt lines"


def _recorded(spectrum: Spectrum, resolution: Resolution | None, settings: Settings) -> Recorded:
    beam = beam_of(spectrum, settings)
    axis, signal = spectrum.axis, spectrum.signal
    if spectrum.axis_name != "two_theta":
        q = axis if spectrum.words.get("axis") == "q" else 2.0 * math.pi / axis
        axis = two_theta_of(q, beam.mean_a)
        order = np.argsort(axis, kind="stable")
        axis, signal = axis[order], signal[order]
    noise = noise_line((spectrum,))
    if spectrum.signal_name == "counts":
        variance = variance_pattern(signal)
    else:
        variance = noise[0] + noise[1] * np.maximum(signal, 0.0)
        variance = np.maximum(variance, 1e-6 * float(np.ptp(signal)) ** 2 + 1e-300)
    keep = np.isfinite(axis) & np.isfinite(signal) & (axis > 2.0)
    keep &= (axis >= (settings.low_deg or 0.0)) & (axis <= (settings.high_deg or 180.0))
    if keep.sum() < 60:
        raise ValueError(f"{int(keep.sum())} points are left of {axis.size}, at least 60 are needed")
    if not float(np.ptp(signal[keep])) > 0:
        raise ValueError("the signal is the same everywhere")
    width = settings.instrument_width_deg or _ASSUMED_WIDTH_DEG
    known = resolution is not None or settings.instrument_width_deg is not None
    return Recorded(
        axis[keep],
        signal[keep],
        np.sqrt(variance[keep]),
        beam,
        resolution or Resolution(w=width**2, share=0.5),
        _GIVEN_SD if known else _ASSUMED_SD,
        max(settings.shift_sd_deg, 1e-4),
    )


def _standard(spectrum: Spectrum, settings: Settings) -> Resolution:
    (phase,) = candidates((settings.standard_phase,))[:1]
    try:
        return infer_resolution(_recorded(spectrum, None, settings), phase)
    except ValueError as error:
        mend = "Give the pattern of the standard over the same angles, and its phase as --standard-phase."
        raise InputError(
            "The standard gives no width.", [remark(spectrum.file, "xrd.standard", f"{error}.", mend)]
        ) from None


def _record(
    spectrum: Spectrum,
    resolution: Resolution | None,
    names: Sequence[str],
    settings: Settings,
    findings: list[Finding],
) -> BenchRecord:
    recorded = _recorded(spectrum, resolution, settings)
    doubts = Doubts("xrd", spectrum.file, findings, spectrum.name)
    _saturation(spectrum, settings, doubts)
    x, sd = recorded.two_theta_deg, recorded.sd
    matches = match_phases(x, recorded.signal, sd, recorded.beam, recorded.resolution, names)
    if not matches or (matches[0].explained < _LEAST_EXPLAINED and not settings.phase):
        return _unknown(spectrum, recorded, matches, settings, doubts)
    best = matches[0]
    lines = infer_lines(recorded, best, terms=settings.background_terms)
    if math.isfinite(_hump(recorded, lines)):
        # a hump that bends more than the background may would go into the lines' feet
        settings = settings.model_copy(update={"background_terms": settings.background_terms + _HUMP_TERMS})
        lines = infer_lines(recorded, best, terms=settings.background_terms)
    second = None
    if settings.second_phase and not settings.phase:
        rest = recorded.signal - lines.expected
        second = beside(x, rest, sd, recorded.beam, recorded.resolution, [n for n in names if n != best.phase])
        lines, second = _with_second(recorded, best, lines, second, settings)
    tried = _by_sum(recorded, best, second, settings)
    # dots that are no spheres of that crystal are better told by lines whose strengths are free
    fits = tried is not None and (settings.method == "whole" or tried.widening < max(4.0, 1.3 * lines.widening))
    whole = tried if fits else None
    if tried is not None and misfits(tried):
        # what spheres and cut spheres of the crystal do not explain is no misfit of lines alone: their noise stays widened by it
        lines = replace(lines, noise=dict(zip(lines.fit.names, lines.fit.sds.tolist(), strict=True)))
    _doubts_of_phase(best, close_matches(matches), doubts)
    _doubts_of_fit(recorded, lines, whole, resolution, settings, doubts)
    _doubts_of_misfit(tried if tried is not None else lines, doubts)
    if second is not None:
        doubts.add("second-phase", f"holds lines of {second.phase} too.", "Give --phase to look for one phase alone.")
    chosen: LineFit | WholeFit = whole if whole is not None else lines
    return BenchRecord(
        spectrum.name,
        spectrum.file,
        _values(recorded, lines, whole, settings),
        words={
            "phase": best.phase,
            "possible_phases": ", ".join(one.phase for one in close_matches(matches)),
            "second_phase": second.phase if second else "",
            "size_method": _method_of(lines, whole),
        },
        tables={"matches": _match_rows(matches), "reflections": _reflection_rows(recorded, lines)},
        flags=tuple(doubts.flags),
        curves=(_curve(spectrum, recorded, lines, chosen), *_williamson_hall(recorded, lines)),
    )


def _saturation(spectrum: Spectrum, settings: Settings, doubts: Doubts) -> None:
    top = float(np.nanmax(spectrum.signal))
    # few counts repeat by chance
    if saturated(spectrum, settings.saturation) or (flat_topped(spectrum) and top > 50):
        doubts.add("saturated", f"reaches {top:g} again and again: the detector saturates.", "Use an attenuator.")


def _with_second(
    recorded: Recorded, best: Match, lines: LineFit, second: Match | None, settings: Settings
) -> tuple[LineFit, Match | None]:
    """The fit with a second phase, where one is there: it must lower the squares by a quarter and be a hundredth of the first."""
    if second is None:
        return lines, None
    both = infer_lines(recorded, best, second=second, terms=settings.background_terms)
    before, after = (float(np.sum(((recorded.signal - one.expected) / recorded.sd) ** 2)) for one in (lines, both))
    share = float(both.parts[second.phase].max() / both.parts[best.phase].max())
    return (both, second) if after < 0.75 * before and share > 0.01 else (lines, None)


def _by_sum(recorded: Recorded, best: Match, second: Match | None, settings: Settings) -> WholeFit | None:
    """The whole pattern by Debye's sum, where dots are small and the crystal's symmetry allows it."""
    if settings.method == "lines" or settings.shape_factor is not None or second is not None:
        return None
    diameter = 0.1 * SPHERE * best.column_a
    crystal = phases()[best.phase]
    isotropic = len(set(crystal.lengths_a)) == 1 or crystal.structure == "wurtzite"
    if not isotropic and settings.method == "auto":
        return None
    if diameter > LARGEST_NM:
        if settings.method == "whole":
            raise ValueError(
                f"a dot of about {diameter:.0f} nm is too large for Debye's sum, at most {LARGEST_NM:g} nm"
            )
        return None
    return infer_whole(recorded, best, terms=settings.background_terms)


def _values(recorded: Recorded, lines: LineFit, whole: WholeFit | None, settings: Settings) -> dict[str, Estimate]:
    factor = SPHERE
    if settings.shape_factor is not None:
        # the column comes from integral breadths: full widths are smaller by the line's own ratio
        factor = settings.shape_factor * float(breadth_over_width(lines.share))
    by_lines, chosen = size_of(lines, factor), whole if whole is not None else lines
    values = {
        "size_nm": by_lines if whole is None else size_of(whole),
        "strain": strain_with_shape(chosen, recorded),
        "lattice_A": lattice_of(chosen, recorded),
    }
    if whole is not None:
        values["size_lines_nm"] = by_lines
    if not math.isnan(lines.lattice_c.value):
        values["lattice_c_A"] = lattice_of(lines, recorded, "c")
    return {**values, "column_nm": column_of(lines), "shift_deg": shift_of(lines, recorded)}


def _doubts_of_phase(best: Match, close: Sequence[Match], doubts: Doubts) -> None:
    if len(close) > 1:
        others = ", ".join(f"{one.phase} ({100 * one.explained:.0f} %)" for one in close[1:])
        doubts.add(
            "phase-ambiguous",
            f"is {best.phase} ({100 * best.explained:.0f} % explained), and as well {others}.",
            "Say the composition with --phase, or measure it by EDS.",
        )
    if best.explained < _LEAST_EXPLAINED:
        seen = f"is explained by {best.phase} to {100 * best.explained:.0f} % only."
        doubts.add("phase-doubtful", seen, "Check the phase, the wavelength and the axis.")
    off = abs(best.scale - 1.0)
    if off > 0.01:
        seen = f"has a lattice {100 * (best.scale - 1.0):+.1f} % from that of {best.phase}: an alloy, strain, or a wrong axis."
        doubts.add("lattice-off", seen, "Check composition, wavelength and height of the sample.")


def _doubts_of_fit(
    recorded: Recorded,
    lines: LineFit,
    whole: WholeFit | None,
    resolution: Resolution | None,
    settings: Settings,
    doubts: Doubts,
) -> None:
    shift = lines.shift_deg
    sharp = float(recorded.resolution.width_deg(40.0))
    seen = math.hypot(sharp, math.degrees(0.1 * recorded.beam.mean_a / lines.column_nm.value))
    strengths = _relative_strengths(lines)
    own = len(_apart(lines))
    highest = float(lines.parts[lines.phase].max())
    hump = _hump(recorded, lines)
    fit = whole if whole is not None else lines
    told = [
        ("size-by-whole-pattern", whole is not None and own < 3, "has lines that run into each other: its size is by Debye's sum.",
         "Compare with electron microscopy."),
        ("sample-displaced", abs(shift.value) > 0.05 and abs(shift.value) > 2.0 * shift.sd,
         f"has lines moved by {shift.value:+.2f} deg times cos(theta): the sample lay beside the axis.",
         "Level the sample, or add a standard."),
        ("instrument-width-assumed", resolution is None and settings.instrument_width_deg is None and sharp > 0.15 * seen,
         "has lines not much wider than the instrument's, whose width was assumed.", "Give standard=FILE or --instrument-width-deg."),
        ("instrument-limited", not math.isfinite(lines.column_nm.high),
         "has lines as sharp as the instrument's: only a lower limit of size.",
         "Use a finer instrument."),
        ("preferred-orientation", strengths > 3.0 and lines.column_nm.value > 4.0,
         f"has lines whose strengths differ from the table's by a factor of {strengths:.1f} among each other.",
         "Grind, or fill from the side."),
        ("amorphous-hump", math.isfinite(hump),
         f"has a broad hump about {hump:.0f} deg, of glass, polymer or ligands; it went into the background.",
         "Wash the sample, or use a holder that does not scatter."),
        ("weak", highest < 4.0 * float(np.median(recorded.sd)), "hardly stands above its noise.", "Count longer."),
        ("fit-doubtful", not fit.settled, "has no certain best fit.", "Narrow --low-deg and --high-deg, or say the phase."),
    ]  # fmt: skip
    doubts.add_held(told)


def _doubts_of_misfit(fit: LineFit | WholeFit, doubts: Doubts) -> None:
    if misfits(fit):
        doubts.add(
            "shape-misfit",
            f"is not what is fitted: {100 * fit.misfit:.1f} % of the strongest line are left beyond noise, more than the shape of dots "
            "leaves. Errors were widened by it; they may still be too small.",
            "Look at the residuals: a further phase, faults of stacking, texture, or a background that bends more.",
        )


def _hump(recorded: Recorded, lines: LineFit) -> float:
    """Angle of a hump of the background within the pattern, NaN where there is none."""
    ground = lines.background
    inner = int(np.argmax(ground))
    rise = float(ground[inner] - max(ground[0], ground[-1]))
    clear = rise > 0.1 * float(lines.parts[lines.phase].max()) and rise > 5.0 * float(np.median(recorded.sd))
    return float(recorded.two_theta_deg[inner]) if clear and inner > 5 else math.nan


def _apart(lines: LineFit) -> list[int]:
    """Groups of reflections that stand apart from both neighbours by more than their width."""
    first = [lines.lines.inverse[group[0]] for group in lines.groups]
    width = 2.0 * math.pi / (10.0 * lines.column_nm.value)
    gaps = np.diff(first)
    return np.flatnonzero((np.append(gaps, np.inf) > 1.6 * width) & (np.append(np.inf, gaps) > 1.6 * width)).tolist()


def _relative_strengths(lines: LineFit) -> float:
    """Ratio between the most and the least that strong groups stand above what the table says."""
    own = lines.strengths
    sizes = np.array([lines.lines.strength[list(group)].sum() for group in lines.groups])
    sds = np.array([lines.fit[f"strength_{k}"].sd for k in range(own.size)])
    clear = (own > 5.0 * np.nan_to_num(sds, nan=np.inf)) & (sizes > 0.1 * sizes.max())
    return float(own[clear].max() / own[clear].min()) if clear.sum() > 1 else 1.0


def _unknown(
    spectrum: Spectrum, recorded: Recorded, matches: Sequence[Match], settings: Settings, doubts: Doubts
) -> BenchRecord:
    """What the strongest line alone tells, where no phase of the table explains the pattern."""
    line = infer_single(recorded)
    best = f"; the best, {matches[0].phase}, explains {100 * matches[0].explained:.0f} %" if matches else ""
    doubts.add(
        "phase-unknown",
        f"is explained by no phase of the table{best}. Its size is that of the strongest line alone, strain not removed.",
        "Say it with --phase if it is in the table; check wavelength and axis.",
    )
    factor = SPHERE if settings.shape_factor is None else settings.shape_factor
    none = Estimate.unknown(0.95, "1", "no phase, so no lattice")
    x = recorded.two_theta_deg[line.inside]
    return BenchRecord(
        spectrum.name,
        spectrum.file,
        {
            "size_nm": sphere_nm(line.column_nm, factor, relative_sd=0.15),
            "strain": none,
            "lattice_A": replace(none, unit="A"),
            "two_theta_deg": line.two_theta_deg,
            "width_deg": line.width_deg,
        },
        words={"phase": "", "possible_phases": "", "second_phase": "", "size_method": "the strongest line alone"},
        tables={"matches": _match_rows(matches)},
        flags=tuple(doubts.flags),
        curves=(
            BenchCurve(
                spectrum.name, "2 theta (deg)", "intensity", x, recorded.signal[line.inside], line.expected,
                residual=(recorded.signal[line.inside] - line.expected) / recorded.sd[line.inside],
            ),
        ),
    )  # fmt: skip


def _match_rows(matches: Sequence[Match]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "phase": one.phase,
            "explained": one.explained,
            "lattice_over_table": one.scale,
            "score": one.score - matches[0].score,
            "mark": phases()[one.phase].mark,
        }
        for one in matches[:5]
    )


def _reflection_rows(recorded: Recorded, lines: LineFit) -> tuple[dict[str, Any], ...]:
    scale = phases()[lines.phase].lengths_a[0] / lines.lattice_a.value
    rows = []
    widths, shares = _fitted_widths(recorded, lines)
    for group, strength in zip(lines.groups, lines.strengths.tolist(), strict=True):
        k = max(group, key=lambda one: lines.lines.strength[one])
        angle = float(two_theta_of(lines.lines.inverse[k] * scale, recorded.beam.wavelengths_a[0]))
        if not recorded.two_theta_deg[0] <= angle <= recorded.two_theta_deg[-1]:
            continue
        per_deg = 2.0 * math.pi / recorded.beam.mean_a * math.cos(math.radians(angle) / 2.0) * math.radians(1.0)
        rows.append(
            {
                "hkl": _index(lines.lines.hkl[k].tolist()),
                "joined": len(group),
                "strength": float(lines.lines.strength[list(group)].sum() / lines.lines.strength.max()),
                "two_theta_deg": angle,
                "width_deg": float(widths[k]) / per_deg,
                "lorentzian": float(shares[k]),
                "strength_over_table": strength / max(float(np.median(lines.strengths)), 1e-300),
            }
        )
    return tuple(rows)


def _index(hkl: Sequence[int]) -> str:
    """Index of a reflection as it is written.

    Examples
    --------
    >>> _index((1, 1, -2)), _index((10, 0, 2))
    ('11-2', '10 0 2')
    """
    words = [str(one) for one in hkl]
    return " ".join(words) if any(abs(one) > 9 for one in hkl) else "".join(words)


def _fitted_widths(recorded: Recorded, lines: LineFit) -> tuple[Array, Array]:
    return line_widths(
        lines.lines.inverse,
        recorded.beam,
        recorded.resolution,
        column_a=lines.columns_a(),
        share=lines.share,
        strain2=lines.strain.value**2,
    )


def _curve(spectrum: Spectrum, recorded: Recorded, lines: LineFit, chosen: LineFit | WholeFit) -> BenchCurve:
    parts = {"background": chosen.background}
    if len(lines.parts) > 1:
        parts |= {key: part + lines.background for key, part in lines.parts.items()}
    # the figure's right upper corner belongs to the names of the curves
    ends = recorded.two_theta_deg[0], recorded.two_theta_deg[-1]
    rows = [
        one for one in _reflection_rows(recorded, lines) if one["two_theta_deg"] < ends[0] + 0.7 * (ends[1] - ends[0])
    ]
    strong = sorted(rows, key=lambda one: -one["strength_over_table"] * one["strength"])[:_MOST_MARKS]
    marks = tuple((one["two_theta_deg"], one["hkl"]) for one in sorted(strong, key=lambda one: one["two_theta_deg"]))
    return BenchCurve(
        spectrum.name,
        "2 theta (deg)",
        "counts" if spectrum.signal_name == "counts" else "intensity",
        recorded.two_theta_deg,
        recorded.signal,
        chosen.expected,
        parts=parts,
        residual=(recorded.signal - chosen.expected) / recorded.sd,
        marks=marks,
    )


def _williamson_hall(recorded: Recorded, lines: LineFit) -> tuple[BenchCurve, ...]:
    """Integral breadths in q of lines fitted one by one, where two or more stand apart, and those of the joint fit."""
    places, breadths, columns = [], [], []
    each = lines.columns_a()
    for k in _apart(lines):
        try:
            place, breadth = infer_breadth(recorded, lines, k)
        except ValueError:
            continue
        if breadth.sd < 0.3 * breadth.value:
            places.append(place)
            breadths.append(breadth.value)
            columns.append(each[max(lines.groups[k], key=lambda one: lines.lines.strength[one])])
    if len(places) < 2:
        return ()
    column = 10.0 * lines.column_nm.value
    widths, shares = line_widths(
        np.array(places),
        recorded.beam,
        Resolution(),
        column_a=columns,
        share=lines.share,
        strain2=lines.fit["strain2"].value * STRAIN_UNIT,
    )
    joint = widths * breadth_over_width(shares)
    return (
        BenchCurve(
            "Williamson-Hall: single lines, joint fit",
            "q (1/A)",
            "integral breadth (1/A)",
            np.array(places),
            np.array(breadths),
            joint,
            parts={"size alone": np.full(len(places), 2.0 * math.pi / column)},
        ),
    )
