"""Names found in texts: against a slow oracle, with hashes that collide, from several processes, after damage."""

import multiprocessing
import os
import pickle
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.terminology import index as index_module
from rag.terminology import names
from rag.terminology.build import build_terminology
from rag.terminology.index import KeyMaker, StoredIndex
from rag.terminology.loaders.source import Entry, Report, Source
from rag.terminology.model import Term
from rag.terminology.tokens import keys
from schema.concept import Code, CodeSystem
from schema.problem import Problem


@dataclass(frozen=True)
class Given(Source):
    """Names as (text, concept) pairs."""

    pairs: Iterable[tuple[str, str]]

    @property
    def name(self) -> str:
        return "given"

    def fingerprint(self) -> str:
        return ""

    def entries(self, report: Report) -> Iterator[Entry]:
        for text, concept in self.pairs:
            yield Entry(concept, (Term(text, concept),), ("DISO",), (Code(CodeSystem.ICD10, concept),))


def fail(problem: Problem) -> None:
    raise AssertionError(problem)


def made(folder: Path, pairs: Iterable[tuple[str, str]]) -> Path:
    """A dictionary, as one that was copied without its index."""
    path = folder / "some.terms"
    index = folder / "some.terms.index"
    kept = index.exists() and index.rename(folder / "kept")
    build_terminology([Given(pairs)], path, fail)
    shutil.rmtree(index)
    if kept:
        kept.rename(index)
    return path


SPLIT = KeyMaker("split", str.split)

tokens_of_a_name = st.lists(st.sampled_from("abcd"), min_size=1, max_size=5)
texts = st.lists(st.sampled_from("abcde"), max_size=40)


@pytest.mark.parametrize("bits", [64, 2], ids=["hashes", "hashes that collide"])
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(tokens_of_a_name, min_size=1, max_size=12), texts)
def test_every_name_is_found_where_it_stands_and_nothing_else(
    bits: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    written: list[list[str]],
    text: list[str],
) -> None:
    pairs = [(" ".join(name), f"X{number}") for number, name in enumerate(written)]
    path = made(tmp_path_factory.mktemp("index"), pairs)
    if bits < 64:
        monkeypatch.setattr(names.TokenHashes, "__missing__", lambda self, token: sum(map(ord, token)) % 2**bits)
    index = StoredIndex.open(path, SPLIT)
    expected = [
        (first, stop, {concept for name, concept in pairs if name == " ".join(text[first:stop])})
        for first in range(len(text))
        for stop in range(len(text), first, -1)
        if text[first:stop] in written
    ]
    found = [(match.first, match.stop, {term.concept_id for term in match.terms}) for match in index.matches(text)]
    assert found == expected
    for name, _ in pairs:
        assert {term.concept_id for term in index.lookup(name)} == {
            concept for other, concept in pairs if other == name
        }
    absent = " ".join(text)
    assert bool(index.lookup(absent)) == (text in written)


def test_names_meet_whatever_their_case_accents_and_number(tmp_path: Path) -> None:
    index = StoredIndex.open(made(tmp_path, [("Sténose carotidienne", "S"), ("œdème", "O")]))
    found = [
        (match.first, match.stop, match.terms[0].text)
        for match in index.matches(keys("STENOSES CAROTIDIENNES et oedème"))
    ]
    assert found == [(0, 2, "Sténose carotidienne"), (3, 4, "œdème")]


def test_concepts_and_terms(tmp_path: Path) -> None:
    index = StoredIndex.open(made(tmp_path, [("a b", "X1"), ("b", "X2")]), SPLIT)
    assert index.concept("X1").codes == (Code(CodeSystem.ICD10, "X1"),)
    assert [term.text for term in index.terms()] == ["a b", "b"]
    with pytest.raises(KeyError):
        index.concept("X9")
    assert index.lookup("") == ()
    assert list(index.matches([])) == []


def test_a_name_without_token_is_not_found_and_breaks_nothing(tmp_path: Path) -> None:
    path = made(tmp_path, [("a", "X1"), ("b", "X2")])
    none = StoredIndex.open(path, KeyMaker("none", lambda text: []))
    assert list(none.matches(["a"])) == []
    assert none.lookup("a") == ()
    some = StoredIndex.open(path, KeyMaker("some", lambda text: [text] if text == "a" else []))
    assert [match.terms[0].concept_id for match in some.matches(["b", "a"])] == ["X1"]


def counting(version: str) -> tuple[KeyMaker, list[str]]:
    read: list[str] = []

    def keys(text: str) -> list[str]:
        read.append(text)
        return text.split()

    return KeyMaker(version, keys), read


