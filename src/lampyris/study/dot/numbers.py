"""Every number of a technique's result as rows; means over lots; and what study.toml says of the same quantity."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lampyris.core.bench import BenchRecord, BenchResult
from lampyris.core.bench_study import POOLED, BenchLots, BenchNumber, BenchStated
from lampyris.core.estimate import Estimate
from lampyris.core.settings import ProbeSettings, StudySettings
from lampyris.statistics.intervals import NORMAL_95, t_interval, with_error


def bench_numbers(result: BenchResult, probe: str, lot: str, /) -> tuple[BenchNumber, ...]:
    """Every number of a result, the pooled ones first; a single record is told once."""
    pooled = result.pooled
    records = [] if len(result.records) == 1 and result.records[0] is pooled else list(result.records)
    told = [(pooled, POOLED, "", max(len(result.records), 1), result.replicate)]
    told += [(record, record.name, record.file, 1, "") for record in records]
    return tuple(
        BenchNumber(
            result.technique, probe, lot, sample, file, quantity, number, label, estimate, count, replicated, record.flags
        )
        for record, sample, file, count, replicated in told
        for quantity, number, label, estimate in _estimates(record)
    )  # fmt: skip


def _estimates(record: BenchRecord) -> Iterator[tuple[str, int, str, Estimate]]:
    for key, one in record.values.items():
        yield key, 0, "", one
    for key, several in record.lists.items():
        for number, one in enumerate(several, start=1):
            yield key, number, "", one
    for key, rows in record.tables.items():
        for number, row in enumerate(rows, start=1):
            label = " ".join(str(value) for value in row.values() if isinstance(value, str))
            for column, value in row.items():
                if isinstance(value, Estimate):
                    yield f"{key}.{column}", number, label, value


def over_lots(numbers: Sequence[BenchNumber], /) -> tuple[BenchLots, ...]:
    """Mean and spread over lots of every pooled number that at least two lots have.

    Parameters
    ----------
    numbers : sequence of BenchNumber

    Returns
    -------
    tuple of BenchLots
        Lots weigh alike: the spread between them is what is asked. How well each was measured counts as shared by all, as a
        calibration is: Student's interval of the lots' values is widened by the median of the lots' own half widths. A flagged lot is
        in the mean as any other, and told.
    """
    found: dict[tuple[str, str, str], list[BenchNumber]] = {}
    for one in numbers:
        plain = one.sample == POOLED and not one.number and math.isfinite(one.estimate.value)
        if plain and one.lot:
            found.setdefault((one.technique, one.probe, one.quantity), []).append(one)
    lots = []
    for (technique, probe, quantity), several in found.items():
        if len({one.lot for one in several}) < 2:
            continue
        values = [one.estimate.value for one in several]
        mean = _with_shared(t_interval(values, unit=several[0].estimate.unit), [one.estimate for one in several])
        flagged = tuple(f"{one.lot}: {', '.join(one.flags)}" for one in several if one.flags)
        if flagged:
            mean = replace(mean, method=f"{mean.method}; flagged lots in it: {'; '.join(flagged)}")
        lots.append(BenchLots(technique, probe, quantity, len(values), mean, _spread(values, mean.unit), flagged))
    return tuple(lots)


def _half_width(one: Estimate) -> float:
    """Half of the interval; where it has no end on a side, what the standard deviation says of the other."""
    half = 0.5 * (one.high - one.low)
    return half if math.isfinite(half) else NORMAL_95 * one.sd


def _with_shared(mean: Estimate, lots: Sequence[Estimate]) -> Estimate:
    halves = sorted(half for one in lots if math.isfinite(half := _half_width(one)))
    own = halves[len(halves) // 2] if halves else 0.0
    return with_error(mean, own / NORMAL_95, f"{mean.method} over lots, error of a lot shared by all")


def _spread(values: Sequence[float], unit: str, level: float = 0.95) -> Estimate:
    """Standard deviation with the interval of normal values."""
    from scipy.stats import chi2

    n = len(values)
    mean = math.fsum(values) / n
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    ends = [float(chi2.ppf(share, n - 1)) for share in (0.5 + level / 2, 0.5 - level / 2)]
    low, high = (sd * math.sqrt((n - 1) / end) for end in ends)
    return Estimate(sd, math.nan, low, high, level, unit, "standard deviation, normal")


@dataclass(frozen=True, slots=True)
class _Stating:
    """Where study.toml states a quantity, and how to read it there in the unit of the bench."""

    key: str
    value: Callable[[ProbeSettings], float | None]
    sd: Callable[[ProbeSettings], float | None] = lambda _: None


def _retained(probe: ProbeSettings, minutes: float) -> float | None:
    told = probe.photostability
    return told.retained_percent / 100 if told is not None and math.isclose(told.minutes, minutes) else None


def _sheet(name: str) -> Callable[[ProbeSettings], Any]:
    return lambda probe: getattr(probe.characterisation, name, None)


def _statings(settings: StudySettings) -> dict[tuple[str, str], _Stating]:
    """By technique and quantity."""
    core = _Stating("characterisation.core_nm", _sheet("core_nm"))
    core_sd = _Stating("characterisation.core_sd_nm", _sheet("core_sd_nm"))
    minutes = 60.0
    if "photostability" in settings.bench.named:
        minutes = float(getattr(settings.bench.of("photostability"), "at_min", minutes))
    retained = _Stating("photostability.retained_percent", lambda probe: _retained(probe, minutes))
    return {
        ("photoluminescence", "peak_nm"): _Stating("emission_nm", lambda probe: probe.emission_nm),
        ("photoluminescence", "fwhm_nm"): _Stating("fwhm_nm", lambda probe: probe.fwhm_nm),
        ("quantum-yield", "quantum_yield"): _Stating(
            "quantum_yield", lambda probe: probe.quantum_yield, lambda probe: probe.quantum_yield_sd
        ),
        ("tem", "diameter_nm"): core,
        ("sem", "diameter_nm"): core,
        ("tem", "sd_nm"): core_sd,
        ("sem", "sd_nm"): core_sd,
        ("dls", "z_average_nm"): _Stating("characterisation.hydrodynamic_nm", _sheet("hydrodynamic_nm")),
        ("dls", "pdi"): _Stating("characterisation.dispersity", _sheet("dispersity")),
        ("photostability", "retained_60min"): retained,
        ("photostability", "retained"): retained,
    }


def stated_beside(
    numbers: Sequence[BenchNumber], lots: Sequence[BenchLots], settings: StudySettings, /
) -> tuple[BenchStated, ...]:
    """Measured numbers beside what the settings say of the probe.

    Parameters
    ----------
    numbers : sequence of BenchNumber
    lots : sequence of BenchLots
        Where there are several lots, their mean is compared.
    settings : StudySettings

    Returns
    -------
    tuple of BenchStated
    """
    statings = _statings(settings)
    together = {(one.technique, one.probe, one.quantity): one.mean for one in lots}
    told = [(*key, "", mean) for key, mean in together.items()]
    told += [
        (one.technique, one.probe, one.quantity, one.lot, one.estimate)
        for one in numbers
        if one.sample == POOLED and not one.number and (one.technique, one.probe, one.quantity) not in together
    ]
    found = []
    for technique, probe, quantity, lot, measured in told:
        stating, of = statings.get((technique, quantity)), settings.probes.get(probe)
        value = stating.value(of) if stating is not None and of is not None else None
        if stating is None or of is None or value is None or not math.isfinite(measured.value):
            continue
        sd = stating.sd(of) or 0.0
        difference = _difference(measured, value, sd)
        finite = math.isfinite(difference.low) and math.isfinite(difference.high)
        inside = difference.low <= 0 <= difference.high if finite else None
        key = f"probes.{probe}.{stating.key}"
        found.append(BenchStated(technique, probe, lot, quantity, key, value, sd, measured, difference, inside))
    return tuple(found)


def _difference(measured: Estimate, stated: float, sd: float) -> Estimate:
    """Measured less stated; the stated uncertainty widens the interval on both sides."""
    moved = replace(measured, value=measured.value - stated, low=measured.low - stated, high=measured.high - stated)
    return with_error(moved, sd, "measured less stated")
