"""Writes images of virtual studies as IVIS click and sequence folders, which read back to the same image.

Files come as bytes by their path, so that the caller writes them durably. The same image gives the same bytes.
"""

import datetime as dt
import io
import math
import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import RawImage
from lampyris.io.images.ivis.click import SYNTHETIC, UNMIXED, USER_LABELS
from lampyris.io.images.ivis.info import MAX_KEY, decoded

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d))?", re.ASCII)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_UNSET = "Open"


def click_files(
    image: RawImage,
    /,
    *,
    name: str,
    field_of_view_cm: float = math.nan,
    f_number: float = 1.0,
    binning: int = 1,
    encoding: str = "cp1252",
    signed: bool = False,
) -> dict[str, bytes]:
    """Return the files of a click folder.

    Parameters
    ----------
    image : RawImage
        One channel, uint16, called as its emission filter reads back: "780". The dark is a frame of uint16, written as
        ``background.tif`` of the image's exposure, or a constant, written as read-bias level. ``labels``, the photograph
        and the coefficient go in where the image has them; a `synthetic` image is marked so.
    name : str
        Of the folder.
    field_of_view_cm : float
        Side of the field; by default the longer side of the image.
    f_number : float
        Stop.
    binning : int
        Camera pixels along the side of one of the image's.
    encoding : str
        Of the text files: ``cp1252``, ``utf-8`` or ``utf-8-sig``.
    signed : bool
        Store 16-bit counts under the signed type, as the instrument's computer may.

    Returns
    -------
    dict of str to bytes
        Content by path, ``name/ClickInfo.txt`` and so on.

    Raises
    ------
    ValueError
        If the format cannot hold the image.

    Examples
    --------
    >>> image = RawImage(np.ones((1, 2, 3), np.uint16), ("780",), 0.5, (10.0,), (675.0,), (780.0,), synthetic=True)
    >>> sorted(click_files(image, name="m01_d07"))
    ['m01_d07/ClickInfo.txt', 'm01_d07/luminescent.TIF']
    """
    _check(image, name, binning)
    if image.counts.shape[0] != 1:
        raise ValueError(f"a click holds one channel, the image {image.counts.shape[0]}; use sequence_files")
    if image.channels[0] != (channel := _channel(image)):
        raise ValueError(f"channel {image.channels[0]!r} would read back as {channel!r}; call it so")
    fov = field_of_view_cm if field_of_view_cm > 0 else image.pixel_mm * max(image.counts.shape[1:]) / 10
    files = {"luminescent.TIF": _tiff(image.counts[0], signed=signed)}
    constant = math.nan
    if image.dark is not None:
        constant = float(image.dark.flat[0]) if np.ptp(image.dark) == 0 else math.nan
        if math.isnan(constant):
            files["background.tif"] = _tiff(image.dark[0], signed=signed)
    if image.photo is not None:
        files["photograph.TIF"] = _tiff(image.photo, signed=False)
    text = _click_text(image, name=name, fov=fov, stop=f_number, binning=binning, read_bias=constant)
    files["ClickInfo.txt"] = _encoded(text, encoding)
    return {f"{name}/{file}": data for file, data in sorted(files.items())}


def sequence_files(
    image: RawImage,
    /,
    *,
    name: str,
    field_of_view_cm: float = math.nan,
    f_number: float = 1.0,
    binning: int = 1,
    encoding: str = "cp1252",
    signed: bool = False,
) -> dict[str, bytes]:
    """Return the files of a sequence folder: a click for each channel, the photograph in the first.

    Parameters
    ----------
    image : RawImage
        Channels of uint16, each called as its emission filter reads back: "780".
    name : str
        Of the sequence; the folder is called ``name_SEQ``.
    field_of_view_cm, f_number, binning, encoding, signed
        As `click_files`.

    Returns
    -------
    dict of str to bytes
        Content by path, ``name_SEQ/SequenceInfo.txt``, ``name_SEQ/name_001/ClickInfo.txt`` and so on.

    Raises
    ------
    ValueError
        If the format cannot hold the image.
    """
    _check(image, name, binning)
    if len(set(image.channels)) < len(image.channels):
        raise ValueError(f"channels {image.channels} are not distinct")
    folder = f"{name}_SEQ"
    files: dict[str, bytes] = {}
    lines = _heading(image, "Sequence", folder)
    for number in range(image.counts.shape[0]):
        click = f"{name}_{number + 1:03d}"
        lines.append(f"*** ClickNumber:\t{click}")
        part = click_files(
            _channel_of(image, number),
            name=click,
            field_of_view_cm=field_of_view_cm,
            f_number=f_number,
            binning=binning,
            encoding=encoding,
            signed=signed,
        )
        files |= {f"{folder}/{path}": data for path, data in part.items()}
    files[f"{folder}/SequenceInfo.txt"] = _encoded(lines, encoding)
    return files


def _channel_of(image: RawImage, number: int) -> RawImage:
    """One channel of an image by itself."""
    one = slice(number, number + 1)
    return replace(
        image,
        counts=image.counts[one],
        channels=image.channels[one],
        exposure_s=image.exposure_s[one],
        excitation_nm=image.excitation_nm[one],
        emission_nm=image.emission_nm[one],
        dark=None if image.dark is None else image.dark[one],
        photo=image.photo if number == 0 else None,
        radiance_per_count_rate=image.radiance_per_count_rate[one],
    )


