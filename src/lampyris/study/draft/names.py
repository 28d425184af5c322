"""What the names of files and folders say: animal, day, date, view, band, exposure, group, and what a file is for.

Names are free text of many hands: English, German and French words, any case, Unicode composed or not, or the bytes of an old
Windows code page. Each kind of word is looked for in turn and what it took is blanked, so that no number is read twice. What
stays is left as words; nothing is guessed here that the name does not say.
"""

import itertools
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Role = Literal["image", "dark", "flat", "photo", "other"]

MOST_ANIMALS = 10
"""A range of animals longer than this is none."""

# a word begins and ends where no letter or digit stands; an underscore is no letter
_B = r"(?<![^\W_])"
_E = r"(?![^\W_])"
_GAP = r"[\s_\-.]*"

_MONTHS = {
    1: "january jan januar janvier janv jaenner jänner",
    2: "february feb februar février fevrier févr fevr",
    3: "march mar märz maerz mrz mär mars",
    4: "april apr avril avr",
    5: "may mai",
    6: "june jun juni juin",
    7: "july jul juli juillet juil",
    8: "august aug août aout",
    9: "september sep sept septembre",
    10: "october oct oktober okt octobre",
    11: "november nov novembre",
    12: "december dec dezember dez décembre decembre déc",
}
_MONTH_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}
_MONTH = "(" + "|".join(sorted(_MONTH_OF, key=len, reverse=True)) + ")"

