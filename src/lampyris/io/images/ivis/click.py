"""IVIS (Living Image) click folders, read as they are: counts, dark, photograph, coefficients and labels.

`click_metadata` reads the text files alone; `read_ivis_click` the pixels too. Radiance is not made here: a click holds counts
and a coefficient C_ccd for each field of view and stop, and

    L = (counts - read bias) / (exposure * binning**2) * C_ccd

so that one count per second stands for C_ccd / binning**2. File names are matched without regard to case, and nothing
outside the folder, and no symbolic link, is followed.
"""

import math
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import UnsafeFileError
from lampyris.core.images import RawImage
from lampyris.io.images.ivis.info import (
    MAX_TEXT_BYTES,
    UNITS,
    InfoText,
    Section,
    coefficients,
    decoded,
    iso_time,
    number,
    parsed,
    wavelength_nm,
)
from lampyris.io.images.tiff import Caps, page_pixels, refuse, tiff_pages
from lampyris.io.images.whole_file import file_bytes

INFO_FILES = ("clickinfo.txt", "analyzedclickinfo.txt")
"""Text files of a click, in the order in which they are believed; names in lower case."""
MAX_ENTRIES = 10_000
"""Most files in one folder."""
MAX_LABEL = 1000
"""Longer labels are cut."""
SYNTHETIC = "Synthetic"
"""Beginning of the comment that marks a simulated click."""

