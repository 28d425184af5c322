"""A virtual diffractometer: Debye's sum of single dots, atom by atom, through the instrument into its files."""

import io
import itertools
import math
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.xrd.crystals import DEBYE_WALLER_A2, Phase, anodes, form_factor, phases
from lampyris.bench.xrd.pattern import Resolution, predict_polarisation, variance_pattern
from lampyris.io.durable import write_bytes, write_text

Array = NDArray[np.float64]
_BIN_A = 0.01
_DOTS_AT_ONCE = 16
# of counts, which rounding leaves where there is none
_NO_PAIR = 1e-6
_FEET = 40.0
"""Widths out to which a line of the instrument is drawn: a Lorentzian's feet are long."""


@dataclass(frozen=True, slots=True)
class XrdTruth:
    """A powder of dots and how it is measured.

    Parameters
    ----------
    phase : str
        Of `phases`.
    size_nm : float
        Diameter of the sphere whose column is the powder's volume-weighted one: fourth moment of the diameters over the third.
    spread : float
        Standard deviation of the diameters' logarithm.
    lattice_scale : float
        Over the table's.
    strain : float
        Root mean square of relative changes of the lattice from dot to dot.
    anode : str
    width_deg : float
        Full width of the instrument's line, half of it Lorentzian.
    shift_deg : float
        A sample beside the axis moves lines by this times cos(theta).
    peak_counts : float
        Of the strongest line over the background.
    background_counts : float
        At the start; falls to 60 % over the range.
    hump_counts : float
        Of a broad line of glass about 22 deg.
    texture : float
        Relative change of the strength of single lines, drawn: crystals that do not lie at random. Dots rarely show it.
    shape : str
        Of `SHAPES`.
    dots : int
        Single dots of 5 nm or more that the powder is made of, more of smaller ones, which differ more from each other. A powder has very
        many: with the default, sizes of facetted dots still vary by about 0.1 % from one powder to another.
    dead_time_counts : float
        Counts above which the detector stands still; inf for none.
    """

    phase: str = "CdSe zinc blende"
    size_nm: float = 4.0
    spread: float = 0.08
    lattice_scale: float = 1.0
    strain: float = 0.0
    anode: str = "Cu"
    width_deg: float = 0.1
    shift_deg: float = 0.0
    peak_counts: float = 2000.0
    background_counts: float = 300.0
    hump_counts: float = 0.0
    texture: float = 0.0
    shape: str = "sphere"
    dots: int = 96
    dead_time_counts: float = math.inf


SHAPES: dict[str, tuple[float, float, float]] = {
    "sphere": (2.0, 1.0, math.inf),
    "long": (2.0, 1.25, math.inf),
    "flat": (2.0, 0.8, math.inf),
    "rounded cube": (3.5, 1.0, math.inf),
    "truncated octahedron": (1.0, 1.0, 0.65),
}
"""Places x, y, z within |x|^p + |y|^p + |z / c|^p <= 1 and below t in each: p, c and t."""


def _within(places: Array, shape: str) -> NDArray[np.bool_]:
    power, aspect, cut = SHAPES[shape]
    size = np.abs(places / np.array([1.0, 1.0, aspect]))
    return np.asarray(((size**power).sum(axis=1) <= 1.0) & (size.max(axis=1) <= cut))


@lru_cache(maxsize=8)
def _column(shape: str) -> float:
    """Volume-weighted column of a shape of half axis 1, over all directions: twice the mean way from a point within to the surface."""
    if shape == "sphere":
        return 1.5
    from scipy.stats import qmc

    even = qmc.Sobol(5, seed=1).random_base2(17)
    places = (2.0 * even[:, :3] - 1.0) * np.array([1.0, 1.0, SHAPES[shape][1]])
    inside = _within(places, shape)
    places, height, turn = places[inside], 2.0 * even[inside, 3] - 1.0, 2.0 * math.pi * even[inside, 4]
    across = np.sqrt(1.0 - height**2)
    along = np.column_stack([across * np.cos(turn), across * np.sin(turn), height])
    low, high = np.zeros(height.size), np.full(height.size, 4.0)
    # to a millionth of the half axis
    for _ in range(22):
        middle = 0.5 * (low + high)
        within = _within(places + middle[:, None] * along, shape)
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return 2.0 * float(low.mean())


