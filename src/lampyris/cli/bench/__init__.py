"""Verb of the bench: ``bench TECHNIQUE FILE...``; a technique's flags are the fields of its options."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.cli.arguments import AddVerb, Parser, add_output, figure_path
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.technique_names import TECHNIQUES

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from lampyris.core.bench import BenchSource
    from lampyris.core.techniques import TechniqueSettings


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verb."""
    bench = verb("bench", _bench, "one instrument's files to its result, with its uncertainty")
    listed = ", ".join(TECHNIQUES)
    bench.add_argument("technique", metavar="TECHNIQUE", choices=tuple(TECHNIQUES), help=listed)
    bench.add_argument(
        "rest",
        metavar="FILE ...",
        nargs=argparse.REMAINDER,
        help="files, and the technique's own options, which `bench TECHNIQUE --help` lists",
    )


def _bench(options: argparse.Namespace) -> int:
    from lampyris.core.techniques import settings_of

    model = settings_of(options.technique)
    parser = _technique_parser(options, model)
    own = parser.parse_args(options.rest, argparse.Namespace(json=options.json, traceback=options.traceback))

    # after the parser, so that a technique's --help stays quick
    from lampyris.cli.bench.answer import finish
    from lampyris.study.bench import measure

    sources = [_source(text, model) for text in own.files]
    return finish(measure(options.technique, sources, settings=_settings(model, own)), own)


def _source(text: str, model: "type[TechniqueSettings]") -> "BenchSource":
    """File of a word ``FILE`` or ``ROLE=FILE``; a name that holds a sign of equality is a file unless a role stands before it."""
    from lampyris.core.bench import BenchSource

    role, sign, rest = text.partition("=")
    if not sign or role not in model.roles or not rest:
        return BenchSource(Path(text), Path(text).name)
    return BenchSource(Path(rest), Path(rest).name, role=role)


def _technique_parser(options: argparse.Namespace, model: "type[TechniqueSettings]") -> argparse.ArgumentParser:
    text = TECHNIQUES[options.technique]
    parser = Parser(prog=f"lampyris bench {options.technique}", description=text[0].upper() + text[1:] + ".")
    roles = "; ".join(f"{role}=FILE: {meaning}" for role, meaning in model.roles.items()).replace("%", "%%")
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="files of the instrument" + (f"; {roles}" if roles else "")
    )
    add_output(parser)
    parser.add_argument(
        "--plot", type=figure_path, metavar="FILE", help="raw, fit and residual as one would print them: .svg or .png"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the numbers as a table")
    parser.add_argument("--curves", type=Path, metavar="FOLDER", help="write each curve as CSV and JCAMP-DX")
    own = parser.add_argument_group("options of the technique")
    for name, field in model.model_fields.items():
        _add_flag(own, name, field)
    return parser


def _add_flag(group: argparse._ArgumentGroup, name: str, field: "FieldInfo") -> None:
    flag = f"--{name.replace('_', '-')}"
    text = (field.description or name).replace("%", "%%")
    if field.annotation is bool:
        group.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=text)
        return
    several = "tuple" in str(field.annotation)
    group.add_argument(
        flag,
        dest=name,
        action="append" if several else "store",
        default=None,
        metavar="VALUE",
        help=text + ("; repeatable" if several else ""),
    )


def _settings(model: "type[TechniqueSettings]", own: argparse.Namespace) -> "TechniqueSettings":
    """The options that were given, checked by their model; the others keep their defaults."""
    from pydantic import ValidationError

    given: dict[str, Any] = {name: getattr(own, name) for name in model.model_fields if getattr(own, name) is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        findings = []
        for fault in error.errors(include_url=False, include_context=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            meaning = (model.model_fields[name].description or "") if name in model.model_fields else ""
            findings.append(
                Finding(
                    "bench.option",
                    Severity.ERROR,
                    Place("", None, f"--{name.replace('_', '-')}" if name else ""),
                    f"{fault['msg']}, got {fault.get('input')!r}." if name else f"{fault['msg']}.",
                    f"It is: {meaning}." if meaning else "See the technique's --help.",
                )
            )
        raise InputError("The options of the technique are invalid.", findings) from None
