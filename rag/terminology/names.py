"""Names by the hashes of their token sequences, in arrays mapped from the disk.

One array holds, sorted, the hash of every prefix of every name. All places of a text are looked up in it at once, one
token longer at each step; a place is left as soon as no name begins so. Equal hashes are candidates, nothing more:
the caller compares the strings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.uint32]
Places = NDArray[np.intp]

#: Changes with what the files hold.
FORMAT = 2

_CHUNK = 50_000  # names hashed at once
#: Odd, and 3 modulo 4, so that no two orders of the same tokens meet but by chance.
_FACTOR = np.uint64(0x9E3779B97F4A7C17)
_MASK = 2**64 - 1
_ARRAYS = {"prefixes": np.uint64, "marks": np.uint32, "starts": np.uint32, "rows": np.uint32}
_SIZES = "sizes.json"


class TokenHashes(dict[str, int]):
    """64-bit hashes of tokens, the same in every process, each computed once."""

    def __missing__(self, token: str) -> int:
        digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        value = self[token] = int.from_bytes(digest, "little")
        return value

    def of(self, tokens: Sequence[str]) -> Hashes:
        """The hashes of tokens, in their order."""
        return np.fromiter(map(self.__getitem__, tokens), np.uint64, len(tokens))


@dataclass(frozen=True, slots=True)
class NameArrays:
    """The arrays of an index, mapped: opening reads next to nothing.

    Args:
        prefixes: (P,) hashes of the distinct prefixes of names, sorted.
        marks: (P,) bit 0: a name goes on after this prefix; other bits: 1 + the name that it is, 0 for none.
        starts: (N + 1,) where each name's rows start in ``rows``.
        rows: (T,) numbers of the terms of each name.
    """

    prefixes: Hashes
    marks: Numbers
    starts: Numbers
    rows: Numbers

    @classmethod
    def open(cls, folder: Path) -> NameArrays:
        """Map the files that `write_names` made.

        Raises:
            OSError, ValueError: they are missing, or were cut short.
        """
        sizes = json.loads((folder / _SIZES).read_text())
        arrays = {}
        for name, kind in _ARRAYS.items():
            try:
                mapped = np.load(
                    folder / f"{name}.npy", mmap_mode="r" if sizes.get(name) else None
                )  # none maps nothing
            except EOFError as error:
                raise ValueError(f"{name} is empty") from error
            if mapped.shape != (sizes.get(name),) or mapped.dtype != kind:
                raise ValueError(f"{name} is not what was written")
            arrays[name] = mapped.view(np.ndarray)  # numpy's own class for mapped files is slow at each operation
        return cls(**arrays)

    def scan(self, tokens: Hashes) -> tuple[Places, Places, Numbers]:
        """Where names stand among a text's tokens, by first token, longest first.

        Returns:
            first tokens, lengths and names, of the same shape (matches,).
        """
        found: list[tuple[Places, int, Numbers]] = []
        places = np.arange(len(tokens))
        hashes = tokens
        length = 1
        while len(places) and len(self.prefixes):
            where = self.prefixes.searchsorted(hashes)
            where[where == len(self.prefixes)] = 0
            known = np.flatnonzero(self.prefixes[where] == hashes)
            marks = self.marks[where[known]]
            places, hashes = places[known], hashes[known]
            named = np.flatnonzero(marks > 1)
            if len(named):
                found.append((places[named], length, marks[named]))
            on = np.flatnonzero((marks & 1).astype(bool) & (places + length < len(tokens)))
            places = places[on]
            hashes = hashes[on] * _FACTOR + tokens[places + length]
            length += 1
        if not found:
            return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.uint32)
        first = np.concatenate([places for places, _, _ in found])
        lengths = np.concatenate([np.full(len(places), length) for places, length, _ in found])
        names = (np.concatenate([marks for _, _, marks in found]) >> 1) - np.uint32(1)
        order = np.lexsort((-lengths, first))
        return first[order], lengths[order], names[order].astype(np.uint32, copy=False)

    def name(self, tokens: Sequence[int]) -> int | None:
        """The name whose tokens have these hashes, or None."""
        value = 0
        for token in tokens:
            value = (value * int(_FACTOR) + token) & _MASK
        where = int(self.prefixes.searchsorted(np.uint64(value)))
        if not tokens or where == len(self.prefixes) or self.prefixes[where] != value:
            return None
        mark = int(self.marks[where])
        return (mark >> 1) - 1 if mark > 1 else None

    def rows_of(self, name: int) -> list[int]:
        """The numbers of the terms of a name."""
        rows: list[int] = self.rows[self.starts[name] : self.starts[name + 1]].tolist()
        return rows


def write_names(texts: Iterable[tuple[int, str]], keys: Callable[[str], Sequence[str]], folder: Path) -> None:
    """Write the index of numbered texts in ``folder``, which exists.

    Texts without token are left out. Memory: about 24 bytes for each token of each text, and the distinct tokens.
    """
    hashes = TokenHashes()
    prefixes, going_on, names, rows = [], [], [], []
    rest = iter(texts)
    while some := list(islice(rest, _CHUNK)):
        sequences = [keys(text) for _, text in some]
        chunk = _prefixes_of(sequences, hashes)
        prefixes.append(chunk.prefixes)
        going_on.append(chunk.going_on)
        names.append(chunk.names)
        rows.append(np.array([number for number, _ in some], np.uint32)[chunk.kept])
    sizes = _save(folder, _joined(prefixes), _joined(going_on), np.concatenate(names or [_NONE]), rows)
    (folder / _SIZES).write_text(json.dumps(sizes))


_NONE: Hashes = np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Hashes of some texts: their prefixes, those that go on, and the whole of each text that was ``kept``."""

    prefixes: Hashes
    going_on: Hashes
    names: Hashes
    kept: Places