USER_LABELS = {
    "animal number": "animal", "group": "group", "experiment": "experiment", "time point": "time_point", "view": "view",
    "animal strain": "strain", "sex": "sex", "cell line": "cell_line", "reporter": "reporter", "treatment": "treatment",
    "user": "user",
}  # fmt: skip
_INSTRUMENT = ("system configuration", "alias", "camera system id")
UNMIXED = re.compile(r"(?<![a-z])umx(?![a-z])", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MEND_FOLDER = "Copy the whole click folder anew from the instrument's computer."
_MEND_UNMIXED = "Name the raw sequence that it was computed from: the folder without UMX in its name."
# fields of view are printed with one decimal
_FOV_TOLERANCE_CM = 0.051
_MIN_BACKGROUND = 0.5


@dataclass(frozen=True, slots=True)
class DarkFile:
    """A dark frame that a click names: its file, and its exposure in s, NaN where not said."""

    name: str
    exposure_s: float


@dataclass(frozen=True, slots=True)
class ClickMetadata:
    """What the text files of a click say; NaN and "" where they say nothing.

    Parameters
    ----------
    luminescent, photograph : str
        File names as they stand in the folder, "" where there is none.
    channel : str
        Emission filter as it is called, or "luminescent".
    exposure_s : float
        Of the luminescent image.
    excitation_nm, emission_nm : float
        Filters that are called by a wavelength.
    excitation : str
        Excitation filter as it is called.
    binning, f_number, field_of_view_cm : float
        Of the luminescent image.
    photo_field_of_view_cm : float
        Of the photograph.
    coefficient : float
        C_ccd of this field of view and stop, ph s-1 cm-2 sr-1 for one count per second and unbinned pixel.
    read_bias_counts : float
        Mean of the read-bias frame.
    darks : tuple of DarkFile
        Dark frames in the folder, the one to prefer first.
    acquired : str
        ISO 8601 time.
    labels : dict of str to str
        Keys among `lampyris.core.images.LABELS`.
    synthetic : bool
        A comment says that it was simulated.
    """

    luminescent: str
    photograph: str
    channel: str
    exposure_s: float
    excitation_nm: float
    emission_nm: float
    excitation: str
    binning: float
    f_number: float
    field_of_view_cm: float
    photo_field_of_view_cm: float
    coefficient: float
    read_bias_counts: float
    darks: tuple[DarkFile, ...]
    acquired: str
    labels: dict[str, str]
    synthetic: bool


def click_metadata(path: Path, /, *, file: str = "") -> ClickMetadata:
    """Read what a click says of itself, without its pixels: hundreds of clicks take a second.

    Parameters
    ----------
    path : Path
        The click folder.
    file : str
        The folder as the user knows it, for messages; its bare name by default.

    Returns
    -------
    ClickMetadata
        Of the luminescent image.

    Raises
    ------
    ImageError
        If it is no click folder, was spectrally unmixed, or a number in it cannot be true.
    """
    path = Path(path)
    file = file or path.name
    names = folder_files(path, file=file)
    refuse_unmixed(path.name, file)
    texts = [_text(path / names[name], f"{file}/{names[name]}") for name in INFO_FILES if name in names]
    if not texts:
        seen = f"holds no ClickInfo.txt, but {_listed(names)}."
        refuse(file, "image.missing", seen, "Name the click folder itself, the one that holds ClickInfo.txt.")
    for section in texts[0].named("clicknumber"):
        refuse_unmixed(section.file, file)
    return _metadata(texts, names, file)


def read_ivis_click(path: Path, /, *, max_pixels: int, max_pages: int, max_bytes: int, file: str = "") -> RawImage:
    """Read a click folder that nobody vouches for: one channel, with dark, photograph and coefficient where it has them.

    Parameters
    ----------
    path : Path
        The folder.
    max_pixels, max_pages, max_bytes : int
        Caps: pixels of all images together, pages of one file, bytes of all files together.
    file : str
        The folder as the user knows it, for messages; its bare name by default.

    Returns
    -------
    RawImage
        The dark is ``background.tif`` where its exposure is the image's, else the read-bias frame, else the read-bias level.

    Raises
    ------
    ImageError
        If something is missing, damaged, spectrally unmixed or cannot be true.
    UnsafeFileError
        If a file declares more than the caps.
    """
    path = Path(path)
    file = file or path.name
    click = click_metadata(path, file=file)
    return click_image(path, click, Budget(max_pixels, max_pages, max_bytes), file=file)


@dataclass(slots=True)
class Budget:
    """Caps of what may still be read; every image takes its part."""

    pixels: int
    pages: int
    bytes: int


def click_image(path: Path, click: ClickMetadata, budget: Budget, /, *, file: str, with_photo: bool = True) -> RawImage:
    """Read the pixels of a click whose text was read.

    Parameters
    ----------
    path : Path
        The folder.
    click : ClickMetadata
        From `click_metadata`.
    budget : Budget
        Caps, which shrink by what is read.
    file : str
        The folder as the user knows it.
    with_photo : bool
        Read the photograph.

    Returns
    -------
    RawImage
        One channel.
    """
    if not click.luminescent:
        _refuse_without_counts(path, file)
    plane = _plane(path / click.luminescent, budget, f"{file}/{click.luminescent}")
    if plane.shape[0] != 1:
        refuse(file, "image.channel", f"{click.luminescent} holds {plane.shape[0]} images, not one.", _MEND_FOLDER)
    pixel_mm = 10 * click.field_of_view_cm / max(plane.shape[1:])
    photo, photo_pixel_mm = None, math.nan
    if with_photo and click.photograph:
        colours = _plane(path / click.photograph, budget, f"{file}/{click.photograph}")
        photo = colours[0] if colours.shape[0] == 1 else colours.mean(axis=0, dtype=np.float32)
        photo_pixel_mm = 10 * click.photo_field_of_view_cm / max(photo.shape)
    per_rate = click.coefficient / click.binning**2
    return RawImage(
        counts=plane,
        channels=(click.channel,),
        pixel_mm=pixel_mm,
        exposure_s=(click.exposure_s,),
        excitation_nm=(click.excitation_nm,),
        emission_nm=(click.emission_nm,),
        acquired=click.acquired,
        synthetic=click.synthetic,
        dark=_dark(path, click, plane.shape, budget, file),
        photo=photo,
        photo_pixel_mm=photo_pixel_mm,
        radiance_per_count_rate=(per_rate,) if per_rate > 0 else (),
        labels=click.labels,
    )


def folder_files(path: Path, /, *, file: str, folders: bool = False) -> dict[str, str]:
    """Names in a folder by their lower case: regular files, or folders; symbolic links are left out.

    Parameters
    ----------
    path : Path
        The folder.
    file : str
        Its name for messages.
    folders : bool
        List folders instead of files.

    Returns
    -------
    dict of str to str
        Sorted; of names that differ in case only the first counts.

    Raises
    ------
    ImageError
        If it cannot be listed.
    UnsafeFileError
        If it holds more than `MAX_ENTRIES`.
    """
    names: list[str] = []
    try:
        with os.scandir(path) as entries:
            for count, entry in enumerate(entries):
                if count >= MAX_ENTRIES:
                    seen = f"holds more than {MAX_ENTRIES} files."
                    refuse(file, "image.files", seen, "Name one click or sequence folder.", UnsafeFileError)
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode) if folders else stat.S_ISREG(mode):
                    names.append(entry.name)
    except OSError as error:
        seen = f"cannot be listed as a folder: {error.strerror or error}."
        refuse(file, "image.missing", seen, "Name the folder itself, and check that it is there and readable.")
    found: dict[str, str] = {}
    for name in sorted(names):
        found.setdefault(name.lower(), name)
    return found


