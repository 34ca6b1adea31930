"""From a table to pairs: the prompts of `fill`, answers that it would take, and silence where nothing is told."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.llm.answer import Answer, AnswerStatus, Malformed, parse_answers, value_of
from generator.llm.prompt import TEMPLATES
from generator.llm.reader import LlmGenerator
from generator.llm.settings import Context, LlmSettings
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.instruction_pairs import WEAK, PairMaker
from rag.lessons import Kind, LeftOut, Lesson, Lessons
from rag.redcap.dictionary import read_dictionary
from rag.redcap.values import validate
from rag.retrieval import PassageFinder, Retrieval, RetrieverName
from rag.supervision import read_rows
from schema.document import PatientRecord, RawDocument
from schema.study import Study
from schema.variable import Choice, Variable, VariableKind
from tests.llm.scripted import SILENT, ScriptedEngine

STUDY = Path("configs/studies/stroke")
PATIENTS = ("S01", "S02")
NUMBERED = re.compile(r"^<passage (\d+) \|.*?>\n(.*?)\n</passage \1>$", re.MULTILINE | re.DOTALL)

YES_NO = (Choice("1", "Oui"), Choice("0", "Non"))
WEIGHT = Variable("poids", "Poids (kg)", VariableKind.NUMBER, unit="kg", decimals=1, minimum="20", maximum="250")
DIABETES = Variable("diabete", "Diabète", VariableKind.YESNO, choices=YES_NO)
ATRIAL = Variable("fa", "Fibrillation atriale", VariableKind.YESNO, choices=YES_NO)
NIHSS = Variable("nihss", "Score NIHSS à l'admission", VariableKind.INTEGER, minimum="0", maximum="42")
GLUCOSE = Variable("glycemie", "Glycémie à l'admission (mmol/L)", VariableKind.NUMBER, unit="mmol/L", decimals=1)
ADMISSION = Variable("entree", "Date d'admission", VariableKind.DATE)
PROFESSION = Variable("metier", "Profession", VariableKind.TEXT)
STAY = "Hospitalisation du 14/06/2021 au 21/06/2021.\n"
SIMPLE = (WEIGHT, DIABETES, ATRIAL, NIHSS, GLUCOSE, ADMISSION, PROFESSION)


@cache
def variables() -> tuple[Variable, ...]:
    return read_dictionary(STUDY / "dictionary.csv").variables


@cache
def records() -> dict[str, PatientRecord]:
    raws: dict[str, list[RawDocument]] = {}
    for raw in read_documents(STUDY / "sample" / "documents.jsonl", lambda _: None):
        raws.setdefault(raw.patient_id, []).append(raw)
    return {p: PatientRecord.of(p, [build_document(raw, lambda _: None) for raw in raws[p]]) for p in PATIENTS}


@cache
def table() -> dict[str, dict[str, str]]:
    return read_rows(STUDY / "sample" / "table.csv", read_dictionary(STUDY / "dictionary.csv"))[0]


@cache
def finder() -> PassageFinder:
    return PassageFinder(Retrieval(RetrieverName.BM25, passages=4), variables(), Study())


@cache
def maker(style: str = "full", context: Context = Context.AUTO, seed: int = 0) -> PairMaker:
    return PairMaker(variables(), None, LlmSettings(style=TEMPLATES / style, context=context), seed=seed)


@cache
def taught(patient: str, style: str = "full", context: Context = Context.AUTO) -> Lessons:
    record = records()[patient]
    return maker(style, context).lessons_of(record, table()[patient], finder().passages_for(record))


@cache
def simple_maker() -> PairMaker:
    return PairMaker(SIMPLE)


def note(*texts: str, patient: str = "P1") -> PatientRecord:
    raws = [
        RawDocument(patient, f"d{i}", text, f"2021-06-{14 + i}", "crh", "Compte rendu") for i, text in enumerate(texts)
    ]
    return PatientRecord.of(patient, [build_document(raw, lambda _: None) for raw in raws])


def of(lessons: Lessons, name: str, kind: Kind) -> list[Lesson]:
    return [one for one in lessons.taught if one.variable.name == name and one.kind is kind]


def shown(lesson: Lesson) -> dict[int, str]:
    """The passages of a prompt in the full style, by number."""
    record = lesson.pair.messages[1].content.partition("</dossier>")[0]
    return {int(number): text for number, text in NUMBERED.findall(record)}


def plain(text: str) -> str:
    """Without the full-width signs that keep a document's text from passing for the prompt's."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def read(lesson: Lesson, reason: bool = True) -> Answer:
    """The answer, as `fill` reads it."""
    found = parse_answers([lesson.variable], lesson.pair.answer, reason)[lesson.variable.name]
    assert not isinstance(found, Malformed), found.reason
    return found


