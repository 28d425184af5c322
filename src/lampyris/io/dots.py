"""A dot's sheet read with every fault placed and mended, and written so that it reads back the same."""

from pathlib import Path

from lampyris.core.dots import DotSettings
from lampyris.io.settings import read_model
from lampyris.io.toml import toml_text

_MISSING = "Give the path of a dot's sheet; `lampyris probe design --sheet FILE` writes one."


def read_dot(path: Path, /) -> DotSettings:
    """Read and validate the sheet of a dot.

    Parameters
    ----------
    path : Path
        TOML: UTF-8, with or without byte order mark.

    Returns
    -------
    DotSettings
        Complete with defaults.

    Raises
    ------
    InputError
        With one finding per fault: file, line, dotted key, what came and the mend.
    """
    return read_model(path, DotSettings, missing=_MISSING)


def dot_toml(dot: DotSettings, /, *, header: str = "") -> str:
    """Return a dot's sheet as TOML, the meaning of each key beside it; `read_dot` returns it unchanged.

    Parameters
    ----------
    dot : DotSettings
        What to write; what was not measured is left out.
    header : str
        Put before the sheet, each line after ``#``.

    Returns
    -------
    str
        Text of the file.

    Examples
    --------
    >>> from lampyris.core.dots import LayerSettings
    >>> dot = DotSettings(name="bare", layers=(LayerSettings(material="CdTe", diameter_nm=3.4),))
    >>> [line.split("  #")[0] for line in dot_toml(dot).splitlines()][-3:]
    ['[[layers]]', 'material = "CdTe"', 'diameter_nm = 3.4']
    """
    document = dot.model_dump(mode="json", exclude_none=True)
    if not document["measured"]:
        del document["measured"]
    tables = {"": dot, "layers[0].": dot.layers[0], "coat.": dot.coat, "measured.": dot.measured}
    remarks = {
        f"{table}{name}": field.description or ""
        for table, settings in tables.items()
        if settings is not None
        for name, field in type(settings).model_fields.items()
        # those of tables stand beside their keys
        if f"{name}." not in tables and name != "layers"
    }
    return toml_text(document, remarks=remarks, header=header)
