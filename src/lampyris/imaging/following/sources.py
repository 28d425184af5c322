"""Sources of light in an animal: the spots of one source in every session and view, and where their light comes from."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import Registration
from lampyris.core.results import Detection
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.body.animal import animal_from_stage
from lampyris.imaging.following.kinds import Setting
from lampyris.imaging.following.localise import (
    Evidence,
    Likelihood,
    PlacedWindows,
    gather_evidence,
    likelihood,
    window_kernels,
)
from lampyris.imaging.light.light_table import VIEWS, LightTable
from lampyris.probe.probe import Probe

# of a place of the nominal animal, where a registration does not say
REGISTRATION_SD_MM = 1.0
# standard deviations of a flux at which a spot counts as least bright for linking
FAINTEST_SDS = 0.5
# error of a depth from the grid's stepped surface, beyond the evenly filled voxel
STEPS_SD_MM = 0.35
# session, view and number
DetectionKey = tuple[str, str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A detection with its place in the nominal animal."""

    session: int
    view: ViewResult
    registration: Registration
    detection: Detection
    y_mm: float
    x_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all sources of an animal share."""

    sessions: tuple[SessionResult, ...]
    settings: StudySettings
    probe: Probe
    table: LightTable
    spots: tuple[Spot, ...]
    setting: Setting
    controls: NDArray[np.float64]
    registrations: tuple[dict[str, Registration], ...]
    known: dict[tuple[int, ...], tuple["Source", NDArray[np.float64]]]
    organs: tuple[tuple[Set[DetectionKey], str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One chain of spots with what its light says.

    Parameters
    ----------
    members : list of Spot
    main : str
        The view that sees most of it.
    found : Likelihood
    log_share : dict of session to (float, float)
        Logarithm of the session's share of the summed amount, and its own standard deviation.
    """

    members: list[Spot]
    main: str
    found: Likelihood
    log_share: dict[int, tuple[float, float]]


def spots_of(sessions: Sequence[SessionResult], laid: Sequence[dict[str, Registration]]) -> tuple[Spot, ...]:
    """Detections that have a flux to link and windows to place them by, at their places in the nominal animal."""
    spots = []
    for number, session in enumerate(sessions):
        for view in session.views:
            registration = laid[number][view.view]
            for detection in view.detections:
                if not _can_be_placed(view, detection):
                    continue
                y, x = nominal_place(registration, detection.y_mm, detection.x_mm)
                spots.append(Spot(number, view, registration, detection, y, x))
    return tuple(spots)


def _can_be_placed(view: ViewResult, detection: Detection) -> bool:
    """Whether a detection has a flux to link and windows to place it by."""
    own = [window for window in detection.windows if window.view == view.view]
    light = [(w.flux, w.along, w.left, w.spread, w.own_sd) for w in detection.windows]
    measured = bool(own) and bool(view.window_noise) and bool(np.isfinite(light).all())
    return measured and bool(np.isfinite(detection.flux.value)) and detection.flux.sd > 0


def nominal_place(registration: Registration, y_mm: float, x_mm: float) -> tuple[float, float]:
    """Place in the nominal animal, x to its left."""
    along, right = animal_from_stage(registration.pose, np.array(y_mm), np.array(x_mm))
    return float(along), -float(right)


def placing_sd(registration: Registration) -> float:
    """Error of a place in the nominal animal, mm; the usual one where the registration does not say."""
    return registration.sd_mm if np.isfinite(registration.sd_mm) else REGISTRATION_SD_MM


def source_of(ground: Ground, chain: tuple[int, ...]) -> tuple[Source, NDArray[np.float64]]:
    """Where a chain's light comes from and the mean place of its windows, asked once per chain."""
    if chain not in ground.known:
        ground.known[chain] = _asked(ground, [ground.spots[index] for index in chain])
    return ground.known[chain]


