"""What a build learns from annotated texts, and how a dictionary made so is read."""

import random
from pathlib import Path

import pytest

from rag.brat import BratDocument, read_brat
from rag.normalize_evaluation import evaluate_brat
from rag.terminology.build import build_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.learning import EXTRA, Selection, learn
from rag.terminology.linker import Normalizer
from rag.terminology.loaders.brat import BratSource
from schema.problem import InputError
from tests.terminology.conftest import no_problem

#: Annotated wherever they stand; "bilan" is annotated once in eight times, "groupe" never but by mistake.
ALWAYS = {
    "fièvre": "C0015967",
    "sténose carotidienne": "C0007282",
    "thrombolyse": "C0040044",
    "aphasie": "C0003537",
    "hémiplégie": "C0018991",
    "scanner": "C0040405",
}
RARELY = {"bilan": "C0000001"}
FILLERS = ["le patient présente", "on note", "sans", "puis", "avec", "après", "lors du séjour,", "contrôle de"]


def write(folder: Path, count: int, seed: int) -> None:
    """Annotated texts of a few made-up sentences."""
    dice = random.Random(seed)
    folder.mkdir()
    for number in range(count):
        text, lines = "", []
        for _ in range(8):
            text += dice.choice(FILLERS) + " "
            name, code = dice.choice([*ALWAYS.items(), *(RARELY.items())])
            if name in ALWAYS or dice.random() < 1 / 8:
                place = len(lines) // 2 + 1
                lines += [
                    f"T{place}\tDISO {len(text)} {len(text) + len(name)}\t{name}",
                    f"#{place}\tNotes T{place}\t{code}",
                ]
            text += name + dice.choice([". ", ", ", " "])
        (folder / f"{number:03}.txt").write_text(text, encoding="utf-8")
        (folder / f"{number:03}.ann").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write(folder / "train", 40, 1)
    write(folder / "test", 20, 2)
    return folder


@pytest.fixture(scope="module")
def terms(corpus: Path) -> Path:
    path = corpus / "made.terms"
    build_terminology([BratSource([corpus / "train"])], path, no_problem)
    return path


def test_names_that_annotators_leave_are_left(terms: Path) -> None:
    index = StoredIndex.open(terms)
    assert index.lookup("bilan"), "the dictionary has the name all the same"
    text = "On note bilan. Puis aphasie, avec sténose carotidienne."
    found = {text[one.start : one.end]: one for one in Normalizer(index).mentions(text)}
    assert set(found) == {"aphasie", "sténose carotidienne"}
    assert all(0.2 <= one.score <= 1 for one in found.values())
    assert found["aphasie"].concept.concept_id == ALWAYS["aphasie"]
    index.close()


def test_new_texts_are_read_as_the_annotators_read(corpus: Path, terms: Path) -> None:
    report = evaluate_brat(corpus / "test", terms, no_problem)
    assert report.codes.f1.value is not None
    assert report.codes.f1.value > 0.95


def test_learning_is_the_same_every_time(corpus: Path, terms: Path) -> None:
    documents = list(read_brat(corpus / "train", no_problem))
    index = StoredIndex.open(terms)
    first = learn(documents, index)
    assert first == learn(documents, index)
    assert first == index.store.extra(EXTRA)
    assert first is not None
    assert Selection.from_bytes(first).to_bytes() == first
    index.close()


def test_few_texts_teach_nothing(corpus: Path, terms: Path) -> None:
    index = StoredIndex.open(terms)
    assert learn(list(read_brat(corpus / "train", no_problem))[:3], index) is None
    index.close()


def test_texts_without_annotation_teach_nothing(terms: Path) -> None:
    index = StoredIndex.open(terms)
    assert learn([BratDocument(str(number), "aphasie", ()) for number in range(30)], index) is None
    index.close()


@pytest.mark.parametrize("data", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_bytes_of_another_kind_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="Build it again"):
        Selection.from_bytes(data)


def test_annotations_of_two_codes_are_found_with_both(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    write(folder, 25, 3)
    for file in folder.glob("*.ann"):
        file.write_text(file.read_text(encoding="utf-8").replace("C0003537", "C0003537 C0233715"), encoding="utf-8")
    build_terminology([BratSource([folder])], tmp_path / "two.terms", no_problem)
    index = StoredIndex.open(tmp_path / "two.terms")
    text = "Avec aphasie, puis fièvre."
    (aphasia,) = [one for one in Normalizer(index).mentions(text) if text[one.start : one.end] == "aphasie"]
    assert {code.code for code in aphasia.concept.codes} == {"C0003537", "C0233715"}
    report = evaluate_brat(folder, tmp_path / "two.terms", no_problem)
    assert report.codes.f1.value is not None
    assert report.codes.f1.value > 0.95
    index.close()
