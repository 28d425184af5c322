"""Pictures for the viewer: cropped to the animal, quantised to 16 bit, deflated, and held to a budget.

Quantisation is for showing only. A layer's step is a stated fraction of its own pixel noise (never finer than
16 bits can hold), so what is lost is far below what the camera could tell apart.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.study import SessionResult, StudyResults, ViewResult
from lampyris.report.pictures.engine import mapped

MARGIN_MM = 3.0
_FULL_SCALE = 65535
# pixel noise is shown as the mean over blocks of this many pixels, on a logarithmic scale of 8 bits
_NOISE_BLOCK = 4
_NOISE_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Frame:
    """Rectangle of a view that is shown, in pixels of the image; it may reach beyond the image.

    Parameters
    ----------
    y, x : int
        First row and column.
    height, width : int
        Size.
    """

    y: int
    x: int
    height: int
    width: int

    def cut(self, image: NDArray[Any], /) -> NDArray[Any]:
        """The part of `image`, dims (..., y, x), inside the frame; zero where there is no image."""
        rows, columns = image.shape[-2:]
        out = np.zeros((*image.shape[:-2], self.height, self.width), image.dtype)
        y0, y1 = max(self.y, 0), min(self.y + self.height, rows)
        x0, x1 = max(self.x, 0), min(self.x + self.width, columns)
        if y1 > y0 and x1 > x0:
            inside = image[..., y0:y1, x0:x1]
            out[..., y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x] = inside
        return out


@dataclass(frozen=True, slots=True)
class Plan:
    """How finely pictures are kept.

    Parameters
    ----------
    probe_division : int
        Steps of the probe map per standard deviation of its pixel noise.
    bin : int
        Pixels per side that probe map and photograph are averaged over.
    layer_bin : int
        The same for bands and autofluorescence; 0 leaves them out.
    """

    probe_division: int
    bin: int
    layer_bin: int

    def sentence(self) -> str:
        """What the page says of it."""
        parts = [
            f"Pictures in this file: probe map in 16 bit, at least {self.probe_division} steps per standard deviation "
            "of pixel noise, photograph in 8 bit"
            + (f", averaged over {self.bin} × {self.bin} pixels" if self.bin > 1 else ", every pixel kept")
        ]
        if self.layer_bin == 0:
            parts.append("single bands and autofluorescence are left out to hold the size")
        elif self.layer_bin > 1:
            parts.append(f"single bands and autofluorescence averaged over {self.layer_bin} × {self.layer_bin} pixels")
        return "; ".join(parts) + ". Every number on this page was computed on the full images."


# from best to smallest; past the last, `bin` goes on doubling
_PLANS = (Plan(32, 1, 1), Plan(32, 1, 2), Plan(32, 1, 4), Plan(32, 1, 0), Plan(8, 1, 0), Plan(4, 1, 0))
_LAYER_DIVISION = 4


@dataclass(frozen=True, slots=True)
class Box:
    """Where the body lies in a view: its middle in pixels, its size in mm, and the pixel pitch."""

    centre_y: float
    centre_x: float
    height_mm: float
    width_mm: float
    pixel_mm: float


def body_box(view: ViewResult, /) -> Box:
    """Where the body lies in a view; the whole image where there is none."""
    body = view.body if view.body.any() else np.ones_like(view.body)
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    pixel_mm = view.pixel_mm
    middle = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    return Box(float(middle[0]), float(middle[1]), float(height * pixel_mm), float(width * pixel_mm), pixel_mm)


def common_frames(boxes: dict[tuple[int, int], Box], /) -> dict[tuple[int, int], Frame]:
    """Frames of one common size in mm, each centred on its animal's body.

    Parameters
    ----------
    boxes : dict of (session index, view index) to Box
        From `body_box`, for every view.

    Returns
    -------
    dict of (session index, view index) to Frame
    """
    if not boxes:
        return {}
    height_mm = max(box.height_mm for box in boxes.values()) + 2 * MARGIN_MM
    width_mm = max(box.width_mm for box in boxes.values()) + 2 * MARGIN_MM
    frames = {}
    for key, box in boxes.items():
        height, width = round(height_mm / box.pixel_mm), round(width_mm / box.pixel_mm)
        y, x = round(box.centre_y - (height - 1) / 2), round(box.centre_x - (width - 1) / 2)
        frames[key] = Frame(y, x, height, width)
    return frames


def binned(image: NDArray[Any], factor: int, /) -> NDArray[np.float64]:
    """Means over `factor` x `factor` pixels, dims (y, x); a part block at the edge averages what it holds."""
    values = np.nan_to_num(image.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if factor == 1:
        return values
    height, width = values.shape
    rows, columns = np.arange(0, height, factor), np.arange(0, width, factor)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    return np.asarray(sums / counts, dtype=np.float64)


def quantised(image: NDArray[np.float64], noise: float, division: int, /) -> tuple[NDArray[np.uint16], float, float]:
    """Unsigned 16-bit levels of an image.

    Parameters
    ----------
    image : ndarray, dims (y, x)
        Finite values.
    noise : float
        Standard deviation of pixel noise; 0 where unknown.
    division : int
        Steps per standard deviation.

    Returns
    -------
    levels : ndarray of uint16
        With ``image ~ offset + step * levels``, off by at most half a step.
    offset, step : float
        Of the levels.
    """
    offset = min(float(image.min(initial=0.0)), 0.0)
    span = float(image.max(initial=0.0)) - offset
    step = max(span / _FULL_SCALE, noise / division if noise > 0 and np.isfinite(noise) else 0.0)
    if step == 0:
        return np.zeros(image.shape, np.uint16), offset, 1.0
    return np.round((image - offset) / step).astype(np.uint16), offset, step


def _pixel_noise(image: NDArray[np.float64]) -> float:
    """Noise between neighbours, from the median absolute difference (1.4826 for a normal law, root 2 for a difference)."""
    difference = np.abs(np.diff(image, axis=-1))
    return float(np.median(difference)) * 1.4826 / np.sqrt(2.0) if difference.size else 0.0


class _Blob:
    """Bytes of one animal's pictures, deflated together."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> int:
        start, self.size = self.size, self.size + len(data)
        self.parts.append(data)
        return start

    def add_levels(self, levels: NDArray[np.uint16]) -> int:
        # high bytes apart from low ones: the former are nearly constant and vanish in the deflated stream
        return self.add((levels >> 8).astype(np.uint8).tobytes() + (levels & 255).astype(np.uint8).tobytes())

    def encoded(self) -> str:
        """Deflated, in base64; empty where nothing was added."""
        return base64.b64encode(zlib.compress(b"".join(self.parts), 6)).decode() if self.size else ""


