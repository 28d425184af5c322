"""One animal over its sessions: spots become lesions with an identity, a place, an organ, a kind and an amount.

Links the spots of all days and views, asks the light table where each source lies, weighs what it may be, and says for every
session how much is there or how much may have been missed. Needs no image: a session's result holds the windows.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DetectionKind
from lampyris.core.images import FLUX_UNIT, Registration
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.results import Detection, DetectionLimit
from lampyris.core.schemas import AnimalRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.body.animal import animal_from_stage
from lampyris.imaging.following.kinds import Setting, TimeCourse, Verdict, control_rate, weigh_kinds
from lampyris.imaging.following.link import Chain, LimitAt, Linking, LinkOptions, LinkSpot, link_spots
from lampyris.imaging.following.localise import (
    Evidence,
    Likelihood,
    PlacedWindows,
    gather_evidence,
    likelihood,
    window_kernels,
)
from lampyris.imaging.light.light_table import VIEWS, LightTable, light_table
from lampyris.imaging.light.nominal import SUBCUTIS
from lampyris.imaging.step import session_probe
from lampyris.metastasis.kinetics import half_life
from lampyris.probe.probe import Probe
from lampyris.statistics.thresholds import half_width

CELLS_UNIT = "labelled-cell equivalents"
# session, view and number
DetectionKey = tuple[str, str, int]
# of a place of the nominal animal, where a registration does not say
REGISTRATION_SD_MM = 1.0
# a control's spot within this reach of a source lies at its place
CONTROL_REACH_MM = 4.0
# steps of the logarithm of an amount in which its distribution is summed
LOG_STEP = 0.02
MOST_STEPS = 2000
# error of a depth from the grid's stepped surface, beyond the evenly filled voxel
STEPS_SD_MM = 0.35
# two chains whose places differ by less, along every axis, and that no image shows apart are one source
SAME_PLACE_SDS = 2.5
# labels of prelabelled cells do not fade faster, early loss and bleaching of dyes included: what would have outshone the
# limit even so was not there
FASTEST_HALF_LIFE_DAYS = 2.0
# standard deviations of a flux at which a spot counts as least bright for linking
FAINTEST_SDS = 0.5
# of a session with its own animal one in two hundred falls below, of one with another animal most
MISFIT_LOG_ODDS = -3.0
# that a source at the place of a needle is something else
NEEDLE_DOUBT = 0.05


@dataclass(frozen=True, slots=True)
class Following:
    """What following an animal yields.

    Parameters
    ----------
    lesions : tuple of Lesion
        By first day, brighter first; every source of light, whatever its kind.
    limits : dict of organ to tuple of float
        Labelled-cell equivalents that would have been seen, per session; NaN where nothing is known.
    findings : tuple of Finding
        Sessions that do not fit the others.
    """

    lesions: tuple[Lesion, ...]
    limits: dict[str, tuple[float, ...]]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Spot:
    """A detection with its place in the nominal animal."""

    session: int
    view: ViewResult
    registration: Registration
    detection: Detection
    y_mm: float
    x_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What all sources of an animal share."""

    sessions: tuple[SessionResult, ...]
    settings: StudySettings
    probe: Probe
    table: LightTable
    spots: tuple[_Spot, ...]
    setting: Setting
    controls: NDArray[np.float64]
    registrations: tuple[dict[str, Registration], ...]
    known: dict[tuple[int, ...], tuple["_Source", NDArray[np.float64]]]
    organs: tuple[tuple[Set[DetectionKey], str], ...] = ()


