"""From images to rows of the sample sheet: which animal, when, from which side, in which band, how long.

Metadata outdoes names, names outdo what is assumed; every value carries its source.
"""

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import SystemRandom

from lampyris.core.finding import Finding, Place, Severity
from lampyris.study.draft.names import (
    Role,
    identity,
    is_control,
    natural_key,
    plain_text,
    read_name,
    take_animals,
)
from lampyris.study.draft.notes import Confidence, Source
from lampyris.study.draft.scan import FoundImage

ASSUMED_EXPOSURE_S = 1.0
ONE_GROUP = "all"
UNGROUPED = "ungrouped"
_FEW_NAME_BYTES = 120


@dataclass(frozen=True, slots=True)
class Said:
    """A value with where it comes from and how sure it is, and what a person should do."""

    value: object
    source: Source
    confidence: Confidence
    do: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One channel of one image as one animal's row; several animals in an image make several shots.

    Parameters
    ----------
    found : FoundImage
        The image.
    index : int
        Which channel.
    animal : str
        Identity.
    lane : float
        Which animal of the image from the left; NaN where it shows one.
    day : float
        Since inoculation.
    date : str
        ISO date, or "".
    group, view, channel : str
        As in the sheet.
    emission_nm, excitation_nm, exposure_s : float
        NaN where unknown.
    said : dict of str to Said
        Per column where its value comes from.
    """

    found: FoundImage
    index: int
    animal: str
    lane: float = math.nan
    day: float = math.nan
    date: str = ""
    group: str = ""
    view: str = ""
    channel: str = ""
    emission_nm: float = math.nan
    excitation_nm: float = math.nan
    exposure_s: float = math.nan
    said: Mapping[str, Said] = None  # type: ignore[assignment]

    @property
    def key(self) -> tuple[str, float, str, str]:
        """What only one row may have."""
        return self.animal, self.day, self.view, self.channel

    @property
    def plane_key(self) -> tuple[str, int]:
        """Image and channel: the same for all animals of an image."""
        return self.found.path, self.index

    def with_said(self, column: str, said: Said) -> "Shot":
        """The shot with one column's value and where it comes from."""
        return replace(self, **{column: said.value}, said={**(self.said or {}), column: said})  # type: ignore[arg-type]


def role_of(found: FoundImage, /) -> Role:
    """What an image is for: by its path, or by the name of its only channel."""
    if found.says.role != "image":
        return found.says.role
    if len(found.image.channels) == 1:
        return read_name(found.image.channels[0]).role
    return "image"


def sort_by_role(images: Sequence[FoundImage], /) -> dict[Role, list[FoundImage]]:
    """Images by what they are for; where a folder's word would leave none to analyse, only the files' own names count."""
    roles: dict[Role, list[FoundImage]] = defaultdict(list)
    for found in images:
        roles[role_of(found)].append(found)
    if images and not roles["image"]:
        roles = defaultdict(list)
        for found in images:
            roles[read_name(found.path.rsplit("/", 1)[-1]).role].append(found)
    return roles


def shots_of(
    images: Sequence[FoundImage], /, *, bodies: Mapping[str, int], shuffled: bool = False
) -> tuple[list[Shot], list[Finding]]:
    """Rows of a sample sheet from images.

    Parameters
    ----------
    images : sequence of FoundImage
        Those to analyse, in natural order.
    bodies : mapping of str to int
        Animals that are seen in each image, 0 where that is not known.
    shuffled : bool
        Number animals anew in random order, where that is needed.

    Returns
    -------
    shots : list of Shot
        With every column said but the wavelengths, which the instrument settles.
    findings : list of Finding
        Images that have no row, with the reason.
    """
    shots = [shot for found in images for shot in _shots_of_image(found, bodies.get(found.path, 0))]
    uncounted = [finding for found in images for finding in _miscounted(found, bodies.get(found.path, 0))]
    shots = _with_days(shots)
    shots = _with_groups(shots, shuffled=shuffled)
    shots = _with_both_sides([_with_exposure(shot) for shot in shots])
    kept, doubled = _without_doubles(shots)
    return kept, [*uncounted, *doubled]