_DATES = tuple(
    (re.compile(pattern), order)
    for pattern, order in (
        # a click's name: initials, date and time without a gap
        (r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?:[\sT_-]*(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?(?!\d)", "ymd"),
        (r"(?<!\d)(20\d\d)[-_. ](\d{1,2})[-_. ](\d{1,2})(?!\d)", "ymd"),
        (r"(?<!\d)(\d{1,2})[-_. ](\d{1,2})[-_. ](20\d\d)(?!\d)", "xxy"),
        (rf"(?<!\d)(\d{{1,2}})\.?[-_. ]*{_MONTH}[-_. ]*(20\d\d)(?!\d)", "dby"),
        (rf"(?<!\d)(20\d\d)[-_. ]*{_MONTH}[-_. ]*(\d{{1,2}})(?!\d)", "ybd"),
        (r"(?<!\d)(\d\d)(\d\d)(20\d\d)(?!\d)", "xxy"),
        (r"(?<![\d.])([2-4]\d)(0\d|1[0-2])([0-3]\d)(?!\d)", "yymd"),
    )
)

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_EXPOSURE = re.compile(
    rf"(?:{_B}(?:exp(?:osure)?|belichtung|pose|t){_GAP})?(?<![^\W_])(?<!\d[.,]){_NUMBER}\s*(ms|msec|s|secs?|seconds?|sek(?:unden?)?|min){_E}"
)
_EXPOSURE_WORD = re.compile(rf"{_B}(?:exposure|exp|belichtung){_GAP}{_NUMBER}\s*(ms|s|min)?{_E}")
_UNIT_S = {"ms": 1e-3, "msec": 1e-3, "min": 60.0}
_EXCITATION = re.compile(rf"{_B}(?:ex|exc|excitation|anr(?:egung)?){_GAP}(\d{{3,4}})(?:\s*nm)?(?!\d)")
_EMISSION = re.compile(rf"(?<![^\W\d_])(?:em|emission|lambda){_GAP}(\d{{3,4}})(?:\s*nm)?(?!\d)")
_NM = re.compile(r"(?<![\d.])(\d{3,4})\s*nm(?![^\W\d_])")
_BARE_NM = re.compile(rf"{_B}([5-9]\d\d|1[0-7]\d\d){_E}")

_DAY = tuple(
    (re.compile(pattern), factor)
    for pattern, factor in (
        (rf"{_B}(?:days?|tage?|jours?|dpi|d|j){_GAP}(\d{{1,3}}(?:[.,][05])?){_E}", 1.0),
        (rf"{_B}(\d{{1,3}}){_GAP}(?:days?|tage?|jours?|dpi|d){_E}", 1.0),
        (rf"{_B}(?:weeks?|wks?|wochen?|semaines?|sem|w){_GAP}(\d{{1,2}}){_E}", 7.0),
        (rf"{_B}(\d{{1,2}}){_GAP}(?:weeks?|wks?|wochen?|semaines?){_E}", 7.0),
        (rf"{_B}(\d{{1,4}})\s*(?:h|hrs?|hours?|hpi|std|heures?){_E}", 1.0 / 24.0),
    )
)
_BASELINE = re.compile(rf"{_B}(?:baseline|pre{_GAP}?scan|basislinie|ausgangswert){_E}")

# longer words first: a German Rückenlage is no back
_VIEWS = (
    (
        re.compile(rf"{_B}(?:rückenlage|rueckenlage|supine|ventral(?:e|ly)?|vent|belly|bauch|bauchseite|ventre){_E}"),
        "ventral",
    ),
    (re.compile(rf"{_B}(?:bauchlage|prone|dorsal(?:e|ly)?|dors|back|rücken|ruecken|rückseite|dos){_E}"), "dorsal"),
)

_ROLE_WORDS: tuple[tuple[Role, str], ...] = (
    (
        "dark",
        r"darks?|darkframes?|dunkel\w*|schwarzbild|noire?s?|obscurité|background|hintergrund|bkgd?|bg|fond"
        rf"|(?:read{_GAP})?bias(?:only)?|offset",
    ),
    ("flat", rf"flat{_GAP}?(?:field)?s?|weissbild|weißbild|plage"),
    (
        "photo",
        rf"photos?|fotos?|photograph(?:s|ie)?|fotografie|bright{_GAP}?field|hellfeld|bf|reflectance|white{_GAP}?light"
        rf"|lumière{_GAP}?blanche",
    ),
    ("other", r"phantoms?|phantome|standards?|fantôme|thumb(?:nail)?s?|overlay|preview|vorschau|aperçu"),
)
_ROLES = tuple((role, re.compile(rf"{_B}(?:{words}){_E}")) for role, words in _ROLE_WORDS)

_ANIMAL_WORD = r"(?:mouse|mice|maus|mäuse|maeuse|souris|animals?|tiere?|rats?|ratten?|subject|subj|sub|ear)"
_ANIMAL_RANGE = re.compile(
    rf"{_B}(?:{_ANIMAL_WORD}|m|no|nr|#)?{_GAP}#?(\d{{1,4}})\s*(?:-|–|—|to|bis|à)\s*(?:{_ANIMAL_WORD}|m)?{_GAP}#?(\d{{1,4}}){_E}"
)
_ANIMAL = re.compile(rf"(?:{_B}(?:{_ANIMAL_WORD}|m|no|nr){_GAP}#?|#\s*)0*(\d{{1,4}})([a-z]?){_E}")
_OTHER_IDENTITY = re.compile(rf"{_B}([^\W\d_]{{1,4}})0*(\d{{1,4}}){_E}")
_GROUP = re.compile(rf"{_B}(?:group|gruppe|grp|groupe|arm|cohort|kohorte|cohorte){_GAP}([^\W_]+)")
_CONTROL = re.compile(
    rf"{_B}(?:(?:neg(?:ative)?{_GAP})?(?:controls?|ctrls?|ctl|kontrollen?|kontrollgruppe|témoins?|temoins?|contrôle)|unlabell?ed|unmarkiert|naive|naiv|naïve){_E}"
)
_ARM = re.compile(
    rf"{_B}(?:untargeted|non{_GAP}?targeted|targeted|vehicle|vehikel|véhicule|pbs|saline|sham|untreated|unbehandelt|treated|treatment|behandelt|behandlung|traitée?s?|placebo|dye|icg){_E}"
)
# words of folders that say nothing about the animals in them
_PLAIN_TEXT = """
raw roh rohdaten brut data daten données image images bild bilder img imgs tif tiff ome zarr export exports ivis click clicks
seq sequence session sessions sitzung scan scans calibration kalibrierung study studie étude experiment exp expt experience
lab labor of von de the und and et no nr id day date time new neu copy kopie copie all alle channel channels band bands filter
file files fluorescence fluoreszenz nir epi final test results frame frames series serie em ex nm x c ch t s z
"""
_PLAIN_WORDS = frozenset(_PLAIN_TEXT.split())


@dataclass(frozen=True, slots=True)
class NameSays:
    """What a path says, in the words of its parts.

    Parameters
    ----------
    role : str
        ``image``, ``dark``, ``flat``, ``photo`` or ``other`` (phantoms, previews).
    animals : tuple of str
        Identities; several where the image shows several.
    animals_named : bool
        By a word such as mouse, not by a letter and a number alone.
    day : float
        Days since inoculation; NaN where not said.
    dates : tuple of str
        ISO dates that it may mean: two where day and month could be exchanged.
    view : str
        ``dorsal``, ``ventral`` or "".
    emission_nm : tuple of float
        In the order of the name.
    excitation_nm, exposure_s : float
        NaN where not said.
    group : str
        Arm by a word for one, or "".
    control : bool
        The name has a word for controls.
    words : tuple of tuple of str
        Per folder what is left, in lower case.
    numbers : tuple of int
        Bare numbers that are left in the file's own name, or else in the nearest folder that has some.
    """

    role: Role = "image"
    animals: tuple[str, ...] = ()
    animals_named: bool = False
    day: float = math.nan
    dates: tuple[str, ...] = ()
    view: str = ""
    emission_nm: tuple[float, ...] = ()
    excitation_nm: float = math.nan
    exposure_s: float = math.nan
    group: str = ""
    control: bool = False
    words: tuple[tuple[str, ...], ...] = field(default=())
    numbers: tuple[int, ...] = ()


def plain_text(name: str, /) -> str:
    """A name as a person reads it: composed Unicode; bytes that are no UTF-8 are read as Windows' western code page.

    Parameters
    ----------
    name : str
        As the file system gives it, undecodable bytes as lone surrogates.

    Returns
    -------
    str
        Without control characters and lone surrogates.

    Examples
    --------
    >>> import os
    >>> plain_text("Ma\\u0308use"), plain_text(os.fsdecode(b"M\\xe4use"))
    ('Mäuse', 'Mäuse')
    """
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        data = name.encode("utf-8", "surrogateescape" if _escaped(name) else "replace")
        name = data.decode("cp1252", "replace")
    name = unicodedata.normalize("NFC", name)
    return "".join(letter if unicodedata.category(letter) not in ("Cc", "Cs") else " " for letter in name)


def _escaped(name: str) -> bool:
    return all("\udc80" <= letter <= "\udcff" for letter in name if "\ud800" <= letter <= "\udfff")


def read_name(path: str, /, *, suffixes: Iterable[str] = ()) -> NameSays:
    """Read what a path says, its last part first: what a file says of itself outdoes its folders.

    Parameters
    ----------
    path : str
        Relative, with forward slashes.
    suffixes : iterable of str
        Endings of file formats, which are no part of the name.

    Returns
    -------
    NameSays
        With nothing in it where the name says nothing.

    Examples
    --------
    >>> says = read_name("Kontrolle/Maus 3/Tag 7/Bauchlage_780nm_5s.TIF", suffixes=[".tif"])
    >>> says.animals, says.day, says.view, says.emission_nm, says.exposure_s, says.control
    (('m03',), 7.0, 'dorsal', (780.0,), 5.0, True)
    """
    parts = [plain_text(part).casefold() for part in path.split("/") if part]
    if not parts:
        return NameSays()
    ending = max((one for one in suffixes if parts[-1].endswith(one.casefold())), key=len, default="")
    parts[-1] = parts[-1][: len(parts[-1]) - len(ending)]
    found = [_read_part(part) for part in reversed(parts)]
    role: Role = next((one.role for one in found if one.role != "image"), "image")
    return NameSays(
        role=role,
        animals=next((one.animals for one in found if one.animals and one.animals_named), ())
        or next((one.animals for one in found if one.animals), ()),
        animals_named=any(one.animals_named for one in found),
        day=next((one.day for one in found if not math.isnan(one.day)), math.nan),
        dates=next((one.dates for one in found if one.dates), ()),
        view=next((one.view for one in found if one.view), ""),
        emission_nm=next((one.emission_nm for one in found if one.emission_nm), ()),
        excitation_nm=next((one.excitation_nm for one in found if not math.isnan(one.excitation_nm)), math.nan),
        exposure_s=next((one.exposure_s for one in found if not math.isnan(one.exposure_s)), math.nan),
        group=next((one.group for one in found if one.group), ""),
        control=any(one.control for one in found),
        words=tuple(one.words[0] for one in reversed(found[1:])),
        numbers=next((one.numbers for one in found if one.numbers), ()),
    )


def _read_part(text: str) -> NameSays:
    # letters and digits that a capital would part are parted already where it matters: m01D07 is m01d07 here
    text = re.sub(r"(?<=\d)(?=(?:d|day|w|week|tag)\d)", " ", text)
    dates, text = _take_dates(text)
    excitation, emission, text = _take_wavelengths(text)
    exposure, text = _take_exposure(text)
    day, text = _take_day(text)
    view, text = _take_view(text)
    role, text = _take_role(text)
    group, control, text = _take_group(text)
    animals, named, text = take_animals(text)
    if not emission:
        bare = [float(number) for number in _BARE_NM.findall(text)]
        emission, text = tuple(bare), _BARE_NM.sub(" ", text)
    words = tuple(word for word in re.findall(r"[^\W\d_]+", text) if word not in _PLAIN_WORDS and len(word) > 1)
    numbers = tuple(int(one) for one in re.findall(rf"{_B}\d{{1,4}}{_E}", text))
    return NameSays(
        role, animals, named, day, dates, view, emission, excitation, exposure, group, control, (words,), numbers
    )


def _blank(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"


def _take_dates(text: str) -> tuple[tuple[str, ...], str]:
    for pattern, order in _DATES:
        for match in pattern.finditer(text):
            dates = _dates_of(match.groups(), order)
            if dates:
                return dates, _blank(text, match)
    return (), text


def _dates_of(parts: Sequence[str], order: str) -> tuple[str, ...]:
    """Every date that three numbers may mean in an order; ``xxy`` is day and month in either."""
    if order == "dby":
        tries = [(int(parts[2]), _MONTH_OF[parts[1]], int(parts[0]))]
    elif order == "ybd":
        tries = [(int(parts[0]), _MONTH_OF[parts[1]], int(parts[2]))]
    elif order == "xxy":
        a, b, year = (int(part) for part in parts)
        tries = [(year, b, a), (year, a, b)]
    else:
        tries = [(int(parts[0]) + (2000 if order == "yymd" else 0), int(parts[1]), int(parts[2]))]
    found = []
    for year, month, day in tries:
        try:
            found.append(date(year, month, day).isoformat())
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def _take_wavelengths(text: str) -> tuple[float, tuple[float, ...], str]:
    excitation, emission = math.nan, []
    if match := _EXCITATION.search(text):
        excitation, text = float(match[1]), _blank(text, match)
    while match := _EMISSION.search(text):
        emission.append(float(match[1]))
        text = _blank(text, match)
    while match := _NM.search(text):
        emission.append(float(match[1]))
        text = _blank(text, match)
    emission = [one for one in emission if 200 <= one <= 2000]
    if not 200 <= excitation <= 2000:
        excitation = math.nan
    return excitation, tuple(dict.fromkeys(emission)), text


def _take_exposure(text: str) -> tuple[float, str]:
    match = _EXPOSURE.search(text) or _EXPOSURE_WORD.search(text)
    if not match:
        return math.nan, text
    seconds = float(match[1].replace(",", ".")) * _UNIT_S.get(match[2] or "s", 1.0)
    return (round(seconds, 9), _blank(text, match)) if 1e-6 <= seconds <= 1e5 else (math.nan, text)


def _take_day(text: str) -> tuple[float, str]:
    for pattern, factor in _DAY:
        if match := pattern.search(text):
            return round(float(match[1].replace(",", ".")) * factor, 3), _blank(text, match)
    if match := _BASELINE.search(text):
        return 0.0, _blank(text, match)
    return math.nan, text


def _take_view(text: str) -> tuple[str, str]:
    for pattern, view in _VIEWS:
        if match := pattern.search(text):
            return view, _blank(text, match)
    return "", text


def _take_role(text: str) -> tuple[Role, str]:
    for role, pattern in _ROLES:
        if match := pattern.search(text):
            return role, _blank(text, match)
    return "image", text


def _take_group(text: str) -> tuple[str, bool, str]:
    if match := _GROUP.search(text):
        name = match[1]
        return (
            (f"group {name}" if name.isdigit() or len(name) == 1 else name),
            bool(_CONTROL.search(name)),
            _blank(text, match),
        )
    if match := _CONTROL.search(text):
        return "control", True, _blank(text, match)
    if match := _ARM.search(text):
        return " ".join(re.split(r"[\s_\-.]+", match[0])), False, _blank(text, match)
    return "", False, text


def take_animals(text: str, /) -> tuple[tuple[str, ...], bool, str]:
    """Identities of animals in a text, whether a word said that they are animals, and the text without them.

    Parameters
    ----------
    text : str
        In lower case.

    Returns
    -------
    animals : tuple of str
        ``m01`` and so on for numbered animals; letters and number as they stand for others.
    named : bool
        By a word such as mouse or a #.
    rest : str
        What is left.

    Examples
    --------
    >>> take_animals("m01-m03 scan")[0], take_animals("1,2,3")[0], take_animals("#12")[0]
    (('m01', 'm02', 'm03'), ('m01', 'm02', 'm03'), ('m12',))
    """
    if re.fullmatch(r"\s*#?\d{1,4}(?:\s*[,;&+/]\s*#?\d{1,4})*\s*", text):
        return tuple(dict.fromkeys(identity(int(one)) for one in re.findall(r"\d+", text)))[:MOST_ANIMALS], True, " "
    if match := _ANIMAL_RANGE.search(text):
        first, last = int(match[1]), int(match[2])
        if first < last < first + MOST_ANIMALS:
            return tuple(identity(one) for one in range(first, last + 1)), True, _blank(text, match)
    found: list[str] = []
    rest = text
    while (match := _ANIMAL.search(rest)) and len(found) < MOST_ANIMALS:
        found.append(identity(int(match[1])) + match[2])
        rest = _blank(rest, match)
    if found:
        return tuple(dict.fromkeys(found)), True, rest
    if (match := _OTHER_IDENTITY.search(text)) and match[1] not in _PLAIN_WORDS:
        return (match[0],), False, _blank(text, match)
    return (), False, text


def identity(number: int, /) -> str:
    """Name of a numbered animal, which sorts by number up to 99."""
    return f"m{number:02d}"


def is_control(word: str, /) -> bool:
    """Whether a group's name is a word for controls.

    Examples
    --------
    >>> is_control("Kontrollgruppe"), is_control("Témoin"), is_control("vehicle")
    (True, True, False)
    """
    return bool(_CONTROL.search(plain_text(word).casefold()))


def natural_key(text: str, /) -> tuple[tuple[int, str], ...]:
    """Sorting key by which scan2 comes before scan10."""
    pieces = itertools.chain.from_iterable(re.findall(r"(\d+)|(\D+)", text))
    return tuple((int(piece), "") if piece.isdecimal() else (-1, piece.casefold()) for piece in pieces if piece)
