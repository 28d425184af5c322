"""Text of 16 bits a letter that does not begin with its mark, as some instruments' programs write it."""


def unmarked_utf16(data: bytes, /) -> str:
    """Name of the encoding where every second byte is 0 and no other is, as of plain letters and digits in UTF-16; else "".

    Parameters
    ----------
    data : bytes
        Content of a file without a mark of its encoding.

    Returns
    -------
    str

    Examples
    --------
    >>> unmarked_utf16("nm,A".encode("utf-16-le")), unmarked_utf16(b"nm,A"), unmarked_utf16(b"n\\0\\0A")
    ('utf-16-le', '', '')
    """
    first, second = data[0::2], data[1::2]
    if not data or len(data) % 2:
        return ""
    if not any(second) and 0 not in first:
        return "utf-16-le"
    return "utf-16-be" if not any(first) and 0 not in second else ""
