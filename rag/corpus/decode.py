"""Bytes to text: the encodings in which French hospital software exports.

A byte order mark settles the matter. Otherwise text that is valid UTF-8 is UTF-8: accented letters in any other
encoding hardly ever form valid sequences. What remains is a one-byte encoding, and the one that gives most French
letters is right, Windows' own being preferred; this holds for a text of one accented word, where detection by
letter frequency fails.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ONE_BYTE = ("cp1252", "mac_roman", "cp850")  # Windows, older Excel on Mac, DOS
_SMALL = frozenset("éèêëàâäçùûüôöîïœæ")
_FRENCH = _SMALL | frozenset("ÉÈÊËÀÂÄÇÙÛÜÔÖÎÏŒÆ’«»°µ²–€…±≤≥")
_CHUNK = 1 << 20


class Encoding(NamedTuple):
    """``damaged``: the text is in this encoding but for a few bytes, which are read as "�"."""

    name: str
    damaged: bool = False


def encoding_of(path: Path) -> Encoding:
    """The encoding of a file, read once from end to end in constant memory.

    Raises:
        OSError: the file cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        chunk = file.read(_CHUNK)
        marked = _by_mark(chunk)
        if marked:
            return Encoding(marked)
        while chunk:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return _guess(chunk)
            chunk = file.read(_CHUNK)
    return Encoding("utf-8")


def decode(data: bytes) -> tuple[str, Encoding]:
    """The text of a whole file."""
    marked = _by_mark(data)
    if marked:
        encoding = Encoding(marked)
    else:
        try:
            return data.decode("utf-8"), Encoding("utf-8")
        except UnicodeDecodeError:
            encoding = _guess(data)
    return data.decode(encoding.name, "replace"), encoding


def is_binary(data: bytes) -> bool:
    """Whether a file is no text: it bears another format's signature, or many control characters."""
    if data.startswith((b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"\xd0\xcf\x11\xe0", b"GIF8", b"{\\rtf")):
        return True
    if _by_mark(data):
        return False
    head = data[:65536]
    controls = sum(head.count(bytes([code])) for code in range(32) if code not in b"\t\n\x0b\x0c\r\x1b")
    return controls > len(head) / 50 or head.count(0) > len(head) / 500


def _by_mark(data: bytes) -> str | None:
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if marked:
        return marked
    head = data[:4096]
    if head.count(0) * 4 > len(head) > 1:  # UTF-16 without its mark: every other byte is zero
        name = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        # Programs hold many zeros too, but read as UTF-16 they are no text.
        sample = head[: len(head) // 2 * 2].decode(name, "replace")
        if sum(c.isprintable() or c.isspace() for c in sample) > 0.98 * len(sample):
            return name
    return None


def _guess(data: bytes) -> Encoding:
    """The encoding of bytes that are not all valid UTF-8."""
    lenient = data.decode("utf-8", "replace")
    bad = lenient.count("\ufffd")
    good = sum(character > "\x7f" for character in lenient) - bad
    if good > 4 * bad:
        return Encoding("utf-8", damaged=True)
    sample = data[:_CHUNK].translate(None, bytes(range(128)))[:4096]
    windows = sample.decode("cp1252", "replace")
    if set(windows) <= _FRENCH:
        return Encoding("cp1252")
    # Latin-1 defines the five bytes that Windows leaves out; cleaning reads the rest of that range as Windows does.
    names = ("latin-1", *_ONE_BYTE[1:]) if "\ufffd" in windows else _ONE_BYTE
    return Encoding(max(names, key=lambda name: _likeness(sample, name)))


def _likeness(sample: bytes, encoding: str) -> int:
    """How French the accented characters look when read in this encoding; small letters count double."""
    return sum((c in _SMALL) + (c in _FRENCH) for c in sample.decode(encoding, "replace"))
