"""An animal's step: what it is given, what it gives, and the analysis that stands in its place by default.

Sessions come without images; only the photographs are read, to lay all days of an animal on the nominal one together.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import Registration
from lampyris.core.lesions import Endpoints, Lesion
from lampyris.core.schemas import VIEWS, AnimalRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult
from lampyris.study.graph.store import read_plane

if TYPE_CHECKING:
    from lampyris.imaging.body.register import PlacedPhoto


@dataclass(frozen=True, slots=True, eq=False)
class AnimalInput:
    """Everything that following one animal may use.

    Parameters
    ----------
    sessions : tuple of SessionResult
        Of one animal, by day, without images.
    folders : tuple of Path
        Of the sessions, in their order, for the photographs.
    controls : tuple of SessionResult
        Of the study's other unlabelled animals: how often nothing looks like something.
    animal : AnimalRow or None
        The animal's row, where there is one.
    photographed : bool
        Every view has a photograph; without, the animal's own glow stands in its place, which days do not share.
    together : tuple of frozenset of (session, view, number)
        Detections that are one source because a person says so.
    organs : tuple of (frozenset of (session, view, number), str)
        The organ in which a person says that the source of these detections lies.
    """

    sessions: tuple[SessionResult, ...]
    folders: tuple[Path, ...]
    controls: tuple[SessionResult, ...]
    animal: AnimalRow | None
    photographed: bool = True
    together: tuple[frozenset[tuple[str, str, int]], ...] = ()
    organs: tuple[tuple[frozenset[tuple[str, str, int]], str], ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """What following one animal gives.

    Parameters
    ----------
    lesions : tuple of Lesion
        By number.
    endpoints : Endpoints
        What they amount to.
    registrations : tuple of tuple of Registration
        Per session and view, as used.
    findings : tuple of Finding
        What a reader must know of it.
    """

    lesions: tuple[Lesion, ...]
    endpoints: Endpoints
    registrations: tuple[tuple[Registration, ...], ...]
    findings: tuple[Finding, ...]


FollowStep = Callable[[AnimalInput, StudySettings], Followed]


def follow_sessions(inputs: AnimalInput, settings: StudySettings, /) -> Followed:
    """Lay all days of an animal on the nominal one, follow its sources of light, and say what its spread amounts to.

    Parameters
    ----------
    inputs : AnimalInput
        Its sessions, and controls.
    settings : StudySettings

    Returns
    -------
    Followed
        With the study's level of intervals.
    """
    # SciPy and the light table take a moment to import, which a look at the sheets alone does not need
    from lampyris.imaging.following.follow import follow_animal
    from lampyris.metastasis.growth import growth_prior, number_cells

    sessions = inputs.sessions
    photos = _photographs(inputs)
    exchanged = _exchanged(inputs, photos)
    registrations = _laid_together(inputs, photos, exchanged)
    following = follow_animal(
        sessions,
        settings,
        registrations=registrations,
        controls=inputs.controls,
        animal=inputs.animal,
        together=inputs.together,
        organs=inputs.organs,
    )
    group, level = settings.groups[sessions[0].group], settings.analysis.interval_level
    injected, prior = group.label == "injected", growth_prior(settings.growth)
    lesions = tuple(_without_half_life(one) for one in following.lesions) if injected else following.lesions
    if prior is not None:
        lesions = number_cells(lesions, prior, injected=injected, level=level)
    found = spread_of(sessions, lesions, settings)
    return Followed(lesions, found, registrations, (*_exchanged_findings(sessions, exchanged), *following.findings))


def spread_of(sessions: Sequence[SessionResult], lesions: Sequence[Lesion], settings: StudySettings, /) -> Endpoints:
    """What an animal's followed lesions amount to.

    Parameters
    ----------
    sessions : sequence of SessionResult
        Of the animal, without images.
    lesions : sequence of Lesion
        Followed over them.
    settings : StudySettings

    Returns
    -------
    Endpoints
        With the study's level of intervals.
    """
    from lampyris.imaging.following.follow import organ_limits
    from lampyris.metastasis.activity import activities
    from lampyris.metastasis.spread import endpoints

    ordered = tuple(sorted(sessions, key=lambda session: (session.day, session.session)))
    group, level = settings.groups[ordered[0].group], settings.analysis.interval_level
    injected = group.label == "injected"
    return endpoints(
        lesions,
        days=tuple(session.day for session in ordered),
        limits=organ_limits(ordered),
        activities=activities(ordered, lesions, level=level) if injected else (),
        injection_days=group.injection_days if injected else None,
        organ_model_error=settings.analysis.organ_model_error,
        level=level,
    )


def _without_half_life(lesion: Lesion) -> Lesion:
    """An injected probe's signal is no label that is lost: it follows doses and growth, and its washout stands by itself."""
    why = "the signal of an injected probe follows its doses and the cells' growth"
    known = lesion.half_life_days
    return replace(lesion, half_life_days=Estimate.unknown(known.level, "days", why))


