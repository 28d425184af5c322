"""Analyses of a session and of an animal that are quick and easy to predict: they stand in place of the real ones.

One counts bright pixels, the other takes the brightest spot of every session for one lesion; every number follows from the
images, so that a wrong or stale input shows.
"""

import math
import time
from pathlib import Path

import numpy as np

from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import FLUX_UNIT, Pose, Registration
from lampyris.core.lesions import Endpoints, Lesion, OrganOnset, Passage, Sighting
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import SessionResult, ViewResult
from lampyris.study.graph.following import Followed
from lampyris.study.graph.store import read_plane


def flux_of(value, relative=0.1, level=0.95):
    sd = relative * abs(value)
    half = 1.96 * sd
    return Estimate(value, sd, value - half, value + half, level, FLUX_UNIT, "normal")


def detection(number, value, *, kind="lesion", snr=20.0, y_mm=1.0, x_mm=1.0, relative=0.1):
    return Detection(
        number=number,
        kind=kind,
        y_mm=y_mm,
        x_mm=x_mm,
        position_sd_mm=0.1,
        width_mm=2.0,
        template_depth_mm=2.0,
        z=12.0,
        z_threshold=4.7,
        flux=flux_of(value, relative),
        flux_vendor_4pi=4 * value,
        area_mm2=3.0,
        snr=snr,
        contrast=15.0,
        tumour_to_background=Estimate(3.0, math.nan, 2.5, 3.6, 0.95, "1", "ratio"),
        region="liver",
        outline_mm=((0.5, 0.5), (0.5, 1.5), (1.5, 1.0), (0.5, 0.5)),
        flags=0,
    )


def limit(region, value):
    flux = Estimate(value, math.nan, 0.8 * value, 1.3 * value, 0.95, FLUX_UNIT, "limit")
    cells = Estimate(value / 10, math.nan, 0.0, math.inf, 0.95, "cells", "limit")
    return DetectionLimit(region, flux, 0.8, cells, 3.0, 0.02, 0.95)


def view_result(view, radiance, *, channels, pixel_mm=0.5, detections=(), limits=(), photo=None, **named):
    total = radiance.sum(axis=0)
    peak = float(total.max()) or 1.0
    body = np.zeros(total.shape, bool)
    body[1:-1, 1:-1] = True
    lesions = np.zeros(total.shape, np.uint16)
    for spot in detections:
        lesions[round(spot.y_mm / pixel_mm), round(spot.x_mm / pixel_mm)] = spot.number
    return ViewResult(
        view=view,
        pixel_mm=pixel_mm,
        photo=total / peak if photo is None else photo,
        radiance=radiance,
        probe=total - 3.0,
        probe_variance=np.full(total.shape, 2.0),
        total_variance=np.full(total.shape, 3.0),
        display=np.maximum(total - 3.0, 0),
        autofluorescence=0.5 * total,
        flags=np.zeros(total.shape, np.uint16),
        body=body,
        lesions=lesions,
        channels=channels,
        registration=Registration(Pose(1.0, 1.0, 0.1, 1.0, 1.0, view == "ventral"), 1.0, 0.95, "silhouette"),
        detections=detections,
        organ_signals=(OrganSignal("liver", flux_of(50.0)),),
        limits=limits,
        body_flux=flux_of(1000.0),
        quality={"saturated_fraction": 0.0, "background_structure_percent": 4.5, "residual_width": math.nan},
        **named,
    )


def cheap_step(inputs, settings):
    views = []
    for opened in inputs.views:
        counts = opened.image.counts.astype(float)
        if counts.max() >= settings.instrument.full_scale_counts:
            finding = Finding(
                "image.saturated", Severity.ERROR, Place(opened.file), "saturated.", "Shorten the exposure."
            )
            raise ImageError(f"{opened.file} is saturated", [finding])
        radiance = (counts - opened.dark) / opened.flat / np.array(opened.exposure_s)[:, None, None]
        signal = float(radiance.max() - np.median(radiance))
        found = (detection(1, 100 * signal),) if signal > 30 else ()
        limits = (limit("liver", 3000.0), limit("lung", 5000.0))
        views.append(
            view_result(
                opened.view,
                radiance.astype(np.float32),
                channels=opened.image.channels,
                pixel_mm=opened.image.pixel_mm,
                detections=found,
                limits=limits,
                file=opened.file,
                file_shape=opened.file_shape,
            )
        )
    return SessionResult(
        inputs.animal, inputs.session, inputs.day, inputs.date, inputs.group, inputs.probe, tuple(views)
    )


