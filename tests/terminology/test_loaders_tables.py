"""Tables, ICD-10 files, annotated texts and the bundled terminology as sources."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.terminology.build import build_terminology
from rag.terminology.bundled import open_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.learning import EXTRA, Selection
from rag.terminology.loaders.brat import BratSource
from rag.terminology.loaders.bundled import AMBIGUITIES, BundledSource, read_ambiguities
from rag.terminology.loaders.icd10 import EdsnlpIcd10Source, Icd10Source
from rag.terminology.loaders.source import Entry, Source
from rag.terminology.loaders.table import TableSource
from rag.terminology.model import Term
from rag.terminology.store import TermStore
from rag.terminology.tokens import key
from schema.concept import Code, CodeSystem
from schema.problem import InputError, Problem


def read(source: Source) -> tuple[list[Entry], list[Problem]]:
    problems: list[Problem] = []
    return list(source.entries(problems.append)), problems


def table(folder: Path, content: str | bytes, name: str = "table.csv") -> TableSource:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return TableSource(path)


def named(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(term.concept_id, term.text) for entry in entries for term in entry.terms]


@pytest.fixture(scope="module")
def no_names(tmp_path_factory: pytest.TempPathFactory) -> StoredIndex:
    """An index that says nothing of what the test looks at."""
    folder = tmp_path_factory.mktemp("index")
    build_terminology([table(folder, "code;libelle\nX;x\n")], folder / "t", lambda problem: None)
    return StoredIndex.open(folder / "t")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", ["code,libelle", "Code,Libellé", "CONCEPT_ID,Term", '"code","label"'])
def test_columns_whatever_their_names_and_delimiter(tmp_path: Path, delimiter: str, header: str) -> None:
    content = f"{header}\nX1,œdème\n\nX2,toux\n".replace(",", delimiter)
    entries, problems = read(table(tmp_path, content))
    assert named(entries) == [("X1", "œdème"), ("X2", "toux")]
    assert problems == []


def test_a_full_row(tmp_path: Path) -> None:
    content = (
        "terme;synonymes;code;systeme;cim10;cui;langue;type;prefere;rang;poids\n"
        "fibrillation;FA | ACFA;49436004;SNOMED CT;I48.0|I48.9;C0004238;FRA;disorder|DISO;oui;2;7\n"
    )
    (entry,), problems = read(table(tmp_path, content))
    assert problems == []
    assert entry.concept_id == "49436004"
    assert entry.terms == (
        Term("fibrillation", "49436004", "fr", True, 2, 7),
        Term("FA", "49436004", "fr", False, 2),
        Term("ACFA", "49436004", "fr", False, 2),
    )
    assert entry.semantic_types == ("disorder", "DISO")
    assert [(code.system.value, code.code) for code in entry.codes] == [
        ("SNOMEDCT", "49436004"),
        ("ICD10", "I48.0"),
        ("ICD10", "I48.9"),
        ("UMLS", "C0004238"),
    ]


def test_several_rows_of_one_concept_and_rows_repeated(tmp_path: Path) -> None:
    source = table(tmp_path, "concept_id,label,code,system\nfa,FA,I48,CIM-10\nfa,ACFA,I48,CIM-10\nfa,FA,I48,CIM-10\n")
    build_terminology([source], tmp_path / "t", lambda problem: pytest.fail(str(problem)))
    store = TermStore.open(tmp_path / "t")
    assert [term.text for term in store.terms()] == ["FA", "ACFA"]
    assert store.concept("fa").codes == (Code(CodeSystem.ICD10, "I48"),)


def test_other_languages_are_left_out(tmp_path: Path) -> None:
    content = "label,code,language\ntoux,X,fr-FR\ncough,X,ENG\nHusten,X,de\ntos,X,\n"
    entries, _ = read(table(tmp_path, content))
    assert [term.language for entry in entries for term in entry.terms] == ["fr", "en", "fr"]


def test_broken_rows_are_said_and_the_others_kept(tmp_path: Path) -> None:
    content = (
        "code;libelle;system;rank\n"
        "X1;toux;LOCAL;1\n"
        ";sans code;LOCAL;1\n"
        "X2;;LOCAL;1\n"
        "X3;---;LOCAL;1\n"
        "X4;trop;de;1;cellules\n"
        "X5;fièvre;MONVOCABULAIRE;deux\n"
        'X6;"guillemets" mal mis;LOCAL;1\n'
        "X7;frissons\n"
        f"X8;{'a' * 2000};LOCAL;1\n"
        "X9;dernier;LOCAL;;;\n"
    )
    entries, problems = read(table(tmp_path, content))
    assert named(entries) == [("X1", "toux"), ("X5", "fièvre"), ("X7", "frissons"), ("X9", "dernier")]
    assert [(problem.where, problem.lost) for problem in problems] == [
        *((f"table.csv, line {number}", True) for number in (3, 4, 5, 6)),
        ("table.csv, line 7", False),
        ("table.csv, line 7", False),
        ("table.csv, line 8", True),
        ("table.csv, line 10", True),
    ]
    assert all(problem.remedy for problem in problems)


def test_an_unclosed_quote_loses_no_more_than_it_must(tmp_path: Path) -> None:
    entries, problems = read(table(tmp_path, 'code,label\nX1,toux\nX2,"ouvert\nX3,fièvre\n'))
    assert named(entries) == [("X1", "toux")]
    assert "no valid row" in problems[0].what


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    entries, problems = read(table(tmp_path, "code;libellé\nX1;œdème aigu\nX2;hémorragie\n".encode(encoding)))
    assert named(entries) == [("X1", "œdème aigu"), ("X2", "hémorragie")]
    assert bool(problems) == (encoding == "cp1252")
    assert not any(problem.lost for problem in problems)


def test_mixed_encodings_in_one_file(tmp_path: Path) -> None:
    content = "code;libelle\nX1;œdème\n".encode() + "X2;hémorragie\r\n".encode("cp1252")
    entries, problems = read(table(tmp_path, content))
    assert named(entries) == [("X1", "œdème"), ("X2", "hémorragie")]
    assert [problem.where for problem in problems] == ["table.csv, line 3"]


def test_json_lines(tmp_path: Path) -> None:
    rows = [
        json.dumps({"label": "FA", "snomed": 49436004, "synonyms": ["ACFA", "fibrillation"], "type": None}),
        "{broken",
        "[1, 2]",
        json.dumps({"label": "sans code"}),
        json.dumps({"label": "toux", "snomed": "49727002"}),
    ]
    entries, problems = read(table(tmp_path, "\n".join(rows), "table.jsonl"))
    assert named(entries) == [
        ("49436004", "FA"),
        ("49436004", "ACFA"),
        ("49436004", "fibrillation"),
        ("49727002", "toux"),
    ]
    assert entries[0].codes == (Code(CodeSystem.SNOMED, "49436004"),)
    assert [problem.where for problem in problems] == [f"table.jsonl, line {number}" for number in (2, 3, 4)]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    for content, what in (
        (b"", "is empty"),
        (b"PK\x03\x04 a spreadsheet", "is a spreadsheet"),
        (b"\x00\x01\x02\x03", "is not a text"),
        (
            b"nom_du_patient;age\nx;3\n",
            "lacks a column of names and a column of codes; its columns are: nom_du_patient, age",
        ),
        (b"label;age\nx;3\n", "lacks a column of codes"),
    ):
        with pytest.raises(InputError, match=what):
            read(table(tmp_path, content))
    with pytest.raises(InputError, match="lacks a column of names"):
        read(table(tmp_path, '{"a": 1}\n', "t.jsonl"))
    with pytest.raises(InputError, match="is a folder"):
        read(TableSource(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        read(TableSource(tmp_path / "missing.csv"))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60), max_size=8), st.sampled_from(["table.csv", "table.jsonl"]))
def test_no_bytes_break_the_reader(tmp_path: Path, wild: list[bytes], name: str) -> None:
    good = b"code,label\n" + b"X1,toux\n" * 600 if name == "table.csv" else b'{"code": "X1", "label": "toux"}\n' * 200
    entries, _ = read(table(tmp_path, good + b"\n".join(wild), name))
    assert ("X1", "toux") in named(entries)


ATIH = (
    "I63   |3|NNN|3|INFARCTUS CEREB.|Infarctus du cerveau\r\n"
    "I639  |0|OOO|0|INFARCTUS CEREB., SAI|Infarctus du cerveau, sans autre précision\r\n"
    "T08+0 |0|OOO|0|FRACTURE RACHIS FERMEE|Fracture fermée du rachis\r\n"
)


def test_icd10_as_the_atih_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "LIBCIM10MULTI.TXT"
    path.write_bytes(ATIH.encode("cp1252"))
    entries, problems = read(Icd10Source(path))
    assert [entry.codes for entry in entries] == [(Code(CodeSystem.ICD10, code),) for code in ("I63", "I63.9", "T08+0")]
    assert [(term.text, term.preferred) for term in entries[1].terms] == [
        ("Infarctus du cerveau, sans autre précision", True),
        ("INFARCTUS CEREB., SAI", False),
    ]
    assert not any(problem.lost for problem in problems)


def test_icd10_with_broken_lines(tmp_path: Path) -> None:
    path = tmp_path / "LIBCIM10MULTI.TXT"
    path.write_text(
        f"{ATIH}I63|3|NNN\n12|0|OOO|0|X|Y\nI64|0|OOO|0||\nI639|0|OOO|0|AUTRE|Autre libellé\nI10|0|OOO|0|HTA|HTA\n"
    )
    entries, problems = read(Icd10Source(path))
    assert [entry.concept_id for entry in entries] == ["I63", "I63.9", "T08+0", "I63.9", "I10"]
    assert [(problem.where, problem.lost) for problem in problems] == [
        *((f"{path.name}, line {number}", True) for number in (4, 5, 6)),
        (f"{path.name}, line 7", False),
    ]


@pytest.mark.parametrize(
    "content",
    ["I63.9;Infarctus\nI10;HTA\n", "code;libelle\nI63.9;Infarctus\nI10;HTA\n", 'I63.9,"Infarctus"\nI10,HTA\n'],
)
def test_icd10_in_a_plain_table(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cim.csv"
    path.write_text(content)
    entries, problems = read(Icd10Source(path))
    assert problems == []
    assert named(entries) == [("I63.9", "Infarctus"), ("I10", "HTA")]
    assert entries[0].codes == (Code(CodeSystem.ICD10, "I63.9"),)


def test_icd10_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "cim.csv"
    path.write_text("une phrase\n")
    with pytest.raises(InputError, match="lacks a column"):
        read(Icd10Source(path))


def test_icd10_of_edsnlp() -> None:
    entries, problems = read(EdsnlpIcd10Source())
    assert problems == []
    assert len(entries) == 42_886
    by_code = {entry.concept_id: entry for entry in entries}
    assert any("infarctus" in term.text.lower() for term in by_code["I63.9"].terms)
    # A code is no name: "A15" would be read in "à 15".
    assert not [
        term for entry in entries for term in entry.terms if key(term.text) in (entry.concept_id, key(entry.concept_id))
    ]


def annotated(folder: Path, name: str, text: str, annotations: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(text)
    (folder / f"{name}.ann").write_text(annotations)


def test_annotated_texts(tmp_path: Path) -> None:
    annotated(
        tmp_path / "one",
        "a",
        "Toux et fièvre, toux grasse",
        "T1\tDISO 0 4\tToux\n#1\tAnnotatorNotes T1\tC0000010\n"
        "T2\tDISO 8 14\tfièvre\n#2\tAnnotatorNotes T2\tC0000020 C0000021\n"
        "T3\tPHYS 16 20;21 27\ttoux grasse\n#3\tAnnotatorNotes T3\tC0000010\n"
        "T4\tDISO 16 20\ttoux\n",
    )
    annotated(tmp_path / "two", "b", "Toux", "T1\tDISO 0 4\tToux\n#1\tAnnotatorNotes T1\tC0000010\n")
    source = BratSource([tmp_path / "one", tmp_path / "two"])
    entries, problems = read(source)
    weights = Counter({(term.concept_id, term.text): term.weight for entry in entries for term in entry.terms})
    assert weights == {
        ("C0000010", "Toux"): 2,
        ("C0000010", "toux grasse"): 1,
        ("C0000020", "fièvre"): 1,
        ("C0000021", "fièvre"): 1,
    }
    assert entries[0].semantic_types == ("DISO", "PHYS")
    assert entries[0].codes == (Code(CodeSystem.UMLS, "C0000010"),)
    assert [problem.lost for problem in problems] == [False]
    assert "1 annotations have no concept" in problems[0].what
    before = source.fingerprint()
    annotated(tmp_path / "two", "b", "Toux", "")
    assert source.fingerprint() != before


def test_annotated_texts_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read(BratSource([tmp_path / "missing"]))


BUNDLED = """
fa:
  label: Fibrillation atriale
  type: disorder
  snomed: "49436004"
  icd10: [I48, I48.9]
  terms: [ACFA, Fibrillation atriale]
  ambiguous:
    FA: {not_near: [ferritine], near: [], sections: [antecedents]}