def follow_animal(
    sessions: Sequence[SessionResult],
    settings: StudySettings,
    /,
    *,
    registrations: Sequence[Sequence[Registration]] | None = None,
    controls: Sequence[SessionResult] = (),
    animal: AnimalRow | None = None,
    together: Sequence[Set[DetectionKey]] = (),
    organs: Sequence[tuple[Set[DetectionKey], str]] = (),
) -> Following:
    """Follow the sources of light of one animal.

    Parameters
    ----------
    sessions : sequence of SessionResult
        Of one animal; images are not read.
    settings : StudySettings
    registrations : sequence of sequence of Registration, optional
        Per session and view, in the sessions' order; their own where left out.
    controls : sequence of SessionResult
        Sessions of unlabelled controls: how often, and where, nothing looks like something.
    animal : AnimalRow, optional
        Where cells were put and the probe injected.
    together : sequence of set of (session, view, number), optional
        Detections that are one source because a person says so.
    organs : sequence of (set of (session, view, number), organ), optional
        The organ in which a person says that the source of these detections lies; place and amount are those in it.

    Returns
    -------
    Following
    """
    given = registrations or [[view.registration for view in session.views] for session in sessions]
    order = sorted(range(len(sessions)), key=lambda index: (sessions[index].day, sessions[index].session))
    ordered = tuple(sessions[index] for index in order)
    laid = tuple(
        {view.view: one for view, one in zip(sessions[index].views, given[index], strict=True)} for index in order
    )
    limits = organ_limits(ordered)
    spots = _spots(ordered, laid)
    if not spots:
        return Following((), limits, ())
    probe = session_probe(next((s.probe for s in ordered if s.probe), ""), settings)
    places = _control_places(controls)
    group = settings.groups.get(ordered[0].group)
    injected = group is not None and group.label == "injected"
    ground = _Ground(
        sessions=ordered,
        settings=settings,
        probe=probe,
        table=light_table(settings.instrument, probe),
        spots=spots,
        setting=Setting(
            inoculation=animal.inoculation if animal else "",
            artefacts_per_session=control_rate(places, len(controls)),
            injected=injected,
        ),
        controls=np.array(places).reshape(-1, 2),
        registrations=laid,
        known={},
        organs=tuple(organs),
    )
    linked = link_spots(
        [_link_spot(spot) for spot in spots],
        days=[session.day for session in ordered],
        views=[[view.view for view in session.views] for session in ordered],
        limit_at=_limit_lookup(ordered),
        options=LinkOptions(may_rise=injected),
    )
    chains = _joined(ground, linked.chains, together)
    lesions = [_lesion(ground, chain) for chain in chains]
    return Following(_numbered(lesions, chains), limits, _findings(ground, linked))


def _spots(sessions: Sequence[SessionResult], laid: Sequence[dict[str, Registration]]) -> tuple[_Spot, ...]:
    spots = []
    for number, session in enumerate(sessions):
        for view in session.views:
            registration = laid[number][view.view]
            for detection in view.detections:
                if not _can_be_placed(view, detection):
                    continue
                y, x = _nominal(registration, detection.y_mm, detection.x_mm)
                spots.append(_Spot(number, view, registration, detection, y, x))
    return tuple(spots)


def _can_be_placed(view: ViewResult, detection: Detection) -> bool:
    """Whether a detection has a flux to link and windows to place it by."""
    own = [window for window in detection.windows if window.view == view.view]
    light = [(w.flux, w.along, w.left, w.spread, w.own_sd) for w in detection.windows]
    measured = bool(own) and bool(view.window_noise) and bool(np.isfinite(light).all())
    return measured and bool(np.isfinite(detection.flux.value)) and detection.flux.sd > 0


def _nominal(registration: Registration, y_mm: float, x_mm: float) -> tuple[float, float]:
    """Place in the nominal animal, x to its left."""
    along, right = animal_from_stage(registration.pose, np.array(y_mm), np.array(x_mm))
    return float(along), -float(right)


def _placing_sd(registration: Registration) -> float:
    return registration.sd_mm if np.isfinite(registration.sd_mm) else REGISTRATION_SD_MM


def _link_spot(spot: _Spot) -> LinkSpot:
    found = spot.detection
    return LinkSpot(
        session=spot.session,
        view=spot.view.view,
        y_mm=spot.y_mm,
        x_mm=spot.x_mm,
        sd_mm=float(np.hypot(found.position_sd_mm, _placing_sd(spot.registration))),
        width_mm=found.width_mm,
        # what is fainter than nothing once its neighbours are fitted still has a place
        flux=max(found.flux.value, FAINTEST_SDS * found.flux.sd),
        flux_sd=found.flux.sd,
    )


