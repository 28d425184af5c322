"""Synthetic files of camera formats, byte by byte after their published layout; no camera made them."""

import struct

import numpy as np


def sif_bytes(
    frames,
    *,
    exposure_s=0.25,
    started=1_750_000_000,
    version=65567,
    stamps=None,
    flag=b"0\n",
    tracks=1,
    note=b"synthetic",
    top=None,
    accumulated=1,
):
    """An Andor SIF of float32 frames, dims (frame, y, x)."""
    count, height, width = frames.shape
    stamps = [25_000 * number for number in range(count)] if stamps is None else stamps
    third = (
        b"%d 0 0 1 %d -70 " % (version, started)
        + b"\0 \1 \2 \0 \0 "
        + b"0 %g 0.3 0.25 %d \0 0.3 1e-08 0 1 1 0 0 0" % (exposure_s, accumulated)
    )
    lines = [
        b"Andor Technology Multi-Channel File",
        b"65538 1",
        third + b" 0" * 18 + b" 500",
        b"DU-897",
        b"%d %d 8" % (width, height) + b"\nx.sif \n",
        b"65538 %d" % len(note) + b"\n" + note,
        b"65538 \1 \2 \3 \0 0 0",
    ]
    # lines of no concern here, as many as the version has
    lines += [b"65540 0 500 0 0 1200 1200"] * 15 + [
        b"65539 \1 \0 \1 \0 \1 \0",
        b"0 1 0 0",
        b"0 1 0 0",
        b"532",
        b"422",
        b"13",
        b"13",
    ]
    axes = b"".join(b"%d\n" % len(name) + name for name in (b"Pixel number", b"Counts", b"Pixel number"))
    size = width * height
    area = b"65541 1 %d %d 1 %d %d %d %d" % (height, width, count, tracks, size * count, size)
    track = b"65538 1 %d %d 1 1 1 0" % (height if top is None else top, width)
    text = b"\n".join(lines) + b"\n" + axes + area + b"\n" + track + b"\n"
    text += b"".join(b"%d\n" % stamp for stamp in stamps) + flag
    return text + frames.astype("<f4").tobytes() + b"0\n"


def spe2_bytes(
    frames,
    *,
    exposure_s=0.25,
    code=3,
    version=2.5,
    regions=1,
    day=b"09Mar2026",
    clock=b"143000",
    count=None,
    accumulated=0,
):
    """A SPE 2.x, dims (frame, y, x)."""
    head = bytearray(4100)
    struct.pack_into("<f", head, 10, exposure_s)
    head[20 : 20 + len(day)] = day
    head[172 : 172 + len(clock)] = clock
    struct.pack_into("<H", head, 42, frames.shape[2])
    struct.pack_into("<h", head, 108, code)
    struct.pack_into("<H", head, 656, frames.shape[1])
    struct.pack_into("<i", head, 668, accumulated)
    struct.pack_into("<i", head, 1446, frames.shape[0] if count is None else count)
    struct.pack_into("<h", head, 1510, regions)
    struct.pack_into("<f", head, 1992, version)
    kind = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "<u1", 8: "<u4"}.get(code, "<u2")
    return bytes(head) + frames.astype(kind).tobytes()


XML = """<?xml version="1.0" encoding="utf-8"?>{doctype}
<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009"><DataFormat>
<DataBlock type="Frame" count="{count}" pixelFormat="{kind}" size="{size}" stride="{stride}">{regions}</DataBlock></DataFormat>
<MetaFormat><MetaBlock><TimeStamp event="ExposureStarted" type="Int64" bitDepth="64" resolution="1000000" />
<TimeStamp event="ExposureEnded" type="Int64" bitDepth="64" resolution="1000000" />
<FrameTrackingNumber type="Int64" bitDepth="64" /></MetaBlock></MetaFormat>
<GeneralInformation><FileInformation created="2026-03-09T14:30:00.1234567+01:00" /></GeneralInformation>
<DataHistories><DataHistory><Origin><Experiment xmlns="http://www.princetoninstruments.com/experiment/2009"><Devices><Cameras>
<Camera><ShutterTiming><ExposureTime type="Double">{exposure_ms}</ExposureTime></ShutterTiming></Camera>
</Cameras></Devices></Experiment></Origin></DataHistory></DataHistories></SpeFormat>"""


def spe3_bytes(
    frames,
    *,
    exposure_ms=250.0,
    stamps=None,
    numbers=None,
    regions=1,
    doctype="",
    kind="MonochromeUnsigned16",
    **changes,
):
    """A SPE 3.0 with times and numbers behind each frame, dims (frame, y, x)."""
    count, height, width = frames.shape
    stamps = [250_000 * number for number in range(count)] if stamps is None else stamps
    numbers = range(1, count + 1) if numbers is None else numbers
    size = height * width * frames.dtype.itemsize
    body = b"".join(
        frame.tobytes() + struct.pack("<qqq", stamp, stamp + 1000, number)
        for frame, stamp, number in zip(frames, stamps, numbers, strict=True)
    )
    region = (
        f'<DataBlock type="Region" count="1" width="{width}" height="{height}" size="{size}" stride="{size}" />'
        * regions
    )
    words = {
        "count": count,
        "kind": kind,
        "size": size,
        "stride": size + 24,
        "regions": region,
        "exposure_ms": exposure_ms,
    }
    xml = XML.format(doctype=doctype, **{**words, **changes}).encode()
    head = bytearray(spe2_bytes(frames[:0], version=3.0))
    struct.pack_into("<Q", head, 678, 4100 + len(body))
    return bytes(head) + body + xml


def counts(count=3, shape=(20, 30), seed=4):
    return np.random.default_rng(seed).integers(90, 4000, (count, *shape)).astype("<u2")