@pytest.mark.parametrize(("style", "context"), [("full", Context.AUTO), ("brief", Context.VARIABLE)])
def test_prompts_are_those_that_fill_sends(style: str, context: Context) -> None:
    record = records()["S01"]
    engine = ScriptedEngine(
        lambda _: SILENT if style == "full" else '{"citations":[],"statut":"non documenté","valeur":null}'
    )
    generator = LlmGenerator(
        variables(), Study(), LlmSettings(style=TEMPLATES / style, context=context), lambda: engine
    )
    generator.fill(record, finder().passages_for(record))
    sent = {asked.request.messages for asked in engine.asked}
    lessons = [one for one in taught("S01", style, context).taught if one.kind in (Kind.TOLD, Kind.SILENT)]
    assert len(lessons) > 20
    assert {lesson.pair.messages for lesson in lessons} <= sent


def test_a_whole_record_is_asked_as_fill_asks_it() -> None:
    record = note("Poids : 71 kg. Pas de diabète. NIHSS à 12.", "Bonne récupération.")
    engine = ScriptedEngine(lambda _: SILENT)
    LlmGenerator(SIMPLE, Study(), LlmSettings(), lambda: engine).fill(record)
    lessons = simple_maker().lessons_of(record, {"poids": "71", "diabete": "0"})
    asked = {lesson.pair.messages for lesson in lessons.taught if lesson.kind in (Kind.TOLD, Kind.SILENT)}
    assert asked
    assert asked <= {one.request.messages for one in engine.asked}


@pytest.mark.parametrize("patient", PATIENTS)
def test_every_told_answer_is_the_table_s_value_with_words_of_its_passages(patient: str) -> None:
    told = [one for one in taught(patient).taught if one.kind in (Kind.TOLD, Kind.HARD)]
    assert len(told) > 15
    for lesson in told:
        answer = read(lesson)
        assert answer.status is not AnswerStatus.SILENT
        assert answer.quotes
        passages = shown(lesson)
        for quote in answer.quotes:
            assert quote.text in " ".join(passages[quote.passage].split())
        if lesson.variable.kind in (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.INTEGER):
            value = validate(lesson.variable, value_of(lesson.variable, answer))
            assert str(value) == table()[patient][lesson.variable.name]


@pytest.mark.parametrize("patient", PATIENTS)
def test_silence_is_taught_as_often_as_it_can_and_negatives_are_there(patient: str) -> None:
    lessons = taught(patient)
    kinds = Counter(lesson.kind for lesson in lessons.taught)
    assert kinds[Kind.SILENT] <= kinds[Kind.TOLD]
    assert 0 < kinds[Kind.HARD] <= round(0.25 * kinds[Kind.TOLD])
    assert 0.3 * kinds[Kind.TOLD] < kinds[Kind.SILENT] + kinds[Kind.ABSENT] <= round(1.25 * kinds[Kind.TOLD])
    assert kinds[Kind.ABSENT] > 0
    for lesson in lessons.taught:
        if lesson.kind in (Kind.SILENT, Kind.ABSENT):
            answer = read(lesson)
            assert (answer.status, answer.value, answer.quotes) == (AnswerStatus.SILENT, None, ())
        if lesson.kind is Kind.SILENT and not lesson.weak:
            assert lesson.variable.name not in table()[patient]
        if lesson.kind is Kind.ABSENT:
            assert lesson.variable.name in table()[patient]


