"""Which regions a study has, and to which view each belongs.

Regions come from the files that regions.csv names, from every file of the folder ``regions``, and from the folders of Living Image
that the sample sheet names as images. A region is tied to its view by
the sheet; else by properties of its own (GeoJSON); else by a file name such as ``m01_d07_dorsal``; else by the image that it says
it was drawn on. Where several animals share that image, it is the one that the region lies on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lampyris.core.errors import LampyrisError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.regions import TiedRegion
from lampyris.core.schemas import RegionRow
from lampyris.io.mends import did_you_mean
from lampyris.io.regions.readers import click_folders, is_region_file, read_regions
from lampyris.study.rules.sheets import SHEET, SHEET_REGIONS, Sheets

FOLDER = "regions"
_TIE = "Write a row in regions.csv: animal, session, view, file; or name the file ANIMAL_SESSION_VIEW."
View = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class DrawnOn:
    """A region with every view that it may belong to: several where animals share an image."""

    candidates: tuple[TiedRegion, ...]


def gather_regions(sheets: Sheets, /) -> tuple[tuple[DrawnOn, ...], tuple[Finding, ...]]:
    """Read the regions of a study.

    Parameters
    ----------
    sheets : Sheets
        With the rows of regions.csv.

    Returns
    -------
    regions : tuple of DrawnOn
        By file, in the file's order.
    findings : tuple of Finding
        Files that cannot be read, regions that belong to no view.
    """
    views = tuple(dict.fromkeys((row.animal, row.session, row.view) for row in sheets.samples))
    rows: dict[str, list[RegionRow]] = {}
    for row in sheets.regions:
        rows.setdefault(row.file, []).append(row)
    clicks = _clicks(sheets)
    drawn: list[DrawnOn] = []
    links = [path for path in _lying(sheets.study / FOLDER)[1] if path not in rows]
    findings = [*_unknown_views(sheets, views), *map(_link, links)]
    for file in sorted({*region_files(sheets), *clicks}):
        try:
            regions = read_regions(sheets.study / file, file=file)
        except LampyrisError as error:
            # what lies in a vendor's folder, nobody asked for: it stops nothing
            findings += [replace(one, severity=Severity.WARNING) if file in clicks else one for one in error.findings]
            continue
        found, told = _tied(sheets, regions, file, rows.get(file, []), views)
        drawn += found
        findings += told
    return tuple(drawn), tuple(findings)


def region_files(sheets: Sheets, /) -> tuple[str, ...]:
    """Files that regions are read from, inside the study: those that regions.csv names, and those of the folder ``regions``."""
    return tuple(sorted({*_lying(sheets.study / FOLDER)[0], *(row.file for row in sheets.regions)}))


def _clicks(sheets: Sheets) -> set[str]:
    """Folders of Living Image among the images that hold regions, and that regions.csv does not name."""
    named = {row.file for row in sheets.regions}
    images = {row.image for row in sheets.samples}
    return {image for image in images - named if click_folders(sheets.study / image)}


def check_regions(sheets: Sheets, /) -> Iterator[Finding]:
    """Regions drawn by hand can be read and belong to views of the sample sheet."""
    if sheets.whole and (sheets.regions or (sheets.study / FOLDER).is_dir()):
        yield from gather_regions(sheets)[1]


def _lying(folder: Path) -> tuple[list[str], list[str]]:
    """Files of regions in the folder of that name, and links there, which may lead anywhere and are not followed."""
    if folder.is_symlink():
        return [], [FOLDER]
    found = sorted(path for path in folder.iterdir() if is_region_file(path)) if folder.is_dir() else []
    files = [f"{FOLDER}/{path.name}" for path in found if not path.is_symlink()]
    return files, [f"{FOLDER}/{path.name}" for path in found if path.is_symlink()]


def _link(path: str) -> Finding:
    mend = "Copy the files themselves there."
    return Finding("regions.link", Severity.WARNING, Place(path), "is a symbolic link, which is not followed.", mend)


def _unknown_views(sheets: Sheets, views: Sequence[View]) -> Iterator[Finding]:
    for row in sheets.regions:
        view = (row.animal, row.session, row.view)
        if view not in views:
            near = did_you_mean(", ".join(view), [", ".join(one) for one in views])
            seen = f"{', '.join(view)} is not in {SHEET}."
            mend = f"Did you mean {near}?" if near else "Write animal, session and view as they stand there."
            yield Finding("regions.unknown-view", Severity.ERROR, Place(SHEET_REGIONS, row.row), seen, mend)


def _tied(
    sheets: Sheets, regions: Sequence[TiedRegion], file: str, rows: Sequence[RegionRow], views: Sequence[View]
) -> tuple[list[DrawnOn], list[Finding]]:
    drawn: list[DrawnOn] = []
    findings: list[Finding] = []
    names = [one.region.name for one in regions]
    for row in rows:
        mine = [one for one in regions if row.name in ("", one.region.name)]
        if not mine:
            near = did_you_mean(row.name, names)
            seen = f"{file} has no region {row.name!r}."
            mend = f"Did you mean {near}?" if near else f"It has {', '.join(names[:8])}."
            findings.append(
                Finding("regions.no-such-region", Severity.ERROR, Place(SHEET_REGIONS, row.row, "name"), seen, mend)
            )
        for one in mine:
            meaning = row.meaning or one.meaning
            tied = replace(one, animal=row.animal, session=row.session, view=row.view, meaning=meaning)
            drawn.append(DrawnOn((tied,)))
    if rows:
        return drawn, findings
    untied = []
    for one in regions:
        candidates = _candidates(sheets, one, file, views)
        if isinstance(candidates, Finding):
            findings.append(candidates)
        elif candidates:
            drawn.append(DrawnOn(tuple(replace(one, animal=a, session=s, view=v) for a, s, v in candidates)))
        else:
            untied.append(one.region.name)
    if untied:
        seen = (
            f"{len(untied)} of {len(regions)} regions belong to no view and are not measured: {', '.join(untied[:5])}."
        )
        findings.append(Finding("regions.no-view", Severity.WARNING, Place(file), seen, _TIE))
    return drawn, findings


def _candidates(sheets: Sheets, one: TiedRegion, file: str, views: Sequence[View]) -> list[View] | Finding:
    said = (one.animal, one.session, one.view)
    if any(said):
        fits = [view for view in views if all(word in ("", part) for word, part in zip(said, view, strict=True))]
        if len(fits) == 1:
            return fits
        which = "no view" if not fits else f"{len(fits)} views"
        seen = f"the region {one.region.name!r} says {', '.join(filter(None, said))}, which is {which} of {SHEET}."
        mend = "Write animal, session and view as they stand there."
        return Finding("regions.unknown-view", Severity.ERROR, Place(file), seen, mend)
    stem = _plain(Path(file).stem)
    named = [view for view in views if _plain("_".join(view)) == stem]
    if named:
        return named
    image = one.region.image.replace("\\", "/")
    if not image:
        return []
    own = [row for row in sheets.samples if f"{image.removeprefix('./')}/".startswith(f"{row.image}/")]
    # drawn on another machine: the end of its path, else its bare name, where only one image has it
    own = own or [row for row in sheets.samples if image.casefold().endswith(f"/{row.image}".casefold())]
    own = own or [row for row in sheets.samples if Path(row.image).name.casefold() == Path(image).name.casefold()]
    if len({row.image for row in own}) > 1:
        return []
    return list(dict.fromkeys((row.animal, row.session, row.view) for row in own))


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-.]+", "_", text).strip("_").casefold()
