"""Finds the dark frame, the flat field and the photograph that belong to an image."""

import math
from collections.abc import Sequence
from pathlib import PurePosixPath

from lampyris.imaging.radiance.photographs import photograph_fault
from lampyris.study.draft.names import read_name
from lampyris.study.draft.scan import FoundImage
from lampyris.study.draft.shots import Shot

EXPOSURE_TOLERANCE = 0.01
WAVELENGTH_TOLERANCE_NM = 0.5


def dark_of(shot: Shot, darks: Sequence[FoundImage], /) -> FoundImage | None:
    """Dark frame of the shot's size and exposure; one that does not say its exposure only where none does.

    Parameters
    ----------
    shot : Shot
        The image's channel.
    darks : sequence of FoundImage
        Candidates.
    """
    fitting = [dark for dark in darks if dark.shape == shot.found.shape and _has_channel(dark, shot)]
    said = [(dark, _exposure(dark)) for dark in fitting]
    exact = [dark for dark, seconds in said if abs(seconds - shot.exposure_s) <= EXPOSURE_TOLERANCE * shot.exposure_s]
    # a read-bias frame has no exposure: it is a dark frame only where nothing is said
    silent = [dark for dark, seconds in said if math.isnan(seconds) and "bias" not in dark.path.casefold()]
    return _nearest(shot.found, exact or silent)


def flat_of(
    channel: str, emission_nm: float, shots: Sequence[Shot], flats: Sequence[FoundImage], /
) -> FoundImage | None:
    """Flat field of a band: of its wavelength, or the only one that names none."""
    shapes = {shot.found.shape for shot in shots}
    fitting = [flat for flat in flats if {flat.shape} == shapes and len(flat.image.channels) == 1]
    own = [flat for flat in fitting if any(abs(nm - emission_nm) <= WAVELENGTH_TOLERANCE_NM for nm in _emissions(flat))]
    own = own or [flat for flat in fitting if channel in flat.image.channels]
    silent = [flat for flat in fitting if not _emissions(flat)]
    return own[0] if own else silent[0] if len(silent) == 1 else None


def photo_of(found: FoundImage, photos: Sequence[FoundImage], /) -> FoundImage | None:
    """Photograph of the same animals, session and view; nothing that its name or file says may speak against it.

    Parameters
    ----------
    found : FoundImage
        The image.
    photos : sequence of FoundImage
        Candidates, of any scale that shows the image's field.
    """
    fitting = [photo for photo in photos if _may_belong(photo, found) and _shows_field(photo, found)]
    if not fitting:
        return None
    # one photograph for a whole study is none of this animal
    mine = [photo for photo in fitting if _parent(photo) == _parent(found) or photo.says.animals]
    return _nearest(found, mine)


def _shows_field(photo: FoundImage, found: FoundImage) -> bool:
    own = found.image.pixel_mm
    pitch = photo.image.pixel_mm if own > 0 else math.nan
    return not photograph_fault(photo.shape, found.shape, pixel_mm=own, photo_pixel_mm=pitch)


def _may_belong(photo: FoundImage, found: FoundImage) -> bool:
    one, other = photo.says, found.says
    if one.animals and other.animals and one.animals != other.animals:
        return False
    if one.view and other.view and one.view != other.view:
        return False
    if not math.isnan(one.day) and not math.isnan(other.day) and one.day != other.day:
        return False
    if one.dates and other.dates and one.dates != other.dates:
        return False
    dates = photo.image.acquired[:10], found.image.acquired[:10]
    return not (all(dates) and dates[0] != dates[1] and math.isnan(one.day))


def _nearest(found: FoundImage, candidates: Sequence[FoundImage]) -> FoundImage | None:
    """The candidate whose path shares most with the image's; the first of equals."""
    return max(candidates, key=lambda one: _shared(one.path, found.path), default=None)


def _shared(a: str, b: str) -> int:
    same = 0
    for x, y in zip(a.casefold(), b.casefold(), strict=False):
        if x != y:
            break
        same += 1
    return same


def _parent(found: FoundImage) -> str:
    return str(PurePosixPath(found.path).parent)


def _has_channel(dark: FoundImage, shot: Shot) -> bool:
    return len(dark.image.channels) == 1 or shot.channel in dark.image.channels


def _exposure(dark: FoundImage) -> float:
    seconds = dark.image.exposure_s[0]
    return seconds if seconds > 0 else dark.says.exposure_s


def _emissions(flat: FoundImage) -> tuple[float, ...]:
    own = tuple(nm for nm in flat.image.emission_nm if nm > 0)
    return own or flat.says.emission_nm or read_name(flat.image.channels[0]).emission_nm