def clean_name(text: str, /) -> str:
    """A name that a sheet's column of names takes.

    Examples
    --------
    >>> clean_name(" a/b\\tc ")
    'a-b c'
    """
    text = re.sub(r"[/\\\\]", "-", plain_text(text))
    text = "".join(letter for letter in text if letter.isprintable())
    text = re.sub(r"\s+", " ", text).strip(" .'=+@") or "unnamed"
    while len(text.encode()) > _FEW_NAME_BYTES:
        text = text[:-1].rstrip(" .'=+@")
    return text


def session_name(day: float, /) -> str:
    """Name of a session from its day: ``d07``, ``d00.5``."""
    whole, _, rest = f"{day:g}".partition(".")
    return f"d{int(whole):02d}" + (f".{rest}" if rest else "")


def _miscounted(found: FoundImage, seen: int) -> list[Finding]:
    """An image in which more or fewer animals are seen than named."""
    named = len(_animals(found)[0])
    if seen in (0, named) or named == 1:
        return []
    why = f"names {named} animals, and {seen} are seen in it."
    return [left_out(found, why, "Correct the rows of this image: one per animal, its lane counted from the left.")]


def _shots_of_image(found: FoundImage, seen: int) -> list[Shot]:
    animals, said = _animals(found)
    if seen > 1 and len(animals) == 1:
        # a folder of one day would give the same animal another name on every day
        cage = _cage(found) if said.source == "assumed" else animals[0]
        animals = tuple(f"{cage}-{lane}" for lane in range(1, seen + 1))
        do = (
            f"{seen} animals are seen in an image that names them not: they are called by their place from the left, as if "
            "they lay in one order on every day and side. Write their names, or correct the lanes."
        )
        said = Said("", "estimated", "low", do)
    view = _view(found)
    shots = []
    for number, animal in enumerate(animals, start=1):
        for index in range(len(found.image.channels)):
            shot = Shot(found, index, animal, float(number) if len(animals) > 1 else math.nan, said={"animal": said})
            shots.append(shot.with_said("view", view))
    return shots


def _animals(found: FoundImage) -> tuple[tuple[str, ...], Said]:
    """Identities in an image, in the order of its lanes."""
    label = found.image.labels.get("animal", "").strip()
    several = "They lie from left to right in this order, heads up: correct the column lane where they do not."
    if label:
        animals = take_animals(plain_text(label).casefold())[0] or (clean_name(label),)
        return animals, Said(label, "metadata", "medium" if len(animals) > 1 else "high", several * (len(animals) > 1))
    if found.says.animals:
        sure = found.says.animals_named
        many = len(found.says.animals) > 1
        do = several if many else "" if sure else "Is this the animal's name?"
        return found.says.animals, Said("", "name", "medium" if sure else "low", do)
    if found.says.numbers:
        return (identity(found.says.numbers[0]),), Said("", "name", "low", "Is the number in the name the animal's?")
    # neither says: the folder, or else the file, is taken for the animal
    parts = [clean_name(part) for part in found.path.split("/")]
    name = parts[-2] if len(parts) > 1 else parts[-1].split(".")[0]
    return (clean_name(name),), Said("", "assumed", "low", "Write the animal's identity: no name says it.")


def _cage(found: FoundImage) -> str:
    """The nearest folder whose name is no time; "mouse" where there is none."""
    for part in reversed(found.path.split("/")[:-1]):
        says = read_name(part)
        if part.casefold() != "raw" and not says.dates and math.isnan(says.day):
            return clean_name(part)
    return "mouse"


def _view(found: FoundImage) -> Said:
    label = read_name(found.image.labels.get("view", "")).view
    if label:
        return Said(label, "metadata", "high")
    if found.says.view:
        return Said(found.says.view, "name", "medium")
    return Said("dorsal", "assumed", "low", "Write ventral where the belly faces the camera.")


