"""SNOMED CT and UMLS as they are released, and as they are damaged. Every identifier and name here is made up."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.terminology.build import build_terminology
from rag.terminology.loaders.rf2 import Rf2Source
from rag.terminology.loaders.rrf import RrfSource
from rag.terminology.loaders.source import Entry, Source
from rag.terminology.model import Term
from rag.terminology.store import TermStore
from schema.concept import Code, CodeSystem
from schema.problem import InputError, Problem

FULL, SYNONYM = "900000000000003001", "900000000000013009"
PREFERRED, ACCEPTABLE = "900000000000548007", "900000000000549004"
HEADERS = {
    "Concept": "id effectiveTime active moduleId definitionStatusId",
    "Description": "id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId",
    "Language": "id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId",
    "Map": "id effectiveTime active moduleId refsetId referencedComponentId mapGroup mapPriority mapRule mapAdvice "
    "mapTarget correlationId mapCategoryId",
}
PLACES = {
    "Concept": "Snapshot/Terminology/sct2_Concept_Snapshot_FR_20990101.txt",
    "Description": "Snapshot/Terminology/sct2_Description_Snapshot-fr_FR_20990101.txt",
    "Language": "Snapshot/Refset/Language/der2_cRefset_FRLanguageSnapshot-fr_FR_20990101.txt",
    "Map": "Snapshot/Refset/Map/der2_iisssccRefset_ExtendedMapSnapshot_INT_20990101.txt",
}


def line(*fields: str) -> str:
    return "\t".join(fields) + "\r\n"


def concept(number: str, active: str = "1") -> str:
    return line(number, "20990101", active, "m", "d")


def description(number: str, of: str, language: str, term: str, kind: str = SYNONYM, active: str = "1") -> str:
    return line(number, "20990101", active, "m", of, language, kind, term, "c")


def mapped(
    of: str, target: str, group: str = "1", priority: str = "1", rule: str = "TRUE", refset: str = "447562003"
) -> str:
    return line("uuid", "20990101", "1", "m", refset, of, group, priority, rule, "advice", target, "c", "k")


RELEASE: dict[str, Sequence[str]] = {
    "Concept": [concept("101"), concept("102"), concept("109", active="0")],
    "Description": [
        description("1", "101", "en", "Brain event (disorder)", FULL),
        description("2", "101", "fr", "accident du cerveau"),
        description("3", "101", "fr", "événement cérébral"),
        description("4", "101", "fr", "nom retiré", active="0"),
        description("5", "102", "en", "Scan of head (procedure)", FULL),
        description("6", "102", "fr", "scanner de la tête (acte)", FULL),
        description("7", "102", "de", "Schädel-CT"),
        description("8", "109", "fr", "concept retiré"),
    ],
    "Language": [
        line("u", "20990101", "1", "m", "r", "3", PREFERRED),
        line("u", "20990101", "1", "m", "r", "2", ACCEPTABLE),
        line("u", "20990101", "0", "m", "r", "2", PREFERRED),
    ],
    "Map": [
        mapped("101", "I63.9", group="2"),
        mapped("101", "I64", group="1", priority="2", rule="OTHERWISE TRUE"),
        mapped("101", "P52.9", group="1", priority="1", rule="IFA 445518008 | Age at onset (observable entity) |"),
        mapped("101", "I63.89", refset="6011000124106"),
        mapped("101", ""),
    ],
}


def release(folder: Path, files: dict[str, Sequence[str]], header: dict[str, str] | None = None) -> Path:
    for kind, rows in files.items():
        path = folder / PLACES[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        names = (header or HEADERS).get(kind, HEADERS[kind])
        path.write_text(line(*names.split()) + "".join(rows), "utf-8", newline="")
    return folder


def read(source: Source) -> tuple[list[Entry], list[Problem]]:
    problems: list[Problem] = []
    return list(source.entries(problems.append)), problems


def stored(source: Source, path: Path) -> tuple[TermStore, list[Problem]]:
    problems: list[Problem] = []
    build_terminology([source], path, problems.append)
    return TermStore.open(path), problems


def names_of(store: TermStore, concept_id: str) -> list[Term]:
    return [term for term in store.terms() if term.concept_id == concept_id]


def test_snomed_ct(tmp_path: Path) -> None:
    store, problems = stored(Rf2Source([release(tmp_path / "rf2", RELEASE)]), tmp_path / "t")
    brain = store.concept("101")
    assert brain.label == "événement cérébral"
    assert brain.semantic_types == ("disorder",)
    assert brain.codes == tuple(
        Code(system, code)
        for system, code in ((CodeSystem.SNOMED, "101"), (CodeSystem.ICD10, "I64"), (CodeSystem.ICD10, "I63.9"))
    )
    assert [(term.text, term.preferred) for term in names_of(store, "101")] == [
        ("Brain event", False),
        ("accident du cerveau", False),
        ("événement cérébral", True),
    ]
    assert store.concept("102").semantic_types == ("procedure",)  # the English tag, whatever the file's order
    assert {term.text for term in names_of(store, "102")} == {"Scan of head", "scanner de la tête"}
    assert store.info.sources[0].version == "20990101"
    assert [problem.lost for problem in problems] == [False]  # the description of the inactive concept
    with pytest.raises(KeyError):
        store.concept("109")


def test_snomed_ct_in_french_alone_keeps_the_types(tmp_path: Path) -> None:
    store, _ = stored(Rf2Source([release(tmp_path / "rf2", RELEASE)], ["fr"]), tmp_path / "t")
    assert store.info.languages == {"fr": 3}
    assert store.concept("101").semantic_types == ("disorder",)


def test_snomed_ct_in_a_zip(tmp_path: Path) -> None:
    folder = release(tmp_path / "rf2", RELEASE)
    with zipfile.ZipFile(tmp_path / "release.zip", "w") as archive:
        for file in sorted(folder.rglob("*.txt")):
            archive.write(file, f"SnomedCT/{file.relative_to(folder)}")
    from_zip, _ = read(Rf2Source([tmp_path / "release.zip"]))
    from_folder, _ = read(Rf2Source([folder]))
    assert from_zip == from_folder
    assert Rf2Source([tmp_path / "release.zip"]).version == "20990101"


def test_an_extension_is_read_with_what_it_extends(tmp_path: Path) -> None:
    international = release(tmp_path / "int", {"Concept": RELEASE["Concept"], "Description": []})
    extension = release(tmp_path / "fr", {"Concept": [], "Description": RELEASE["Description"]})
    entries, _ = read(Rf2Source([extension, international]))
    assert "accident du cerveau" in {term.text for entry in entries for term in entry.terms}
    alone, problems = read(Rf2Source([extension]))
    assert not any(entry.terms for entry in alone)
    assert "release that it extends" in problems[-1].remedy


def test_snomed_ct_with_broken_lines(tmp_path: Path) -> None:
    rows = [
        *RELEASE["Description"],
        "only\ttwo\r\n",
        description("9", "101", "fr", "trop\tde champs"),
        description("10", "101", "fr", "  "),
        description("11", "10x", "fr", "identifiant faux"),
        description("12", "101", "fr", "x" * 1500),
        "\r\n",
        description("13", "101", "fr", "dernier nom"),
    ]
    store, problems = stored(Rf2Source([release(tmp_path / "rf2", {**RELEASE, "Description": rows})]), tmp_path / "t")
    assert "dernier nom" in {term.text for term in names_of(store, "101")}
    lost = [problem for problem in problems if problem.lost]
    name = Path(PLACES["Description"]).name
    assert [problem.where for problem in lost] == [f"{name}, line {number}" for number in (10, 11, 12, 13, 14)]
    assert not any("trop" in str(problem) for problem in problems)


def test_thousands_of_broken_lines_are_said_in_few(tmp_path: Path) -> None:
    rows = [*RELEASE["Description"], *["broken\r\n"] * 5_000]
    _, problems = read(Rf2Source([release(tmp_path / "rf2", {**RELEASE, "Description": rows})]))
    assert len(problems) < 30
    assert any("4980 more rows" in problem.what for problem in problems)


def test_a_line_in_another_encoding(tmp_path: Path) -> None:
    folder = release(tmp_path / "rf2", RELEASE)
    with (folder / PLACES["Description"]).open("ab") as file:
        file.write(description("20", "101", "fr", "hémorragie").encode("cp1252"))
    entries, problems = read(Rf2Source([folder]))
    assert "hémorragie" in {term.text for entry in entries for term in entry.terms}
    assert "Windows-1252" in problems[0].what
    assert not problems[0].lost


@pytest.mark.parametrize("kind", ["Concept", "Description", "Language", "Map"])
def test_a_file_with_other_columns_is_refused(tmp_path: Path, kind: str) -> None:
    folder = release(tmp_path / "rf2", RELEASE, {kind: "code label"})
    with pytest.raises(InputError, match="its columns are code, label"):
        read(Rf2Source([folder]))


def test_what_is_no_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("no zip")
    for place, what in (
        (tmp_path, "holds no snapshot of concepts"),
        (tmp_path / "missing", "does not exist"),
        (tmp_path / "text.txt", "neither a folder nor a readable zip"),
    ):
        with pytest.raises(InputError, match=what):
            read(Rf2Source([place]))
    with pytest.raises(InputError, match="no snapshot of descriptions"):
        read(Rf2Source([release(tmp_path / "half", {"Concept": RELEASE["Concept"]})]))


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    folder = release(tmp_path / "rf2", {**RELEASE, "Concept": [concept(str(n)) for n in range(20_000)]})
    with zipfile.ZipFile(tmp_path / "release.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.txt")):
            archive.write(file, file.name)
    content = bytearray((tmp_path / "release.zip").read_bytes())
    content[5_000:6_000] = b"\x55" * 1_000
    (tmp_path / "release.zip").write_bytes(content)
    with pytest.raises(InputError, match="cannot be unpacked"):
        read(Rf2Source([tmp_path / "release.zip"]))


def atom(
    cui: str,
    language: str,
    text: str,
    vocabulary: str = "MSHFRE",
    kind: str = "MH",
    code: str = "D1",
    best: bool = False,
    suppress: str = "N",
) -> str:
    ts, stt, pref = ("P", "PF", "Y") if best else ("S", "VO", "N")
    fields = (cui, language, ts, "L", stt, "S", pref, "A", "", "", "", vocabulary, kind, code, text, "0", suppress, "")
    return "|".join(fields) + "|\n"


MRCONSO = [
    atom("C0000001", "ENG", "Brain event", "SNOMEDCT_US", "PT", "101", best=True),
    atom("C0000001", "ENG", "Brain event", "ICD10", "PT", "I64"),
    atom("C0000001", "ENG", "Old brain event", "SNOMEDCT_US", "OAP", "999", suppress="O"),
    atom("C0000001", "FRE", "Accident du cerveau", best=True),
    atom("C0000001", "FRE", "Ictus du cerveau", kind="ET"),
    atom("C0000001", "FRE", "Événement", "MDRFRE", "LT"),
    atom("C0000001", "SPA", "Ictus", "MSHSPA"),
    atom("C0000002", "ENG", "Made-up drug", "ATC", "PT", "B01XX99", best=True),
    atom("C0000002", "ENG", "Made-up drug substance", "MTH", "PN", "NOCODE"),
]
META = {
    "MRCONSO.RRF": MRCONSO,
    "MRSTY.RRF": [
        "C0000001|T047|B2|Disease or Syndrome|AT1||\n",
        "C0000002|T121|A1|Pharmacologic Substance|AT2||\n",
        "C0000009|T047|B2|Disease or Syndrome|AT3||\n",
    ],
    "MRRANK.RRF": ["0300|MSHFRE|MH|N|\n", "0200|MSHFRE|ET|N|\n", "0400|MDRFRE|LT|N|\n"],
}


def meta(folder: Path, files: dict[str, list[str]]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        (folder / name).write_text("".join(rows), "utf-8", newline="")
    return folder


def test_umls(tmp_path: Path) -> None:
    store, problems = stored(RrfSource(meta(tmp_path / "META", META)), tmp_path / "t")
    assert problems == []
    brain = store.concept("C0000001")
    assert brain.label == "Accident du cerveau"
    assert brain.semantic_types == ("T047", "DISO")
    assert [(code.system.value, code.code) for code in brain.codes] == [
        ("UMLS", "C0000001"),
        ("SNOMEDCT", "101"),
        ("ICD10", "I64"),
    ]
    assert {term.text for term in names_of(store, "C0000001")} == {
        "Brain event",
        "Accident du cerveau",
        "Ictus du cerveau",
        "Événement",
    }
    assert store.concept("C0000002").code_in(CodeSystem.ATC) == "B01XX99"
    assert store.concept("C0000002").semantic_types == ("T121", "CHEM")
    ranks = {term.text: term.rank for term in names_of(store, "C0000001")}
    assert ranks["Événement"] < ranks["Accident du cerveau"] < ranks["Ictus du cerveau"] < ranks["Brain event"]
    with pytest.raises(KeyError):
        store.concept("C0000009")


def test_umls_without_ranks(tmp_path: Path) -> None:
    files = {name: rows for name, rows in META.items() if name != "MRRANK.RRF"}
    store, _ = stored(RrfSource(meta(tmp_path / "META", files)), tmp_path / "t")
    assert store.concept("C0000001").label == "Accident du cerveau"


def test_umls_languages_and_vocabularies(tmp_path: Path) -> None:
    folder = meta(tmp_path / "META", META)
    store, _ = stored(RrfSource(folder, ["fr"], ["MSHFRE"]), tmp_path / "t")
    assert {term.text for term in store.terms()} == {"Accident du cerveau", "Ictus du cerveau"}
    assert store.concept("C0000001").code_in(CodeSystem.ICD10) == "I64"  # codes are kept from any source
    spanish, _ = read(RrfSource(folder, ["es"]))
    assert [term.language for entry in spanish for term in entry.terms] == ["es"]


def test_umls_with_broken_lines(tmp_path: Path) -> None:
    rows = [
        *MRCONSO,
        "C0000003|FRE|trop court|\n",
        atom("D0000003", "FRE", "pas un concept"),
        atom("C0000003", "FRE", "***"),
        atom("C0000003", "FRE", "cassé|en deux"),
        atom("C0000003", "FRE", "nom gardé"),
    ]
    files = {
        "MRCONSO.RRF": rows,
        "MRSTY.RRF": ["C0000003|T047|\n", "C0000003||||||\n", *META["MRSTY.RRF"]],
        "MRRANK.RRF": ["abc|MSHFRE|MH|N|\n"],
    }
    store, problems = stored(RrfSource(meta(tmp_path / "META", files)), tmp_path / "t")
    assert [term.text for term in names_of(store, "C0000003")] == ["nom gardé"]
    assert [problem.where for problem in problems] == [
        "MRRANK.RRF, line 1",
        *(f"MRCONSO.RRF, line {number}" for number in (10, 11, 12, 13)),
        *(f"MRSTY.RRF, line {number}" for number in (1, 2)),
    ]
    assert all(problem.lost for problem in problems)


def test_a_folder_without_mrconso_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no MRCONSO\.RRF"):
        read(RrfSource(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        read(RrfSource(tmp_path / "missing"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_no_bytes_break_the_readers(tmp_path: Path, wild: list[bytes]) -> None:
    good = atom("C0000001", "FRE", "bon nom").encode()
    folder = meta(tmp_path / "META", META)
    (folder / "MRCONSO.RRF").write_bytes(good + b"\n".join(wild) + b"\n" + good)
    entries, _ = read(RrfSource(folder))
    assert "bon nom" in {term.text for entry in entries for term in entry.terms}
    rf2 = release(tmp_path / "rf2", RELEASE)
    with (rf2 / PLACES["Description"]).open("ab") as file:
        file.write(b"\n".join(wild) + b"\n")
    entries, _ = read(Rf2Source([rf2]))
    assert "accident du cerveau" in {term.text for entry in entries for term in entry.terms}
