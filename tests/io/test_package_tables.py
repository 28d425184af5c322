"""Tables that come with the package."""

from pathlib import Path

import pytest

from lampyris.io.package_tables import packaged_text, rows_of


def test_remarks_and_empty_lines_are_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "package_of_a_test" / "data"
    folder.mkdir(parents=True)
    folder.with_name("__init__.py").write_text("")
    text = '# a remark\nname,note\n\n# another\nCdSe,"a, b # c"\n \nInP,\n'
    (folder / "one.csv").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    rows = rows_of("package_of_a_test", "data", "one.csv")

    assert rows == ({"name": "CdSe", "note": "a, b # c"}, {"name": "InP", "note": ""})
    assert rows_of("package_of_a_test", "data", "one.csv") is rows
    assert packaged_text("package_of_a_test", "data", "one.csv") == text