def _occupied(phase: Phase, truth: XrdTruth, halves: Array, centres: Array) -> Array:
    """Which sites of which cells each dot holds, in as many cells again that are empty, dims (dot, site, cell, cell, cell)."""
    cell = phase.cell()
    _, aspect, cut = SHAPES[truth.shape]
    box = float(halves.max()) * np.minimum(np.array([1.0, 1.0, aspect]), cut)
    # planes of the cell that touch the box's corners
    most = (box @ np.abs(np.linalg.inv(cell))).astype(np.intp) + 2
    grid = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1)
    held = np.zeros((halves.size, len(phase.elements), *(2 * (2 * m + 1) for m in most)))
    for dot, (half, centre) in enumerate(zip(halves.tolist(), centres, strict=True)):
        for site, own in enumerate(phase.sites):
            places = ((grid + own - centre) @ cell).reshape(-1, 3) / half
            inside = _within(places, truth.shape).reshape(grid.shape[:-1])
            held[dot, site, : grid.shape[0], : grid.shape[1], : grid.shape[2]] = inside
    return held


def _pair_sums(phase: Phase, truth: XrdTruth, rng: np.random.Generator, names: list[str]) -> tuple[Array, Array]:
    """Pairs of atoms within the dots of a powder in bins of distance, and the sums of their distances; and the atoms of each element.

    Atoms lie on a lattice: how many pairs lie a vector apart is the correlation of the cells that hold them. Each pair is counted as it
    would be one by one.

    Returns
    -------
    numpy.ndarray, dims (2, element, element, bin)
    numpy.ndarray, dims (element,)
    """
    from scipy import fft
    from scipy.special import ndtri
    from scipy.stats import qmc

    # of a lognormal law the fourth moment over the third lies at its median times exp(3.5 sd^2)
    median = 10.0 * truth.size_nm * math.exp(-3.5 * truth.spread**2)
    # one in the middle of each of as many equal shares of the law that is weighted with the 3.5th power of the diameter, lighter the
    # farther out: few dots so have the law's large ones, and its fourth moment over its third
    dots = int(truth.dots * max(1.0, 5.0 / truth.size_nm) ** 1.5)
    ahead = 3.5 * truth.spread
    away = ahead + ndtri((np.arange(dots) + 0.5) / dots)
    halves, numbers_of = (
        0.75 * median * np.exp(truth.spread * away) / _column(truth.shape),
        np.exp(0.5 * ahead**2 - ahead * away),
    )
    # each diameter's dots have centres that lie evenly in the cell, as those of very many do
    even = qmc.Halton(4, seed=rng).random(dots)
    centres = even[np.argsort(even[:, 3]), :3]
    kind = np.array([names.index(one) for one in phase.elements])
    cell = phase.cell()
    bins = int(8.0 * float(halves.max()) / _BIN_A)
    sums = np.zeros((2, len(names), len(names), bins))
    numbers = np.zeros(len(names))
    for part in np.array_split(np.arange(dots), math.ceil(dots / _DOTS_AT_ONCE)):
        held = _occupied(phase, truth, halves[part], centres[part])
        weights = numbers_of[part]
        size = held.shape[2:]
        waves = fft.rfftn(held, axes=(2, 3, 4))
        np.add.at(numbers, kind, weights @ held.sum(axis=(2, 3, 4)))
        vectors = np.stack(np.meshgrid(*[fft.fftfreq(one, 1.0 / one) for one in size], indexing="ij"), axis=-1)
        for i, j in itertools.combinations_with_replacement(range(kind.size), 2):
            both = np.einsum("d,dxyz,dxyz->xyz", weights, waves[:, i].conj(), waves[:, j])
            number = fft.irfftn(both, s=size).ravel()
            distance = np.linalg.norm((vectors + phase.sites[j] - phase.sites[i]) @ cell, axis=-1).ravel()
            some = (number > _NO_PAIR) & (distance > _BIN_A)
            at = (distance[some] / _BIN_A).astype(np.intp)
            # a pair of unlike sites is counted once, and stands for both ways
            twice = 1.0 if i == j else 2.0
            for row, counted in enumerate((number[some], number[some] * distance[some])):
                sums[row, kind[i], kind[j]] += twice * np.bincount(at, counted, minlength=bins)
    return sums, numbers


def dot_scattering(q: Array, truth: XrdTruth, rng: np.random.Generator, /) -> Array:
    """Mean scattering of the powder's dots by Debye's sum over their atoms, dims (point,)."""
    phase = phases()[truth.phase]
    names = sorted(set(phase.elements))
    sums, numbers = _pair_sums(phase, truth, rng, names)
    factors = [form_factor(name, q) for name in names]
    total = sum(number * factor**2 for number, factor in zip(numbers.tolist(), factors, strict=True))
    damping = np.exp(-2.0 * DEBYE_WALLER_A2 * (q / (4.0 * math.pi)) ** 2)
    for first, second in itertools.product(range(len(names)), repeat=2):
        own, distances = sums[:, first, second]
        held = own > 0
        # the mean distance of a bin, not its middle: distances rounded to 0.01 A would blur the pattern by half a per cent
        phase_of = np.outer(q, truth.lattice_scale * distances[held] / own[held])
        wave = np.sin(phase_of) / phase_of * np.exp(-0.5 * (truth.strain * phase_of) ** 2)
        total = total + factors[first] * factors[second] * damping * (wave @ own[held])
    return np.asarray(total / numbers.sum())


