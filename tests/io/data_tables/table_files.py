"""Small files of tables, made byte by byte: an OpenDocument sheet, and Prism projects in both forms. All synthetic."""

import io
import json
import zipfile
from xml.sax.saxutils import escape

CONTROL, DOTS = ("1.5", "2", "1.75"), ("3.25", "2.5", "")


def archive(parts: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
    return stream.getvalue()


def ods(rows: list[list[object]], *, hidden: int = 0, name: str = "Data") -> bytes:
    """An OpenDocument spreadsheet of one sheet; row `hidden` is hidden, and an error stands where a cell begins with #."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for value in row:
            if isinstance(value, float | int):
                cells.append(f'<table:table-cell office:value-type="float" office:value="{value}"/>')
            elif str(value).startswith("#"):
                kind = 'office:value-type="string" calcext:value-type="error"'
                cells.append(
                    f'<table:table-cell table:formula="of:=1/0" {kind}><text:p>{value}</text:p></table:table-cell>'
                )
            else:
                text = escape(str(value))
                cells.append(f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>')
        shown = ' table:visibility="collapse"' if number == hidden else ""
        lines.append(f"<table:table-row{shown}>{''.join(cells)}</table:table-row>")
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0" '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.2">'
        f'<office:body><office:spreadsheet><table:table table:name="{name}">{"".join(lines)}'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1000"/>'
        "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{space}:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return archive({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def _column(kind: str, title: str, *subcolumns: list[str]) -> str:
    inside = "".join(f"<Subcolumn>{''.join(cells)}</Subcolumn>" for cells in subcolumns)
    return f"<{kind}><Title>{title}</Title>{inside}</{kind}>"


def _cells(*texts: str, off: tuple[int, ...] = ()) -> list[str]:
    return [f'<d Excluded="1">{text}</d>' if k in off else f"<d>{text}</d>" for k, text in enumerate(texts)]


def pzfx(*tables: str) -> bytes:
    """A Prism project in XML with its binary part behind the tables, as Prism writes it."""
    template = '<Template dt:dt="bin.base64" xmlns:dt="urn:schemas-microsoft-com:datatypes">eF7sXQ==</Template>'
    root = '<GraphPadPrismFile xmlns="http://graphpad.com/prism/Prism.htm" PrismXMLVersion="5.00">'
    info = "<InfoSequence></InfoSequence><Info ID='Info0'><Title>Project info</Title></Info>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{root}{info}{"".join(tables)}{template}</GraphPadPrismFile>'.encode()


def column_table(title: str = "Weights") -> str:
    titled = '<TextAlign align="Left">quantum dots</TextAlign>'
    body = _column("YColumn", "control", _cells(*CONTROL)) + _column("YColumn", titled, _cells(*DOTS, off=(1,)))
    return f'<Table ID="T0" XFormat="none" TableType="OneWay"><Title>{title}</Title>{body}</Table>'


def summary_table(title: str = "Printed", form: str = "SDN") -> str:
    body = _column("YColumn", "A", _cells("10"), _cells("2"), _cells("5"))
    return f'<Table ID="T1" XFormat="none" YFormat="{form}" TableType="OneWay"><Title>{title}</Title>{body}</Table>'


def grouped_table(title: str = "Grouped") -> str:
    names = "<RowTitlesColumn><Subcolumn><d>liver</d><d>lungs</d></Subcolumn></RowTitlesColumn>"
    body = _column("YColumn", "dots", _cells("1", "2"), _cells("3", "4")) + _column("YColumn", "dye", _cells("5", "6"))
    return f'<Table ID="T2" XFormat="none" YFormat="replicates" TableType="TwoWay"><Title>{title}</Title>{names}{body}</Table>'


def prism(*, replicates: int = 1, extra: str = "") -> bytes:
    """A Prism project as an archive, with the parts that its published readers look for."""
    rows = [(*([one] * replicates), other) for one, other in zip(CONTROL, DOTS, strict=True)]
    form = {"format": "y_replicates", "replicate ranges": [{"range": str(k)} for k in range(replicates)]}
    return archive(
        {
            "document.json": json.dumps({"sheets": {"data": ["s1"]}, "sheetAttributesMap": {"s1": "Weights"}}),
            "data/sheets/s1/sheet.json": json.dumps(
                {"title": "Weights", "table": {"uid": "t1", "dataSets": ["a", "b"]}}
            ),
            "data/sets/a.json": json.dumps({"title": {"string": "control"}, **(form if replicates > 1 else {})}),
            "data/sets/b.json": json.dumps({"title": "quantum dots", "format": "y_single"}),
            "data/tables/t1/data.csv": "\n".join(",".join(row) + extra for row in rows),
        }
    )
