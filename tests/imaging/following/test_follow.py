"""An animal over its sessions, from nouns alone: the windows are those that the light table predicts for known cells."""

from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionKind
from lampyris.core.images import Pose, Registration
from lampyris.core.results import Detection, DetectionLimit, WindowMoments
from lampyris.core.schemas import AnimalRow
from lampyris.core.settings import StudyInfo, StudySettings
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.detection.windows import WINDOW_SIGMAS_MM
from lampyris.imaging.following import follow
from lampyris.imaging.following.follow import follow_animal
from lampyris.imaging.following.link import link_spots
from lampyris.imaging.following.localise import window_kernels
from lampyris.imaging.light.light_table import light_table
from lampyris.probe.probe import probe_from_settings
from lampyris.virtual.design import default_design

DAYS = (0.0, 3.0, 7.0, 14.0)
VIEWS = ("dorsal", "ventral")
NOISE = 2e6
LIMIT = 2e7
NAN = float("nan")


@pytest.fixture(scope="module")
def settings():
    design = default_design()
    return StudySettings(
        study=StudyInfo(name="study"),
        instrument=design.instrument,
        groups={"arm": {"probe": "targeted-dot"}},
        probes={"targeted-dot": design.probes["targeted-dot"]},
    )


@pytest.fixture(scope="module")
def table(settings):
    return light_table(settings.instrument, probe(settings))


def probe(settings):
    return probe_from_settings("targeted-dot", settings.probes["targeted-dot"])


def estimate(value, unit="ph s-1"):
    return Estimate(value, 0.05 * value, 0.9 * value, 1.1 * value, 0.95, unit, "drawn")


def row(**changes):
    values = dict.fromkeys(("strain", "sex", "cage", "exclusion_reason", "exclusion_author", "exclusion_time"), "")
    values |= {"row": 2, "animal": "m01", "group": "arm", "weight_g": 22.0, "inoculation": "left mammary fat pad"}
    values |= {"injection": "tail vein", "labelled_cells": 1e6, "excluded": False}
    return AnimalRow(**{**values, **changes})


class Animal:
    """Cells at places of the nominal animal, by day; `sessions` is what analysing its images would give."""

    def __init__(self, settings, table, sources):
        self.settings, self.table, self.sources = settings, table, sources

    def sessions(self, *, days=DAYS, views=VIEWS, kind=DetectionKind.LESION):
        return [self._session(number, day, views, kind) for number, day in enumerate(days)]

    def _session(self, number, day, views, kind):
        rows = [self._view(view, day, views, kind) for view in views]
        return SessionResult(
            "m01", f"d{day:02.0f}", day, f"2026-01-{number + 1:02d}", "arm", "targeted-dot", tuple(rows)
        )

    def _view(self, view, day, views, kind):
        found = []
        for place, cells in self.sources:
            if cells.get(day, 0.0) <= 0:
                continue
            light = self._light(place, view, cells[day])
            if light.sum() > LIMIT:
                found.append(self._detection(len(found) + 1, place, view, views, cells[day], kind))
        limit = DetectionLimit(
            "subcutis", estimate(LIMIT), 0.6, estimate(1e5, "labelled-cell equivalents"), 1.0, 0.02, 0.95
        )
        size = np.concatenate([[1.0, s, s, 2.0 * s * s] for s in WINDOW_SIGMAS_MM]) * NOISE
        noise = tuple(tuple(line) for line in np.diag(size**2).tolist())
        pixel = np.zeros((1, 1), np.float32)
        names = ("photo", "probe", "probe_variance", "total_variance", "display", "autofluorescence")
        planes = dict.fromkeys(names, pixel)
        return ViewResult(
            view=view, pixel_mm=0.45, radiance=np.zeros((1, 1, 1), np.float32), flags=np.zeros((1, 1), np.uint16),
            body=np.ones((1, 1), bool), lesions=np.zeros((1, 1), np.uint16), channels=("810",),
            registration=Registration(self._pose(view), 0.5, 0.98, "silhouette"), detections=tuple(found),
            organ_signals=(), limits=(limit,), body_flux=estimate(1e9), quality={}, window_noise=noise, **planes,
        )  # fmt: skip

    @staticmethod
    def _pose(view):
        return Pose(5.0, 50.0, mirrored=view == "ventral")

    def _light(self, place, view, cells):
        voxel = int(np.argmin(((self.table.points_mm - np.array(place)) ** 2).sum(axis=1)))
        per_cell = probe(self.settings).photons_per_cell_fluence_mm2
        return self.table.flux[view][:, voxel].astype(float) * per_cell * cells

    def _brightest(self, place, view):
        light = self._light(place, view, 1.0)
        near = light > 0.7 * light.max()
        return np.average(self.table.columns_mm[view][near], axis=0, weights=light[near])

    def _on_stage(self, view, y, x):
        return 5.0 + y, 50.0 + (x if view == "ventral" else -x)

    def _detection(self, number, place, view, views, cells, kind):
        centre = self._brightest(place, view)
        windows = []
        for other in (view, *(name for name in views if name != view)):
            light = self._light(place, other, cells)
            for sigma in WINDOW_SIGMAS_MM:
                kernels = window_kernels(self.table.columns_mm[other], centre, sigma, blur_mm=0.35)
                flux, along, left, spread = kernels[:4] @ light
                y, x = self._on_stage(other, *centre)
                windows.append(WindowMoments(other, y, x, sigma, flux, along, left, spread, 0.0, True))
        flux = float(self._light(place, view, cells).sum())
        y, x = self._on_stage(view, *centre)
        return Detection(
            number=number, kind=kind, y_mm=y, x_mm=x, position_sd_mm=0.2, width_mm=4.0, template_depth_mm=2.0, z=20.0,
            z_threshold=5.0, flux=estimate(flux), flux_vendor_4pi=4 * flux, area_mm2=20.0, snr=20.0, contrast=20.0,
            tumour_to_background=estimate(5.0, "1"), region="subcutis", outline_mm=(), flags=0, windows=tuple(windows),
        )  # fmt: skip