def slow_step(inputs, settings):
    # wide enough for a kill to fall inside
    time.sleep(0.05)
    return cheap_step(inputs, settings)


def broken_for_a2(inputs, settings):
    if inputs.animal == "a2":
        raise RuntimeError(f"cannot read {Path.cwd()}")
    return cheap_step(inputs, settings)


NAN = math.nan


def estimate(value, sd=1.0, unit="mm"):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, unit, "normal")


def sighting(session, day, detections=(("dorsal", 1),), value=100.0, shared_with=()):
    cells = Estimate(value / 10, NAN, 0.0, value, 0.95, "cells", "model")
    return Sighting(session, day, bool(detections), tuple(detections), flux_of(value), cells, tuple(shared_with))


def lesion(number, sightings, *, kind="lesion", organ="liver"):
    seen = [one.day for one in sightings if one.seen]
    return Lesion(
        number=number,
        kind=kind,
        kinds={kind: 0.75, "artefact": 0.25},
        reasons=("bright", "fades"),
        organ=organ,
        organs={organ: 0.625, "spleen": 0.25, "subcutis": 0.125},
        position_mm=(estimate(5.0), estimate(40.0), estimate(-2.0)),
        depth_mm=estimate(3.0),
        sightings=tuple(sightings),
        after_day=-math.inf,
        by_day=min(seen, default=math.inf),
        last_day=max(seen, default=NAN),
        lost_by_day=math.inf,
        half_life_days=estimate(NAN, NAN, "d"),
    )


def endpoints_of(days, lesions):
    first = min((one.by_day for one in lesions), default=math.inf)
    count = len(days)
    return Endpoints(
        days=tuple(days),
        onsets=(OrganOnset("liver", 0.9 if lesions else 0.1, -math.inf, first, 1e3),),
        burden=tuple(estimate(10.0 * len(lesions), 1.0, "cells") for _ in days),
        burden_below=(not lesions,) * count,
        primary=(estimate(NAN, NAN, "cells"),) * count,
        sites=(len(lesions),) * count,
        burden_area=estimate(70.0, 7.0, "cell days"),
        half_life_days=estimate(NAN, NAN, "d"),
        persistence=estimate(NAN, NAN, "1"),
        first_spread=(-math.inf, first),
        farthest_mm=estimate(NAN, NAN),
        route=tuple(
            Passage("tail vein", one.organ, one.number, 0.625, one.after_day, one.by_day, estimate(30.0))
            for one in lesions
        ),
        activities=(),
        washout_half_life={},
    )


def cheap_follow(inputs, settings):
    sessions = inputs.sessions
    seen = [
        sighting(
            session.session,
            session.day,
            [(view.view, 1) for view in session.views if view.detections],
            sum(one.flux.value for view in session.views for one in view.detections),
        )
        for session in sessions
    ]
    found = (lesion(1, seen),) if any(one.seen for one in seen) else ()
    # the photographs are at hand, and the controls
    shown = max(read_plane(folder, "dorsal", "photo").max() for folder in inputs.folders)
    who = sessions[0].animal
    told = f"{who}: brightest {shown:.2f}, {len(inputs.controls)} controls, {inputs.animal.cage if inputs.animal else '-'}."
    finding = Finding("follow.cheap", Severity.WARNING, Place(f"sub-{who}"), told, "")
    registrations = tuple(tuple(view.registration for view in session.views) for session in sessions)
    return Followed(found, endpoints_of([one.day for one in sessions], found), registrations, (finding,))


def broken_follow_for_a2(inputs, settings):
    if inputs.sessions[0].animal == "a2":
        raise ValueError(f"cannot follow {inputs.folders[0]}")
    return cheap_follow(inputs, settings)
