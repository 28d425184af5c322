"""XML that declares something is refused in whatever encoding it could hide it."""

import pytest

from lampyris.io.safe_xml import DeclarationError, xml_root

BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
DECLARING = {
    "text": BOMB,
    "bytes": BOMB.encode(),
    "UTF-16 with its mark": BOMB.encode("utf-16"),
    "UTF-16 without one": BOMB.encode("utf-16-le"),
    "UTF-16, high byte first": BOMB.encode("utf-16-be"),
    "behind blanks": (" " * 200 + BOMB[21:]).encode(),
}


@pytest.mark.parametrize("text", DECLARING.values(), ids=DECLARING.keys())
def test_a_declaration_is_refused(text):
    with pytest.raises(DeclarationError):
        xml_root(text)


@pytest.mark.parametrize("text", ["<a>", b"<a>\xff</a>", b'<?xml version="1.0" encoding="none"?><a/>', "", "<a>\0</a>"])
def test_broken_xml_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".") as caught:
        xml_root(text)
    assert type(caught.value) is ValueError


def test_comments_and_data_are_no_declarations():
    root = xml_root(b'<a xmlns="b"><!-- c --><d><![CDATA[<x>]]></d></a>')
    assert (root.tag, root.findtext("d")) == ("a", "<x>")