def expected_pattern(two_theta_deg: Array, truth: XrdTruth, rng: np.random.Generator, /) -> Array:
    """Mean counts at each angle, dims (point,)."""
    anode = anodes()[truth.anode]
    margin = _FEET * truth.width_deg + 1.0
    step = min(0.2 * truth.width_deg, 0.05)
    fine = np.arange(two_theta_deg[0] - margin, two_theta_deg[-1] + margin, step)
    longest = anode.alpha1.value
    q = np.linspace(0.3, 4.0 * math.pi / longest * math.sin(math.radians(min(fine[-1], 179.0)) / 2.0) * 1.01, 2600)
    scattering = dot_scattering(q, truth, rng)
    if truth.texture:
        places = np.sort(rng.uniform(q[0], q[-1], 12))
        scattering = scattering * np.exp(truth.texture * np.interp(q, places, rng.normal(size=12)))
    half = np.radians(fine) / 2.0
    moved = half - 0.5 * math.radians(truth.shift_deg) * np.cos(half)
    total = np.zeros(fine.size)
    for line, weight in ((anode.alpha1.value, 1.0), (anode.alpha2.value, anode.ratio)):
        total += weight * np.interp(4.0 * math.pi * np.sin(moved) / line, q, scattering)
    total *= predict_polarisation(fine)
    # as many places on both sides of the middle: otherwise the pattern would move by a step
    half_count = int(_FEET * truth.width_deg / step)
    reach = step * np.arange(-half_count, half_count + 1)
    resolution = Resolution(w=truth.width_deg**2, share=0.5)
    x2 = (reach / float(resolution.width_deg(30.0))) ** 2
    line_shape = 0.5 / (1.0 + 4.0 * x2) / 1.5708 + 0.5 * np.exp(-4.0 * math.log(2.0) * x2) / 1.0645
    seen = np.convolve(total, line_shape / line_shape.sum(), mode="same")
    pattern = np.interp(two_theta_deg, fine, seen)
    pattern *= truth.peak_counts / float(np.ptp(pattern))
    along = (two_theta_deg - two_theta_deg[0]) / float(np.ptp(two_theta_deg))
    ground = truth.background_counts * (0.6 + 0.4 * np.exp(-3.0 * along))
    hump = truth.hump_counts * np.exp(-4.0 * math.log(2.0) * ((two_theta_deg - 22.0) / 8.0) ** 2)
    return np.asarray(pattern + ground + hump)


def write_virtual_xrd(
    path: Path,
    truth: XrdTruth,
    /,
    *,
    rng: np.random.Generator,
    start_deg: float = 15.0,
    stop_deg: float = 85.0,
    step_deg: float = 0.05,
) -> None:
    """Write a pattern in the format that the ending names: ``.xrdml``, ``.brml``, ``.ras`` or ``.xy``."""
    two_theta = np.arange(start_deg, stop_deg, step_deg)
    mean = expected_pattern(two_theta, truth, rng)
    photons = np.clip(rng.poisson(variance_pattern(mean)), 0, truth.dead_time_counts).astype(np.int64)
    writers = {".xrdml": _xrdml, ".brml": _brml, ".ras": _ras, ".xy": _xy}
    writers[path.suffix](path, two_theta, photons, truth.anode)


