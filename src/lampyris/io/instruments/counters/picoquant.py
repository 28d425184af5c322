"""PicoQuant's tagged files: histograms (PHU) as they stand, photon streams in T3 mode (PTU) counted into decays.

The layout is that of PicoQuant's published unified file format: 48-byte tags until ``Header_End``, then records.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Decay
from lampyris.io.instruments.binary import array_at, unpacked, words_at
from lampyris.io.instruments.files import content, refuse

# name of 32 bytes, index, type and value
_TAG = "<36xI8s"
_MOST_TAGS = 20_000
_MOST_CURVES = 4096
_MOST_BINS = 1 << 20
_EMPTY, _BOOLS, _INTEGERS = 0xFFFF0008, (0x00000008,), (0x10000008, 0x11000008, 0x12000008)
_FLOATS = (0x20000008, 0x21000008)
_LONG = {0x2001FFFF: "floats", 0x4001FFFF: "text", 0x4002FFFF: "wide", 0xFFFFFFFF: "blob"}
# types of T3 records: bits of the photon's channel, of its time, and whether the channel or a bit of its own tells overflows
_PICOHARP = 0x00010303
_T3 = (0x00010304, 0x01010304, 0x00010305, 0x00010306, 0x00010307)
_T2 = (0x00010203, 0x00010204, 0x01010204, 0x00010205, 0x00010206, 0x00010207)


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags of a file by name, each a list by index.

    Parameters
    ----------
    values : dict of str to list
    end : int
        Byte after the last one.
    """

    values: dict[str, list[Any]]
    end: int

    def one(self, name: str, kind: type, default: Any = None) -> Any:
        """First value of a name if it is of a kind."""
        found = self.values.get(name, [])
        return found[0] if found and isinstance(found[0], kind) and not isinstance(found[0], bool) else default


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Decay, ...]:
    """Read the decays of a PTU or PHU file, one per detector channel or curve that holds photons.

    Parameters
    ----------
    path : Path
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Decay

    Raises
    ------
    ImageError
        If it is damaged or cut short, a stream in T2 mode, or holds no photon.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    magic = data[:8]
    if magic not in (b"PQTTTR\0\0", b"PQHISTO\0"):
        refuse(file, "decay.format", "is no PTU or PHU file.", "Give the file as the instrument wrote it.")
    tags = _tags(data, file)
    decays = _streamed(data, tags, file) if magic == b"PQTTTR\0\0" else _histograms(data, tags, file)
    if not decays:
        refuse(file, "decay.counts", "holds no photon.", "Check the recording.")
    return decays


def _tags(data: bytes, file: str) -> Tags:
    values: dict[str, list[Any]] = {}
    at = 16
    for _ in range(_MOST_TAGS):
        name = words_at(data, at, 32)
        kind, raw = unpacked(data, _TAG, at, file=file, what="tag")
        at += struct.calcsize(_TAG)
        if name == "Header_End":
            return Tags(values, at)
        value: Any = None
        if kind in _LONG:
            size = struct.unpack("<q", raw)[0]
            if not 0 <= size <= len(data) - at:
                refuse(file, "decay.cut", f"says that {name[:32]!r} is {size} bytes long.", "Copy the file again.")
            if _LONG[kind] == "text":
                value = data[at : at + size].split(b"\0")[0].decode("cp1252", "replace")
            at += size
        elif kind in _INTEGERS:
            value = struct.unpack("<q", raw)[0]
        elif kind in _FLOATS:
            value = struct.unpack("<d", raw)[0]
        elif kind in _BOOLS:
            value = raw != bytes(8)
        elif kind != _EMPTY:
            refuse(file, "decay.format", f"has a tag of the unknown type {kind:#010x}.", "Copy the file again.")
        values.setdefault(name, []).append(value)
    return refuse(file, "decay.format", f"has more than {_MOST_TAGS} tags.", "Copy the file again.")


def _positive(tags: Tags, *names: str) -> float:
    """First of the named numbers that is above 0 and finite, else NaN."""
    for name in names:
        found = tags.one(name, (int, float))  # type: ignore[arg-type]
        if found is not None and 0 < float(found) < math.inf:
            return float(found)
    return math.nan


def _channel_ns(tags: Tags, file: str, seconds: float) -> float:
    width = seconds * 1e9
    if not 1e-5 <= width <= 1e7:
        refuse(file, "decay.axis", f"says that a channel is {seconds:g} s long.", "Copy the file again.")
    return width


def _words(tags: Tags) -> dict[str, str]:
    kept = ("CreatorSW_Name", "HW_Type", "File_Comment")
    return {name: str(tags.one(name, str)) for name in kept if tags.one(name, str)}


def _histograms(data: bytes, tags: Tags, file: str) -> tuple[Decay, ...]:
    offsets = tags.values.get("HistResDscr_DataOffset", [])
    bins = tags.values.get("HistResDscr_HistogramBins", [])
    widths = tags.values.get("HistResDscr_MDescResolution", [])
    number = tags.one("HistoResult_NumberOfCurves", int, 0)
    if not (0 < number <= _MOST_CURVES and len(offsets) == number == len(bins)):
        seen = f"says that it holds {number} curves and places {len(offsets)}."
        refuse(file, "decay.format", seen, "Copy the file again.")
    common = _positive(tags, "MeasDesc_Resolution")
    rates = tags.values.get("HistResDscr_SyncRate", [])
    times = tags.values.get("HistResDscr_MDescStopAfter", [])
    decays = []
    for k, (offset, size) in enumerate(zip(offsets, bins, strict=True)):
        if not (isinstance(offset, int) and isinstance(size, int) and 0 < size <= _MOST_BINS and offset >= tags.end):
            seen = f"says that curve {k + 1} has {size} channels at byte {offset}."
            refuse(file, "decay.format", seen, "Copy the file again.")
        counts = array_at(data, "<u4", offset, size, file=file, what=f"curve {k + 1}")
        own = widths[k] if len(widths) == number and isinstance(widths[k], float) and widths[k] > 0 else common
        if counts.any():
            facts = {
                "repetition_mhz": _number(rates, k, number) * 1e-6,
                "acquisition_s": _number(times, k, number) * 1e-3,
            }
            name = f"curve {k + 1}"
            decays.append(
                Decay(counts, _channel_ns(tags, file, own), name=name, file=file, words=_words(tags), **facts)
            )
    return tuple(decays)


def _number(values: list[Any], k: int, number: int) -> float:
    own = values[k] if len(values) == number else None
    usable = isinstance(own, int | float) and not isinstance(own, bool) and 0 < own < 1e15
    return float(own) if usable and own is not None else math.nan


def _streamed(data: bytes, tags: Tags, file: str) -> tuple[Decay, ...]:
    kind = tags.one("TTResultFormat_TTTRRecType", int, 0)
    if kind in _T2:
        seen = "is a stream in T2 mode, which holds no time after the pulse."
        refuse(file, "decay.t2", seen, "Record in T3 mode, or export the histogram.")
    if kind != _PICOHARP and kind not in _T3:
        refuse(
            file, "decay.format", f"holds records of the unknown type {kind:#010x}.", "Export the histogram as text."
        )
    number = tags.one("TTResult_NumberOfRecords", int, -1)
    if not 0 <= number <= (len(data) - tags.end) // 4:
        seen = f"says that it holds {number} records; there are {(len(data) - tags.end) // 4}."
        refuse(file, "decay.cut", seen, "Copy the file again.")
    width = _channel_ns(tags, file, _positive(tags, "MeasDesc_Resolution"))
    channel, time = _photons(np.frombuffer(data, "<u4", number, tags.end), kind)
    period = _positive(tags, "MeasDesc_GlobalResolution") * 1e9
    facts = {
        "repetition_mhz": 1e3 / period if 0.01 < period < 1e9 else math.nan,
        "acquisition_s": _positive(tags, "TTResult_StopAfter", "MeasDesc_AcquisitionTime") * 1e-3,
    }
    channels = period / width if math.isfinite(period) else 0.0
    size = max(int(time.max()) + 1 if time.size else 1, min(math.ceil(channels), 1 << 15))
    decays = []
    for one in np.unique(channel).tolist():
        counts = np.bincount(time[channel == one], minlength=size).astype(np.float64)
        decays.append(Decay(counts, width, name=f"channel {one}", file=file, words=_words(tags), **facts))
    return tuple(decays)


def _photons(records: NDArray[np.uint32], kind: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Channel from 1 and time in channels of each photon; overflows and markers are left out."""
    if kind == _PICOHARP:
        channel = (records >> 28).astype(np.int64)
        photon = channel != 15
        return channel[photon], ((records[photon] >> 16) & 0xFFF).astype(np.int64)
    photon = (records >> 31) == 0
    kept = records[photon]
    return ((kept >> 25) & 0x3F).astype(np.int64) + 1, ((kept >> 10) & 0x7FFF).astype(np.int64)