def _limit_lookup(sessions: Sequence[SessionResult]) -> LimitAt:
    """Flux that would have been seen in each image; the middle of its regions, as linking asks of no organ."""
    table = {}
    for number, session in enumerate(sessions):
        for view in session.views:
            finite = [limit.flux.value for limit in view.limits if np.isfinite(limit.flux.value)]
            table[number, view.view] = float(np.median(finite)) if finite else float("inf")
    return lambda session, view, y_mm, x_mm: table[session, view]


def _findings(ground: _Ground, linked: Linking) -> tuple[Finding, ...]:
    """Sessions that go with no other, and frames that had to be moved."""
    who = ground.sessions[0].animal
    found = []
    for shift in linked.shifts:
        session = ground.sessions[shift.session]
        seen = (
            f"{who}, {session.session}, {shift.view}: its spots lie {np.hypot(shift.y_mm, shift.x_mm):.1f} mm beside those of "
            "the other days, all by the same way; they were moved together."
        )
        mend = "Look at the photograph: the animal lies unlike the other days, or its outline was misread."
        found.append(Finding("follow.shifted", Severity.WARNING, Place(f"sub-{who}/ses-{session.session}"), seen, mend))
    for fit in linked.fits:
        if fit.log_odds < MISFIT_LOG_ODDS and fit.spots and fit.expected:
            session = ground.sessions[fit.session]
            seen = (
                f"{who}, {session.session}: {fit.shared} of {fit.expected} lesions that it should show are where the other days "
                "have them."
            )
            mend = "Check that the images are this animal's, on this day, and in the view that the sheet says."
            place = Place(f"sub-{who}/ses-{session.session}")
            found.append(Finding("follow.misfit", Severity.WARNING, place, seen, mend))
    return tuple(found)


def _control_places(controls: Sequence[SessionResult]) -> list[tuple[float, float]]:
    """Nominal places of what was found in unlabelled controls, where nothing is."""
    return [
        _nominal(view.registration, detection.y_mm, detection.x_mm)
        for session in controls
        for view in session.views
        for detection in view.detections
        if detection.kind != DetectionKind.INJECTION_SITE
    ]


def organ_limits(sessions: Sequence[SessionResult], /) -> dict[str, tuple[float, ...]]:
    """Labelled cells that would have been seen per organ and session: a source is missed only if every view misses it."""
    limits: dict[str, list[float]] = {}
    for number, session in enumerate(sessions):
        for view in session.views:
            for limit in view.limits:
                row = limits.setdefault(limit.region, [float("nan")] * len(sessions))
                row[number] = float(np.fmin(row[number], limit.cells.value))
    return {organ: tuple(row) for organ, row in sorted(limits.items())}


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """One chain of spots with what its light says.

    Parameters
    ----------
    members : list of _Spot
    main : str
        The view that sees most of it.
    found : Likelihood
    log_share : dict of session to (float, float)
        Logarithm of the session's share of the summed amount, and its own standard deviation.
    """

    members: list[_Spot]
    main: str
    found: Likelihood
    log_share: dict[int, tuple[float, float]]


def _lesion(ground: _Ground, chain: Chain) -> Lesion:
    source, centre = _source(ground, chain.members)
    seen = sorted({spot.session for spot in source.members})
    # where its light is part of another's spot it is not missed
    blended = {session for session, _ in chain.shared}
    visible = {
        number: number not in blended and _would_show(ground, source, number) for number in range(len(ground.sessions))
    }
    later = [number for number in range(seen[0] + 1, len(ground.sessions)) if visible[number] or number in seen]
    days = [session.day for session in ground.sessions]
    # a session of the same day leaves no time to arrive in
    earlier = [number for number in range(seen[0]) if visible[number] and days[number] < days[seen[0]]]
    course = TimeCourse(
        after_day=days[earlier[-1]] if earlier else float("-inf"),
        by_day=days[seen[0]],
        first_session=seen[0] == 0,
        seen=sum(number in seen for number in later),
        missed=sum(number not in seen for number in later),
        days_seen=tuple(days[number] for number in seen),
        sessions=len(days),
    )
    near = np.hypot(*(ground.controls - centre).T) < CONTROL_REACH_MM
    verdict = weigh_kinds(
        ground.table, source.found, course, replace(ground.setting, control_spots_near=int(near.sum()))
    )
    verdict = _in_the_organ_said(ground, source, _at_the_needle(verdict, source.members))
    sightings = tuple(_sighting(ground, source, verdict, number) for number in range(len(days)))
    shown = [sightings[number] for number in seen]
    return Lesion(
        number=0,
        kind=next(iter(verdict.kinds)),
        kinds=verdict.kinds,
        reasons=verdict.reasons,
        organ=next(iter(verdict.organs)),
        organs=verdict.organs,
        position_mm=_position(ground, source.found, verdict),
        depth_mm=_depth(ground, source, verdict),
        sightings=sightings,
        after_day=course.after_day,
        by_day=course.by_day,
        last_day=days[seen[-1]],
        lost_by_day=next((days[number] for number in later if number > seen[-1]), float("inf")),
        half_life_days=half_life(
            [one.day for one in shown], [one.cells.value for one in shown], [source.log_share[n][1] for n in seen]
        ),
    )


