"""Verbs about this machine: doctor."""

import argparse

from lampyris.cli.arguments import AddVerb
from lampyris.cli.output import print_json


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    verb("doctor", _doctor, "show versions, cores, memory, disk, optional parts, and what would be slow")


def _doctor(options: argparse.Namespace) -> int:
    from lampyris.study.doctor import describe, examine

    found = examine()
    if options.json:
        print_json(found)
    else:
        print(describe(found))
    return 0 if found["ready"] else 1