def refuse_unmixed(name: str, file: str, /) -> None:
    """Refuse what Living Image has unmixed: it is computed, not counted.

    Parameters
    ----------
    name : str
        Of a folder or click.
    file : str
        The folder as the user knows it.

    Raises
    ------
    ImageError
        If the name carries UMX.
    """
    if UNMIXED.search(name):
        seen = f"was spectrally unmixed by Living Image ({name!r} carries UMX): it holds no raw counts."
        refuse(file, "image.unmixed", seen, _MEND_UNMIXED)


def info_text(path: Path, /, *, file: str) -> InfoText:
    """Read a text file of a click or sequence.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        Its name for messages.

    Returns
    -------
    InfoText
        Taken apart.

    Raises
    ------
    ImageError
        If it cannot be opened or is longer than any such text.
    """
    return _text(path, file)


def _text(path: Path, file: str) -> InfoText:
    return parsed(decoded(file_bytes(path, max_bytes=MAX_TEXT_BYTES, file=file)))


def _metadata(texts: list[InfoText], names: dict[str, str], file: str) -> ClickMetadata:
    """Everything that is taken from the text; the first text is believed most, but for labels, which are edited later."""
    text = texts[0] if len(texts) == 1 else texts[0] + texts[1]
    own = _sections(text, ("luminescent image", "luminescent"))
    # a file without the heading still has its keys somewhere
    others = tuple(one for one in text.sections if not one.name.startswith(("photo", "readbias", "background")))
    look = _Look((*own, *others), file)
    photo = _Look(_sections(text, ("photographic image", "photograph image", "photograph")), file)
    fov, stop = look.number("field of view", "cm"), look.number("f number", "")
    binning = look.number("binning factor", "")
    if binning != round(binning, 0) and not math.isnan(binning):
        look.refuse("binning factor", f"{binning:g}")
    emission, excitation = look.text("emission filter"), look.text("excitation filter")
    emission_nm = wavelength_nm(emission)
    return ClickMetadata(
        luminescent=_named_file(own, names, ("luminescent.tif", "luminescent.tiff")),
        photograph=_named_file(photo.sections, names, ("photograph.tif", "photograph.tiff")),
        channel=f"{emission_nm:g}" if emission_nm > 0 else emission or "luminescent",
        exposure_s=look.number("luminescent exposure", "s"),
        excitation_nm=wavelength_nm(excitation),
        emission_nm=emission_nm,
        excitation=excitation,
        binning=binning,
        f_number=stop,
        field_of_view_cm=fov,
        photo_field_of_view_cm=photo.number("field of view", "cm"),
        coefficient=_coefficient(text, fov, stop),
        read_bias_counts=_read_bias(text, look),
        darks=_darks(text, names, file),
        acquired=iso_time(look.text("acquisition date"), look.text("acquisition time")),
        labels=_labels(texts, look),
        synthetic=any(comment.lower().startswith(SYNTHETIC.lower()) for comment in text.comments),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks a key up in sections, the first that has it counting."""

    sections: tuple[Section, ...]
    file: str

    def text(self, key: str) -> str:
        """The value as text, without control characters; "" where there is none."""
        for section in self.sections:
            for entry in section.entries:
                if entry.key == key and entry.value:
                    return _CONTROL.sub(" ", entry.value[:MAX_LABEL]).strip()
        return ""

    def number(self, key: str, unit: str) -> float:
        """The value as a positive number in a unit; NaN where there is none."""
        for section in self.sections:
            for entry in section.entries:
                if entry.key == key and entry.value:
                    value = number(entry.value) * UNITS[unit].get(entry.unit, math.nan)
                    if not value > 0:
                        self.refuse(f"{key} ({entry.unit})" if entry.unit else key, entry.value)
                    return value
        return math.nan

    def refuse(self, key: str, value: str) -> NoReturn:
        seen = f"says {value[:60]!r} for {key}, which cannot be true."
        refuse(self.file, "image.metadata", seen, f"Correct that line of its ClickInfo.txt, or {_MEND_FOLDER.lower()}")


def _sections(text: InfoText, names: tuple[str, ...]) -> tuple[Section, ...]:
    return tuple(section for section in text.sections if section.name in names)


def _named_file(sections: tuple[Section, ...], names: dict[str, str], usual: tuple[str, ...]) -> str:
    """The file that a section names, if it lies in the folder, else the usual one; "" where there is neither."""
    stated = [section.file.lower() for section in sections]
    return next((names[name] for name in (*stated, *usual) if name in names), "")


def _coefficient(text: InfoText, fov: float, stop: float) -> float:
    """C_ccd of the field of view and stop; NaN where the table has none."""
    fitting = [
        (abs(key[0] - fov), value)
        for key, value in coefficients(text).items()
        if abs(key[0] - fov) <= _FOV_TOLERANCE_CM and abs(key[1] - stop) < 0.01
    ]
    return min(fitting)[1] if fitting else math.nan


def _read_bias(text: InfoText, look: _Look) -> float:
    """Mean read bias; it may be 0, and where it is no number it is not known."""
    for section in (*text.named("readbias"), *look.sections, *text.named("background")):
        for entry in section.entries:
            if entry.key == "read bias level" and math.isfinite(number(entry.value)):
                return number(entry.value)
    return math.nan


def _darks(text: InfoText, names: dict[str, str], file: str) -> tuple[DarkFile, ...]:
    """Dark frames in the folder: the background of some exposure first, then read-bias frames."""
    found = []
    for start, usual in (("background", ("background.tif",)), ("readbias", ("readbiasonly.tif", "readbias.tif"))):
        sections = text.named(start)
        name = _named_file(sections, names, usual)
        if name:
            found.append(DarkFile(name, _dark_exposure(sections)))
    return tuple(found)


def _dark_exposure(sections: tuple[Section, ...]) -> float:
    """Exposure of a dark frame, which may be 0."""
    for section in sections:
        for entry in section.entries:
            if entry.key == "background exposure":
                return number(entry.value) * UNITS["s"].get(entry.unit, math.nan)
    return math.nan


def _labels(texts: list[InfoText], look: _Look) -> dict[str, str]:
    """What the user typed, that of the analysed file first as it is the later; and the instrument."""
    sections = tuple(section for text in reversed(texts) for section in text.named("user label"))
    typed = _Look(sections, look.file)
    labels = {name: typed.text(key) for key, name in USER_LABELS.items()}
    comments = [typed.text(key) for key in ("comment1", "comment2")]
    labels["comment"] = "; ".join(comment for comment in comments if comment)
    labels["instrument"] = next((value for key in _INSTRUMENT if (value := look.text(key))), "")
    if number(look.text("saturated")) == 1:
        labels["saturated"] = "1"
    return {name: value for name, value in sorted(labels.items()) if value}


def _dark(
    path: Path, click: ClickMetadata, shape: tuple[int, ...], budget: Budget, file: str
) -> NDArray[np.generic] | None:
    """The best dark frame on the image's grid, else the read-bias level, else None."""
    for dark in click.darks:
        is_background = dark.name.lower().startswith("background")
        if is_background and not math.isclose(dark.exposure_s, click.exposure_s, rel_tol=1e-6):
            continue
        plane = _plane(path / dark.name, budget, f"{file}/{dark.name}")
        if plane.shape != shape:
            continue
        # a background far below the read bias had the bias taken off: it is no dark frame of these counts
        if is_background and np.median(plane.astype(np.float64)) < _MIN_BACKGROUND * click.read_bias_counts:
            continue
        return plane
    if math.isnan(click.read_bias_counts):
        return None
    return np.broadcast_to(np.float32(click.read_bias_counts), shape)


def _plane(path: Path, budget: Budget, file: str) -> NDArray[np.generic]:
    """Pixels of a TIFF in the folder, dims (sample, y, x); they count against the caps."""
    data = file_bytes(path, max_bytes=budget.bytes, file=file)
    caps = Caps(budget.pixels, budget.pages, signed=True)
    tiff, pages = tiff_pages(data, caps=caps, file=file)
    if len(pages) > 1:
        refuse(file, "image.pages", f"holds {len(pages)} pages, not one.", _MEND_FOLDER)
    plane = page_pixels(tiff, pages[0])
    if plane.dtype.kind == "f" and not np.isfinite(plane).all():
        refuse(file, "image.not-finite", "holds pixels that are NaN or infinite.", _MEND_FOLDER)
    budget.bytes -= len(data)
    budget.pixels -= plane.size
    return plane


def _refuse_without_counts(path: Path, file: str) -> NoReturn:
    names = folder_files(path, file=file)
    seen = f"holds no luminescent.TIF, but {_listed(names)}."
    mend = _MEND_FOLDER
    if "luminescentfloatcorrected.tif" in names:
        mend = f"luminescentFloatCorrected.TIF is corrected, not raw. {mend}"
    refuse(file, "image.missing", seen, mend)


def _listed(names: dict[str, str]) -> str:
    """The first names of a folder, for a message."""
    shown = [name[:40] for name in names.values()]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "") or "nothing"
