"""What tells an arm: words by which it is known, and where they stand in names, texts and the descriptions of images."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lampyris.io.durable import write_bytes
from lampyris.io.images.ivis.info import decoded
from lampyris.io.images.texts import image_texts

# in pixels, fewer letters than this occur by chance
_LEAST_LETTERS = 6
_WORDY_SUFFIXES = frozenset({".txt", ".csv", ".tsv", ".json", ".xml", ".toml", ".md", ".html", ".geojson", ""})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_CHUNK = 1 << 22


def telling_words(settings: Mapping[str, Any], /) -> tuple[str, ...]:
    """Words by which an arm is known: its key and title, and, of several probes, their keys, titles and lots."""
    words = set()
    for name, arm in settings.get("groups", {}).items():
        words |= {str(name), str(arm.get("title", ""))}
    probes = settings.get("probes", {})
    if len(probes) > 1:
        for name, probe in probes.items():
            words |= {str(name), str(probe.get("title", "")), *(str(lot) for lot in probe.get("lots", ()))}
    return tuple(sorted(words - {""}))


def without(text: str, words: Iterable[str], /) -> str:
    """Text without words that tell an arm."""
    for word in sorted(words, key=len, reverse=True):
        text = _alone(word).sub("…", text)
    return text


def tells(text: str, words: Sequence[str], /) -> str:
    """A word of two letters or more that stands in a text by itself; "" where none does."""
    for word in words:
        if len(word) > 1 and _alone(word).search(text):
            return word
    return ""


def _alone(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", re.IGNORECASE)


def telling_files(study: Path, words: Sequence[str], /, *, apart: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Files of a study whose name or content tells an arm, with the word.

    Texts, and what images say beside their pixels, are searched for every word of two letters or more; pixels, which hold any
    few letters by chance, for words of six letters or more.
    """
    found = []
    for path in sorted(study.rglob("*")):
        name = path.relative_to(study).as_posix()
        if not path.is_file() or name in apart:
            continue
        word = tells(name, words) or _tells_inside(path, words)
        if word:
            found.append((name, word))
    return found


def strike_out(raw: Path, words: Sequence[str], /) -> None:
    """Put x for every letter of a telling word in the texts of vendor folders; a new file takes the name, links stay whole."""
    for path in sorted(raw.rglob("*")):
        data = _text_bytes(path) if path.is_file() else None
        if data is None or not _told_by(data, words):
            continue
        code = _encoding(data)
        text = data.decode(code)
        for word in words:
            if len(word) > 1:
                text = _alone(word).sub(lambda match: "x" * len(match[0]), text)
        write_bytes(path, text.encode(code))


def _encoding(data: bytes) -> str:
    """An encoding that gives the same bytes back; a mark stays a character of the text."""
    candidates = ["utf-8", "cp1252"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        # the high bytes of Latin letters are 0
        little = data.startswith(b"\xff\xfe") or data[1::2].count(0) > data[::2].count(0)
        candidates.insert(0, "utf-16-le" if little else "utf-16-be")
    return next((code for code in candidates if _gives_back(data, code)), "latin-1")


def _gives_back(data: bytes, code: str) -> bool:
    try:
        return data.decode(code).encode(code) == data
    except UnicodeError:
        return False


def _text_bytes(path: Path) -> bytes | None:
    """Content of a text file; None where it is none."""
    suffix = path.suffix.casefold()
    if suffix not in _WORDY_SUFFIXES:
        return None
    data = path.read_bytes()
    # chunks of pixels have names without a suffix, too
    plain = bool(suffix) or data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in data
    return data if plain and (suffix or not _CONTROL.search(decoded(data))) else None


def _told_by(data: bytes, words: Sequence[str]) -> str:
    """A word in a text as its reader decodes it, or in its plain bytes."""
    return _told_in((decoded(data), data.decode("utf-8", "replace")), words)


def _told_in(texts: Iterable[str], words: Sequence[str]) -> str:
    return next((word for text in texts for form in _forms(text) if (word := tells(form, words))), "")


def _forms(text: str) -> Iterator[str]:
    """A text as it is written, and as XML and JSON mean it."""
    yield text
    if "&" in text:
        yield html.unescape(text)
    if "\\u" in text:
        yield _JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _tells_inside(path: Path, words: Sequence[str]) -> str:
    data = _text_bytes(path)
    if data is not None:
        return _told_by(data, words)
    return _told_in(image_texts(path), words) or _told_in_pixels(path, words)


def _told_in_pixels(path: Path, words: Sequence[str]) -> str:
    wanted = {
        form.encode(code): word
        for word in words
        if len(word) >= _LEAST_LETTERS
        for form in (word, word.lower(), word.upper(), word.capitalize())
        for code in ("utf-8", "utf-16-le", "cp1252")
        if _fits(form, code)
    }
    if not wanted:
        return ""
    longest, tail = max(map(len, wanted)), b""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            block = tail + chunk
            for form, word in wanted.items():
                if form in block:
                    return word
            tail = block[-longest:]
    return ""


def _fits(text: str, code: str) -> bool:
    try:
        text.encode(code)
    except UnicodeEncodeError:
        return False
    return True