def _xrdml(path: Path, two_theta: Array, photons: NDArray[np.int64], anode: str) -> None:
    lines = anodes()[anode]
    write_text(
        path,
        f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed">
 <comment><entry>synthetic</entry></comment>
 <sample type="To be analyzed"><id>synthetic</id><name>synthetic dots</name></sample>
 <xrdMeasurement measurementType="Scan" status="Completed">
  <usedWavelength intended="K-Alpha"><kAlpha1 unit="Angstrom">{lines.alpha1.value:.7f}</kAlpha1>
   <kAlpha2 unit="Angstrom">{lines.alpha2.value:.7f}</kAlpha2><ratioKAlpha2KAlpha1>{lines.ratio}</ratioKAlpha2KAlpha1>
  </usedWavelength>
  <incidentBeamPath><xRayTube><anodeMaterial>{anode}</anodeMaterial></xRayTube></incidentBeamPath>
  <scan appendNumber="0" mode="Continuous" scanAxis="Gonio" status="Completed">
   <dataPoints>
    <positions axis="2Theta" unit="deg"><startPosition>{two_theta[0]:.6f}</startPosition>
     <endPosition>{two_theta[-1]:.6f}</endPosition></positions>
    <commonCountingTime unit="seconds">1.0</commonCountingTime>
    <intensities unit="counts">{" ".join(str(one) for one in photons.tolist())}</intensities>
   </dataPoints>
  </scan>
 </xrdMeasurement>
</xrdMeasurements>
""",
    )


def _brml(path: Path, two_theta: Array, photons: NDArray[np.int64], anode: str) -> None:
    lines = anodes()[anode]
    data = "\n".join(
        f"      <Datum>1,1,{x:.4f},{x / 2:.4f},{y}</Datum>"
        for x, y in zip(two_theta.tolist(), photons.tolist(), strict=True)
    )
    raw = f"""<?xml version="1.0"?>
<RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- synthetic -->
  <DataRoutes>
    <DataRoute RouteFlag="Measured">
      <ScanInformation ScanName="LockedCoupled" VisibleName="Coupled TwoTheta/Theta">
        <MeasurementPoints>{two_theta.size}</MeasurementPoints>
        <ScanAxes>
          <ScanAxisInfo AxisId="TwoTheta" AxisName="TwoTheta"><Start>{two_theta[0]:.4f}</Start></ScanAxisInfo>
          <ScanAxisInfo AxisId="Theta" AxisName="Theta"><Start>{two_theta[0] / 2:.4f}</Start></ScanAxisInfo>
        </ScanAxes>
      </ScanInformation>
{data}
      <DataViews>
        <RawDataView Start="0" Length="1" LogicName="MeasuredTime" />
        <RawDataView Start="1" Length="1" LogicName="AbsorptionFactor" />
        <RawDataView Start="2" Length="2"><Varying LogicName="ScanAxes">
          <FieldDefinitions FieldName="TwoTheta" AxisId="TwoTheta" /><FieldDefinitions FieldName="Theta" AxisId="Theta" />
        </Varying></RawDataView>
        <RawDataView Start="4" Length="1"><Recording LogicName="ScanCounter" Category="Count" /></RawDataView>
      </DataViews>
    </DataRoute>
  </DataRoutes>
  <FixedInformation><Instrument>
    <WaveLengthAlpha1 Unit="A" Value="{lines.alpha1.value}" /><WaveLengthAlpha2 Unit="A" Value="{lines.alpha2.value}" />
    <WaveLengthRatio Unit="" Value="{lines.ratio}" /><TubeMaterial>{anode}</TubeMaterial>
  </Instrument></FixedInformation>
</RawData>
"""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # the time of a member would change the bytes from run to run
        archive.writestr(zipfile.ZipInfo("Experiment0/RawData0.xml", (1980, 1, 1, 0, 0, 0)), raw, zipfile.ZIP_DEFLATED)
    write_bytes(path, packed.getvalue())


def _ras(path: Path, two_theta: Array, photons: NDArray[np.int64], anode: str) -> None:
    lines = anodes()[anode]
    head = [
        "*RAS_DATA_START", "*RAS_HEADER_START", '*FILE_COMMENT "synthetic"', '*FILE_SAMPLE "synthetic dots"',
        f'*HW_XG_TARGET_NAME "{anode}"', f'*HW_XG_WAVE_LENGTH_ALPHA1 "{lines.alpha1.value:.6f}"',
        f'*HW_XG_WAVE_LENGTH_ALPHA2 "{lines.alpha2.value:.6f}"', '*MEAS_SCAN_AXIS_X "TwoThetaTheta"',
        '*MEAS_SCAN_UNIT_X "deg"', '*MEAS_SCAN_UNIT_Y "counts"', "*RAS_HEADER_END", "*RAS_INT_START",
    ]  # fmt: skip
    rows = [f"{x:.4f} {y:.4f} 1.0000" for x, y in zip(two_theta.tolist(), photons.tolist(), strict=True)]
    write_text(path, "\n".join([*head, *rows, "*RAS_INT_END", "*RAS_DATA_END"]) + "\n")


def _xy(path: Path, two_theta: Array, photons: NDArray[np.int64], anode: str) -> None:
    head = f'\'Id: "synthetic" Comment: "" Operator: "" Anode: "{anode}" Scantype: "Coupled TwoTheta/Theta" TimePerStep: "1"'
    rows = [f"{x:.4f} {y}" for x, y in zip(two_theta.tolist(), photons.tolist(), strict=True)]
    write_text(path, "\n".join([head, *rows]) + "\n")