def _check(image: RawImage, name: str, binning: int) -> None:
    """What the format cannot hold, all at once."""
    faults = []
    for what, array in (("counts", image.counts), ("photo", image.photo)):
        if array is not None and array.dtype not in (np.uint16, np.uint8):
            faults.append(f"{what} are {array.dtype}, not uint16")
    if image.dark is not None and image.dark.dtype != np.uint16 and np.ptp(image.dark) > 0:
        faults.append(f"dark is {image.dark.dtype}, not uint16 or one constant")
    if image.acquired and not _TIME.fullmatch(image.acquired):
        faults.append(f"acquired is {image.acquired!r}, not such as 2025-03-09T14:30:00")
    for key, text in image.labels.items():
        if text != " ".join(text.split()) or len(text) > 1000:
            faults.append(f"label {key} is {text[:60]!r}: one line without double blanks is needed")
    if not name.strip() or _FORBIDDEN.search(name) or len(name) > MAX_KEY or name != name.strip(". "):
        faults.append(f"name {name!r} is no folder name")
    if UNMIXED.search(name):
        faults.append(f"name {name!r} carries UMX, which marks unmixed folders")
    if binning < 1:
        faults.append(f"binning is {binning}")
    if faults:
        raise ValueError("; ".join(faults))


def _channel(image: RawImage) -> str:
    """Name under which a click's channel reads back."""
    return f"{image.emission_nm[0]:g}" if image.emission_nm[0] > 0 else _UNSET


def _heading(image: RawImage, section: str, value: str) -> list[str]:
    """First lines of a text file."""
    marked = [f"# {SYNTHETIC}: simulated by Lampyris, no instrument recorded it"] if image.synthetic else []
    return [*marked, f"*** {section}:\t{value}"]


def _click_text(image: RawImage, *, name: str, fov: float, stop: float, binning: int, read_bias: float) -> list[str]:
    """Lines of ClickInfo.txt."""
    date, time = _vendor_time(image.acquired)
    lines = [
        *_heading(image, "ClickNumber", name),
        "*** luminescent image:\tluminescent.TIF",
        *_lines(("Acquisition Date", date), ("Acquisition Time", time)),
        *_lines(
            ("Luminescent Exposure (Seconds)", _written(image.exposure_s[0])),
            ("Binning Factor", str(binning)),
            ("f Number", _written(stop)),
            ("Field of View (cm)", _written(fov)),
            ("Emission filter", _written(image.emission_nm[0]) or _UNSET),
            ("Excitation filter", _written(image.excitation_nm[0]) or _UNSET),
            ("Saturated", image.labels.get("saturated", "0")),
            ("Read Bias Level", _written(read_bias)),
        ),
    ]
    if image.photo is not None:
        side = image.photo_pixel_mm * max(image.photo.shape) / 10
        lines += ["*** photographic image:\tphotograph.TIF", *_lines(("Field of View (cm)", _written(side)))]
    if image.dark is not None and math.isnan(read_bias):
        lines.append("*** background image:\tbackground.tif")
        lines += _lines(
            ("Background Exposure (Seconds)", _written(image.exposure_s[0])), ("Binning Factor", str(binning))
        )
    lines += ["*** Camera System Info:", "#" * 65, "# Calibration", "#" * 65]
    lines += _lines(("System Configuration", image.labels.get("instrument", "")))
    if image.radiance_per_count_rate:
        coefficient = image.radiance_per_count_rate[0] * binning**2
        lines.append(f"Coef C-ccd at FOV {_written(fov)}, f{_written(stop)}:\t{coefficient!r}")
    lines.append("*** User Label Name Set:\tLampyris")
    lines += _lines(*((key.title(), image.labels.get(label, "")) for key, label in USER_LABELS.items()))
    return [*lines, *_lines(("Comment1", image.labels.get("comment", "")))]


def _lines(*pairs: tuple[str, str]) -> list[str]:
    """Lines of the keys that have a value."""
    return [f"{key}:\t{value}" for key, value in pairs if value]


def _written(value: float) -> str:
    """The shortest text that reads back as the number, "" for NaN."""
    if math.isnan(value):
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def _vendor_time(acquired: str) -> tuple[str, str]:
    """Date and time as Living Image writes them."""
    match = _TIME.fullmatch(acquired)
    if not match:
        return "", ""
    day = dt.date.fromisoformat(match[1])
    return f"{_WEEKDAYS[day.weekday()]}, {_MONTHS[day.month - 1]} {day.day}, {day.year:04d}", match[2] or ""


def _encoded(lines: list[str], encoding: str) -> bytes:
    """Bytes of a text file, which read back as the same text."""
    text = "\r\n".join(lines) + "\r\n"
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError as error:
        raise ValueError(f"{encoding} cannot hold {text[error.start : error.end]!r}; choose utf-8-sig") from error
    if decoded(data) != text.replace("\r\n", "\n"):
        raise ValueError(f"the text in {encoding} would be taken for another encoding; choose utf-8-sig")
    return data


def _tiff(plane: NDArray[np.generic], *, signed: bool) -> bytes:
    """An uncompressed TIFF of one page, without time or program."""
    import tifffile

    plane = np.ascontiguousarray(plane)
    if signed and plane.dtype == np.uint16:
        plane = plane.view(np.int16)
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder="<", ome=False) as writer:
        writer.write(plane, photometric="minisblack", planarconfig=None, metadata=None, software=False, contiguous=True)
    return stream.getvalue()