def _prefixes_of(sequences: Sequence[Sequence[str]], hashes: TokenHashes) -> _Chunk:
    lengths = np.array([len(sequence) for sequence in sequences])
    tokens = hashes.of(list(chain.from_iterable(sequences)))
    starts = np.cumsum(lengths) - lengths
    kept = np.flatnonzero(lengths)
    whole = np.empty(len(sequences), np.uint64)
    prefixes, going_on = [], []
    places, length = kept, 1
    states = tokens[starts[places]]
    while len(places):
        prefixes.append(states)
        ends = lengths[places] == length
        whole[places[ends]] = states[ends]
        places, states = places[~ends], states[~ends]
        going_on.append(states)
        states = states * _FACTOR + tokens[starts[places] + length]
        length += 1
    return _Chunk(_joined(prefixes), _joined(going_on), whole[kept], kept)


def _joined(parts: Sequence[Hashes]) -> Hashes:
    """The distinct hashes, sorted; `numpy.unique`, which hashes them again, takes five times as long."""
    values = np.concatenate([_NONE, *parts])
    values.sort()
    return values[_firsts(values)]


def _firsts(values: Hashes) -> Places:
    """Where each distinct value of a sorted array starts."""
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])


def _save(folder: Path, prefixes: Hashes, going_on: Hashes, names: Hashes, rows: Sequence[Numbers]) -> dict[str, int]:
    """Write the arrays; the size of each."""
    order = np.argsort(names, kind="stable")
    starts = _firsts(names[order])
    distinct = names[order][starts]
    marks = np.zeros(len(prefixes), np.uint32)
    marks[prefixes.searchsorted(distinct)] = (np.arange(len(distinct), dtype=np.uint32) + 1) << 1
    marks[prefixes.searchsorted(going_on)] |= 1
    arrays: dict[str, Hashes | Numbers] = {
        "prefixes": prefixes,
        "marks": marks,
        "starts": np.append(starts, len(names)).astype(np.uint32),
        "rows": np.concatenate(rows or [np.empty(0, np.uint32)])[order],
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return {name: len(array) for name, array in arrays.items()}
