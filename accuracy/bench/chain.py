"""The source study's dot through virtual instruments and back: what is printed of it is fed in, and has to come back.

This shows the chain from files to numbers, not the paper: every truth is fed in. A printed ``mean +- SD`` is taken for the mean
and spread of batches. That is a reading, not a fact: 18.4 +- 2.1 nm as the width of one sample would be a polydispersity index
of 0.013, below what the method tells from 0, so the SD is that of batches or of repeats, and the paper should be asked.

``matched``: batches drawn with the printed SD, each written by its instrument in the instrument's own format, measured as lots of
a study, and averaged over lots. ``mismatched``: the same from one batch, whose interval speaks of that batch alone: how often it
holds the printed mean shows what replicates of one vial are worth.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from accuracy.figures import Figure
from lampyris.core.bench_study import POOLED, BenchLots, BenchNumber
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.errors import LampyrisError
from lampyris.core.estimate import Estimate
from lampyris.core.schemas import BenchRow
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques import settings_of
from lampyris.core.techniques.table import known_techniques
from lampyris.statistics.intervals import t_interval, wilson_interval
from lampyris.study.bench import measure
from lampyris.study.dot.groups import file_groups
from lampyris.study.dot.numbers import bench_numbers, over_lots

TABLE = "bench-chain"
PROBE = "dot"
LOTS = 6
QUICK_CAMPAIGNS = 1
_MODULES = {"photoluminescence": "spectra", "quantum-yield": "quantum_yield", "tem": "micrographs"}
# files of a lot by role, "" for what is measured
Files = dict[str, Path]
Write = Callable[[Path, float, float, np.random.Generator], Files]


@dataclass(frozen=True, slots=True)
class Link:
    """An instrument of the chain.

    Parameters
    ----------
    technique, quantity : str
        What brings the number back.
    printed, printed_sd : float
        What is fed in: mean and SD between batches.
    write : callable
        Writes the files of a batch of a true value, by an instrument whose calibration is off by so many of the standard deviations
        that the technique assumes of it.
    most : float
        Largest value a batch may have.
    options : dict
        Of the technique.
    campaigns : int
        That are drawn: fewer where a campaign takes long.
    """

    technique: str
    quantity: str
    printed: float
    printed_sd: float
    write: Write
    most: float = np.inf
    options: dict[str, Any] = field(default_factory=dict)
    campaigns: int = 60

    @property
    def there(self) -> bool:
        """Whether technique and virtual instrument exist in this version."""
        name = _MODULES.get(self.technique, self.technique)
        return self.technique in known_techniques() and find_spec(f"lampyris.virtual.instruments.{name}") is not None


def _emission(folder: Path, value: float, off: float, rng: np.random.Generator) -> Files:
    from lampyris.virtual.instruments.spectra import SpectrumTruth, write_virtual_emission

    # the printed peak is that per nm; the instrument's middle is in photon energy, lower by twice the variance over the energy
    energy, sd = EV_NM / value, 0.100 / FWHM_PER_SD
    middle = EV_NM / (energy - 2.0 * sd**2 / energy)
    shift = off * settings_of("photoluminescence")().calibration_nm
    truth = SpectrumTruth(emission_nm=middle, fwhm_mev=100.0, scale_shift_nm=shift)
    write_virtual_emission(folder / "pl.csv", truth, rng=rng)
    return {"": folder / "pl.csv"}


def _yield(folder: Path, value: float, off: float, rng: np.random.Generator) -> Files:
    from lampyris.virtual.instruments.quantum_yield import YieldTruth, write_virtual_sphere

    plain = YieldTruth(quantum_yield=value)
    # the sensitivity at the emission against that at the excitation: the tilt grows over 500 nm
    sd = settings_of("quantum-yield")().calibration_relative_sd * 500.0 / (plain.emission_nm - plain.excitation_nm)
    return write_virtual_sphere(folder, replace(plain, sensitivity_tilt=off * sd), rng=rng)


def _retention(folder: Path, value: float, _: float, rng: np.random.Generator) -> Files:
    from lampyris.probe.photophysics.bleaching import Bleaching
    from lampyris.virtual.instruments.photostability import TraceTruth, write_virtual_traces

    truth = TraceTruth(Bleaching("single", -60.0 / float(np.log(value))))
    write_virtual_traces(folder / "light.csv", {"dot": (truth, truth, truth)}, rng=rng)
    return {"": folder / "light.csv"}


def _hydrodynamic(folder: Path, value: float, _: float, rng: np.random.Generator) -> Files:
    from lampyris.virtual.instruments.dls import CorrelogramTruth, Population, write_virtual_alv

    truth = CorrelogramTruth(populations=(Population(diameter_nm=value, polydispersity=0.05),))
    write_virtual_alv(folder / "run.asc", truth, rng=rng)
    return {"": folder / "run.asc"}


def _core(folder: Path, value: float, _: float, rng: np.random.Generator) -> Files:
    from lampyris.virtual.instruments.micrographs import MicrographTruth, write_virtual_micrograph

    # within a batch the dots' own spread is a tenth; the printed SD is drawn between batches
    write_virtual_micrograph(folder / "tem.tif", MicrographTruth(mean_nm=value, sd_nm=0.1 * value), rng=rng)
    return {"": folder / "tem.tif"}


LINKS = (
    Link("tem", "diameter_nm", 6.8, 0.9, _core),
    Link("dls", "z_average_nm", 18.4, 2.1, _hydrodynamic, campaigns=240),
    Link("photoluminescence", "peak_nm", 810.0, 5.0, _emission),
    Link("quantum-yield", "quantum_yield", 0.426, 0.043, _yield, most=0.99, campaigns=400),
    Link("photostability", "retained_60min", 0.918, 0.037, _retention, most=0.995, campaigns=240),
)


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table; an instrument that this version lacks stands as a line without cases."""
    found: list[Figure] = []
    for link in LINKS:
        if not link.there:
            found.append(Figure(TABLE, "matched", f"{link.quantity}_not_in_this_version", None, None, None, 0))
            continue
        count = QUICK_CAMPAIGNS if quick else link.campaigns
        found += _scored(link, [campaign(link, number) for number in range(count)])
    return found


