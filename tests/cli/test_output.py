"""The tables that verbs print."""

from lampyris.cli.output import print_table


def test_a_sentence_widens_no_column_of_numbers(capsys):
    print_table(
        [
            ("quantity", "value", "unit"),
            ("size_nm", 1.5, "nm"),
            ("bands 1", "a long list " * 9, ""),
            ("sd", float("nan"), ""),
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["quantity  value  unit", "size_nm   1.5    nm"]
    assert lines[2].startswith("bands 1   a long list")
    assert lines[3] == "sd        -"
