"""Verbs of a study on disk: check, run and report."""

import argparse
import sys

from lampyris.cli.arguments import AddVerb, add_directory, megabytes, positive
from lampyris.cli.output import (
    Progress,
    check_entry,
    checks_sentence,
    finding_entry,
    print_findings,
    print_json,
    print_table,
)
from lampyris.core.errors import ImageError, InputError
from lampyris.core.finding import Severity


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
    check = verb("check", _check, "validate sheets, settings and images without analysing them")
    add_directory(check, text="folder of the study")

    run = verb("run", _run, "analyse a study; what is already done is kept")
    add_directory(run, text="folder of the study")
    run.add_argument("--workers", type=positive, default=None, metavar="N", help="processes (default: threads)")
    run.add_argument("--scheduler", default="", metavar="ADDR", help="running Dask scheduler whose workers do the work")
    run.add_argument("--only", metavar="SUB", help="analyse this animal only")
    run.add_argument("--force", action="store_true", help="analyse again what is already done")

    report = verb("report", _report, "write the report again from stored results")
    add_directory(report, text="folder of the study")
    report.add_argument("--image-budget", type=megabytes, metavar="MB", help="room for images in the report, in MB")


def _check(options: argparse.Namespace) -> int:
    from lampyris.study.check import check_study

    checked = check_study(options.directory)
    errors, warnings = checked.errors, checked.warnings
    notes = [finding for finding in checked.findings if finding.severity is Severity.NOTE]
    if options.json:
        parts = {"errors": errors, "warnings": warnings, "notes": notes}
        found = {name: [finding_entry(finding) for finding in part] for name, part in parts.items()}
        print_json(found | {"checks": [check_entry(verdict) for verdict in checked.checks]})
    else:
        print(f"{options.directory}: {len(errors)} errors, {len(warnings)} warnings, {len(notes)} notes")
        print_findings(checked.findings, stream=sys.stdout)
        print(checks_sentence(checked.checks))
    if checked.sheet_errors:
        return InputError.exit_code
    # a fault of an image stops its animal only, so the rest of the study can still be analysed
    return ImageError.exit_code if checked.image_errors else 0


def _run(options: argparse.Namespace) -> int:
    from lampyris.study.run import run_study

    with Progress() as progress:
        outcome = run_study(
            options.directory,
            workers=options.workers,
            scheduler=options.scheduler,
            only=options.only,
            force=options.force,
            progress=progress,
        )
    if options.json:
        print_json(
            {
                "results": outcome.results,
                "report": outcome.report,
                "animals": outcome.animals,
                "seconds": outcome.seconds,
                "failed_assays": list(outcome.failed_assays),
            }
        )
    else:
        print_table(
            (name, *(entry[key] for key in ("group", "status", "reason"))) for name, entry in outcome.animals.items()
        )
        print_table([("results", outcome.results), ("report", outcome.report), ("seconds", outcome.seconds["total"])])
    failed = sum(entry["status"] == "failed" for entry in outcome.animals.values())
    if failed:
        print(f"lampyris: {failed} of {len(outcome.animals)} animals could not be analysed", file=sys.stderr)
    for fault in outcome.failed_assays:
        print(f"lampyris: {fault}", file=sys.stderr)
    return outcome.exit_code


def _report(options: argparse.Namespace) -> int:
    from lampyris.study.run import render_again

    report = render_again(options.directory, image_budget_mb=options.image_budget)
    if options.json:
        print_json({"report": report})
    else:
        print_table([("report", report)])
    return 0