FADING = {0.0: 1e6, 3.0: 8e5, 7.0: 7e5, 14.0: 5e5}
LATE = {7.0: 6e5, 14.0: 5e5}
PRIMARY = (-4.2, 71.8, 9.0)
PAD = "left mammary fat pad"
LIVER = (-2.0, 47.0, -4.0)


@pytest.fixture(scope="module")
def two(settings, table):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    return follow_animal(sessions, settings, animal=row())


def test_identity_organ_and_kind(two):
    primary, metastasis = two.lesions
    assert (primary.number, primary.kind, primary.organ) == (1, "primary", "left mammary fat pad")
    assert (metastasis.number, metastasis.kind, metastasis.organ) == (2, "lesion", "liver")
    assert [one.seen for one in primary.sightings] == [True] * 4
    assert [one.seen for one in metastasis.sightings] == [False, False, True, True]
    for lesion in two.lesions:
        assert sum(lesion.kinds.values()) == pytest.approx(1.0)
        assert sum(lesion.organs.values()) == pytest.approx(1.0)
        assert lesion.reasons


def test_appearance_is_the_interval_between_sessions(two):
    primary, metastasis = two.lesions
    assert (primary.after_day, primary.by_day) == (float("-inf"), 0.0)
    assert (metastasis.after_day, metastasis.by_day) == (3.0, 7.0)
    assert (metastasis.last_day, metastasis.lost_by_day) == (14.0, float("inf"))


@pytest.mark.parametrize(("index", "place"), [(0, PRIMARY), (1, LIVER)], ids=["primary", "liver"])
def test_place_is_within_its_interval(two, index, place):
    for found, true in zip(two.lesions[index].position_mm, place, strict=True):
        # half a voxel is what the nearest voxel misses
        assert found.low - 0.6 <= true <= found.high + 0.6
        assert found.sd < 1.5


@pytest.mark.parametrize(("index", "cells"), [(0, FADING), (1, LATE)], ids=["primary", "liver"])
def test_cells_are_within_their_interval(two, index, cells):
    for one in two.lesions[index].sightings:
        if one.seen:
            assert one.cells.low <= cells[one.day] <= one.cells.high
        else:
            assert one.cells.low == 0.0 and one.cells.value > 0.0
    seen = [one.cells.value for one in two.lesions[index].sightings if one.seen]
    # ratios of days are free of place, optics and brightness
    assert np.diff(np.log(seen)) == pytest.approx(np.diff(np.log(list(cells.values()))), abs=0.02)


