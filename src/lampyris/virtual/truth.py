"""The truth of a virtual study. It lies outside the study; only `lampyris.virtual` and `lampyris.trial` may import this.

Stored as one JSON file and one compressed array file: lesions with their organs, positions and cells by day, and the
noise-free maps from which any lesion's light, or that of any other source, in any image can be drawn again.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.camera.camera import lens_blur
from lampyris.core.images import Pose
from lampyris.core.study import SessionResult
from lampyris.imaging.forward import SurfaceGrid, project
from lampyris.io.durable import write_bytes, write_json


@dataclass(frozen=True, slots=True)
class TrueLesion:
    """A lesion as it was drawn.

    Parameters
    ----------
    number : int
        Within the animal.
    organ : str
    position_mm : (z, y, x)
        In the animal's frame.
    cells : dict of session to float
        Labelled-cell equivalents; absent before arrival.
    arrival_day : float
        From when its cells are there.
    depth_mm : dict of view to float
        Below the surface that each view sees.
    """

    number: int
    organ: str
    position_mm: tuple[float, float, float]
    cells: dict[str, float]
    arrival_day: float
    depth_mm: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class TrueAnimal:
    """An animal as it was drawn.

    Parameters
    ----------
    animal, arm : str
    lesions : tuple of TrueLesion
    sources : dict of name to dict of session to float
        Cell equivalents of signal that is no lesion.
    poses : dict of session to dict of view to Pose
        On the whole image, which several animals may share.
    grid : SurfaceGrid
        Of the maps.
    views : tuple of str
        Order of the maps' view axis.
    maps : ndarray of float32, dims (lesion, view, y, x)
        Noise-free probe radiance per labelled-cell equivalent, summed over the bands, ph s-1 cm-2 sr-1.
    scale : (z, y, x)
        Size against the nominal animal.
    places : dict of name to (z, y, x)
        Of each of `sources`, in the animal's frame in mm; of a whole organ its centroid.
    other_maps : ndarray of float32, dims (source, view, y, x)
        Of each of `sources`, in their order: noise-free radiance per cell equivalent (or unit of strength) that unmixing with
        the nominal colours takes for probe, ph s-1 cm-2 sr-1; below 0 where a colour leans away from the probe's.
    """

    animal: str
    arm: str
    lesions: tuple[TrueLesion, ...]
    sources: dict[str, dict[str, float]]
    poses: dict[str, dict[str, Pose]]
    grid: SurfaceGrid
    views: tuple[str, ...]
    maps: NDArray[np.float32]
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    places: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    other_maps: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.float32))


@dataclass(frozen=True, slots=True)
class TrueOrgan:
    """An excised organ as it was drawn.

    Parameters
    ----------
    animal, organ : str
    place : int
        On its tray, from 1.
    weight_g : float
    amount : float
        In `unit`.
    unit : str
        ``pmol`` or ``labelled cells``.
    percent_dose, percent_dose_per_gram : float
    focal_share : float
        Of the amount that lies in lesions, the rest being spread evenly.
    flux : float
        Probe light, Lambertian, ph s-1.
    escape : float
        Light sent out upwards per photon of a thin clear layer; NaN where it holds no probe.
    touching : bool
        It lies against another organ.
    """

    animal: str
    organ: str
    place: int
    weight_g: float
    amount: float
    unit: str
    percent_dose: float
    percent_dose_per_gram: float
    focal_share: float
    flux: float
    escape: float
    touching: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrueTray:
    """A tray as it was laid out.

    Parameters
    ----------
    file : str
        Its image.
    organs : tuple of TrueOrgan
        By place.
    labels : ndarray of uint8, dims (y, x)
        Place of the organ under each pixel's centre, 0 on the tray.
    """

    file: str
    organs: tuple[TrueOrgan, ...]
    labels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Everything that was drawn and that a score may ask for."""

    study: str
    seed: int
    shape: tuple[int, int]
    pixel_mm: float
    blur_mm: float
    animals: tuple[TrueAnimal, ...]
    trays: tuple[TrueTray, ...] = ()


def seen_in(animal: TrueAnimal, session: SessionResult, /) -> TrueAnimal:
    """The animal with its poses of one session measured from where the session's views begin.

    A view may be a piece of an image that shows several animals; poses are drawn on the whole image.

    Parameters
    ----------
    animal : TrueAnimal
        As it was drawn.
    session : SessionResult
        An analysed session of it.

    Returns
    -------
    TrueAnimal
        Poses of other sessions are as they were.
    """
    poses = dict(animal.poses.get(session.session, {}))
    for view in session.views:
        top, left = (start * view.pixel_mm for start in view.origin_px)
        if (pose := poses.get(view.view)) is not None:
            poses[view.view] = replace(pose, y_mm=pose.y_mm - top, x_mm=pose.x_mm - left)
    return replace(animal, poses={**animal.poses, session.session: poses})


