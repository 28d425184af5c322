"""Verb of the dot: ``probe TASK``, a module per task."""

import argparse
from collections.abc import Callable
from types import ModuleType

from lampyris.cli.arguments import AddVerb, add_output
from lampyris.cli.probe import coats, design, fate, growth, hazards, lots, routes, show, sizing

# each has `add_tasks(task: AddTask)`, in the order of the help
TASKS: tuple[ModuleType, ...] = (design, show, sizing, coats, hazards, lots, fate, growth, routes)


def add_verbs(verb: AddVerb, /) -> None:
    """Add this package's verb with its tasks."""
    probe = verb("probe", _no_task, "the dot: which to make, how it will shine, where it will go")
    tasks = probe.add_subparsers(dest="task", metavar="TASK", required=True)

    def task(name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = tasks.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add_output(sub)
        sub.set_defaults(call=call)
        return sub

    for module in TASKS:
        module.add_tasks(task)


def _no_task(options: argparse.Namespace) -> int:
    # argparse demands a task before this could be called
    raise AssertionError(options)
