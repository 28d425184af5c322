"""One animal over its sessions: spots become lesions with an identity, a place, an organ, a kind and an amount.

Links the spots of all days and views, asks the light table where each source lies, weighs what it may be, and says for every
session how much is there or how much may have been missed. Needs no image: a session's result holds the windows.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DetectionKind
from lampyris.core.images import Registration
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.schemas import AnimalRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult
from lampyris.imaging.following.kinds import Setting, TimeCourse, Verdict, control_rate, weigh_kinds
from lampyris.imaging.following.link import Chain, LimitAt, Linking, LinkOptions, LinkSpot, link_spots
from lampyris.imaging.following.sightings import depth_of, position_of, sighting_of, would_show
from lampyris.imaging.following.sources import (
    FAINTEST_SDS,
    DetectionKey,
    Ground,
    Source,
    Spot,
    key_of,
    nominal_place,
    place_of,
    placing_sd,
    source_of,
    spots_of,
)
from lampyris.imaging.light.light_table import light_table
from lampyris.imaging.step import session_probe
from lampyris.metastasis.kinetics import half_life

# a control's spot within this reach of a source lies at its place
CONTROL_REACH_MM = 4.0
# two chains whose places differ by less, along every axis, and that no image shows apart are one source
SAME_PLACE_SDS = 2.5
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
    spots = spots_of(ordered, laid)
    if not spots:
        return Following((), limits, ())
    probe = session_probe(next((s.probe for s in ordered if s.probe), ""), settings)
    places = _control_places(controls)
    group = settings.groups.get(ordered[0].group)
    injected = group is not None and group.label == "injected"
    ground = Ground(
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


def _link_spot(spot: Spot) -> LinkSpot:
    found = spot.detection
    return LinkSpot(
        session=spot.session,
        view=spot.view.view,
        y_mm=spot.y_mm,
        x_mm=spot.x_mm,
        sd_mm=float(np.hypot(found.position_sd_mm, placing_sd(spot.registration))),
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


def _findings(ground: Ground, linked: Linking) -> tuple[Finding, ...]:
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
        nominal_place(view.registration, detection.y_mm, detection.x_mm)
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


def _lesion(ground: Ground, chain: Chain) -> Lesion:
    source, centre = source_of(ground, chain.members)
    seen = sorted({spot.session for spot in source.members})
    # where its light is part of another's spot it is not missed
    blended = {session for session, _ in chain.shared}
    visible = {
        number: number not in blended and would_show(ground, source, number) for number in range(len(ground.sessions))
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
    sightings = tuple(sighting_of(ground, source, verdict, number) for number in range(len(days)))
    shown = [sightings[number] for number in seen]
    return Lesion(
        number=0,
        kind=next(iter(verdict.kinds)),
        kinds=verdict.kinds,
        reasons=verdict.reasons,
        organ=next(iter(verdict.organs)),
        organs=verdict.organs,
        position_mm=position_of(ground, source.found, verdict),
        depth_mm=depth_of(ground, source, verdict),
        sightings=sightings,
        after_day=course.after_day,
        by_day=course.by_day,
        last_day=days[seen[-1]],
        lost_by_day=next((days[number] for number in later if number > seen[-1]), float("inf")),
        half_life_days=half_life(
            [one.day for one in shown], [one.cells.value for one in shown], [source.log_share[n][1] for n in seen]
        ),
    )


def _joined(ground: Ground, chains: Sequence[Chain], together: Sequence[Set[DetectionKey]]) -> tuple[Chain, ...]:
    """Chains with those made one that are two sides of one source, or one by a person's word.

    Two sides are never in one image, and placed at one spot by their light.
    """
    placed = {index: place_of(ground, chain.members) for index, chain in enumerate(chains)}
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
    ground: Ground, chains: Sequence[Chain], together: Sequence[Set[DetectionKey]]
) -> list[tuple[int, int]]:
    """Pairs of chains that hold detections of one source by a person's word."""
    keys = [{key_of(ground, ground.spots[index]) for index in chain.members} for chain in chains]
    pairs = []
    for those in together:
        holding = [index for index, own in enumerate(keys) if own & those]
        pairs += [(holding[0], other) for other in holding[1:]]
    return pairs


def _share_image(ground: Ground, one: Sequence[int], other: Sequence[int]) -> bool:
    images = [{(ground.spots[i].session, ground.spots[i].view.view) for i in members} for members in (one, other)]
    return bool(images[0] & images[1])


def _at_the_needle(verdict: Verdict, members: list[Spot]) -> Verdict:
    """A source whose spots lie where a needle went in is the injection site's."""
    there = np.mean([spot.detection.kind == DetectionKind.INJECTION_SITE for spot in members])
    if there < 0.5:
        return verdict
    kinds = {name: NEEDLE_DOUBT * share for name, share in verdict.kinds.items()}
    kinds = {DetectionKind.INJECTION_SITE.value: 1.0 - NEEDLE_DOUBT, **kinds}
    return replace(verdict, kinds=kinds, reasons=("it lies where a needle went in", *verdict.reasons))


def _in_the_organ_said(ground: Ground, source: Source, verdict: Verdict) -> Verdict:
    """A source of which a person says the organ: its places are those of that organ, if the light leaves any there."""
    keys = {key_of(ground, spot) for spot in source.members}
    said = next((organ for those, organ in ground.organs if keys & those), "")
    if not said or said not in ground.table.organs:
        return verdict
    inside = ground.table.organ_probability[ground.table.organs.index(said)][source.found.voxel]
    weight = verdict.place_weight * inside
    if not weight.sum() > 0:
        reason = f"its light leaves no place in {said}: place and amount are those without it"
        return replace(verdict, organs={said: 1.0}, reasons=(*verdict.reasons, reason))
    return replace(verdict, organs={said: 1.0}, place_weight=weight / weight.sum())


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