def _joined(ground: _Ground, chains: Sequence[Chain], together: Sequence[Set[DetectionKey]]) -> tuple[Chain, ...]:
    """Chains with those made one that are two sides of one source, or one by a person's word.

    Two sides are never in one image, and placed at one spot by their light.
    """
    placed = {index: _place_of(ground, chain.members) for index, chain in enumerate(chains)}
    members = {index: chain.members for index, chain in enumerate(chains)}
    pairs = sorted(
        (float(np.abs((placed[a][0] - placed[b][0]) / np.hypot(placed[a][1], placed[b][1])).max()), a, b)
        for a in range(len(chains))
        for b in range(a + 1, len(chains))
    )
    owner = {index: index for index in range(len(chains))}
    said = [(0.0, a, b) for a, b in _said_to_be_one(ground, chains, together)]
    for apart, a, b in [*said, *pairs]:
        one, other = owner[a], owner[b]
        if apart > SAME_PLACE_SDS or one == other or _share_image(ground, members[one], members[other]):
            continue
        members[one] = tuple(sorted((*members[one], *members.pop(other))))
        owner = {index: one if root == other else root for index, root in owner.items()}
    roots = sorted(members)
    number = {root: place for place, root in enumerate(roots)}

    def renamed(index: int, own: int) -> int:
        place = number[owner[index]] if index >= 0 else -1
        return -1 if place == own else place

    joined = []
    for root in roots:
        own = number[root]
        parts = [chains[index] for index in owner if owner[index] == root]
        taken = {ground.spots[index].session for index in members[root]}
        shared = {
            (session, renamed(other, own)) for part in parts for session, other in part.shared if session not in taken
        }
        first = min(parts, key=lambda part: ground.spots[part.members[0]].session)
        last = max(parts, key=lambda part: ground.spots[part.members[-1]].session)
        joined.append(
            Chain(
                members=members[root],
                shared=tuple(sorted((session, other) for session, other in shared if other >= 0)),
                split_from=renamed(first.split_from, own),
                merged_into=renamed(last.merged_into, own),
            )
        )
    return tuple(joined)


def _said_to_be_one(
    ground: _Ground, chains: Sequence[Chain], together: Sequence[Set[DetectionKey]]
) -> list[tuple[int, int]]:
    """Pairs of chains that hold detections of one source by a person's word."""
    keys = [{_key(ground, ground.spots[index]) for index in chain.members} for chain in chains]
    pairs = []
    for those in together:
        holding = [index for index, own in enumerate(keys) if own & those]
        pairs += [(holding[0], other) for other in holding[1:]]
    return pairs


def _share_image(ground: _Ground, one: Sequence[int], other: Sequence[int]) -> bool:
    images = [{(ground.spots[i].session, ground.spots[i].view.view) for i in members} for members in (one, other)]
    return bool(images[0] & images[1])