def _plane(blob: _Blob, image: NDArray[np.float64], noise: float, division: int) -> dict[str, Any]:
    levels, offset, step = quantised(image, noise, division)
    height, width = levels.shape
    # six digits keep the page small and the same everywhere
    return {
        "at": blob.add_levels(levels),
        "h": height,
        "w": width,
        "o": float(f"{offset:.6g}"),
        "s": float(f"{step:.6g}"),
        # spread of the noise between neighbours, for the read-out
        "n": float(f"{noise:.3g}") if np.isfinite(noise) else 0.0,
    }


def _photo_bytes(photo: NDArray[np.float64]) -> bytes:
    grey = np.round(np.clip(photo, 0, 1) * 255).astype(np.uint8)
    # differences along a row, modulo 256: a photograph deflates better so
    return np.diff(grey, axis=1, prepend=np.uint8(0)).astype(np.uint8).tobytes()


def _add_core(blob: _Blob, view: ViewResult, frame: Frame, plan: Plan) -> dict[str, Any]:
    """Photograph, probe map, its noise and its flags; returns where they lie."""
    probe, photo = binned(frame.cut(view.display), plan.bin), binned(frame.cut(view.photo), plan.bin)
    body = frame.cut(view.body)
    variance = frame.cut(view.probe_variance).astype(np.float64)
    inside = variance[body & np.isfinite(variance)]
    noise = float(np.sqrt(np.median(inside))) if inside.size and np.median(inside) > 0 else 0.0
    deviation = np.sqrt(np.maximum(binned(variance, _NOISE_BLOCK), 0.0))
    least = float(deviation[deviation > 0].min(initial=np.inf)) if (deviation > 0).any() else 1.0
    with np.errstate(divide="ignore"):
        levels = np.where(deviation > 0, np.log(np.maximum(deviation, least) / least) / _NOISE_STEP + 1, 0)
    flags = frame.cut(view.flags).astype(np.uint8)
    return {
        "photo": {"at": blob.add(_photo_bytes(photo)), "h": photo.shape[0], "w": photo.shape[1]},
        "probe": _plane(blob, probe, noise, plan.probe_division),
        "sd": {
            "at": blob.add(np.clip(np.round(levels), 0, 255).astype(np.uint8).tobytes()),
            "h": levels.shape[0],
            "w": levels.shape[1],
            "o": float(f"{least:.6g}"),
        },
        "flags": {"at": blob.add(flags.tobytes())} if flags.any() else None,
    }


def _add_layers(blob: _Blob, view: ViewResult, frame: Frame, plan: Plan) -> list[dict[str, Any]]:
    images = [frame.cut(view.autofluorescence), *frame.cut(view.radiance)]
    planes = []
    for image in images:
        values = binned(image, plan.layer_bin)
        planes.append(_plane(blob, values, _pixel_noise(values), _LAYER_DIVISION))
    return planes


