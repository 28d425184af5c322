"""Sheets of .xls, read in a process of their own.

The reader takes memory for every cell up to the farthest, and a damaged .xls may name a farthest cell that no machine has
room for; the process then ends without an exception. It must not be the one that the user's command runs in.
"""

import json
import subprocess
import sys
from typing import Any

from lampyris.io.data_tables.grid import MAX_CELLS, refused

_MEMORY_BYTES = 4_000_000_000
_SECONDS = 60.0
_MEND = "Open it in its program and save it as .xlsx, or export the sheet as CSV."


def old_sheets(file: str, data: bytes, /) -> dict[str, list[list[Any]]]:
    """Values of every visible sheet that holds something.

    Parameters
    ----------
    file : str
        Name of the file.
    data : bytes
        Its content.

    Returns
    -------
    dict of str to list of list
        Cells by sheet, from the first row and column of the sheet.

    Raises
    ------
    InputError
        If it cannot be read, is protected, or holds too much.
    """
    command = [sys.executable, "-m", "lampyris.io.data_tables.old_excel"]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS)
        answer: dict[str, Any] = (
            json.loads(done.stdout) if done.returncode == 0 else {"error": "broken", "text": "it cannot be read"}
        )
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise refused(file, "table.unreadable", "is a broken workbook.", _MEND) from error
    if "error" not in answer:
        return dict(answer["sheets"])
    if answer["error"] == "protected":
        raise refused(file, "table.protected", "is protected by a password.", "Save it without a password.")
    raise refused(file, "table.unreadable", f"cannot be read as a workbook: {answer['text'][:120]}.", _MEND)


def _answer(data: bytes) -> dict[str, Any]:
    """What the process says of a workbook."""
    import io

    import python_calamine as calamine

    from lampyris.io.data_tables.cells import cell_text

    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheets = {}
            for one in book.sheets_metadata:
                page = book.get_sheet_by_name(one.name)
                if not str(one.visible).endswith("Visible") or not page.total_height:
                    continue
                if page.total_height * page.total_width > MAX_CELLS:
                    return {"error": "large", "text": f"sheet {one.name!r} holds more than {MAX_CELLS} cells"}
                sheets[one.name] = [
                    [cell_text(value) for value in row] for row in page.to_python(skip_empty_area=False)
                ]
            return {"sheets": sheets}
    except calamine.PasswordError:
        return {"error": "protected", "text": ""}
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        return {"error": "broken", "text": str(error)}


def main() -> int:
    """Read a workbook from stdin and write its sheets to stdout."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(json.dumps(_answer(sys.stdin.buffer.read())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