tension:
  label: Tension
  type: observable
"""


def test_a_bundled_terminology(tmp_path: Path, no_names: StoredIndex) -> None:
    (tmp_path / "themes.yml").write_text(BUNDLED)
    source = BundledSource(tmp_path)
    (fa, tension), problems = read(source)
    assert problems == []
    assert [(term.text, term.preferred) for term in fa.terms] == [
        ("Fibrillation atriale", True),
        ("ACFA", False),
        ("FA", False),
    ]
    assert [code.code for code in fa.codes] == ["49436004", "I48", "I48.9"]
    assert (tension.semantic_types, tension.codes) == (("observable",), ())
    (rule,) = read_ambiguities(source.extras(no_names)[AMBIGUITIES])
    assert (rule.name, rule.concept_id, rule.near, rule.not_near, rule.sections) == (
        "FA",
        "fa",
        (),
        ("ferritine",),
        ("antecedents",),
    )
    assert read_ambiguities(None) == ()


@pytest.mark.parametrize(
    "fields",
    [
        "[]",
        "{type: disorder}",
        "{label: '-', type: disorder}",
        "{label: a}",
        "{label: a, type: b, codes: c}",
        "{label: a, type: b, ambiguous: {FA: {close: [x]}}}",
    ],
)
def test_a_bundled_concept_that_is_not_in_the_format(tmp_path: Path, fields: str, no_names: StoredIndex) -> None:
    (tmp_path / "themes.yml").write_text(f"{BUNDLED}\nbad: {fields}\n")
    entries, problems = read(BundledSource(tmp_path))
    assert len(entries) == 2
    assert [problem.where for problem in problems] == ["themes.yml, concept 'bad'"]
    assert len(read_ambiguities(BundledSource(tmp_path).extras(no_names)[AMBIGUITIES])) == 1


def test_the_terminology_that_comes_with_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.terminology import bundled

    monkeypatch.setattr(bundled, "cache_folder", lambda: tmp_path)
    index = open_terminology()
    (match,) = {term.concept_id for term in index.lookup(key("Fibrillations atriales"))}
    assert index.concept(match).code_in(CodeSystem.ICD10) == "I48"
    (file,) = tmp_path.glob("*.terms")
    written = file.stat().st_mtime_ns
    assert open_terminology().info == index.info
    assert file.stat().st_mtime_ns == written
    file.write_bytes(b"damaged")
    assert open_terminology().info == index.info


def test_what_annotated_texts_teach_is_kept_with_the_other_sources(tmp_path: Path) -> None:
    for number in range(30):
        annotation = "T1\tDISO 0 4\tToux\n#1\tAnnotatorNotes T1\tC0000010\n" if number % 3 else ""
        annotated(tmp_path / "texts", f"{number:02}", "Toux traitée" if annotation else "Toux de fond", annotation)
    sources = [BratSource([tmp_path / "texts"]), table(tmp_path, "code;libelle\nX;fièvre\n")]
    build_terminology(sources, tmp_path / "t", lambda problem: None)
    (term,) = (term for term in TermStore.open(tmp_path / "t").terms() if term.text == "Toux")
    assert term.weight == 20
    assert Selection.from_bytes(TermStore.open(tmp_path / "t").extra(EXTRA) or b"").counts.annotations(key("Toux"))