def test_the_index_is_made_once_and_made_again_when_something_changed(tmp_path: Path) -> None:
    path = made(tmp_path, [("a b", "X1")])
    maker, read = counting("1")
    StoredIndex.open(path, maker)
    assert read == ["a b"]
    StoredIndex.open(path, maker)
    assert read == ["a b"]
    other, read_by_other = counting("2")
    StoredIndex.open(path, other)
    assert read_by_other == ["a b"]
    made(tmp_path, [("a c", "X1")])
    assert [match.stop for match in StoredIndex.open(path, maker).matches(["a", "c"])] == [2]
    assert read[1] == "a c"


def test_an_open_index_goes_on_when_the_dictionary_is_replaced(tmp_path: Path) -> None:
    path = made(tmp_path, [("a b", "X1")])
    old = StoredIndex.open(path, SPLIT)
    made(tmp_path, [("c", "X2")])
    new = StoredIndex.open(path, SPLIT)
    assert [match.terms[0].concept_id for match in old.matches(["a", "b", "c"])] == ["X1"]
    assert [match.terms[0].concept_id for match in new.matches(["a", "b", "c"])] == ["X2"]


def index_files(path: Path) -> list[Path]:
    return sorted(file for file in path.with_name(f"{path.name}.index").rglob("*") if file.is_file())


@pytest.mark.parametrize("cut", ["prefixes.npy", "marks.npy", "starts.npy", "rows.npy", "sizes.json"])
@pytest.mark.parametrize("length", [0, 20, None], ids=["emptied", "cut", "removed"])
def test_a_damaged_index_is_made_again(tmp_path: Path, cut: str, length: int | None) -> None:
    path = made(tmp_path, [(f"token{n} b", f"X{n}") for n in range(50)])
    StoredIndex.open(path, SPLIT)
    (file,) = (file for file in index_files(path) if file.name == cut)
    if length is None:
        file.unlink()
    else:
        os.truncate(file, length)
    index = StoredIndex.open(path, SPLIT)
    assert [match.terms[0].concept_id for match in index.matches(["token7", "b"])] == ["X7"]


def die(text: str) -> list[str]:
    os._exit(9)


def open_and_die(path: Path) -> None:
    StoredIndex.open(path, KeyMaker("split", die))


def test_what_a_killed_process_left_is_not_read(tmp_path: Path) -> None:
    path = made(tmp_path, [("a b", "X1")])
    process = multiprocessing.get_context("spawn").Process(target=open_and_die, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert [match.stop for match in StoredIndex.open(path, SPLIT).matches(["a", "b"])] == [2]


def test_what_was_left_long_ago_is_swept_away(tmp_path: Path) -> None:
    path = made(tmp_path, [("a b", "X1")])
    StoredIndex.open(path, KeyMaker("old", str.split))
    folder = path.with_name(f"{path.name}.index")
    (folder / ".killed.tmp").mkdir()
    left = set(folder.iterdir())
    StoredIndex.open(path, KeyMaker("new", str.split))
    assert left < set(folder.iterdir())
    for file in left:
        os.utime(file, (0, 0))
    StoredIndex.open(path, KeyMaker("newer", str.split))
    assert not left & set(folder.iterdir())


def test_where_one_may_not_write_the_index_goes_to_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path, [("a b", "X1")])
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr(index_module, "cache_folder", lambda: tmp_path / "cache")
    make_folder = Path.mkdir

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        if self.name.endswith(".index"):
            raise PermissionError(self)
        make_folder(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    maker, read = counting("1")
    for _ in range(2):
        assert [match.stop for match in StoredIndex.open(path, maker).matches(["a", "b"])] == [2]
    assert read.count("a b") == 1 + 2  # the index once, the name at each opening
    assert index_files(path) == []


def find(path: Path) -> list[str]:
    return [match.terms[0].concept_id for match in StoredIndex.open(path).matches(["token7", "b"])]


def test_processes_may_open_at_the_same_time(tmp_path: Path) -> None:
    path = made(tmp_path, [(f"token{n} b", f"X{n}") for n in range(500)])
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(find, [path] * 6) == [["X7"]] * 6
    assert len({file.parent for file in index_files(path)}) == 1


_shared: StoredIndex | None = None


def find_in_shared(concept: int) -> str:
    assert _shared is not None
    (match,) = _shared.matches([f"token{concept}", "b"])
    return _shared.concept(match.terms[0].concept_id).concept_id


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_a_forked_process_uses_the_index_of_its_parent(tmp_path: Path) -> None:
    global _shared
    _shared = StoredIndex.open(made(tmp_path, [(f"token{n} b", f"X{n}") for n in range(100)]))
    assert find_in_shared(0) == "X0"
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(find_in_shared, range(100)) == [f"X{n}" for n in range(100)]
    assert find_in_shared(99) == "X99"


def test_an_index_goes_to_another_process_by_its_path(tmp_path: Path) -> None:
    index = StoredIndex.open(made(tmp_path, [("a b", "X1")]))
    again = pickle.loads(pickle.dumps(index))
    assert [match.terms for match in again.matches(["a", "b"])] == [match.terms for match in index.matches(["a", "b"])]