def lesion_image(
    truth: Truth,
    animal: TrueAnimal,
    lesion: int,
    session: str,
    view: str,
    /,
    *,
    shape: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    """Noise-free probe radiance of one lesion in one image, lens blur included, dims (y, x).

    Parameters
    ----------
    truth : Truth
    animal : TrueAnimal
    lesion : int
        Index into ``animal.lesions``.
    session, view : str
    shape : (y, x), optional
        Of a piece of the image in which the animal is `seen_in`; the whole image if left out.
    """
    one = animal.lesions[lesion]
    flat = animal.maps[lesion, animal.views.index(view)].astype(float) * one.cells.get(session, 0.0)
    pose = animal.poses[session][view]
    laid = project(flat, animal.grid, pose, shape=shape or truth.shape, pixel_mm=truth.pixel_mm)
    return lens_blur(laid, sigma_px=truth.blur_mm / truth.pixel_mm)


def source_images(
    truth: Truth, animal: TrueAnimal, session: str, view: str, /, *, shape: tuple[int, int] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Noise-free probe radiance of every source that is lit in one image, lens blur included.

    Parameters
    ----------
    truth : Truth
    animal : TrueAnimal
    session, view : str
    shape : (y, x), optional
        As `lesion_image`.

    Returns
    -------
    dict of name to ndarray, dims (y, x)
        ``lesion NUMBER`` for the lesions, and the names of ``animal.sources``; see `TrueAnimal.other_maps`.
    """
    index = animal.views.index(view)
    maps = {
        f"lesion {one.number}": (animal.maps[row, index], one.cells.get(session, 0.0))
        for row, one in enumerate(animal.lesions)
    }
    maps |= {
        name: (animal.other_maps[row, index], amounts.get(session, 0.0))
        for row, (name, amounts) in enumerate(animal.sources.items())
    }
    lit = {name: amount * flat.astype(float) for name, (flat, amount) in maps.items() if amount > 0}
    if not lit:
        return {}
    pose, sigma_px = animal.poses[session][view], truth.blur_mm / truth.pixel_mm
    stacked = np.stack(list(lit.values()))
    laid = project(stacked, animal.grid, pose, shape=shape or truth.shape, pixel_mm=truth.pixel_mm)
    return {name: lens_blur(image, sigma_px=sigma_px) for name, image in zip(lit, laid, strict=True)}


def write_truth(directory: Path, truth: Truth, /, *, files: list[str]) -> None:
    """Write the truth beside (never inside) its study, with the list of files that the study was written as."""
    directory.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {
        "synthetic": True,
        "study": truth.study,
        "seed": truth.seed,
        "shape": list(truth.shape),
        "pixel_mm": truth.pixel_mm,
        "blur_mm": truth.blur_mm,
        "files": files,
        "animals": [
            {
                "animal": one.animal,
                "arm": one.arm,
                "lesions": [asdict(lesion) for lesion in one.lesions],
                "sources": one.sources,
                "poses": {s: {v: asdict(pose) for v, pose in views.items()} for s, views in one.poses.items()},
                "grid": asdict(one.grid),
                "views": list(one.views),
                "scale": list(one.scale),
                "places": one.places,
                # names of the maps in their order, which the keys of a stored table do not keep
                "other_names": list(one.sources),
                "maps_shape": list(one.maps.shape),
                "other_maps_shape": list(one.other_maps.shape),
            }
            for one in truth.animals
        ],
    }
    for one in truth.animals:
        for name, maps in ((one.animal, one.maps), (f"{one.animal}-others", one.other_maps)):
            write_bytes(directory / "maps" / f"{name}.f32", np.ascontiguousarray(maps, "<f4").tobytes())
    if truth.trays:
        table["trays"] = [
            {"file": tray.file, "organs": [asdict(organ) for organ in tray.organs]} for tray in truth.trays
        ]
        for number, tray in enumerate(truth.trays):
            write_bytes(directory / "trays" / f"{number}.u8", np.ascontiguousarray(tray.labels, np.uint8).tobytes())
    write_json(directory / "truth.json", table, not_finite="null")


def written_files(directory: Path, /) -> list[str] | None:
    """Files of the virtual study whose truth lies here; None where no truth of a virtual study lies here."""
    try:
        table = json.loads((directory / "truth.json").read_text(encoding="utf-8"))
        return [str(name) for name in table["files"]] if table["synthetic"] is True else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_truth(directory: Path, /) -> Truth:
    """Read what `write_truth` wrote."""
    table = json.loads((directory / "truth.json").read_text(encoding="utf-8"))
    animals = []
    for row in table["animals"]:
        maps, others = (
            np.fromfile(directory / "maps" / f"{row['animal']}{end}.f32", "<f4").reshape(row[shape])
            for end, shape in (("", "maps_shape"), ("-others", "other_maps_shape"))
        )
        lesions = tuple(TrueLesion(**{**one, "position_mm": tuple(one["position_mm"])}) for one in row["lesions"])
        poses = {s: {v: _pose(pose) for v, pose in views.items()} for s, views in row["poses"].items()}
        animals.append(
            TrueAnimal(
                row["animal"],
                row["arm"],
                lesions,
                {name: row["sources"][name] for name in row["other_names"]},
                poses,
                SurfaceGrid(**row["grid"]),
                tuple(row["views"]),
                maps,
                tuple(row["scale"]),
                {name: tuple(place) for name, place in row["places"].items()},
                others,
            )
        )
    shape = tuple(table["shape"])
    trays = tuple(
        TrueTray(
            row["file"],
            tuple(TrueOrgan(**_with_nan(organ)) for organ in row["organs"]),
            np.fromfile(directory / "trays" / f"{number}.u8", np.uint8).reshape(shape),
        )
        for number, row in enumerate(table.get("trays", ()))
    )
    return Truth(table["study"], table["seed"], shape, table["pixel_mm"], table["blur_mm"], tuple(animals), trays)


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: it stands as null."""
    return {name: float("nan") if value is None else value for name, value in row.items()}


def _pose(row: dict[str, Any]) -> Pose:
    values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in row.items()}
    return Pose(**values)