def _with_exposure(shot: Shot) -> Shot:
    seconds = shot.found.image.exposure_s[shot.index]
    if seconds > 0:
        return shot.with_said("exposure_s", Said(float(seconds), "metadata", "high"))
    if shot.found.says.exposure_s > 0:
        return shot.with_said("exposure_s", Said(shot.found.says.exposure_s, "name", "medium"))
    do = "Write the exposures: without them days and animals cannot be compared if they were exposed differently."
    return shot.with_said("exposure_s", Said(ASSUMED_EXPOSURE_S, "assumed", "low", do))


# --- days ---------------------------------------------------------------------------------------------------------


def _with_days(shots: list[Shot]) -> list[Shot]:
    """Dates and days: as said; else from dates; else in the order of the names."""
    files = {shot.found.path: shot.found for shot in shots}
    dates = _dates(list(files.values()))
    days = {path: _said_day(found) for path, found in files.items()}
    out = []
    origin, inferred = _origin(days, dates)
    for shot in shots:
        path = shot.found.path
        if path in dates:
            shot = shot.with_said("date", dates[path])
        said = days[path]
        if said is None and path in dates and origin is not None:
            day = float((date.fromisoformat(str(dates[path].value)) - origin).days)
            if day >= 0:
                do = (
                    ""
                    if inferred
                    else "The first date was taken for day 0, the day of inoculation: correct it if it was not."
                )
                said = Said(
                    day, "metadata" if dates[path].source == "metadata" else "name", "medium" if inferred else "low", do
                )
        out.append(shot if said is None else shot.with_said("day", said))
    return _with_counted_days(out)


def _said_day(found: FoundImage) -> Said | None:
    label = found.image.labels.get("time_point", "").strip()
    if label:
        day = read_name(label).day
        if not math.isnan(day):
            return Said(day, "metadata", "high")
        if re.fullmatch(r"\d{1,3}([.,]\d+)?", label):
            return Said(float(label.replace(",", ".")), "metadata", "medium", "")
    return None if math.isnan(found.says.day) else Said(found.says.day, "name", "medium")


def _dates(files: Sequence[FoundImage]) -> dict[str, Said]:
    """Date of each image: its own, or its name's, where all ambiguous ones are read in the same order of day and month."""
    acquired = {found.path: found.image.acquired[:10] for found in files if _is_date(found.image.acquired[:10])}
    named = {found.path: found.says.dates for found in files if found.says.dates}
    # a file's own clock that shows one day throughout, where names tell several, is that of an export
    told = {dates[0] for dates in named.values()}
    if len(set(acquired.values())) == 1 and len(told) > 1:
        acquired = {}
    spans = []
    for order in (0, 1):
        read = [dates[min(order, len(dates) - 1)] for dates in named.values()]
        days = [date.fromisoformat(one) for one in read]
        spans.append((max(days) - min(days)).days if days else 0)
    order = 0 if spans[0] <= spans[1] else 1
    out: dict[str, Said] = {}
    for found in files:
        if found.path in acquired:
            out[found.path] = Said(acquired[found.path], "metadata", "high")
        elif found.path in named:
            dates = named[found.path]
            do = (
                "Day and month may be exchanged: the order that gives the shorter study was taken."
                if len(dates) > 1
                else ""
            )
            out[found.path] = Said(dates[min(order, len(dates) - 1)], "name", "low" if do else "medium", do)
    return out


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _origin(days: Mapping[str, Said | None], dates: Mapping[str, Said]) -> tuple[date | None, bool]:
    """Date of day 0, and whether images that say both give it."""
    counts: Counter[int] = Counter()
    for path, day in days.items():
        if day is not None and path in dates:
            counts[date.fromisoformat(str(dates[path].value)).toordinal() - math.floor(float(str(day.value)))] += 1
    if counts:
        ordinal = min(counts, key=lambda one: (-counts[one], one))
        if ordinal >= 1:
            return date.fromordinal(ordinal), True
    return (min(date.fromisoformat(str(one.value)) for one in dates.values()), False) if dates else (None, False)


