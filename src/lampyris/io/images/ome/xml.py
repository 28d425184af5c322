"""The OME-XML (2016-06) in an OME-TIFF: written without anything that changes between runs, read without trust."""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from lampyris.core.errors import UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.io.images.tiff import refuse
from lampyris.io.safe_xml import DeclarationError, xml_root

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SYNTHETIC_NAMESPACE = "lampyris/synthetic"
"""Namespace of the annotation that marks simulated data."""

MAX_BYTES = 4_000_000
"""Longer descriptions are refused; one of a thousand planes takes a tenth of this."""

_SCHEMA = f"{NAMESPACE} {NAMESPACE}/ome.xsd"
_TYPES = {"u1": "uint8", "u2": "uint16", "u4": "uint32", "f4": "float", "f8": "double"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
# what XML 1.0 can hold at all
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MM = {"mm": 1.0, "µm": 1e-3, "μm": 1e-3, "um": 1e-3, "nm": 1e-6, "cm": 10.0, "m": 1e3, "in": 25.4}
_NM = {"nm": 1.0, "µm": 1e3, "μm": 1e3, "um": 1e3, "Å": 0.1, "m": 1e9, "mm": 1e6}
_SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "min": 60.0, "h": 3600.0}
_MEND = "Export the image again from the instrument's software."
_MEND_SINGLE = "Export one animal's view as a single OME-TIFF file that holds its own pixels."


@dataclass(frozen=True, slots=True)
class OmeMetadata:
    """What the description says, in the units of `RawImage`; NaN and "" where it says nothing.

    Parameters
    ----------
    planes : tuple of int
        Page (or sample) of each channel.
    channels : tuple of str
        Names.
    pixel_mm : float
        Pixel pitch.
    exposure_s, excitation_nm, emission_nm : tuple of float
        Per channel.
    acquired : str
        ISO 8601 time.
    synthetic : bool
        The data were simulated.
    """

    planes: tuple[int, ...]
    channels: tuple[str, ...]
    pixel_mm: float
    exposure_s: tuple[float, ...]
    excitation_nm: tuple[float, ...]
    emission_nm: tuple[float, ...]
    acquired: str = ""
    synthetic: bool = False


def plain_metadata(count: int, /) -> OmeMetadata:
    """Metadata of a file that says nothing: channels "0", "1", ...

    Parameters
    ----------
    count : int
        Channels.

    Returns
    -------
    OmeMetadata
        All NaN.
    """
    unknown = (math.nan,) * count
    return OmeMetadata(tuple(range(count)), tuple(map(str, range(count))), math.nan, unknown, unknown, unknown)


