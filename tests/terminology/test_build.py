"""Sources become one dictionary: merging, precedence, labels, and a file that is whole or not there."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rag.terminology.build import build_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.loaders.source import Entry, Report, Source
from rag.terminology.model import Term, TermIndex
from rag.terminology.store import FORMAT, TermStore
from rag.terminology.tokens import key
from schema.concept import Code, CodeSystem
from schema.problem import InputError, Problem


@dataclass(frozen=True)
class Given(Source):
    """The entries given."""

    given: tuple[Entry, ...]
    label: str = "given"
    kept: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.label

    def fingerprint(self) -> str:
        return self.label

    def entries(self, report: Report) -> Iterator[Entry]:
        yield from self.given

    def extras(self, index: TermIndex) -> Mapping[str, bytes]:
        return self.kept


def built(path: Path, *sources: Source, **options: object) -> TermStore:
    problems: list[Problem] = []
    build_terminology(sources, path, problems.append, **options)  # type: ignore[arg-type]
    assert not problems
    return TermStore.open(path)


def names_of(store: TermStore, concept_id: str) -> list[Term]:
    return [term for term in store.terms() if term.concept_id == concept_id]


STROKE = Entry(
    "C1",
    (Term("stroke", "C1", "en", preferred=True), Term("AVC", "C1", "fr")),
    ("T047", "DISO"),
    (Code(CodeSystem.UMLS, "C1"), Code(CodeSystem.ICD10, "I64")),
)


def test_a_concept_is_what_all_sources_say_of_it(tmp_path: Path) -> None:
    more = Entry("C1", (Term("ictus", "C1", "fr"),), ("DISO", "acute"), (Code(CodeSystem.SNOMED, "230690007"),))
    store = built(tmp_path / "t", Given((STROKE,)), Given((more,)))
    concept = store.concept("C1")
    assert concept.semantic_types == ("T047", "DISO", "acute")
    assert [code.code for code in concept.codes] == ["C1", "I64", "230690007"]
    assert {term.text for term in names_of(store, "C1")} == {"stroke", "AVC", "ictus"}
    assert store.info.concepts == 1
    assert store.info.terms == 3
    assert store.info.languages == {"fr": 2, "en": 1}
    assert store.info.systems == {"ICD10": 1, "SNOMEDCT": 1, "UMLS": 1}


def test_the_same_name_twice_is_one_name(tmp_path: Path) -> None:
    first = Entry("X", (Term("infarctus", "X", rank=4, weight=2),))
    second = Entry("X", (Term("infarctus", "X", preferred=True, rank=1, weight=3),))
    store = built(tmp_path / "t", Given((first, second, first)))
    assert list(store.terms()) == [Term("infarctus", "X", "fr", True, 1, 7)]


def test_the_order_of_sources_is_their_precedence(tmp_path: Path) -> None:
    one = Given((Entry("A", (Term("FA", "A", rank=0), Term("fa bis", "A", rank=5))),), "one")
    two = Given((Entry("B", (Term("FA", "B", rank=0),)),), "two")
    store = built(tmp_path / "t", one, two)
    numbers = [number for number, text in store.texts() if text == "FA"]
    assert [term.concept_id for term in store.terms_at(numbers)] == ["A", "B"]
    assert [term.rank for term in store.terms_at(numbers)] == [0, 6]
    assert [source.name for source in store.info.sources] == ["one", "two"]


@pytest.mark.parametrize(("languages", "label"), [(("fr", "en"), "AVC"), (("en", "fr"), "stroke"), (("de",), "stroke")])
def test_the_label_is_the_best_name_in_the_best_language(
    tmp_path: Path, languages: tuple[str, ...], label: str
) -> None:
    assert built(tmp_path / "t", Given((STROKE,)), languages=languages).concept("C1").label == label


def test_types_and_codes_alone_make_no_concept(tmp_path: Path) -> None:
    alone = Entry("Z", semantic_types=("DISO",), codes=(Code(CodeSystem.ICD10, "I10"),))
    store = built(tmp_path / "t", Given((STROKE, alone)))
    with pytest.raises(KeyError):
        store.concept("Z")


def test_many_names_and_many_entries(tmp_path: Path) -> None:
    names = tuple(Term(f"name {number}", "C1") for number in range(25_000))
    store = built(tmp_path / "t", Given(tuple(Entry("C1", (term,)) for term in names)))
    assert store.info.terms == 25_000
    assert len(store.terms_at(range(1, 2_001))) == 2_000
    assert len(names_of(store, "C1")) == 25_000


def test_equal_sources_give_equal_content_and_version(tmp_path: Path) -> None:
    one, two = (built(tmp_path / name, Given((STROKE,))) for name in ("one", "two"))
    other = built(tmp_path / "other", Given((Entry("C1", (Term("AVC", "C1"),)),)))
    assert one.info == two.info
    assert one.info.content != other.info.content
    assert built(tmp_path / "named", Given((STROKE,)), version="2026").info.version == "2026"


def test_extras_are_kept_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "t"
    store = built(path, Given((STROKE,), kept={"rules": b"\0one"}))
    assert store.extra("rules") == b"\0one"
    assert store.extra("model") is None
    before = store.fingerprint()
    store.put_extra("model", b"two")
    assert store.fingerprint() != before
    store.put_extra("model", b"three")
    assert store.extra("model") == b"three"
    again = TermStore.open(path)
    assert again.extra("model") == b"three"
    assert again.info == store.info
    assert again.fingerprint() == store.fingerprint()


def test_nothing_at_all_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    problems: list[Problem] = []
    with pytest.raises(InputError, match="no name at all"):
        build_terminology([Given((), "empty one")], tmp_path / "t", problems.append)
    assert [problem.where for problem in problems] == ["empty one"]
    assert list(tmp_path.iterdir()) == []


class Breaking(Given):
    """Fails after its entries."""

    def entries(self, report: Report) -> Iterator[Entry]:
        yield from self.given
        raise KeyboardInterrupt


def test_a_build_that_stops_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "t"
    before = built(path, Given((STROKE,))).info
    with pytest.raises(KeyboardInterrupt):
        build_terminology([Breaking((STROKE, Entry("Y", (Term("y", "Y"),))))], path, lambda problem: None)
    assert TermStore.open(path).info == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["t", "t.index"]


def test_a_file_of_someone_else_is_left_as_it_is(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("code;libelle\n")
    database = tmp_path / "other.sqlite"
    with sqlite3.connect(database) as base:
        base.execute("CREATE TABLE a (b)")
    for path in (table, database):
        content = path.read_bytes()
        with pytest.raises(InputError, match="is not a terminology file"):
            build_terminology([Given((STROKE,))], path, lambda problem: None)
        with pytest.raises(InputError, match="is not a terminology file"):
            TermStore.open(path)
        assert path.read_bytes() == content


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    for path, what in ((tmp_path, "is a folder"), (tmp_path / "nowhere" / "t", "is not a folder")):
        with pytest.raises(InputError, match=what):
            build_terminology([Given((STROKE,))], path, lambda problem: None)


def test_what_is_no_dictionary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        TermStore.open(tmp_path / "missing")
    with pytest.raises(InputError, match="is a folder"):
        TermStore.open(tmp_path)
    for content in (b"", b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 3000):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(InputError):
            TermStore.open(tmp_path / "file")


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t"
    built(path, Given((STROKE,))).close()
    with sqlite3.connect(path) as base:
        base.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(InputError, match=f"is in format {FORMAT + 1}"):
        TermStore.open(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_dictionary_that_was_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "t"
    names = tuple(Term(f"name {number}", "C1") for number in range(2_000))
    built(path, Given((Entry("C1", names),))).close()
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(InputError, match="cut short"):
        TermStore.open(path)


def test_a_dictionary_with_spoilt_pages_is_refused_when_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t"
    names = tuple(Term(f"name {number}", "C1") for number in range(20_000))
    built(path, Given((Entry("C1", names),))).close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    index = StoredIndex.open(path)
    for read in (lambda: index.lookup(key("name 7")), lambda: index.concept("C1"), lambda: list(index.terms())):
        with pytest.raises(InputError, match="damaged"):
            read()
    shutil.rmtree(path.with_name("t.index"))
    with pytest.raises(InputError, match="damaged"):
        StoredIndex.open(path)