def _photographs(inputs: AnimalInput) -> dict[str, dict[str, "PlacedPhoto"]]:
    """By session and view; none where the study has none."""
    from lampyris.imaging.body.register import PlacedPhoto

    if not inputs.photographed:
        return {}
    return {
        session.session: {
            view.view: PlacedPhoto(read_plane(folder, view.view, "photo"), view.registration) for view in session.views
        }
        for session, folder in zip(inputs.sessions, inputs.folders, strict=True)
    }


def _exchanged(inputs: AnimalInput, photos: Mapping[str, Mapping[str, "PlacedPhoto"]]) -> frozenset[str]:
    """Sessions whose views seem to bear each other's labels, by their photographs or by their spots."""
    from lampyris.imaging.body.register import view_mismatch
    from lampyris.imaging.body.view_labels import LEAST_LOG_ODDS, label_log_odds
    from lampyris.imaging.light.nominal import nominal_outline

    pixel_mm = inputs.sessions[0].views[0].pixel_mm
    seen = {one.session for one in view_mismatch(photos, nominal_outline(), pixel_mm=pixel_mm) if one.exchanged}
    odds = label_log_odds(inputs.sessions)
    return frozenset(seen | {session for session, value in odds.items() if value >= LEAST_LOG_ODDS})


def _laid_together(
    inputs: AnimalInput, photos: Mapping[str, Mapping[str, "PlacedPhoto"]], exchanged: Set[str]
) -> tuple[tuple[Registration, ...], ...]:
    """Per session and view the registration that follows from all days of the view."""
    from lampyris.imaging.body.register import align_days
    from lampyris.imaging.light.nominal import nominal_outline

    laid: dict[tuple[str, str], Registration] = {}
    for view in VIEWS:
        # a photograph of the other side would pull the others away; where a person said how the animal lies, that holds
        shown = [
            name
            for name, views in photos.items()
            if view in views and name not in exchanged and views[view].registration.method != "landmarks"
        ]
        placed = [photos[name][view] for name in shown]
        aligned = align_days(
            [one.photo for one in placed],
            [one.registration for one in placed],
            nominal_outline(),
            pixel_mm=inputs.sessions[0].views[0].pixel_mm,
        )
        laid |= {(name, view): one for name, one in zip(shown, aligned, strict=True)}
    return tuple(
        tuple(laid.get((session.session, view.view), view.registration) for view in session.views)
        for session in inputs.sessions
    )


def _exchanged_findings(sessions: Sequence[SessionResult], exchanged: Set[str]) -> tuple[Finding, ...]:
    told = []
    both = " Of two sessions it cannot be told which, so both are marked." if len(exchanged) == len(sessions) else ""
    for session in sessions:
        if session.session in exchanged:
            seen = (
                f"{session.animal}, {session.session}: each view looks like the other view of this animal's other sessions, by its "
                f"photograph or by where its spots lie; its lesions are not to be trusted.{both}"
            )
            mend = f"If the views were exchanged, exchange dorsal and ventral in the rows of {session.session} and run again."
            place = Place("samplesheet.csv", None, "view")
            told.append(Finding("animal.views-exchanged", Severity.WARNING, place, seen, mend))
    return tuple(told)
