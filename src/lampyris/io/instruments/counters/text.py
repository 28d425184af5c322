"""Decays as text: channels with a "time calibration" (DAS6, FluoFit), PicoQuant's ASCII export, or time and counts as CSV."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Decay
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NumericText, decoded, numeric_text

NANOSECONDS = {"ps": 1e-3, "ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
"""Units of time, each in ns."""
MAX_CHANNELS = 1 << 20
_NUMBER = r"(\d+(?:[.,]\d*)?(?:[eE][+-]?\d{1,3})?)"
_PER_CHANNEL = re.compile(
    rf"(?:time\s*calibration|resolution|ns\s*/\s*ch\w*)[^\d\r\n]*{_NUMBER}\s*(ps|ns|us|µs|ms|s)\b", re.IGNORECASE
)
_REPETITION = re.compile(
    rf"(?:repetition|rep\.?\s*rate|sync(?:\s*rate)?)[^\d\r\n]{{0,20}}{_NUMBER}\s*(MHz|kHz|Hz)\b", re.IGNORECASE
)
_ACQUISITION = re.compile(
    rf"(?:real|live|acquisition|collection)\s*time[^\d\r\n]{{0,12}}{_NUMBER}\s*(ms|s|min)?\b", re.IGNORECASE
)
_MEGAHERTZ = {"mhz": 1.0, "khz": 1e-3, "hz": 1e-6}
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "min": 60.0}
_UNIT_OF_NAME = re.compile(r"(?:^|[\s_(\[/])(ps|ns|us|µs|ms|s)[\])]?\s*$", re.IGNORECASE)
_CHANNEL_NAME = re.compile(r"^\s*(chan|channel|ch|bin)s?\b", re.IGNORECASE)
# steps of a time axis may differ by their rounding
_EVEN = 0.02
_PICOQUANT = re.compile(r"#\s*ns\s*/\s*bin", re.IGNORECASE)


def read(
    path: Path, /, *, max_bytes: int, file: str, channel_ns: float | None = None, time_unit: str = ""
) -> tuple[Decay, ...]:
    """Read every decay of a text, a column each.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.
    channel_ns : float, optional
        Width of a channel where the file does not say it; it wins over the file where it does.
    time_unit : str
        Unit of the time column where its name does not say it.

    Returns
    -------
    tuple of Decay

    Raises
    ------
    ImageError
        If there are no counts, they are negative, or the width of a channel is not known or not even.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    text = decoded(data, file=file)
    if _PICOQUANT.search(text[:4000]):
        return _picoquant(text, file)
    found = numeric_text(data, file=file)
    keep = np.isfinite(found.values[:, 0])
    values, rows = found.values[keep], found.rows[keep]
    if values.shape[0] < 8:
        refuse(file, "decay.channels", f"holds {values.shape[0]} channels.", "Export every channel of the decay.")
    if values.shape[0] > MAX_CHANNELS:
        refuse(file, "decay.channels", f"holds more than {MAX_CHANNELS} channels.", "Bin the channels.")
    preamble = "\n".join(found.preamble)
    width = _width(found, values[:, 0], rows, preamble, channel_ns, time_unit, file)
    facts = _facts(preamble)
    decays = []
    for column in range(1, values.shape[1]):
        counts = values[:, column]
        if np.isfinite(counts).any():
            made = _decay(counts, rows, width, found.names[column], facts, file)
            decays.append(replace(made, words={**made.words, **found.remarks}))
    return tuple(decays)


def _decay(
    counts: NDArray[np.float64], rows: NDArray[np.int64], width: float, name: str, facts: dict[str, float], file: str
) -> Decay:
    last = int(np.flatnonzero(np.isfinite(counts))[-1]) + 1
    own = counts[:last]
    bad = np.flatnonzero(~(own >= 0))
    if bad.size:
        what = "no number" if math.isnan(own[bad[0]]) else f"{own[bad[0]]:g}"
        seen = f"holds {what} where a count belongs."
        mend = "Export counts as they were recorded: no background taken off, nothing smoothed."
        refuse(file, "decay.counts", seen, mend, row=int(rows[bad[0]]), column=name)
    if own.max() > 1e15:
        refuse(file, "decay.counts", f"holds {own.max():g} counts in a channel.", "Export counts.", column=name)
    whole = bool((own == np.round(own)).all())
    bare = "" if re.fullmatch(r"(i?data|counts?|intensity|y)?", name, re.IGNORECASE) else name
    return Decay(own, width, name=bare, file=file, words={"whole": "yes" if whole else "no"}, **facts)