def ome_description(image: RawImage, /, *, description: str = "") -> str:
    """Return the OME-XML of an image: the same text for the same image, always.

    Parameters
    ----------
    image : RawImage
        Counts of dims (channel, y, x); a date in `acquired` becomes midnight of that day, as OME knows no bare dates.
    description : str
        Free text.

    Returns
    -------
    str
        XML, ASCII only.

    Raises
    ------
    ValueError
        If a text holds control characters, `acquired` is no ISO 8601 time, or a number is negative or infinite.
    """
    _check_writable(image, description)
    count, height, width = image.counts.shape
    attributes = {"xmlns": NAMESPACE, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    root = ET.Element("OME", attributes | {"xsi:schemaLocation": _SCHEMA})
    entry = ET.SubElement(root, "Image", ID="Image:0")
    if image.acquired:
        time = image.acquired if "T" in image.acquired else f"{image.acquired}T00:00:00"
        ET.SubElement(entry, "AcquisitionDate").text = time
    if description:
        ET.SubElement(entry, "Description").text = description
    kind = _TYPES[image.counts.dtype.str[1:]]
    sizes = {"SizeX": width, "SizeY": height, "SizeC": count, "SizeZ": 1, "SizeT": 1}
    pixels = ET.SubElement(entry, "Pixels", ID="Pixels:0", DimensionOrder="XYCZT", Type=kind, BigEndian="false")
    pixels.attrib.update({name: str(size) for name, size in sizes.items()})
    _quantity(pixels, "PhysicalSizeX", image.pixel_mm, "mm")
    _quantity(pixels, "PhysicalSizeY", image.pixel_mm, "mm")
    for number, name in enumerate(image.channels):
        channel = ET.SubElement(pixels, "Channel", ID=f"Channel:0:{number}", Name=name, SamplesPerPixel="1")
        _quantity(channel, "ExcitationWavelength", image.excitation_nm[number], "nm")
        _quantity(channel, "EmissionWavelength", image.emission_nm[number], "nm")
    for number in range(count):
        ET.SubElement(pixels, "TiffData", IFD=str(number), FirstC=str(number), PlaneCount="1")
    for number, exposure in enumerate(image.exposure_s):
        plane = ET.SubElement(pixels, "Plane", TheZ="0", TheT="0", TheC=str(number))
        _quantity(plane, "ExposureTime", exposure, "s")
    if image.synthetic:
        ET.SubElement(entry, "AnnotationRef", ID="Annotation:0")
        notes = ET.SubElement(root, "StructuredAnnotations")
        note = ET.SubElement(notes, "BooleanAnnotation", ID="Annotation:0", Namespace=SYNTHETIC_NAMESPACE)
        ET.SubElement(note, "Description").text = "These data are synthetic: simulated, not measured."
        ET.SubElement(note, "Value").text = "true"
    body: bytes = ET.tostring(root, encoding="us-ascii")
    return '<?xml version="1.0" encoding="UTF-8"?>' + body.decode("ascii")


def _check_writable(image: RawImage, description: str) -> None:
    """Refuse what the description could not hold, all faults in one message."""
    faults = []
    if image.counts.dtype.str[1:] not in _TYPES:
        faults.append(f"counts of type {image.counts.dtype} are not in the format")
    if bad := [text for text in (*image.channels, description) if _NOT_XML.search(text)]:
        faults.append(f"text {bad[0]!r} holds a control character")
    if image.acquired and not _TIME.fullmatch(image.acquired):
        faults.append(f"acquired is {image.acquired!r}, not ISO 8601 such as 2025-03-09T14:30:00")
    numbers = (image.pixel_mm, *image.exposure_s, *image.excitation_nm, *image.emission_nm)
    if bad_numbers := [number for number in numbers if number <= 0 or math.isinf(number)]:
        faults.append(f"{bad_numbers[0]} is no positive length, time or wavelength")
    if faults:
        raise ValueError("; ".join(faults))


def _quantity(element: ET.Element, name: str, value: float, unit: str) -> None:
    """Set a number with its unit; leave it out where it is not known."""
    if not math.isnan(value):
        element.set(name, repr(float(value)))
        element.set(f"{name}Unit", unit)


def ome_metadata(xml: bytes, /, *, shape: tuple[int, int, int], file: str) -> OmeMetadata:
    """Read the description of an OME-TIFF; no other file is ever opened.

    Parameters
    ----------
    xml : bytes
        The description tag.
    shape : tuple of int
        Planes, height and width that the file stores.
    file : str
        The file's name, for messages and to recognise itself.

    Returns
    -------
    OmeMetadata
        In the units of `RawImage`.

    Raises
    ------
    ImageError
        If it cannot be understood or does not fit the stored pixels.
    UnsafeFileError
        If it declares a document type or entity, is too long, or says that pixels stand in another file.
    """
    root, pixels = _single_image(xml, file)
    _check_sizes(pixels, shape, file)
    return _metadata(root, pixels, _planes(pixels, shape[0], file), _exposures(pixels, shape[0], file), file)


def _single_image(xml: bytes, file: str) -> tuple[ET.Element, ET.Element]:
    """Root and pixels of a description of one image whose pixels stand in this file."""
    root = _parsed(xml, file)
    images = root.findall("Image")
    pixels = images[0].find("Pixels") if len(images) == 1 else None
    if pixels is None:
        seen = f"describes {len(images)} images with pixels; exactly one is needed."
        refuse(file, "image.metadata", seen, _MEND_SINGLE)
    _check_files(root, pixels, file)
    return root, pixels


def _metadata(
    root: ET.Element, pixels: ET.Element, planes: tuple[int, ...], exposure_s: tuple[float, ...], file: str
) -> OmeMetadata:
    """What the description says of its channels, one per entry of `planes`."""
    count = len(planes)
    time = (root.findtext("Image/AcquisitionDate") or "").strip()
    return OmeMetadata(
        planes=planes,
        channels=_names(pixels, count, file),
        pixel_mm=_pixel_mm(pixels, file),
        exposure_s=exposure_s,
        excitation_nm=_wavelengths(pixels, "ExcitationWavelength", count, file),
        emission_nm=_wavelengths(pixels, "EmissionWavelength", count, file),
        acquired=time if _TIME.fullmatch(time) else "",
        synthetic=_is_synthetic(root),
    )


@dataclass(frozen=True, slots=True)
class OmeSequence:
    """What the description of an image of several times says.

    Parameters
    ----------
    metadata : OmeMetadata
        Of the channels; its `planes` are those of the first time.
    pages : tuple of tuple of int
        Page of each channel, for each time.
    times_s : tuple of float
        Time of each frame's first channel, from the file's own zero; empty where it is not told for all.
    """

    metadata: OmeMetadata
    pages: tuple[tuple[int, ...], ...]
    times_s: tuple[float, ...]


def ome_times(xml: bytes, /, *, file: str) -> int:
    """How many times the description of an OME-TIFF declares.

    Raises
    ------
    ImageError, UnsafeFileError
        If it cannot be understood.
    """
    root = _parsed(xml, file)
    pixels = root.find("Image/Pixels")
    return 1 if pixels is None else _whole(pixels, "SizeT", 1, file)


def ome_sequence(xml: bytes, /, *, shape: tuple[int, int, int], file: str) -> OmeSequence:
    """Read the description of an OME-TIFF of several times; no other file is ever opened.

    Parameters
    ----------
    xml : bytes
        The description tag.
    shape : tuple of int
        Pages, height and width that the file stores.
    file : str
        The file's name, for messages and to recognise itself.

    Returns
    -------
    OmeSequence

    Raises
    ------
    ImageError
        If it cannot be understood, does not fit the stored pages, or exposures change between times.
    UnsafeFileError
        As `ome_metadata`.
    """
    root, pixels = _single_image(xml, file)
    count, depths, times = (_whole(pixels, name, 1, file) for name in ("SizeC", "SizeZ", "SizeT"))
    if depths != 1:
        refuse(file, "image.axes", f"holds {depths} depths; one is read.", _MEND_SINGLE)
    sizes = (count * times, _whole(pixels, "SizeY", 1, file), _whole(pixels, "SizeX", 1, file))
    if sizes != shape:
        declared, stored = (" x ".join(map(str, size)) for size in (sizes, shape))
        refuse(file, "image.metadata", f"describes {declared} (pages, y, x) but stores {stored}.", _MEND)
    pages = _frame_pages(pixels, count, times, file)
    exposures, stamps = _frame_exposures(pixels, count, times, file)
    return OmeSequence(_metadata(root, pixels, pages[0], exposures, file), pages, stamps)


def _frame_pages(pixels: ET.Element, count: int, times: int, file: str) -> tuple[tuple[int, ...], ...]:
    """Page of each time and channel, from the TiffData elements; in the declared order where they do not say."""
    total = count * times
    order = pixels.get("DimensionOrder", "XYCZT")
    by_channel = order.find("C") < order.find("T")

    def place(channel: int, time: int) -> int:
        return time * count + channel if by_channel else channel * times + time

    blocks = [
        block for block in pixels.findall("TiffData") if block.get("IFD") or block.get("FirstT") or block.get("FirstC")
    ]
    if len(blocks) > total:
        refuse(file, "image.metadata", f"lists {len(blocks)} blocks for {total} planes.", _MEND)
    pages = {} if blocks else {number: number for number in range(total)}
    for block in blocks:
        planes = _whole(block, "PlaneCount", 1 if block.get("IFD") is not None else total, file)
        first = place(_whole(block, "FirstC", 0, file), _whole(block, "FirstT", 0, file))
        page = _whole(block, "IFD", 0, file)
        pages |= {first + step: page + step for step in range(min(planes, total))}
    if sorted(pages) != list(range(total)) or sorted(pages.values()) != list(range(total)):
        refuse(file, "image.metadata", "assigns its pages to frames in a way that does not come out even.", _MEND)
    return tuple(tuple(pages[place(channel, time)] for channel in range(count)) for time in range(times))


def _frame_exposures(
    pixels: ET.Element, count: int, times: int, file: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Exposure of each channel, the same at all times, and the time of each frame."""
    exposures: list[float] = [math.nan] * count
    stamps = [math.nan] * times
    for plane in pixels.findall("Plane"):
        channel, time = _whole(plane, "TheC", 0, file), _whole(plane, "TheT", 0, file)
        if channel >= count or time >= times:
            continue
        exposure = _amount(plane, "ExposureTime", _SECONDS, "s", file)
        known = exposures[channel]
        # cameras report the exposure that they reached, which differs in its last digits
        if not math.isnan(exposure - known) and not math.isclose(exposure, known, rel_tol=1e-3):
            seen = f"changes its exposure between times ({known:g} s and {exposure:g} s)."
            refuse(file, "sequence.exposure", seen, "Give each exposure as a sequence of its own.")
        exposures[channel] = exposure if math.isnan(known) else known
        if channel == 0:
            stamps[time] = _stamp_s(plane, file)
    return tuple(exposures), () if any(map(math.isnan, stamps)) else tuple(stamps)


def _stamp_s(plane: ET.Element, file: str) -> float:
    """``DeltaT`` in seconds, which may be 0 or run backwards; NaN where it is absent."""
    text = plane.get("DeltaT")
    if text is None:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        refuse(file, "image.metadata", f"has DeltaT={text[:40]!r}, which is no time.", _MEND)
    return value * _SECONDS.get(plane.get("DeltaTUnit", "s"), math.nan)


def _parsed(xml: bytes, file: str) -> ET.Element:
    """Root element with namespaces taken off."""
    if len(xml) > MAX_BYTES:
        refuse(file, "image.metadata", f"has a description of {len(xml)} bytes.", _MEND, UnsafeFileError)
    try:
        return xml_root(xml.rstrip(b"\0").decode("utf-8"))
    except DeclarationError:
        seen = "declares a document type or entity in its description."
        refuse(file, "image.doctype", seen, _MEND, UnsafeFileError)
    except ValueError as error:
        refuse(file, "image.metadata", f"has a description that cannot be read ({error}).", _MEND)


def _check_files(root: ET.Element, pixels: ET.Element, file: str) -> None:
    """Refuse pixels that stand in another file; a renamed file is known by the UUID that names itself."""
    own = root.get("UUID", "")
    for uuid in pixels.iterfind("TiffData/UUID"):
        name = uuid.get("FileName", "")
        itself = name == file.rpartition("/")[2] or (own and (uuid.text or "").strip() == own)
        if name and (not itself or "/" in name or "\\" in name):
            seen = f"says that its pixels stand in another file ({name[:120]!r})."
            refuse(file, "image.other-file", seen, _MEND_SINGLE, UnsafeFileError)


def _check_sizes(pixels: ET.Element, shape: tuple[int, int, int], file: str) -> None:
    """Compare the declared sizes with what the file stores."""
    names = ("SizeC", "SizeY", "SizeX", "SizeZ", "SizeT")
    sizes = tuple(_whole(pixels, name, 1, file) for name in names)
    if sizes[3:] != (1, 1):
        seen = f"holds {sizes[3]} depths and {sizes[4]} times; one of each is read."
        refuse(file, "image.axes", seen, _MEND_SINGLE)
    if sizes[:3] != shape:
        declared, stored = (" x ".join(map(str, size)) for size in (sizes[:3], shape))
        refuse(file, "image.metadata", f"describes {declared} (c, y, x) but stores {stored}.", _MEND)


def _planes(pixels: ET.Element, count: int, file: str) -> tuple[int, ...]:
    """Which page holds each channel, from the TiffData elements; the file's order where they do not say."""
    planes = dict(enumerate(range(count)))
    blocks = pixels.findall("TiffData")
    if len(blocks) > count:
        refuse(file, "image.metadata", f"lists {len(blocks)} blocks for {count} planes.", _MEND)
    for block in blocks:
        if block.get("IFD") is not None or block.get("FirstC") is not None:
            # without PlaneCount a block with IFD is one plane, and one without is all planes
            planes_here = _whole(block, "PlaneCount", 1 if block.get("IFD") is not None else count, file)
            first, page = _whole(block, "FirstC", 0, file), _whole(block, "IFD", 0, file)
            planes |= {first + step: page + step for step in range(min(planes_here, count))}
    if sorted(planes) != list(range(count)) or sorted(planes.values()) != list(range(count)):
        refuse(file, "image.metadata", "assigns its pages to channels in a way that does not come out even.", _MEND)
    return tuple(planes[number] for number in range(count))


def _names(pixels: ET.Element, count: int, file: str) -> tuple[str, ...]:
    """Name of each channel, its number where it has none."""
    channels = pixels.findall("Channel")
    names = [channel.get("Name") or str(number) for number, channel in enumerate(channels)]
    if len(channels) != count:
        # one channel of several samples, as a colour photograph has it, or none at all
        names = [str(number) for number in range(count)]
    if len(set(names)) != count:
        refuse(file, "image.channels", f"has two channels of one name ({', '.join(names)[:120]}).", _MEND)
    return tuple(names)


def _pixel_mm(pixels: ET.Element, file: str) -> float:
    """Pixel pitch in mm; square pixels only."""
    across, down = (_amount(pixels, f"PhysicalSize{axis}", _MM, "µm", file) for axis in "XY")
    across, down = (down if math.isnan(across) else across), (across if math.isnan(down) else down)
    # a pitch stored with seven digits differs by rounding only
    if not math.isnan(across) and not math.isclose(across, down, rel_tol=1e-6):
        refuse(file, "image.pixel-size", f"has pixels of {across:g} x {down:g} mm; square ones are read.", _MEND)
    return across


def _exposures(pixels: ET.Element, count: int, file: str) -> tuple[float, ...]:
    """Exposure of each channel in seconds."""
    exposures = [math.nan] * count
    for plane in pixels.findall("Plane"):
        number = _whole(plane, "TheC", 0, file)
        if number < count:
            exposures[number] = _amount(plane, "ExposureTime", _SECONDS, "s", file)
    return tuple(exposures)


def _wavelengths(pixels: ET.Element, name: str, count: int, file: str) -> tuple[float, ...]:
    """A wavelength of each channel in nm."""
    channels = pixels.findall("Channel")
    if len(channels) != count:
        return (math.nan,) * count
    return tuple(_amount(channel, name, _NM, "nm", file) for channel in channels)


def _is_synthetic(root: ET.Element) -> bool:
    notes = root.findall("StructuredAnnotations/BooleanAnnotation")
    return any(
        note.get("Namespace") == SYNTHETIC_NAMESPACE and (note.findtext("Value") or "").strip() in ("true", "1")
        for note in notes
    )


def _whole(element: ET.Element, name: str, default: int, file: str) -> int:
    """Attribute that is a count."""
    text = element.get(name, str(default)).strip()
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        refuse(file, "image.metadata", f"has {name}={text[:40]!r}, which is no count.", _MEND)
    return int(text)


def _amount(element: ET.Element, name: str, units: dict[str, float], usual: str, file: str) -> float:
    """Attribute that is a positive number with a unit; NaN where it is absent or its unit is no length or time."""
    text = element.get(name)
    if text is None:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        refuse(file, "image.metadata", f"has {name}={text[:40]!r}, which is no positive number.", _MEND)
    factor = units.get(element.get(f"{name}Unit", usual))
    return value if factor == 1.0 else value * factor if factor else math.nan