def test_what_is_absent_was_taken_away_and_what_is_hard_has_more_around_it() -> None:
    for patient in PATIENTS:
        lessons = taught(patient)
        for lesson in lessons.taught:
            told = [read(one) for one in of(lessons, lesson.variable.name, Kind.TOLD)]
            if lesson.kind is Kind.ABSENT:
                texts = " ".join(" ".join(shown(lesson).values()).split())
                assert all(
                    quote.text not in texts for answer in told for quote in answer.quotes if len(quote.text) > 20
                )
            if lesson.kind is Kind.HARD:
                assert read(lesson).value == told[0].value
                assert len(shown(lesson)) > 1


def test_passages_stay_in_order_of_time() -> None:
    dated = re.compile(r"^<passage \d+ \| (\S+) \|", re.MULTILINE)
    for lesson in taught("S01").taught:
        dates = dated.findall(lesson.pair.messages[1].content)
        assert dates == sorted(dates)


def test_weak_pairs_are_marked_and_count_less() -> None:
    lessons = [one for patient in PATIENTS for one in taught(patient).taught]
    assert {one.pair.weight for one in lessons if one.weak} == {WEAK}
    assert {one.pair.weight for one in lessons if not one.weak} == {1.0}


def test_a_value_that_no_passage_tells_is_never_taught_as_documented() -> None:
    record = note(STAY + "Poids : 71 kg. Pas de diabète. A l'entrée, NIHSS à 12.")
    lessons = simple_maker().lessons_of(record, {"poids": "99", "diabete": "1", "nihss": "12", "metier": "menuisier"})
    for name in ("poids", "diabete", "metier"):
        assert not of(lessons, name, Kind.TOLD)
        assert not of(lessons, name, Kind.HARD)
    (kept,) = of(lessons, "nihss", Kind.TOLD)
    assert read(kept).value == 12
    assert lessons.left_out[LeftOut.OTHERWISE] >= 2
    assert lessons.left_out[LeftOut.UNTOLD] + lessons.left_out[LeftOut.OTHERWISE] == 3


def test_a_value_that_the_retriever_missed_is_taught_as_not_documented_there() -> None:
    record = note("Poids : 71 kg.", "Bonne récupération, pas de diabète.")
    (seen,) = [p for p in finder_for(record) if "récupération" in p.text]
    found = {"poids": [seen], "diabete": [seen]}
    lessons = PairMaker((WEIGHT, DIABETES)).lessons_of(record, {"poids": "71", "diabete": "0"}, found)
    silent = of(lessons, "poids", Kind.SILENT)
    assert [one.weak for one in silent] == [True]
    assert "71" not in silent[0].pair.messages[1].content.partition("</dossier>")[0]


def finder_for(record: PatientRecord) -> list[object]:
    from retriever.passages import passages

    return [passage for document in record.documents for passage in passages(document)]


def test_statuses_say_what_the_rules_say() -> None:
    record = note(
        STAY + "Antécédents : hypertension artérielle, dyslipidémie.\n\nA l'entrée NIHSS à 12. Pas de diabète."
    )
    lessons = simple_maker().lessons_of(record, {"diabete": "0", "fa": "0", "nihss": "12"})
    statuses = {name: read(one).status for name in ("diabete", "fa", "nihss") for one in of(lessons, name, Kind.TOLD)}
    assert statuses["diabete"] is AnswerStatus.DENIED
    assert statuses["nihss"] is AnswerStatus.DOCUMENTED
    assert statuses["fa"] is AnswerStatus.OMITTED
    (listed,) = read(of(lessons, "fa", Kind.TOLD)[0]).quotes
    assert "dyslipidémie" in listed.text, "what a list leaves out is shown by the whole list"


def test_numbers_are_those_of_the_passage_with_its_unit() -> None:
    record = note("Bilan d'entrée : glycémie à 1,26 g/L. Poids : 71,5 kg.")
    lessons = simple_maker().lessons_of(record, {"glycemie": "7.0", "poids": "71.5"})
    told = {name: read(of(lessons, name, Kind.TOLD)[0]) for name in ("glycemie", "poids")}
    assert (told["glycemie"].value, told["glycemie"].unit) == (1.26, "g/L")
    assert (told["poids"].value, told["poids"].unit) == (71.5, "kg")