def test_order_of_sessions_changes_nothing(settings, table, two):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    # as text, since half-lives of two days are NaN, which equals nothing
    assert repr(follow_animal(sessions[::-1], settings, animal=row())) == repr(two)


def test_a_missing_session_keeps_the_identities(settings, table, two):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    fewer = follow_animal([one for one in sessions if one.day != 3.0], settings, animal=row())
    assert [(one.kind, one.organ) for one in fewer.lesions] == [(one.kind, one.organ) for one in two.lesions]
    # the interval says that nobody looked on day 3
    assert (fewer.lesions[1].after_day, fewer.lesions[1].by_day) == (0.0, 7.0)


def test_a_source_too_faint_to_have_been_seen_may_have_been_there(settings, table):
    sessions = Animal(settings, table, [(LIVER, LATE)]).sessions()
    blind = [
        replace(one, views=tuple(replace(v, limits=(replace(v.limits[0], flux=estimate(1e15)),)) for v in one.views))
        if one.day == 3.0
        else one
        for one in sessions
    ]
    (lesion,) = follow_animal(blind, settings, animal=row()).lesions
    assert (lesion.after_day, lesion.by_day) == (0.0, 7.0)


def test_a_spot_where_the_needle_went_in(settings, table):
    sessions = Animal(settings, table, [(PRIMARY, FADING)]).sessions(kind=DetectionKind.INJECTION_SITE)
    (site,) = follow_animal(sessions, settings, animal=row()).lesions
    assert site.kind == "injection site" and site.kinds["injection site"] > 0.9


def test_nothing_found_is_nothing_followed(settings, table):
    found = follow_animal(Animal(settings, table, []).sessions(), settings, animal=row())
    assert found.lesions == () and found.findings == ()
    assert found.limits == {"subcutis": (1e5,) * 4}


def test_one_view_is_enough(settings, table):
    sessions = Animal(settings, table, [(LIVER, LATE)]).sessions(views=("ventral",))
    (lesion,) = follow_animal(sessions, settings, animal=row()).lesions
    # without the other side depth rests on the width alone, and says so
    assert lesion.organ == "liver"
    assert lesion.depth_mm.sd > 0.3


def test_an_image_that_fits_no_other_day_is_told(settings, table):
    places = [PRIMARY, LIVER, (1.5, 34.0, 4.3), (4.5, 61.0, 5.0)]
    sessions = Animal(settings, table, [(place, FADING) for place in places]).sessions()
    moved = sessions[2]
    views = tuple(
        replace(v, registration=replace(v.registration, pose=replace(v.registration.pose, y_mm=-4.0)))
        for v in moved.views
    )
    sessions[2] = replace(moved, views=views)
    found = follow_animal(sessions, settings, animal=row())
    assert any("d07" in finding.seen for finding in found.findings)


@pytest.mark.parametrize(
    "change",
    [{"windows": ()}, {"flux": Estimate(0.0, 0.0, 0.0, 0.0, 0.95, "ph s-1", "nothing left")}],
    ids=["bare", "empty"],
)
def test_a_spot_that_says_nothing_is_left_out(settings, table, two, change):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    first = sessions[0].views[0]
    empty = replace(Animal(settings, table, [(LIVER, FADING)]).sessions()[0].views[0].detections[0], number=9, **change)
    sessions[0] = replace(
        sessions[0], views=(replace(first, detections=(*first.detections, empty)), *sessions[0].views[1:])
    )
    assert repr(follow_animal(sessions, settings, animal=row())) == repr(two)


def test_an_injected_probe_does_not_say_when_cells_came(settings, table):
    group = settings.groups["arm"].model_copy(update={"label": "injected"})
    injected = settings.model_copy(update={"groups": {"arm": group}})
    rising = {7.0: 2e5, 14.0: 8e5}
    sessions = Animal(settings, table, [(LIVER, rising)]).sessions()
    (lesion,) = follow_animal(sessions, injected, animal=row()).lesions
    assert (lesion.after_day, lesion.by_day) == (float("-inf"), 7.0)
    assert [one.seen for one in lesion.sightings] == [False, False, True, True]