@dataclass(frozen=True, slots=True)
class AnimalPack:
    """One animal's pictures: two deflated blobs in base64 and where each picture lies in them.

    Parameters
    ----------
    core, layers : str
        Base64 of the deflated bytes; `layers` is empty where bands are left out.
    places : dict of (session index, view index) to dict
        For the script.
    """

    core: str
    layers: str
    places: dict[tuple[int, int], dict[str, Any]]

    @property
    def size(self) -> int:
        """Characters on the page."""
        return len(self.core) + len(self.layers)


# what lies where in a blob, by session and view
Places = dict[tuple[int, int], dict[str, Any]]
# an animal's pictures: by session and view, the part of the image that is shown
Pictures = Mapping[tuple[int, int], Frame]


def _pack_animal(
    sessions: Sequence[SessionResult], plan: Plan, animal: tuple[Pictures, bool]
) -> tuple[str, Places, str, dict[tuple[int, int], list[dict[str, Any]]]]:
    """Core blob and its places (empty where it is known already), layers' blob and its planes; a session in memory at a time."""
    frames, with_core = animal
    blob, layers = _Blob(), _Blob()
    places: Places = {}
    planes: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for s in dict.fromkeys(s for s, _ in frames):
        for v, view in enumerate(sessions[s].views):
            if with_core:
                places[s, v] = _add_core(blob, view, frames[s, v], plan)
            planes[s, v] = _add_layers(layers, view, frames[s, v], plan) if plan.layer_bin else []
    return blob.encoded(), places, layers.encoded(), planes


class _Packer:
    """Packs animals under one plan after another; what two plans share is packed once."""

    def __init__(
        self,
        sessions: Sequence[SessionResult],
        who: Sequence[str],
        frames: Pictures,
        engine: Executor | None,
    ) -> None:
        self.sessions, self.engine = sessions, engine
        self.animals: dict[str, dict[tuple[int, int], Frame]] = {name: {} for name in who}
        for s, v in sorted(frames):
            self.animals[who[s]][s, v] = frames[s, v]
        self.cores: dict[tuple[str, int, int], tuple[str, Places]] = {}

    def pack(self, names: Sequence[str], plan: Plan) -> dict[str, AnimalPack]:
        def core(name: str) -> tuple[str, int, int]:
            return name, plan.probe_division, plan.bin

        wanted = [name for name in names if plan.layer_bin or core(name) not in self.cores]
        items = [(self.animals[name], core(name) not in self.cores) for name in wanted]
        made = dict(
            zip(wanted, mapped(partial(_pack_animal, self.sessions, plan), items, engine=self.engine), strict=True)
        )
        packs = {}
        for name in names:
            blob, places, layers, planes = made.get(name, ("", {}, "", {}))
            self.cores.setdefault(core(name), (blob, places))
            known, known_places = self.cores[core(name)]
            packs[name] = AnimalPack(
                known, layers, {place: {**own, "layers": planes.get(place, [])} for place, own in known_places.items()}
            )
        return packs


def sessions_by_animal(results: StudyResults, /) -> dict[str, list[tuple[int, SessionResult]]]:
    """Each animal's sessions with their place in the study, in the order of the study."""
    animals: dict[str, list[tuple[int, SessionResult]]] = {}
    for s, session in enumerate(results.sessions):
        animals.setdefault(session.animal, []).append((s, session))
    return animals


def packed_within(
    sessions: Sequence[SessionResult],
    who: Sequence[str],
    frames: dict[tuple[int, int], Frame],
    budget_bytes: float,
    /,
    *,
    engine: Executor | None = None,
) -> tuple[dict[str, AnimalPack], Plan]:
    """Pictures of every animal in the richest plan that fits.

    Parameters
    ----------
    sessions : sequence of SessionResult
        With their images; taken one at a time by each worker.
    who : sequence of str
        Animal of each session.
    frames : dict
        Of every view, from `common_frames`.
    budget_bytes : float
        Most that all packs together may take, in base64.
    engine : concurrent.futures.Executor, optional
        What packs them, an animal at a time.

    Returns
    -------
    packs : dict of str to AnimalPack
        By animal.
    plan : Plan
        What was chosen; past the listed plans, pixels are averaged ever more coarsely.
    """
    packer = _Packer(sessions, who, frames, engine)
    names = list(packer.animals)
    # three animals tell the size of all within a few per cent; the whole is weighed before it is taken
    sample = [names[i] for i in sorted({0, len(names) // 2, len(names) - 1})] if names else []
    tail = [Plan(4, 2**n, 0) for n in range(1, 6)]
    for plan in (*_PLANS, *tail):
        trial = packer.pack(sample, plan)
        views = sum(len(pack.places) for pack in trial.values())
        total = len(frames)
        if views and sum(pack.size for pack in trial.values()) * total / views > budget_bytes and plan != tail[-1]:
            continue
        rest = packer.pack([name for name in names if name not in trial], plan)
        packs = {name: (trial | rest)[name] for name in names}
        if sum(pack.size for pack in packs.values()) <= budget_bytes or plan == tail[-1]:
            return packs, plan
    raise AssertionError("the last plan is always taken")
