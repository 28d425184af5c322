"""Analyses with two spots a view, and a correction that reads one pixel: quick, and every number follows from the image."""

import time
from dataclasses import replace

import numpy as np
from cheap_step import cheap_step, detection, endpoints_of, lesion, sighting

from lampyris.core.finding import Finding, Place, Severity
from lampyris.study.graph.following import Followed

PLACES = {1: (1.0, 1.0), 2: (4.0, 3.0)}


def two_spots_step(inputs, settings):
    result = cheap_step(inputs, settings)
    views = []
    for view in result.views:
        spots = tuple(
            detection(number, 100 * float(view.probe[round(y / 0.5), round(x / 0.5)]), y_mm=y, x_mm=x)
            for number, (y, x) in PLACES.items()
        )
        labels = np.array(view.lesions)
        labels[:] = 0
        for number, (y, x) in PLACES.items():
            labels[round(y / 0.5), round(x / 0.5)] = number
        views.append(replace(view, detections=spots, lesions=labels))
    return replace(result, views=tuple(views))


def slow_two_spots(inputs, settings):
    time.sleep(0.03)
    return two_spots_step(inputs, settings)


def follow_by_number(inputs, settings):
    """A lesion per number of a detection, numbered from 1 over those that are there."""
    keys = sorted({one.number for s in inputs.sessions for view in s.views for one in view.detections})
    found = []
    for place, number in enumerate(keys, start=1):
        rows = []
        for session in inputs.sessions:
            own = [(view.view, one) for view in session.views for one in view.detections if one.number == number]
            value = sum(one.flux.value for _, one in own)
            rows.append(sighting(session.session, session.day, [(view, number) for view, _ in own], value))
        found.append(lesion(place, rows))
    found = tuple(found)
    registrations = tuple(tuple(view.registration for view in session.views) for session in inputs.sessions)
    who = inputs.sessions[0].animal
    told = Finding("follow.cheap", Severity.NOTE, Place(f"sub-{who}"), f"{who}: {len(found)} lesions.", "")
    return Followed(found, endpoints_of([one.day for one in inputs.sessions], found), registrations, (told,))


def slow_follow(inputs, settings):
    time.sleep(0.05)
    return follow_by_number(inputs, settings)


def correct_by_pixel(session, corrections, settings):
    todo = {one.view: one for one in corrections}
    views = []
    for view in session.views:
        one = todo.get(view.view)
        if one is None:
            views.append(view)
            continue
        if one.excluded:
            continue
        gone = {*one.rejected, *(number for number, _ in one.joined)}
        new = {spot.number: spot for spot in (*one.moved, *one.added)}
        kinds, labels, spots = dict(one.relabelled), np.array(view.lesions), []
        labels[np.isin(labels, [*gone, *new])] = 0
        for spot in view.detections:
            if spot.number not in gone and spot.number not in new:
                spots.append(replace(spot, kind=kinds.get(spot.number, spot.kind)))
        for number, spot in new.items():
            y, x = round(spot.y_mm / 0.5), round(spot.x_mm / 0.5)
            spots.append(
                detection(number, 100 * float(view.probe[y, x]), kind=spot.kind, y_mm=spot.y_mm, x_mm=spot.x_mm)
            )
            labels[y, x] = number
        rejected = tuple(spot for spot in view.detections if spot.number in one.rejected)
        spots = tuple(sorted(spots, key=lambda spot: spot.number))
        views.append(replace(view, detections=spots, rejected=rejected, lesions=labels))
    return replace(session, views=tuple(views))


def slow_correct(session, corrections, settings):
    time.sleep(0.05)
    return correct_by_pixel(session, corrections, settings)
