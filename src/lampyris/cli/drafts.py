"""Verbs that begin a study and keep it blind: init, freeze and unblind."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lampyris.cli.arguments import AddVerb, add_directory, whole
from lampyris.cli.output import Progress, finding_entry, print_findings, print_json, print_table

if TYPE_CHECKING:
    from lampyris.study.draft.notes import Drafted


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    init = verb("init", _init, "draft settings and sheets, from a folder of images or from nothing")
    add_directory(init, text="folder of the study")
    init.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="folder of images to draft from")
    init.add_argument(
        "--allocate",
        metavar="GROUPS",
        help="draw animals into groups, e.g. A:8,B:8,control:4, or names for equal groups",
    )
    init.add_argument("--blind", action="store_true", help="code the groups; the key goes to DIR-key, beside the study")
    init.add_argument(
        "--seed",
        type=whole,
        metavar="N",
        help="what the allocation is drawn from (default: 1; kept with the key if blinded)",
    )

    freeze = verb("freeze", _freeze, "fix curation, regions, sheets and results by their hashes, before unblinding")
    add_directory(freeze, text="folder of the study")

    unblind = verb("unblind", _unblind, "reveal the groups of a blinded study that is frozen and unchanged")
    add_directory(unblind, text="folder of the study")
    unblind.add_argument("--key", type=Path, metavar="FOLDER", help="folder of the key (default: DIR-key)")


def _init(options: argparse.Namespace) -> int:
    from lampyris.study.draft.begin import begin_study

    with Progress() as progress:
        begun = begin_study(
            options.directory,
            folder=options.folder,
            allocate=options.allocate,
            blind=options.blind,
            seed=options.seed,
            progress=progress,
        )
    if options.json:
        document = {
            "study": begun.study,
            "images": begun.images,
            "to_fill": [_entry(note) for note in begun.to_fill],
            "to_confirm": [_entry(note) for note in begun.to_confirm],
            "left_aside": [finding_entry(finding) for finding in begun.findings],
            "key": begun.key,
        }
        print_json(document)
        return 0
    rows = [("study", begun.study), *([("key", begun.key)] if begun.key else [])]
    print_table([*rows, ("images", begun.images)])
    for line in begun.told:
        print(line)
    _print_notes("to fill in before `lampyris run`:", begun.to_fill)
    _print_notes("to confirm (guessed; written into draft.csv):", begun.to_confirm)
    if begun.findings:
        print("left aside:")
        print_findings(begun.findings, stream=sys.stdout)
    return 0


def _entry(note: "Drafted") -> dict[str, str]:
    return {
        "field": note.field,
        "value": note.value,
        "source": note.source,
        "confidence": note.confidence,
        "do": note.do,
    }


def _print_notes(title: str, notes: "Sequence[Drafted]") -> None:
    """Fields by what a person does about them: one line of advice for all that share it."""
    if not notes:
        return
    print(title)
    alike: dict[str, list[str]] = {}
    for note in notes:
        alike.setdefault(note.do, []).append(note.field if note.to_fill else f"{note.field} = {note.value}")
    for do, fields in alike.items():
        for field in fields:
            print(f"  {field}")
        if do:
            print(f"      -> {do}")


def _freeze(options: argparse.Namespace) -> int:
    from lampyris.study.draft.freezing import freeze_study

    frozen = freeze_study(options.directory)
    if options.json:
        print_json({"frozen": frozen.path, "files": frozen.files})
    else:
        print_table([("frozen", frozen.path), ("files", len(frozen.files))])
    return 0


def _unblind(options: argparse.Namespace) -> int:
    from lampyris.study.draft.freezing import unblind_study

    revealed = unblind_study(options.directory, key=options.key)
    if options.json:
        print_json({"study": options.directory, "groups": revealed.groups})
    else:
        print_table([("study", options.directory), *revealed.groups.items()])
        print("Run the analysis again: arms and their roles are real now.")
    return 0
