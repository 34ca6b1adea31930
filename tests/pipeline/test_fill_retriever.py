"""A table filled from passages: what is read, what is said of it, and that nothing else decides the result."""

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.ask import AskRequest, ask
from rag.patient import build_record
from rag.pipeline import Mode, fill
from rag.retrieval import PassageFinder, Retrieval, RetrieverName
from schema.document import PatientRecord, RawDocument
from schema.problem import InputError
from schema.study import Study as StudyFile
from schema.study import VariableHints
from schema.value import Status
from schema.variable import Choice, Variable, VariableKind
from tests.pipeline.conftest import Study
from tests.pipeline.test_fill import evidence, exported, refusal, table

BM25, HYBRID = (Retrieval(name, passages=2) for name in (RetrieverName.BM25, RetrieverName.HYBRID))

#: What surrounds the values: without a word of the dictionary, and no two paragraphs alike.
ASIDES = [
    "La chambre donne sur le jardin ; la famille vient chaque jour à midi, apporte des journaux et reste une heure.",
    "Le menuisier du village est passé réparer la fenêtre du couloir, ce qui a fait du bruit toute la matinée.",
    "Une partie de cartes est organisée le mardi dans la salle commune, avec du thé et des gâteaux secs faits ici.",
    "Le chat de la voisine a été confié à un cousin pour le mois, en attendant le retour de la belle saison.",
]


def cohort(patients: int) -> list[tuple[str, str]]:
    """Three documents per patient; weight, height and tobacco are each in one, between paragraphs of no interest."""
    texts = []
    for i in range(patients):
        told = (f"Poids : {60 + i} kg.", f"Taille : {150 + i} cm.", "Tabac : non." if i % 2 else "Tabac : oui, actif.")
        for place, said in enumerate(told):
            before, after = ASIDES[(i + place) % 4], ASIDES[(i + place + 1) % 4]
            texts.append((f"P{i:02d}", f"Note {place + 1} du dossier.\n\n{before}\n\n{said}\n\n{after}"))
    return texts


DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?
record_id,f,,text,Patient,,,,,,y,,
poids,f,,text,Poids (kg),,,integer,1,300,,,
taille,f,,text,Taille (cm),,,integer,1,300,,,
tabac,f,,yesno,Tabac,,,,,,,,
"""


@pytest.fixture
def natural(study: Study) -> Study:
    """A study whose dictionary is answered by sentences."""
    study.dictionary.write_text(DICTIONARY, encoding="utf-8")
    return study


def filled(study: Study, retrieval: Retrieval, name: str, workers: int = 1, patients: int = 3) -> Path:
    request = replace(study.request(cohort(patients), workers=workers), out=study.folder / name, retrieval=retrieval)
    assert fill(request).failed == ()
    return request.out


@pytest.mark.parametrize("retrieval", [BM25, HYBRID], ids=lambda r: r.retriever.value)
def test_the_table_of_the_best_passages_is_that_of_the_whole_record(natural: Study, retrieval: Retrieval) -> None:
    whole = filled(natural, Retrieval(), "whole")
    part = filled(natural, retrieval, "part")
    assert table(part) == table(whole)
    assert [row["poids"] for row in table(part)] == ["60", "61", "62"]
    texts = {row["document_id"]: row["text"] for row in map(json.loads, (natural.folder / "documents.jsonl").open())}
    quotes = [quote for line in evidence(part).values() for quote in line["evidence"]]  # type: ignore[attr-defined]
    assert len(quotes) >= 9
    assert all(texts[quote["document_id"]][quote["start"] : quote["end"]] == quote["quote"] for quote in quotes)


def finder(retrieval: Retrieval, *variables: Variable, hints: dict[str, VariableHints] | None = None) -> PassageFinder:
    return PassageFinder(retrieval, variables, StudyFile(variables=hints or {}))


def record(*texts: str, dates: tuple[str | None, ...] = ()) -> PatientRecord:
    raws = [
        RawDocument("P1", f"d{i}", text, dates[i] if dates else "2024-03-05", "note") for i, text in enumerate(texts)
    ]
    return build_record(raws, lambda _: None)


WEIGHT = Variable("poids", "Poids (kg)", VariableKind.INTEGER, unit="kg")
YES_NO = (Choice("1", "Oui"), Choice("0", "Non"))


def test_the_whole_record_is_no_list_of_passages() -> None:
    assert finder(Retrieval(), WEIGHT).passages_for(record("Poids : 71 kg.")) is None


@pytest.mark.parametrize("retrieval", [BM25, HYBRID], ids=lambda r: r.retriever.value)
def test_each_variable_has_passages_of_its_own_and_no_more_than_asked(retrieval: Retrieval) -> None:
    patient = record(*(text for _, text in cohort(1)))
    height = Variable("taille", "Taille (cm)", VariableKind.INTEGER, unit="cm")
    found = finder(replace(retrieval, passages=1), WEIGHT, height).passages_for(patient)
    assert found is not None
    assert ["Poids" in p.text for p in found["poids"]] == [True]
    assert ["Taille" in p.text for p in found["taille"]] == [True]


def test_what_was_written_later_is_not_read() -> None:
    patient = record("Poids : 71 kg.", "Poids : 75 kg.", "Poids : 80 kg.", dates=("2020-01-01", None, "2024-01-01"))
    found = finder(BM25, WEIGHT).passages_for(patient, as_of=patient.documents[0].written_on.latest())  # type: ignore[union-attr]
    assert found is not None
    assert [p.text for p in found["poids"]] == ["Poids : 71 kg."]


def test_a_variable_that_opens_others_is_read_where_they_are() -> None:
    """Nothing in the words of the first says that the passage of the second answers it."""
    patient = record(*ASIDES, "Bolus de ténectéplase à 14h05.")
    given = Variable("fibrinolyse", "Fibrinolyse", VariableKind.YESNO, choices=YES_NO)
    hour = Variable("heure", "Heure du bolus de ténectéplase", VariableKind.TIME, branching="[fibrinolyse] = '1'")
    found = finder(replace(BM25, passages=1), given, hour).passages_for(patient)
    assert found is not None
    assert [p.text for p in found["fibrinolyse"]] == ["Bolus de ténectéplase à 14h05."]


def test_synonyms_of_the_study_are_searched() -> None:
    patient = record(*ASIDES, "Bascule ce matin : 71.")
    assert finder(BM25, WEIGHT).passages_for(patient) == {"poids": []}
    found = finder(BM25, WEIGHT, hints={"poids": VariableHints(synonyms=("bascule",))}).passages_for(patient)
    assert found is not None
    assert [p.text for p in found["poids"]] == ["Bascule ce matin : 71."]


def test_silence_is_said_to_be_that_of_the_passages(natural: Study) -> None:
    documents = natural.request([("P1", ASIDES[0])]).documents
    request = AskRequest(documents, natural.dictionary, "P1", variable="poids")
    whole, part = ask(request).found, ask(replace(request, retrieval=BM25)).found
    assert whole is not None and part is not None
    assert whole.status is part.status is Status.NOT_MENTIONED
    assert "passages lus" in part.explanation
    assert whole.explanation == ""


def test_ask_reads_the_passages_that_fill_reads(natural: Study) -> None:
    documents = natural.request(cohort(1)).documents
    asked = AskRequest(documents, natural.dictionary, "P00", variable="taille", retrieval=replace(BM25, passages=1))
    found = ask(asked)
    assert found.found is not None
    assert found.found.value == 150
    assert found.citations[0].document_id == "d1"


def test_the_manifest_says_what_found_the_passages_and_another_may_not_go_on(natural: Study) -> None:
    request = replace(natural.request(cohort(1)), retrieval=BM25)
    manifest = fill(request).manifest
    assert manifest.fingerprint.retriever == "bm25, 2 passages"
    assert (manifest.arguments["retriever"], manifest.arguments["passages"]) == ("bm25", "2")
    resumed = replace(request, mode=Mode.RESUME)
    before = exported(natural.out)
    fill(resumed)
    assert exported(natural.out) == before
    for other in (Retrieval(), replace(BM25, passages=3), HYBRID):
        assert "changed since it was started: retriever" in refusal(replace(resumed, retrieval=other))


def test_the_name_of_the_encoder_is_part_of_the_run() -> None:
    described = HYBRID.described()
    assert described.startswith("hybrid, 2 passages, encoder ")
    assert len(described) > len("hybrid, 2 passages, encoder ")
    assert Retrieval().described() == ""


def test_neither_workers_nor_an_index_change_the_result(natural: Study) -> None:
    index = str(natural.folder / "index")
    alone = exported(filled(natural, HYBRID, "alone"))
    assert exported(filled(natural, replace(HYBRID, index=index), "kept")) == alone
    assert exported(filled(natural, replace(HYBRID, index=index), "again", workers=2)) == alone


def test_documents_of_another_run_in_the_index_are_not_mistaken(natural: Study) -> None:
    """The same names of patients and documents, other texts: each run reads its own."""
    kept = replace(HYBRID, index=str(natural.folder / "index"))
    first = filled(natural, kept, "first")
    other = [(patient, text.replace("Poids : 6", "Poids : 9")) for patient, text in cohort(3)]
    request = replace(natural.request(other), out=natural.folder / "other", retrieval=kept)
    fill(request)
    assert [row["poids"] for row in table(request.out)] == ["90", "91", "92"]
    assert exported(filled(natural, kept, "third")) == exported(first)


def command(study: Study, out: Path, index: Path) -> list[str]:
    inputs = ["--documents", study.folder / "documents.jsonl", "--dictionary", study.dictionary, "--out", out]
    options = ["--retriever", "hybrid", "--passages", "2", "--index", index, "--quiet", "--resume"]
    return [sys.executable, "-m", "rag.cli", "fill", *map(str, [*inputs, *options])]


def test_two_fills_at_once_share_an_index(natural: Study) -> None:
    alone = exported(filled(natural, HYBRID, "alone", patients=6))
    outs = [natural.folder / name for name in ("one", "two")]
    running = [subprocess.Popen(command(natural, out, natural.folder / "index")) for out in outs]
    assert [process.wait() for process in running] == [0, 0]
    assert [exported(out) for out in outs] == [alone, alone]


def test_killed_while_it_fills_the_index_or_reads_then_resumed(natural: Study) -> None:
    alone = exported(filled(natural, HYBRID, "alone", patients=12))
    out, index = natural.folder / "killed", natural.folder / "index"
    seed = random.Random(4)
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(command(natural, out, index))
        while process.poll() is None and not (index / "index.written").exists():
            time.sleep(0.005)
        time.sleep(seed.uniform(0, 0.5))
        process.kill()
        kills += process.wait() < 0
    assert kills
    assert subprocess.run(command(natural, out, index), check=False).returncode == 0
    assert exported(out) == alone


@pytest.mark.skipif(os.name != "posix", reason="the shape of the message is that of POSIX")
def test_an_encoder_that_is_not_there_is_refused_before_anything_is_written(natural: Study, tmp_path: Path) -> None:
    request = replace(natural.request(cohort(1)), retrieval=replace(HYBRID, encoder=tmp_path / "absent"))
    with pytest.raises(InputError, match="is not a folder"):
        fill(request)
    assert not natural.out.exists()