@dataclass(frozen=True, slots=True)
class Campaign:
    """Batches of one technique: their truths, their numbers, and the mean over them."""

    truths: tuple[float, ...]
    lots: tuple[Estimate, ...]
    together: BenchLots


def campaign(link: Link, number: int, /) -> Campaign:
    """Draw batches, write their files, and measure them as lots of a study."""
    rng = np.random.default_rng(seed_sequence("accuracy", TABLE, link.technique, str(number)))
    # one instrument measures all batches of a campaign
    off = float(rng.standard_normal())
    truths: dict[str, float] = {}
    rows: list[BenchRow] = []
    with tempfile.TemporaryDirectory() as name:
        study = Path(name)
        for place in range(LOTS):
            lot = f"L{place + 1}"
            truths[lot] = _drawn(link, rng)
            (study / lot).mkdir()
            for role, path in link.write(study / lot, truths[lot], off, rng).items():
                file = path.relative_to(study).as_posix()
                rows.append(BenchRow(len(rows) + 2, link.technique, file, PROBE, lot, "", role, ""))
        numbers: list[BenchNumber] = []
        for group in file_groups(rows, (PROBE,)):
            settings = settings_of(link.technique)(**link.options)
            try:
                result = measure(link.technique, group.sources(study), settings=settings)
            except LampyrisError:
                # a batch without number lowers the count of lots, and so widens the interval
                continue
            numbers += bench_numbers(result, group.probe, group.lot)
    own = [one for one in numbers if one.sample == POOLED and one.quantity == link.quantity and not one.number]
    together = next(one for one in over_lots(numbers) if one.quantity == link.quantity)
    return Campaign(tuple(truths[one.lot] for one in own), tuple(one.estimate for one in own), together)


def _drawn(link: Link, rng: np.random.Generator) -> float:
    """A batch's true value; one that cannot be is drawn again."""
    while True:
        value = float(rng.normal(link.printed, link.printed_sd))
        if 0 < value < link.most:
            return value


def _scored(link: Link, campaigns: list[Campaign]) -> list[Figure]:
    first = campaigns[0].together.mean
    printed = f"{link.printed:g} +- {link.printed_sd:g}"
    holds = first.low <= link.printed <= first.high
    goal = f"interval holds {link.printed:g}, fed in as {printed}"
    name = f"{link.quantity}_fed_in"
    lines = [
        Figure(TABLE, "matched", name, first.value, first.low, first.high, campaigns[0].together.lots, goal, holds)
    ]
    spread = campaigns[0].together.sd
    goal = f"interval holds {link.printed_sd:g}, fed in as {printed}"
    lines.append(
        Figure(TABLE, "matched", f"{name}_sd", spread.value, spread.low, spread.high, campaigns[0].together.lots, goal,
               spread.low <= link.printed_sd <= spread.high)
    )  # fmt: skip
    means = [one.together.mean for one in campaigns]
    lines.append(_coverage("matched", f"{link.quantity}_mean_of_lots", means, [link.printed] * len(means), judged=True))
    # what the draw of batches alone makes of it, had each been measured without error
    drawn = [t_interval(one.truths) for one in campaigns]
    lines.append(_coverage("matched", f"{link.quantity}_mean_of_true_lots", drawn, [link.printed] * len(drawn)))
    spreads = [one.together.sd for one in campaigns]
    lines.append(_coverage("matched", f"{link.quantity}_sd_between_lots", spreads, [link.printed_sd] * len(spreads)))
    lots = [lot for one in campaigns for lot in one.lots]
    truths = [truth for one in campaigns for truth in one.truths]
    lines.append(_coverage("matched", f"{link.quantity}_lot", lots, truths, judged=True))
    lines.append(_coverage("mismatched", f"{link.quantity}_one_lot_for_all", lots, [link.printed] * len(lots)))
    return lines


def _coverage(
    arm: str, measure_name: str, found: list[Estimate], truths: list[float], *, judged: bool = False
) -> Figure:
    """Share of intervals that hold the truth. Each technique's own table judges it closely; here too few are asked for more
    than that 0.95 is not ruled out from above."""
    held = sum(one.low <= truth <= one.high for one, truth in zip(found, truths, strict=True))
    within = wilson_interval(held, len(found))
    goal, reached = ("interval reaches 0.95", within.high >= 0.95) if judged else ("", None)
    return Figure(
        TABLE, arm, f"{measure_name}_coverage", held / len(found), within.low, within.high, len(found), goal, reached
    )
