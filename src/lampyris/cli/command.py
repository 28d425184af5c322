"""The parser of all verbs, and the one door by which every command leaves.

Data go to stdout (with ``--json`` one JSON document and nothing else), progress and messages to stderr.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 invalid sheets or settings, 4 partly done.
Every verb imports its own room when it is called, so that ``--help`` stays quick.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lampyris import __version__
from lampyris.cli import (
    bench,
    catalogue,
    drafts,
    machine,
    onsets,
    power,
    probe,
    studies,
    takeaway,
    trials,
)
from lampyris.cli.arguments import Parser, add_output, figure_path
from lampyris.cli.assays import verbs as assays
from lampyris.cli.groups import verbs as comparisons
from lampyris.cli.output import print_error, print_unexpected
from lampyris.cli.relations import verbs as relations
from lampyris.core.errors import LampyrisError

SHELLS = ("bash", "zsh")
DESCRIPTION = (
    "Near-infrared quantum-dot imaging of metastasis: from raw images to which cells spread, where, and how sure."
)


class _PrintCompletion(argparse.Action):
    """``--print-completion SHELL``: print what the shell needs to complete this command."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        import shtab

        for action in _actions(parser):
            if action.type in (Path, figure_path):
                # shtab's own protocol: it looks for this attribute
                action.complete = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
        print(shtab.complete(parser, rest[1]))
        parser.exit(0)


def _actions(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="lampyris", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"lampyris {__version__}")
    parser.add_argument(
        "--print-completion", action=_PrintCompletion, choices=SHELLS, help="print the completion script of a shell"
    )
    common = Parser(add_help=False)
    add_output(common)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common])
        sub.set_defaults(call=call)
        return sub

    for module in (
        trials,
        drafts,
        studies,
        assays,
        bench,
        takeaway,
        comparisons,
        relations,
        onsets,
        power,
        probe,
        catalogue,
        machine,
    ):
        module.add_verbs(verb)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``lampyris``; the process's own arguments by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 failed, 2 wrong usage, 3 invalid sheets or settings, 4 partly done.

    Examples
    --------
    >>> main(["--version"])
    lampyris 0.1.0
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a name from a sheet that the terminal cannot show must not end the command
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _call(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader, e.g. `head`, has seen enough; without this the interpreter would complain while it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _call(words: Sequence[str]) -> int:
    # the words are looked at as well because wrong usage leaves no parsed options
    as_json = "--json" in words
    try:
        options = _parser().parse_args(words)
        code: int = options.call(options)
        return code
    except SystemExit as leave:  # argparse, after --help, --version and --print-completion
        return int(leave.code or 0)
    except LampyrisError as error:
        print_error(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        print("lampyris: interrupted; call it again to go on where it stopped", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except Exception as error:
        print_unexpected(error, as_json=as_json, with_traceback="--traceback" in words)
        return 1
