"""TOML of plain documents reads back as they were, whatever is in keys and texts."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris.io.toml import toml_text

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PLAIN = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False), TEXT)
VALUES = st.one_of(PLAIN, st.lists(st.integers(0, 9), max_size=3))
TABLE = st.dictionaries(TEXT, VALUES, min_size=1, max_size=4)
DOCUMENT = st.dictionaries(
    TEXT,
    st.one_of(
        VALUES, TABLE, st.lists(TABLE, min_size=1, max_size=3), st.dictionaries(TEXT, TABLE, min_size=1, max_size=2)
    ),
    max_size=5,
)


@given(DOCUMENT, TEXT)
@settings(max_examples=200, deadline=None)
def test_a_document_reads_back(document, header):
    assert tomllib.loads(toml_text(document, header=header)) == document


def test_remarks_stand_beside_their_keys():
    document = {
        "instrument": {"name": "x", "bands": [{"channel": "a"}, {"channel": "b"}]},
        "groups": {"a b": {"role": "r"}},
    }
    remarks = {"instrument.bands[1].channel": "the second\nband", "groups.a b.role": "an arm"}
    text = toml_text(document, remarks=remarks)
    assert 'channel = "b"  # the second band\n' in text
    assert 'role = "r"  # an arm\n' in text
    assert tomllib.loads(text) == document
