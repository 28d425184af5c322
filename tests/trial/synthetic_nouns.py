"""Synthetic nouns for the score's tests: a flat animal whose lesions are round spots, and what an analysis may say of it."""

import math

import numpy as np

from lampyris.core.estimate import Estimate
from lampyris.core.images import Pose, Registration
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.results import Detection, DetectionLimit
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult
from lampyris.imaging.forward import SurfaceGrid
from lampyris.virtual.truth import TrueAnimal, TrueLesion, Truth

SHAPE, PIXEL_MM = (60, 60), 1.0
NAN = math.nan


def estimate(value, half=1.0):
    return Estimate(value, half / 2, value - half, value + half, 0.95, "1", "made up")


UNKNOWN = Estimate(NAN, NAN, NAN, NAN, 0.95, "1", "not known")


def detection(number, y, x, *, kind="lesion"):
    return Detection(
        number=number, kind=kind, y_mm=y, x_mm=x, position_sd_mm=0.2, width_mm=3.0, template_depth_mm=1.0, z=9.0,
        z_threshold=4.0, flux=estimate(1.0), flux_vendor_4pi=4.0, area_mm2=4.0, snr=9.0, contrast=9.0,
        tumour_to_background=estimate(3.0), region="liver", outline_mm=(), flags=0,
    )  # fmt: skip


def view_result(view, detections, *, limit=1e-6):
    labels = np.zeros(SHAPE, np.uint16)
    for one in detections:
        labels[round(one.y_mm) - 2 : round(one.y_mm) + 3, round(one.x_mm) - 2 : round(one.x_mm) + 3] = one.number
    image = np.zeros(SHAPE, np.float32)
    limits = tuple(
        DetectionLimit(region, estimate(limit, 0.0), 1.0, estimate(1.0), 1.0, 0.02, 0.95)
        for region in ("subcutis", "liver", "lungs")
    )
    return ViewResult(
        view=view, pixel_mm=PIXEL_MM, photo=image, radiance=image[None], probe=image, probe_variance=image,
        total_variance=image, display=image, autofluorescence=image, flags=np.zeros(SHAPE, np.uint16), body=np.ones(SHAPE, bool),
        lesions=labels, channels=("800",), registration=Registration(Pose(0.0, 30.0), 0.5, 1.0, "landmarks"),
        detections=tuple(detections), organ_signals=(), limits=limits, body_flux=estimate(1.0), quality={},
    )  # fmt: skip


def session(name, day, *views, animal="m01"):
    return SessionResult(animal, name, day, "2026-03-02", "arm", "dot", views)


def true_lesion(number, organ, place, cells, *, arrival=0.0, depth=2.0):
    return TrueLesion(number, organ, place, cells, arrival, {"dorsal": depth})


def true_animal(*lesions, sessions, animal="m01", scale=(1.0, 1.0, 1.0)):
    """Each lesion sends a round spot straight up; the true pose lays y on rows and the midline on column 30."""
    y, x = np.indices(SHAPE) * PIXEL_MM
    spots = [
        np.exp(-0.5 * ((y - one.position_mm[1]) ** 2 + (x - 30.0 - one.position_mm[2]) ** 2) / 2.0) for one in lesions
    ]
    maps = np.array(spots, np.float32).reshape(len(lesions), 1, *SHAPE)
    # the stage's x runs to the animal's right, the map's to its left
    poses = {name: {"dorsal": Pose(0.0, 30.0)} for name in sessions}
    grid = SurfaceGrid(0.0, -30.0, PIXEL_MM)
    return TrueAnimal(animal, "arm", lesions, {}, poses, grid, ("dorsal",), maps, scale)


def truth_of(*animals):
    return Truth("synthetic", 1, SHAPE, PIXEL_MM, 0.0, animals)


def sighting(name, day, *detections, cells=UNKNOWN, shared_with=()):
    return Sighting(name, day, bool(detections), detections, estimate(1.0), cells, shared_with)


def followed(number, sightings, *, organ="liver", organs=None, kind="lesion", place=(0.0, 20.0, 5.0), **more):
    told = {"after_day": -math.inf, "by_day": 0.0, "depth_mm": estimate(2.0), **more}
    return Lesion(
        number=number, kind=kind, kinds={kind: 1.0}, reasons=(), organ=organ, organs=organs or {organ: 1.0},
        position_mm=tuple(estimate(part) for part in place), sightings=tuple(sightings), last_day=0.0,
        lost_by_day=math.inf, half_life_days=UNKNOWN, **told,
    )  # fmt: skip


def outcome(lesions, *, animal="m01", registrations=(), days=()):
    return AnimalOutcome(
        animal, "arm", "done", "", days, (), (), (), lesions=tuple(lesions), registrations=registrations
    )
