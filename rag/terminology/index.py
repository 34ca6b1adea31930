"""Main path of a dictionary in use: the tokens of a text -> the names that stand there.

The index of a dictionary is made at its first use, beside it (`stroke.terms.index/`) or, where one may not write, in
the user's cache, and mapped from there afterwards by every process. It is made again when the dictionary, or the way
names are normalized, has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from rag.terminology import tokens
from rag.terminology.cache import cache_folder
from rag.terminology.model import Match, Term
from rag.terminology.names import FORMAT, Hashes, NameArrays, TokenHashes, write_names
from rag.terminology.store import TerminologyInfo, TermStore
from schema.concept import Concept

_STALE = 86_400.0  # seconds after which an index that nothing made anew is swept away
_NAMES_KEPT = 1 << 17  # names whose terms stay in memory
_CONCEPTS_KEPT = 1 << 16
_TOKENS_KEPT = 1 << 20


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """How a text becomes the keys that names are compared by. ``version`` changes with what ``keys`` returns."""

    version: str
    keys: Callable[[str], Sequence[str]]


@lru_cache(maxsize=1)
def own_keys() -> KeyMaker:
    """`rag.terminology.tokens`; its version is the hash of its code."""
    return KeyMaker(hashlib.sha256(Path(tokens.__file__).read_bytes()).hexdigest(), tokens.keys)


class StoredIndex:
    """A `TermIndex` over a dictionary file. Copies by its path: pickled, it is opened again on the other side."""

    def __init__(self, store: TermStore, arrays: NameArrays, maker: KeyMaker) -> None:
        self.store = store
        self._arrays = arrays
        self._maker = maker
        self._hashes = TokenHashes()
        self._named = lru_cache(maxsize=_NAMES_KEPT)(self._read_name)
        self.concept: Callable[[str], Concept] = lru_cache(maxsize=_CONCEPTS_KEPT)(store.concept)

    @classmethod
    def open(
        cls, path: Path, maker: KeyMaker | None = None, *, beside: Path | None = None, progress: bool = False
    ) -> StoredIndex:
        """Open a dictionary, after making its index where it has none.

        Args:
            maker: `own_keys` when None.
            beside: the dictionary that the index stands beside, when it is not ``path``.
            progress: show a bar on stderr while the index is made.

        Raises:
            InputError: the dictionary is missing, damaged, or of another format.
        """
        maker = maker or own_keys()
        store = TermStore.open(path)
        return cls(store, _arrays_of(store, beside or path, maker, progress), maker)

    def __reduce__(self) -> tuple[object, ...]:
        return StoredIndex.open, (self.store.path, self._maker)

    def close(self) -> None:
        """Release the dictionary file."""
        self.store.close()

    @property
    def info(self) -> TerminologyInfo:
        """What the dictionary holds."""
        return self.store.info

    def matches(self, keys: Sequence[str]) -> Iterator[Match]:
        """Every name that stands as consecutive ``keys``, by first token, longest first; they may overlap."""
        for first, length, name in zip(*(part.tolist() for part in self._arrays.scan(self._hashed(keys))), strict=True):
            stop = first + length
            terms = self._named(name).get(" ".join(keys[first:stop]))
            if terms:
                yield Match(first, stop, terms)

    def lookup(self, key: str) -> tuple[Term, ...]:
        """The names whose normalized tokens, joined by a space, are ``key``; best first."""
        name = self._arrays.name([self._hashes[token] for token in key.split()])
        return () if name is None else self._named(name).get(key, ())

    def terms(self) -> Iterator[Term]:
        """Every name."""
        return self.store.terms()

    def _hashed(self, keys: Sequence[str]) -> Hashes:
        if len(self._hashes) > _TOKENS_KEPT:
            self._hashes.clear()
        return self._hashes.of(keys)

    def _read_name(self, name: int) -> Mapping[str, tuple[Term, ...]]:
        """The terms of a name by key: one key, unless two have the same hash."""
        by_key: dict[str, list[Term]] = {}
        for term in self.store.terms_at(self._arrays.rows_of(name)):
            by_key.setdefault(" ".join(self._maker.keys(term.text)), []).append(term)
        return {key: tuple(terms) for key, terms in by_key.items()}


def _arrays_of(store: TermStore, path: Path, maker: KeyMaker, progress: bool) -> NameArrays:
    """The arrays of a dictionary: those found in one of its places, else made in the first that can be written."""
    marks = f"{FORMAT} {store.info.content} {maker.version}"
    fingerprint = hashlib.sha256(marks.encode()).hexdigest()[:24]
    beside = path.with_name(f"{path.name}.index")
    cached = cache_folder() / "indexes" / store.info.content[:24]
    for place in (beside, cached):
        with contextlib.suppress(OSError, ValueError):
            return NameArrays.open(place / fingerprint)
    try:
        return _make(store, maker, beside / fingerprint, progress)
    except PermissionError:
        return _make(store, maker, cached / fingerprint, progress)


def _make(store: TermStore, maker: KeyMaker, target: Path, progress: bool) -> NameArrays:
    """Make the arrays aside, then give them their place at once: one who is killed midway leaves nothing to be read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    aside = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=target.parent))
    try:
        texts = tqdm(
            store.texts(), "index", store.info.terms, unit=" names", unit_scale=True, disable=not progress, leave=False
        )
        write_names(texts, maker.keys, aside)
        _move(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return NameArrays.open(target)


def _move(aside: Path, target: Path) -> None:
    aside.chmod(0o755)  # made for its owner alone; the dictionary beside it is everyone's
    with contextlib.suppress(OSError):  # another process was faster: its arrays are the same
        aside.rename(target)
        return
    try:
        NameArrays.open(target)
    except (OSError, ValueError):  # what stands there is damaged
        shutil.rmtree(target)
        aside.rename(target)


def _sweep(target: Path) -> None:
    """Remove what earlier dictionaries, earlier programs and killed processes left beside ``target``."""
    for left in target.parent.iterdir():
        with contextlib.suppress(OSError):
            if left != target and time.time() - left.stat().st_mtime > _STALE:
                shutil.rmtree(left)