def test_a_lesion_that_goes_is_gone_by_the_session_that_would_show_it(settings, table):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, {0.0: 5e6, 3.0: 5e6})]).sessions()
    gone = next(one for one in follow_animal(sessions, settings, animal=row()).lesions if one.organ == "liver")
    assert (gone.last_day, gone.lost_by_day) == (3.0, 7.0)
    assert not gone.sightings[2].seen and gone.sightings[2].cells.high > 0.0


def test_light_within_anothers_spot_is_not_missed(settings, table, monkeypatch):
    """The second source is one spot with the first on the last two days: neither gone nor below the limit there."""
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, {3.0: 5e6})]).sessions()

    def shared(spots, **known):
        linked = link_spots(spots, **known)
        chains = [
            replace(one, shared=((2, 0), (3, 0)), merged_into=0) if index else one
            for index, one in enumerate(sorted(linked.chains, key=lambda chain: -len(chain.members)))
        ]
        return replace(linked, chains=tuple(chains))

    monkeypatch.setattr(follow, "link_spots", shared)
    primary, hidden = sorted(follow_animal(sessions, settings, animal=row()).lesions, key=lambda one: one.organ != PAD)
    assert hidden.kind == "lesion" and hidden.lost_by_day == float("inf")
    assert hidden.merged_into == primary.number
    for place in (2, 3):
        one, host = hidden.sightings[place], primary.sightings[place]
        assert one.shared_with == (primary.number,) and host.shared_with == (hidden.number,)
        assert (one.cells.low, one.cells.high) == (0.0, host.cells.high)


def test_two_sessions_of_one_day_leave_time_to_arrive(settings, table):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    twin = replace(
        sessions[2], session="d07b", views=tuple(replace(v, detections=v.detections[:1]) for v in sessions[2].views)
    )
    found = follow_animal([*sessions, replace(twin, session="d06z")], settings, animal=row())
    assert all(one.after_day < one.by_day for one in found.lesions)


def test_windows_that_are_no_numbers_stop_nothing(settings, table, two):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    view = sessions[3].views[0]
    bad = replace(view.detections[0], number=8, windows=tuple(replace(w, flux=NAN) for w in view.detections[0].windows))
    blind = replace(view, detections=(*view.detections, bad))
    sessions[3] = replace(sessions[3], views=(blind, *sessions[3].views[1:]))
    assert repr(follow_animal(sessions, settings, animal=row())) == repr(two)


def test_what_a_person_says_is_one_source_is_one(settings, table):
    """Two sources that no image shows together, 12 mm apart: two by their places, one by a person's word."""
    early, late = {0.0: 1e6, 3.0: 8e5}, {7.0: 7e5, 14.0: 5e5}
    sessions = Animal(settings, table, [(PRIMARY, early), ((-4.2, 59.8, 9.0), late)]).sessions()
    assert len(follow_animal(sessions, settings, animal=row()).lesions) == 2
    said = [{("d00", "dorsal", 1), ("d14", "dorsal", 1)}]
    (one,) = follow_animal(sessions, settings, animal=row(), together=said).lesions
    assert [sighting.seen for sighting in one.sightings] == [True] * 4


def test_what_one_image_shows_as_two_stays_two(settings, table, two):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    said = [{("d07", "dorsal", 1), ("d07", "dorsal", 2)}]
    found = follow_animal(sessions, settings, animal=row(), together=said).lesions
    assert [[day.detections for day in one.sightings] for one in found] == [
        [day.detections for day in one.sightings] for one in two.lesions
    ]


def test_place_and_amount_are_those_of_the_organ_that_a_person_names(settings, table, two):
    sessions = Animal(settings, table, [(PRIMARY, FADING), (LIVER, LATE)]).sessions()
    organ = next(name for name in two.lesions[1].organs if name not in ("liver", "subcutis"))
    assert 0 < two.lesions[1].organs[organ] < 0.5
    said = [({("d14", "dorsal", 2)}, organ)]
    primary, metastasis = follow_animal(sessions, settings, animal=row(), organs=said).lesions
    assert primary.sightings == two.lesions[0].sightings
    assert metastasis.organs == {organ: 1.0} and metastasis.organ == organ
    assert metastasis.sightings[2].cells.value != two.lesions[1].sightings[2].cells.value
    # the organ's places are fewer than all
    assert metastasis.position_mm[1].sd < 3 * two.lesions[1].position_mm[1].sd
