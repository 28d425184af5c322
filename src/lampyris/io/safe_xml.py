"""XML that nobody vouches for, parsed without document types and entities."""

import re
import xml.etree.ElementTree as ET

# anything that begins <! but a comment or CDATA declares a document type or an entity
_DECLARATION = re.compile(rb"<!(?!--|\[CDATA\[)")
_LOOKED_AT = 64


class DeclarationError(ValueError):
    """An XML text declares a document type or an entity, or is in an encoding in which that cannot be seen."""


def xml_root(text: str | bytes, /) -> ET.Element:
    """Root of an XML text, all names without their namespaces.

    Parameters
    ----------
    text : str or bytes
        Bytes in whatever encoding without zeros they say that they are.

    Returns
    -------
    Element

    Raises
    ------
    DeclarationError
        If it declares a document type or an entity, or its bytes are UTF-16 or UTF-32.
    ValueError
        If it is not well-formed.

    Examples
    --------
    >>> xml_root('<a xmlns="b"><c/></a>').find("c").tag
    'c'
    >>> xml_root("<!DOCTYPE a><a/>")
    Traceback (most recent call last):
    lampyris.io.safe_xml.DeclarationError: declares a document type or entity
    """
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if _DECLARATION.search(raw) or (raw is text and b"\0" in raw[:_LOOKED_AT]):
        raise DeclarationError("declares a document type or entity")
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, LookupError) as error:
        raise ValueError(str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