def _with_counted_days(shots: list[Shot]) -> list[Shot]:
    """Images that tell no time: the first of an animal, view and channel is day 0, the next day 1."""
    do = "No name or file tells the day: images were counted in the order of their names. Write the days."
    counters: dict[tuple[object, ...], itertools.count[int]] = defaultdict(itertools.count)
    out = []
    for shot in shots:
        if math.isnan(shot.day):
            image = shot.found.image
            band = (shot.index, shot.found.says.emission_nm, image.emission_nm[shot.index], image.channels[shot.index])
            key = (shot.animal, shot.view, *(str(part) for part in band))
            shot = shot.with_said("day", Said(float(next(counters[key])), "assumed", "low", do))
        out.append(shot)
    return out


# --- groups -------------------------------------------------------------------------------------------------------


def _with_groups(shots: list[Shot], *, shuffled: bool) -> list[Shot]:
    """Arm of each animal; animals that bear the same number in different arms are told apart."""
    found = {shot.found.path: shot.found for shot in shots}
    by_folder = _folder_groups(list(found.values()))
    said = {path: _said_group(one, by_folder.get(path, "")) for path, one in found.items()}
    shots = _told_apart(shots, said, shuffled=shuffled)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    best: dict[tuple[str, str], Said] = {}
    for shot in shots:
        one = said[shot.found.path]
        if one is not None:
            votes[shot.animal][str(one.value)] += 1
            best.setdefault((shot.animal, str(one.value)), one)
    out = []
    for shot in shots:
        if votes[shot.animal]:
            name = min(votes[shot.animal], key=lambda word: (-votes[shot.animal][word], word))
            out.append(shot.with_said("group", best[shot.animal, name]))
        elif any(votes.values()):
            out.append(shot.with_said("group", Said(UNGROUPED, "assumed", "low", "Write the animal's arm.")))
        else:
            do = (
                "No name or file tells the arms: all animals are in one. Write each animal's arm in both sheets, and add the "
                "arms to study.toml."
            )
            out.append(shot.with_said("group", Said(ONE_GROUP, "assumed", "low", do)))
    return out


def _said_group(found: FoundImage, folder: str) -> Said | None:
    for label in ("group", "treatment"):
        text = found.image.labels.get(label, "").strip()
        if text:
            return Said(clean_name(text), "metadata", "high")
    if found.says.group:
        sure = folder == "" or found.says.group == folder
        return Said(
            clean_name(found.says.group), "name", "medium" if sure else "low", "" if sure else "Is this the arm?"
        )
    if folder:
        return Said(clean_name(folder), "name", "low", "A folder's name was taken for the arm: is it?")
    return None