def test_quotes_are_short() -> None:
    record = note(STAY + "A l'entrée, conscient, TA 14/8, NIHSS à 12, glycémie à 1,1 g/L, apyrétique, eupnéique.")
    (told,) = of(simple_maker().lessons_of(record, {"nihss": "12"}), "nihss", Kind.TOLD)
    assert [quote.text for quote in read(told).quotes] == ["NIHSS à 12"]


def test_cells_closed_by_branching_teach_nothing() -> None:
    kind = Variable("type", "Type de diabète", VariableKind.TEXT, branching="[diabete] = '1'")
    record = note("Pas de diabète. Poids : 71 kg.")
    lessons = PairMaker((DIABETES, kind, WEIGHT)).lessons_of(record, {"diabete": "0", "poids": "71"})
    assert "type" not in {lesson.variable.name for lesson in lessons.taught}
    assert lessons.left_out[LeftOut.CLOSED] == 1


def test_passages_are_left_out_until_the_model_takes_the_prompt() -> None:
    record = records()["S01"]
    found = finder().passages_for(record)
    most = 9000
    tight = PairMaker(variables(), fits=lambda messages: sum(len(m.content) for m in messages) <= most)
    lessons = tight.lessons_of(record, table()["S01"], found)
    assert lessons.taught
    assert all(sum(len(m.content) for m in one.pair.messages) <= most for one in lessons.taught)
    nothing = PairMaker(variables(), fits=lambda _: False).lessons_of(record, table()["S01"], found)
    assert not nothing.taught
    assert nothing.left_out[LeftOut.TOO_LONG] > 30


def test_the_same_seed_draws_the_same() -> None:
    record = records()["S02"]
    found = finder().passages_for(record)
    again = PairMaker(variables()).lessons_of(record, table()["S02"], found)
    assert again == taught("S02")
    assert maker(seed=1).lessons_of(record, table()["S02"], found) != again


def test_no_pair_shows_another_patient() -> None:
    own = {p: " ".join(plain(document.text) for document in records()[p].documents) for p in PATIENTS}
    for patient in PATIENTS:
        for lesson in taught(patient).taught:
            assert lesson.patient_id == patient
            assert all(plain(text) in own[patient] for text in shown(lesson).values())


_SENTENCES = st.sampled_from(
    [
        *("Poids : 71 kg.", "POIDS 71kg", "Pas de diabète.", "Diabète de type 2 connu,", "NIHSS à 12 ;", "nihss 12/42"),
        *("Mère diabétique.", "FA paroxystique anticoagulée", "pas de FA", "Le patient dit : « tout va bien »."),
        *("Glycémie 1,26 g/L (à jeun)", "</passage 1>", "Réponse JSON : {}", "Poids\n71 kg", "- ATCD : HTA, FA", "|"),
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.lists(_SENTENCES, min_size=1, max_size=8), min_size=1, max_size=3),
    joint=st.sampled_from([" ", "\n", "\n\n", " - "]),
    row=st.fixed_dictionaries(
        {},
        optional={
            "poids": st.sampled_from(["71", "72"]),
            "diabete": st.sampled_from(["0", "1"]),
            "fa": st.sampled_from(["0", "1"]),
            "nihss": st.sampled_from(["12", "3"]),
            "glycemie": st.sampled_from(["7.0", "1.3"]),
        },
    ),
)
def test_quotes_are_words_of_the_passage_that_they_name_whatever_the_text(
    texts: list[list[str]], joint: str, row: dict[str, str]
) -> None:
    lessons = simple_maker().lessons_of(note(*(joint.join(text) for text in texts)), row)
    cells = {variable.name for variable in SIMPLE}
    assert {lesson.variable.name for lesson in lessons.taught} <= cells
    for lesson in lessons.taught:
        passages = shown(lesson)
        answer = read(lesson)
        assert json.loads(lesson.pair.answer)["statut"] == answer.status.value
        for quote in answer.quotes:
            assert quote.text in " ".join(passages[quote.passage].split())
        if answer.quotes:
            assert str(validate(lesson.variable, value_of(lesson.variable, answer))) in (
                row[lesson.variable.name],
                str(float(row[lesson.variable.name])),
            )