def place_of(ground: Ground, members: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of a chain's place by its light alone."""
    source, _ = source_of(ground, tuple(members))
    weight = np.exp(source.found.log_likelihood - source.found.log_likelihood.max())
    weight /= weight.sum()
    points = ground.table.points_mm[source.found.voxel]
    mean = weight @ points
    return mean, np.sqrt(weight @ (points - mean) ** 2 + STEPS_SD_MM**2)


def _asked(ground: Ground, members: list[Spot]) -> tuple[Source, NDArray[np.float64]]:
    """Ask the light table where spots of one source come from."""
    light: dict[str, float] = {}
    for spot in members:
        light[spot.view.view] = light.get(spot.view.view, 0.0) + max(spot.detection.flux.value, 0.0)
    main = max(sorted(light), key=lambda view: light[view])
    placed = _placed_windows(ground, members, main)
    sd = float(np.mean([placing_sd(spot.registration) for spot in members]))
    evidence = gather_evidence(list(placed.values()), registration_sd_mm=sd)
    found = likelihood(ground.table, evidence, blur_mm=ground.settings.instrument.blur_mm)
    shares = {}
    for number in sorted({spot.session for spot in members}):
        own = [spot for spot in members if spot.session == number]
        spot = next((one for one in own if one.view.view == main), own[0])
        window = next(w for w in reversed(spot.detection.windows) if w.view == spot.view.view)
        noise = float(np.hypot(np.sqrt(spot.view.window_noise[-4][-4]), window.own_sd))
        flux = max(window.flux, FAINTEST_SDS * noise)
        log_share = _log_share(ground, evidence, found, spot, flux, main)
        shares[number] = (log_share, min(noise / flux, 1.0))
    return Source(members, main, found, shares), evidence.centres_mm.mean(axis=0)


def _log_share(ground: Ground, evidence: Evidence, found: Likelihood, spot: Spot, flux: float, main: str) -> float:
    """Logarithm of a session's amount over the summed one, from the widest window of its spot.

    Against the sum of the main view's windows where that view shows it; else against what the likeliest place would send
    through that window of the other view.
    """
    if spot.view.view == main:
        whole = float(evidence.moments[evidence.views.index(main), -1, 0])
        if whole > 0:
            return float(np.log(flux / whole))
    best = int(np.argmax(found.log_likelihood))
    view, voxel = spot.view.view, int(found.voxel[best])
    light = ground.table.flux[view][:, voxel] * np.exp(ground.table.log_flux_shift[VIEWS.index(view), voxel])
    centre, sigma = np.array([spot.y_mm, spot.x_mm]), evidence.sigmas_mm[-1]
    blur = ground.settings.instrument.blur_mm
    per_amount = float(window_kernels(ground.table.columns_mm[view], centre, sigma, blur_mm=blur)[0] @ light)
    return float(np.log(flux / per_amount) - found.log_amount[best])


def _placed_windows(ground: Ground, members: list[Spot], main: str) -> dict[int, tuple[PlacedWindows, ...]]:
    """Windows of the sessions that show the source in its main view, each view's own spot where there is one."""
    placed: dict[int, tuple[PlacedWindows, ...]] = {}
    for spot in members:
        if spot.view.view != main:
            continue
        rows = []
        for view in ground.sessions[spot.session].views:
            own = [one for one in members if one.session == spot.session and one.view.view == view.view]
            teller = own[0] if own else spot
            windows = tuple(w for w in teller.detection.windows if w.view == view.view)
            if windows:
                registration = ground.registrations[spot.session][view.view]
                y, x = nominal_place(registration, windows[0].y_mm, windows[0].x_mm)
                rows.append(PlacedWindows(windows, y, x, np.array(view.window_noise)))
        placed[spot.session] = tuple(rows)
    # sessions are summed, so they must have the same views: those of the session with most
    views = max((tuple(r.windows[0].view for r in rows) for rows in placed.values()), key=len)
    return {n: rows for n, rows in placed.items() if tuple(r.windows[0].view for r in rows) == views}


def key_of(ground: Ground, spot: Spot) -> DetectionKey:
    """Session, view and number of a spot's detection."""
    return ground.sessions[spot.session].session, spot.view.view, spot.detection.number