def _folder_groups(files: Sequence[FoundImage]) -> dict[str, str]:
    """A level of folders whose words part the animals into two arms or more: its words, per image."""
    depth = max((len(found.says.words) for found in files), default=0)
    for level in range(depth):
        words = {found.path: " ".join(found.says.words[level]) for found in files if len(found.says.words) > level}
        values = {word for word in words.values() if word}
        if 2 <= len(values) <= max(2, len(files) // 2) and len(words) == len(files) and all(words.values()):
            return words
    return {}


def _told_apart(shots: list[Shot], said: Mapping[str, Said | None], *, shuffled: bool) -> list[Shot]:
    """Where names put one number into several arms, each arm has an animal of that number: all get a running number."""
    arms: dict[str, set[str]] = defaultdict(set)
    for shot in shots:
        one = said[shot.found.path]
        if one is not None and one.source == "name":
            arms[shot.animal].add(str(one.value))
    if not any(len(groups) > 1 for groups in arms.values()):
        return shots

    def owner(shot: Shot) -> tuple[str, str]:
        one = said[shot.found.path]
        return (str(one.value) if one is not None else "", shot.animal)

    owners = sorted({owner(shot) for shot in shots}, key=lambda pair: (natural_key(pair[0]), natural_key(pair[1])))
    if shuffled:
        SystemRandom().shuffle(owners)
    names = {pair: identity(number) for number, pair in enumerate(owners, start=1)}
    listed = "; ".join(f"{name} is {animal} of {group or 'no arm'}" for (group, animal), name in names.items())
    do = f"Animals of different arms bear the same number, so all were numbered anew: {listed}."
    return [
        replace(shot, animal=names[owner(shot)], said={**shot.said, "animal": Said("", "name", "low", do)})
        for shot in shots
    ]


# --- what is not used ---------------------------------------------------------------------------------------------


def left_out(found: FoundImage, why: str, mend: str = "") -> Finding:
    """Say that an image has no row, or not the right ones."""
    return Finding("draft.left-out", Severity.WARNING, Place(plain_text(found.path)), why, mend)


def keep(
    shots: Iterable[Shot], wanted: Callable[[Shot], bool], why: Callable[[Shot], str], mend: str, /
) -> tuple[list[Shot], list[Finding]]:
    """Shots that are wanted, and a finding per image that is not."""
    kept: list[Shot] = []
    told: dict[str, Finding] = {}
    for shot in shots:
        if wanted(shot):
            kept.append(shot)
        else:
            told.setdefault(shot.found.path, left_out(shot.found, why(shot), mend))
    return kept, list(told.values())


def _with_both_sides(shots: list[Shot]) -> list[Shot]:
    """Two images of one animal, day and light, alike but for their time, and no word of the side: first dorsal, then ventral."""
    groups: dict[tuple[object, ...], list[Shot]] = defaultdict(list)
    for shot in shots:
        if shot.said["view"].source == "assumed" and shot.found.image.acquired:
            groups[shot.animal, shot.day, _light(shot), shot.exposure_s].append(shot)
    do = (
        "Two images of one day, and no word of the side: the earlier was taken for dorsal, the later for ventral. "
        "Exchange them where it was not so."
    )
    sided = {}
    for same in groups.values():
        ordered = sorted(same, key=lambda shot: shot.found.image.acquired)
        if len({shot.found.image.acquired for shot in ordered}) == len(ordered) == 2:
            for shot, view in zip(ordered, ("dorsal", "ventral"), strict=True):
                sided[(*shot.plane_key, shot.animal)] = Said(view, "assumed", "low", do)
    keys = [(*shot.plane_key, shot.animal) for shot in shots]
    return [shot.with_said("view", sided[key]) if key in sided else shot for shot, key in zip(shots, keys, strict=True)]


def _light(shot: Shot) -> float | str:
    """Band of light of a shot: its wavelength as the file or its name says, else the channel."""
    image = shot.found.image
    emission, named = image.emission_nm[shot.index], shot.found.says.emission_nm
    if emission > 0:
        return emission
    return named[shot.index] if len(named) > shot.index else image.channels[shot.index]


def _without_doubles(shots: list[Shot]) -> tuple[list[Shot], list[Finding]]:
    """One row per animal, day, view and band of light: the longest exposure that is not saturated, then the first."""
    groups: dict[tuple[object, ...], list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[shot.animal, shot.day, shot.view, _light(shot)].append(shot)
    kept: set[tuple[str, int, str]] = set()
    findings: dict[str, Finding] = {}
    for same in groups.values():
        best = max(same, key=lambda shot: (not _saturated(shot), shot.exposure_s, -same.index(shot)))
        kept.add((*best.plane_key, best.animal))
        for shot in same:
            if shot is not best:
                why = (
                    f"shows {shot.animal}, {session_name(shot.day)}, {shot.view} a second time, as {plain_text(best.found.path)} "
                    "does: the longest exposure that is not saturated was taken, or the first."
                )
                findings.setdefault(
                    shot.found.path, left_out(shot.found, why, "Correct the sheet if it is another day or view.")
                )
    return [shot for shot in shots if (*shot.plane_key, shot.animal) in kept], list(findings.values())


def _saturated(shot: Shot) -> bool:
    plane = shot.found.planes[shot.index]
    return plane.at_highest >= 5 and plane.highest >= 4095


def control_word(group: str, /) -> bool:
    """Whether an arm's name is a word for controls."""
    return is_control(group)