def _place_of(ground: _Ground, members: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of a chain's place by its light alone."""
    source, _ = _source(ground, tuple(members))
    weight = np.exp(source.found.log_likelihood - source.found.log_likelihood.max())
    weight /= weight.sum()
    points = ground.table.points_mm[source.found.voxel]
    mean = weight @ points
    return mean, np.sqrt(weight @ (points - mean) ** 2 + STEPS_SD_MM**2)


def _source(ground: _Ground, chain: tuple[int, ...]) -> tuple[_Source, NDArray[np.float64]]:
    """Where a chain's light comes from and the mean place of its windows, asked once per chain."""
    if chain not in ground.known:
        ground.known[chain] = _asked(ground, [ground.spots[index] for index in chain])
    return ground.known[chain]


def _asked(ground: _Ground, members: list[_Spot]) -> tuple[_Source, NDArray[np.float64]]:
    """Ask the light table where spots of one source come from."""
    light: dict[str, float] = {}
    for spot in members:
        light[spot.view.view] = light.get(spot.view.view, 0.0) + max(spot.detection.flux.value, 0.0)
    main = max(sorted(light), key=lambda view: light[view])
    placed = _placed_windows(ground, members, main)
    sd = float(np.mean([_placing_sd(spot.registration) for spot in members]))
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
    return _Source(members, main, found, shares), evidence.centres_mm.mean(axis=0)


def _log_share(ground: _Ground, evidence: Evidence, found: Likelihood, spot: _Spot, flux: float, main: str) -> float:
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


def _placed_windows(ground: _Ground, members: list[_Spot], main: str) -> dict[int, tuple[PlacedWindows, ...]]:
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
                y, x = _nominal(registration, windows[0].y_mm, windows[0].x_mm)
                rows.append(PlacedWindows(windows, y, x, np.array(view.window_noise)))
        placed[spot.session] = tuple(rows)
    # sessions are summed, so they must have the same views: those of the session with most
    views = max((tuple(r.windows[0].view for r in rows) for rows in placed.values()), key=len)
    return {n: rows for n, rows in placed.items() if tuple(r.windows[0].view for r in rows) == views}


def _would_show(ground: _Ground, source: _Source, number: int) -> bool:
    """Whether a session would have shown the source if it was there.

    Label is only lost, so before its first sighting it would have been at least as bright as then; after a sighting it may
    have faded as fast as labels do. The lower end of its flux must exceed the limit of its region in a view that saw it. An
    injected probe follows cells that grow: that it does not show earlier says nothing of when they came.
    """
    days = [session.day for session in ground.sessions]
    for spot in source.members:
        later = days[number] - days[spot.session]
        if ground.setting.injected and later < 0:
            continue
        faded = 0.5 ** (max(later, 0.0) / FASTEST_HALF_LIFE_DAYS)
        between = [
            one.session for one in source.members if min(spot.session, number) < one.session < max(spot.session, number)
        ]
        if between:
            continue
        for view in ground.sessions[number].views:
            if view.view != spot.view.view:
                continue
            regions = {spot.detection.region, SUBCUTIS}
            limits = [one.flux.value for one in view.limits if one.region in regions and np.isfinite(one.flux.value)]
            if limits and spot.detection.flux.low * faded > max(limits):
                return True
    return False


def _sighting(ground: _Ground, source: _Source, verdict: Verdict, number: int) -> Sighting:
    session = ground.sessions[number]
    own = [spot for spot in source.members if spot.session == number]
    if not own:
        flux, cells = _unseen(ground, source, verdict, session)
        return Sighting(session.session, session.day, False, (), flux, cells)
    brightest = max(own, key=lambda spot: spot.detection.flux.value)
    return Sighting(
        session=session.session,
        day=session.day,
        seen=True,
        detections=tuple((spot.view.view, spot.detection.number) for spot in own),
        flux=brightest.detection.flux,
        cells=_cells(ground, source, verdict, number),
    )


def _cells(ground: _Ground, source: _Source, verdict: Verdict, number: int) -> Estimate:
    """Labelled-cell equivalents in one session: the amount over all places, with what is its own and what all share."""
    share, own_sd = source.log_share[number]
    found, level = source.found, ground.settings.analysis.interval_level
    per_cell = np.log(ground.probe.photons_per_cell_fluence_mm2)
    common = float(np.hypot(ground.probe.brightness_relative_sd, ground.settings.instrument.radiance_relative_sd))
    sd = np.sqrt(found.log_amount_sd**2 + common**2 + own_sd**2)
    low, middle, high = _mixture_quantiles(found.log_amount + share - per_cell, sd, verdict.place_weight, level)
    value = float(np.exp(middle))
    spread = (high - low) / (2.0 * half_width(level))
    return Estimate(
        value,
        value * spread,
        float(np.exp(low)),
        float(np.exp(high)),
        level,
        CELLS_UNIT,
        "light table, over all places",
    )


def _mixture_quantiles(
    mean: NDArray[np.float64], sd: NDArray[np.float64], weight: NDArray[np.float64], level: float
) -> tuple[float, float, float]:
    """Lower end, median and upper end of a mixture of normal distributions."""
    likely = weight > 1e-6 * weight.max()
    mean, sd, weight = mean[likely], sd[likely], weight[likely] / weight[likely].sum()
    first, last = float((mean - 5.0 * sd).min()), float((mean + 5.0 * sd).max())
    grid = np.linspace(first, last, min(int((last - first) / LOG_STEP) + 2, MOST_STEPS))
    below = ndtr((grid[:, None] - mean) / sd) @ weight
    tail = (1.0 - level) / 2.0
    low, middle, high = np.interp([tail, 0.5, 1.0 - tail], below, grid)
    return float(low), float(middle), float(high)


def _unseen(ground: _Ground, source: _Source, verdict: Verdict, session: SessionResult) -> tuple[Estimate, Estimate]:
    """The most that may be there without being seen: the limit of its region, in the view that would see it best."""
    level = ground.settings.analysis.interval_level
    best: tuple[float, float] = (float("nan"), float("nan"))
    region = next(iter(verdict.organs))
    for view in session.views:
        limit = _limit_of(view, region)
        if limit is None:
            continue
        light = ground.table.whole_flux[view.view][source.found.voxel]
        per_cell = float(np.exp(verdict.place_weight @ np.log(light))) * ground.probe.photons_per_cell_fluence_mm2
        cells = limit.flux.value / limit.outline_share / per_cell
        if not cells > best[1]:
            best = (limit.flux.value, cells)
    flux, cells = best
    # what the place and the optics leave open widens the limit upwards
    common = float(np.hypot(ground.probe.brightness_relative_sd, verdict.place_weight @ source.found.log_amount_sd))
    high = cells * float(np.exp(half_width(level) * common))
    return (
        Estimate(flux, float("nan"), 0.0, flux, level, FLUX_UNIT, "detection limit"),
        Estimate(cells, float("nan"), 0.0, high, level, CELLS_UNIT, "detection limit"),
    )


def _limit_of(view: ViewResult, region: str) -> DetectionLimit | None:
    named = {limit.region: limit for limit in view.limits}
    found = named.get(region, named.get(SUBCUTIS))
    return found if found is not None and np.isfinite(found.flux.value) else None


def _at_the_needle(verdict: Verdict, members: list[_Spot]) -> Verdict:
    """A source whose spots lie where a needle went in is the injection site's."""
    there = np.mean([spot.detection.kind == DetectionKind.INJECTION_SITE for spot in members])
    if there < 0.5:
        return verdict
    kinds = {name: NEEDLE_DOUBT * share for name, share in verdict.kinds.items()}
    kinds = {DetectionKind.INJECTION_SITE.value: 1.0 - NEEDLE_DOUBT, **kinds}
    return replace(verdict, kinds=kinds, reasons=("it lies where a needle went in", *verdict.reasons))


def _in_the_organ_said(ground: _Ground, source: _Source, verdict: Verdict) -> Verdict:
    """A source of which a person says the organ: its places are those of that organ, if the light leaves any there."""
    keys = {_key(ground, spot) for spot in source.members}
    said = next((organ for those, organ in ground.organs if keys & those), "")
    if not said or said not in ground.table.organs:
        return verdict
    inside = ground.table.organ_probability[ground.table.organs.index(said)][source.found.voxel]
    weight = verdict.place_weight * inside
    if not weight.sum() > 0:
        reason = f"its light leaves no place in {said}: place and amount are those without it"
        return replace(verdict, organs={said: 1.0}, reasons=(*verdict.reasons, reason))
    return replace(verdict, organs={said: 1.0}, place_weight=weight / weight.sum())


def _key(ground: _Ground, spot: _Spot) -> DetectionKey:
    return ground.sessions[spot.session].session, spot.view.view, spot.detection.number


def _position(ground: _Ground, found: Likelihood, verdict: Verdict) -> tuple[Estimate, Estimate, Estimate]:
    points = ground.table.points_mm[found.voxel]
    level = ground.settings.analysis.interval_level
    z, y, x = (
        _place_estimate(points[:, axis], verdict.place_weight, ground.table.pitch_mm, 0.0, level=level)
        for axis in range(3)
    )
    return z, y, x


def _depth(ground: _Ground, source: _Source, verdict: Verdict) -> Estimate:
    depth = ground.table.depth_mm[source.main][source.found.voxel]
    level = ground.settings.analysis.interval_level
    return _place_estimate(depth, verdict.place_weight, ground.table.pitch_mm, STEPS_SD_MM, level=level)


def _place_estimate(
    values: NDArray[np.float64], weight: NDArray[np.float64], pitch: float, blur: float, /, *, level: float
) -> Estimate:
    """Mean and interval of a coordinate whose probability fills voxels evenly, blurred by an error of the grid."""
    mean = float(weight @ values)
    sd = float(np.sqrt(weight @ (values - mean) ** 2 + pitch**2 / 12.0 + blur**2))
    order = np.argsort(values, kind="stable")
    edges, first = np.unique(values[order], return_index=True)
    share = np.add.reduceat(weight[order], first)
    ends = np.concatenate([edges - pitch / 2.0, edges[-1:] + pitch / 2.0])
    below = np.concatenate([[0.0], np.cumsum(share)])
    tail = (1.0 - level) / 2.0
    low, high = np.interp([tail, 1.0 - tail], below, ends)
    more = half_width(level) * blur
    low, high = mean - float(np.hypot(mean - low, more)), mean + float(np.hypot(high - mean, more))
    return Estimate(mean, sd, low, high, level, "mm", "posterior over the nominal animal")


def _numbered(lesions: Sequence[Lesion], chains: Sequence[Chain]) -> tuple[Lesion, ...]:
    """Identities by first day, brighter first; sharing and splitting named by them."""
    first = [next(one for one in lesion.sightings if one.seen) for lesion in lesions]
    order = sorted(range(len(lesions)), key=lambda index: (first[index].day, -first[index].flux.value, index))
    number = {index: place for place, index in enumerate(order, start=1)}
    # per lesion and session, those whose light is one spot with its own
    shared: dict[tuple[int, int], set[int]] = {}
    for index, chain in enumerate(chains):
        for session, other in chain.shared:
            shared.setdefault((index, session), set()).add(other)
            shared.setdefault((other, session), set()).add(index)
    named = []
    for index in order:
        chain, lesion = chains[index], lesions[index]
        sightings = []
        for place, one in enumerate(lesion.sightings):
            partners = shared.get((index, place), set())
            hosts = [lesions[other].sightings[place] for other in sorted(partners)]
            if not one.seen and any(host.seen for host in hosts):
                one = _within(one, max((host for host in hosts if host.seen), key=lambda host: host.cells.high))
            sightings.append(replace(one, shared_with=tuple(sorted(number[other] for other in partners))))
        named.append(
            replace(
                lesion,
                number=number[index],
                sightings=tuple(sightings),
                split_from=number.get(chain.split_from, 0),
                merged_into=number.get(chain.merged_into, 0),
            )
        )
    return tuple(named)


def _within(one: Sighting, host: Sighting) -> Sighting:
    """A sighting whose light is part of another lesion's spot: at most all of it is its own."""

    def at_most(whole: Estimate) -> Estimate:
        return Estimate(
            whole.high, float("nan"), 0.0, whole.high, whole.level, whole.unit, "one spot with another lesion"
        )

    return replace(one, flux=at_most(host.flux), cells=at_most(host.cells))