def _facts(preamble: str) -> dict[str, float]:
    facts = {}
    rate = _REPETITION.search(preamble)
    if rate and _value(rate[1]) > 0:
        facts["repetition_mhz"] = _value(rate[1]) * _MEGAHERTZ[rate[2].lower()]
    times = [_value(one[1]) * _SECONDS[(one[2] or "").lower()] for one in _ACQUISITION.finditer(preamble)]
    if any(time > 0 for time in times):
        facts["acquisition_s"] = next(time for time in times if time > 0)
    return facts


def _value(text: str) -> float:
    return float(text.replace(",", "."))


def _width(
    found: NumericText,
    axis: NDArray[np.float64],
    rows: NDArray[np.int64],
    preamble: str,
    given: float | None,
    unit: str,
    file: str,
) -> float:
    """Width of a channel in ns."""
    steps = np.diff(axis)
    if not (steps > 0).all():
        seen = "has times that do not rise."
        refuse(file, "decay.axis", seen, "Export the channels in order.", row=int(rows[int(np.argmax(steps <= 0)) + 1]))
    step = float((axis[-1] - axis[0]) / (axis.size - 1))
    uneven = np.abs(steps - step) > _EVEN * step + 2.0 * np.spacing(np.abs(axis[1:])) + _rounding(axis, step)
    if uneven.any():
        seen = f"has channels of different width, {steps.min():g} and {steps.max():g}."
        row = int(rows[int(np.argmax(uneven)) + 1])
        refuse(file, "decay.axis", seen, "Export channels of one width, none left out.", row=row)
    if given is not None:
        return given
    by_number = bool(_CHANNEL_NAME.match(found.names[0])) or (step == 1.0 and not _UNIT_OF_NAME.search(found.names[0]))
    told = _PER_CHANNEL.search(preamble)
    if told and by_number and _value(told[1]) > 0:
        return step * _value(told[1]) * NANOSECONDS[told[2].lower()]
    named = _UNIT_OF_NAME.search(found.names[0])
    own = unit or (named[1].lower() if named and not by_number else "")
    if not own:
        seen = "does not say how long a channel is."
        refuse(file, "decay.axis", seen, "Give --channel-ns, or --time-unit of the time column.")
    width = step * NANOSECONDS[own]
    if not 1e-5 <= width <= 1e7:
        refuse(file, "decay.axis", f"has channels of {width:g} ns.", "Check the unit of the time; give --time-unit.")
    return width


def _rounding(axis: NDArray[np.float64], step: float) -> float:
    """What few printed digits can make steps differ by: two units of the last digit that the axis seems to have."""
    for digits in range(10):
        unit = 10.0**-digits
        if unit < step and np.abs(axis / unit - np.round(axis / unit)).max() < 1e-6:
            return 1.01 * unit
    return 0.0


def _picoquant(text: str, file: str) -> tuple[Decay, ...]:
    """ASCII export of PicoHarp and TimeHarp: widths of a channel below ``#ns/bin``, counts below ``#counts``."""
    lines = text.splitlines()
    at = next(k for k, line in enumerate(lines) if _PICOQUANT.search(line))
    start = next(
        (k for k, line in enumerate(lines) if k > at and re.match(r"\s*#\s*counts", line, re.IGNORECASE)), None
    )
    if start is None:
        refuse(file, "decay.counts", 'has no line "#counts".', "Export it again.", row=at + 1)
    try:
        widths = [_value(one) for one in " ".join(lines[at + 1 : start]).split()]
    except ValueError:
        refuse(file, "decay.axis", "has no widths of channels below #ns/bin.", "Export it again.", row=at + 2)
    rows: list[list[float]] = []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        cells = line.split()
        if not cells:
            continue
        if (
            len(cells) != len(widths)
            or len(rows) >= MAX_CHANNELS
            or not all(re.fullmatch(r"\d{1,15}", c, re.ASCII) for c in cells)
        ):
            refuse(file, "decay.counts", f"has no {len(widths)} counts in a line.", "Export it again.", row=number)
        rows.append([float(one) for one in cells])
    if len(rows) < 8:
        refuse(file, "decay.channels", f"holds {len(rows)} channels.", "Export every channel of the decay.")
    counts = np.array(rows)
    decays = [
        Decay(counts[:, k], width, name=f"curve {k + 1}", file=file)
        for k, width in enumerate(widths)
        if 1e-5 <= width <= 1e7 and counts[:, k].any()
    ]
    if not decays:
        refuse(file, "decay.counts", "holds no curve with counts.", "Export it again.")
    return tuple(decays)
