"""Errors that name the place and the mend; each class knows the exit code the command line gives it."""

from collections.abc import Iterable
from typing import ClassVar

from lampyris.core.finding import Finding


class LampyrisError(Exception):
    """Base of every error that Lampyris raises on purpose.

    Parameters
    ----------
    message : str
        One sentence: what was expected and what came.
    findings : iterable of Finding
        Every fault behind the error, each with its place and mend.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, findings: Iterable[Finding] = ()) -> None:
        super().__init__(message)
        self.findings: tuple[Finding, ...] = tuple(findings)

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  {finding}" for finding in self.findings)]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # the default pickles args only, which would lose the findings on their way back from a worker process
        return (type(self), (super().__str__(), self.findings))


class UsageError(LampyrisError):
    """The command was called wrongly (exit 2)."""

    exit_code = 2


class InputError(LampyrisError):
    """Sheets or settings are invalid: nothing is analysed (exit 3)."""

    exit_code = 3


class ImageError(LampyrisError):
    """One image cannot be analysed; it stops its animal only (exit 4)."""

    exit_code = 4


class UnsafeFileError(ImageError):
    """A file declares more than its caps allow, or points outside the study."""


class MissingExtraError(LampyrisError):
    """An optional part is needed that is not installed; the message names the extra."""
