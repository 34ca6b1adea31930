"""A model's answers are read strictly, and become values as the rules would make them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generator.llm.answer import (
    Answer,
    AnswerStatus,
    Malformed,
    NoValue,
    Quote,
    answer_schema,
    answer_text,
    choice_labels,
    dates_in,
    parse_answers,
    value_of,
    written_value,
)
from rag.corpus.build import build_document
from schema.document import DateKind, DateMention, PartialDate, RawDocument
from schema.value import Value
from schema.variable import Choice, Variable, VariableKind
from tests.llm.scripted import said

YES_NO = (Choice("1", "Oui"), Choice("0", "Non"))
HTA = Variable("hta", "HTA", VariableKind.YESNO, choices=YES_NO)
NIHSS = Variable("nihss", "NIHSS", VariableKind.INTEGER, minimum="0", maximum="42")
LDL = Variable("ldl", "LDL cholestérol (mmol/L)", VariableKind.NUMBER, unit="mmol/L")
DAY = Variable("jour", "Date de la chute", VariableKind.DATE)
MOMENT = Variable("moment", "Date et heure", VariableKind.DATETIME)
RISKS = Variable(
    "risques",
    "Facteurs",
    VariableKind.CHECKBOX,
    choices=(Choice("a", "HTA"), Choice("b", "Tabac"), Choice("z", "Aucun")),
)
KIND = Variable("type", "Type", VariableKind.CHOICE, choices=(Choice("1", "Ischémique"), Choice("2", "Hémorragique")))
WORK = Variable("travail", "Profession", VariableKind.TEXT)

words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30).filter(str.strip)
codes = st.lists(st.text("abc0123456789", min_size=1, max_size=3), min_size=1, max_size=5, unique=True)


@st.composite
def variables(draw: st.DrawFn) -> Variable:
    kind = draw(st.sampled_from(VariableKind))
    listed = kind in (VariableKind.CHOICE, VariableKind.CHECKBOX)
    choices = (
        tuple(Choice(code, draw(st.sampled_from(["", "A", "B (1)", 'é "x"']))) for code in draw(codes))
        if listed
        else ()
    )
    if kind in (VariableKind.YESNO, VariableKind.TRUEFALSE) and draw(st.booleans()):
        choices = YES_NO
    unit = draw(st.sampled_from(["", "g/L"])) if kind in (VariableKind.NUMBER, VariableKind.INTEGER) else ""
    seconds = kind in (VariableKind.DATETIME, VariableKind.TIME) and draw(st.booleans())
    return Variable(
        draw(st.text("xyz", min_size=1, max_size=4)), "Libellé", kind, choices=choices, unit=unit, seconds=seconds
    )


def _values(variable: Variable) -> st.SearchStrategy[Value]:
    coded = list(choice_labels(variable).values())
    within = {"min_value": dt.datetime(1900, 1, 1), "max_value": dt.datetime(2100, 1, 1)}
    unit = dt.timedelta(seconds=1) if variable.seconds else dt.timedelta(minutes=1)
    kinds: dict[VariableKind, st.SearchStrategy[Value]] = {
        VariableKind.CHECKBOX: st.sets(st.sampled_from(coded or [""])).map(
            lambda ticked: tuple(choice.code for choice in variable.choices if choice.code in ticked)
        ),
        VariableKind.INTEGER: st.integers(-(10**9) + 1, 10**9 - 1),
        VariableKind.NUMBER: st.floats(-1e9, 1e9),
        VariableKind.DATE: st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
        VariableKind.DATETIME: st.datetimes(**within).map(lambda moment: _cut(moment, unit)),
        VariableKind.TIME: st.times().map(
            lambda time: _cut(dt.datetime.combine(dt.date(2000, 1, 1), time), unit).time()
        ),
    }
    return kinds.get(variable.kind, st.sampled_from(coded) if coded else words.map(str.strip))


def _cut(moment: dt.datetime, unit: dt.timedelta) -> dt.datetime:
    return moment - (moment - dt.datetime.min) % unit


@given(st.data(), st.booleans())
def test_a_value_that_is_written_is_read_again(data: st.DataObject, reason: bool) -> None:
    variable = data.draw(variables())
    value = data.draw(_values(variable))
    answer = Answer(
        variable.name,
        AnswerStatus.DOCUMENTED,
        written_value(variable, value),
        unit="" if variable.unit and reason else None,
        quotes=(Quote(2, data.draw(words)),),
        reason="lu" if reason else "",
    )
    text = answer_text({variable.name: answer}, reason)
    jsonschema.validate(json.loads(text), json.loads(answer_schema([variable], reason)))
    read = parse_answers([variable], text, reason)[variable.name]
    assert read == answer
    assert isinstance(read, Answer)
    assert value_of(variable, read) == value
    assert type(value_of(variable, read)) is type(value)


@given(st.data(), st.booleans())
def test_a_group_is_written_and_read_as_its_variables_are(data: st.DataObject, reason: bool) -> None:
    group = data.draw(st.lists(variables(), min_size=2, max_size=4, unique_by=lambda variable: variable.name))
    answers = {
        variable.name: Answer(
            variable.name,
            AnswerStatus.SILENT,
            None,
            "" if variable.unit and reason else None,
            (),
            "x" if reason else "",
        )
        for variable in group
    }
    text = answer_text(answers, reason)
    jsonschema.validate(json.loads(text), json.loads(answer_schema(group, reason)))
    assert parse_answers(group, text, reason) == answers


json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["citations", "statut", "valeur", "hta"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.one_of(
        st.text(), json_like.map(json.dumps), st.text(st.sampled_from('{}[]",:0eé\\u\n')).map('{"citations":'.__add__)
    )
)
def test_no_text_breaks_the_reading(text: str) -> None:
    for group in ([HTA], [HTA, LDL]):
        assert set(parse_answers(group, text)) == {variable.name for variable in group}


@given(st.integers(0, 200))
def test_an_answer_that_is_cut_is_none(length: int) -> None:
    text = said("Oui", "HTA connue")
    assume(length < len(text))
    assert isinstance(parse_answers([HTA], text[:length])["hta"], Malformed)


QUOTE = [{"passage": 1, "texte": "x"}]


def _told(variable: Variable, **changed: Any) -> Answer | Malformed:
    told = {"citations": QUOTE, "raison": "", "statut": "documenté", "valeur": "Oui"} | changed
    if variable.unit:
        told.setdefault("unité", None)
    return parse_answers([variable], json.dumps(told))[variable.name]


@pytest.mark.parametrize(
    ("variable", "changed", "words"),
    [
        (HTA, {"valeur": "oui"}, "un des choix"),
        (HTA, {"valeur": "1"}, "un des choix"),
        (HTA, {"valeur": True}, "valeur"),
        (HTA, {"valeur": None}, "demande une valeur"),
        (HTA, {"statut": "exclu"}, "ne va pas avec cette valeur"),
        (HTA, {"statut": "omis"}, "ne va pas avec cette valeur"),
        (HTA, {"statut": "non documenté"}, "valeur nulle"),
        (HTA, {"statut": "contradictoire"}, "valeur nulle"),
        (HTA, {"statut": "documented"}, "statut"),
        (HTA, {"citations": []}, "au moins une citation"),
        (HTA, {"citations": QUOTE * 4}, "trop d'éléments"),
        (HTA, {"citations": "x"}, "citations"),
        (HTA, {"citations": [{"passage": 0, "texte": "x"}]}, "passage"),
        (HTA, {"citations": [{"passage": "1", "texte": "x"}]}, "passage"),
        (HTA, {"citations": [{"passage": 1, "texte": ""}]}, "est vide"),
        (HTA, {"citations": [{"passage": 1, "texte": "x" * 301}]}, "trop longue"),
        (HTA, {"citations": [{"passage": 1, "texte": "x", "page": 1}]}, "pas attendue"),
        (HTA, {"unité": None}, "pas attendue"),
        (HTA, {"raison": 3}, "raison"),
        (HTA, {"valeur": "\ud800"}, "ne peut pas être écrit"),
        (NIHSS, {"valeur": "12"}, "un nombre"),
        (NIHSS, {"valeur": 12.5}, "un nombre entier"),
        (NIHSS, {"valeur": True}, "valeur"),
        (NIHSS, {"valeur": float("nan")}, "nombre possible"),
        (NIHSS, {"valeur": float("inf")}, "nombre possible"),
        (NIHSS, {"valeur": 10**400}, "nombre possible"),
        (LDL, {"valeur": 1.2, "unité": "g/L" * 9}, "unité"),
        (LDL, {"valeur": 1.2, "unité": 3}, "unité"),
        (RISKS, {"valeur": "HTA"}, "une liste"),
        (RISKS, {"valeur": ["HTA", "Diabète"]}, "une liste"),
        (DAY, {"valeur": " "}, "un texte"),
        (DAY, {"valeur": "x" * 41}, "trop longue"),
        (WORK, {"valeur": 3}, "un texte"),
        (WORK, {"valeur": "x" * 301}, "trop longue"),
        (WORK, {"statut": "exclu"}, "ne va pas avec cette valeur"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(variable: Variable, changed: dict[str, Any], words: str) -> None:
    malformed = _told(variable, **changed)
    assert isinstance(malformed, Malformed)
    assert words in malformed.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "vide"),
        ("Je ne peux pas répondre.", "sans texte avant"),
        (f"```json\n{said('Oui', 'x')}\n```", "balise de code"),
        (said("Oui", "x") + " Voilà.", "sans texte après"),
        (said("Oui", "x")[:-9], "coupé"),
        ("[]", "objet JSON"),
        ("{'valeur': 1}", "JSON valide"),
        ('{"citations": 1, "citations": 2, "raison": "", "statut": "", "valeur": 1}', "deux fois"),
        ('{"citations": [], "raison": "", "statut": "omis"}', "« valeur » manque"),
        ("{" * 10_000, "JSON"),
        ('{"a":' * 10_000, "JSON"),
    ],
)
def test_a_text_that_is_not_the_object_is_said_to_be_so(text: str, words: str) -> None:
    malformed = parse_answers([HTA], text)["hta"]
    assert isinstance(malformed, Malformed)
    assert words in malformed.reason


@pytest.mark.parametrize("secret", ["Dupont", "12345"])
def test_no_reason_repeats_what_the_model_wrote(secret: str) -> None:
    for changed in (
        {secret: 1},
        {"valeur": secret},
        {"statut": secret},
        {"citations": [{secret: 1}]},
        {"raison": [secret]},
    ):
        malformed = _told(HTA, **changed)
        assert isinstance(malformed, Malformed)
        assert secret not in malformed.reason


def test_one_bad_variable_of_a_group_costs_no_other() -> None:
    good, bad = json.loads(said("Oui", "HTA")), json.loads(said("douze", "NIHSS"))
    told = parse_answers([HTA, NIHSS, KIND], json.dumps({"hta": good, "nihss": bad}))
    assert isinstance(told["hta"], Answer)
    assert [isinstance(told[name], Malformed) for name in ("nihss", "type")] == [True, True]
    pairs = [("hta", "Oui"), ("nihss", 3), ("hta", "Non"), ("type", "Ischémique")]
    twice = "{" + ",".join(f'"{name}":{said(value, "x")}' for name, value in pairs) + "}"
    told = parse_answers([HTA, NIHSS, KIND], twice)
    assert [isinstance(told[name], Malformed) for name in ("hta", "nihss", "type")] == [True, False, False]


def test_a_tab_that_a_grammar_lets_through_is_read() -> None:
    answer = parse_answers([HTA], said("Oui", "HTA\toui").replace("\\t", "\t"))["hta"]
    assert isinstance(answer, Answer)
    assert answer.quotes[0].text == "HTA\toui"


def test_a_long_reason_is_shortened() -> None:
    answer = _told(HTA, raison="x" * 500)
    assert isinstance(answer, Answer)
    assert len(answer.reason) == 160


def _of(variable: Variable, value: Any, status: str = "documenté", unit: str | None = None) -> Answer:
    return Answer(variable.name, AnswerStatus(status), value, unit, (Quote(1, "x"),))


@pytest.mark.parametrize("status", ["exclu", "omis"])
@pytest.mark.parametrize("value", [None, "Non"])
def test_what_the_record_denies_is_the_code_that_says_no(status: str, value: str | None) -> None:
    assert value_of(HTA, _of(HTA, value, status)) == "0"


def test_denying_a_list_ticks_its_choice_for_none() -> None:
    assert value_of(RISKS, _of(RISKS, None, "exclu")) == ("z",)
    assert value_of(replace(RISKS, choices=RISKS.choices[:2]), _of(RISKS, None, "exclu")) == ()


@pytest.mark.parametrize(
    ("variable", "answer"),
    [
        (KIND, _of(KIND, None, "exclu")),
        (LDL, _of(LDL, None, "omis")),
        (HTA, _of(HTA, None, "non documenté")),
        (HTA, _of(HTA, None, "contradictoire")),
        (DAY, _of(DAY, "2021-02-30")),
        (DAY, _of(DAY, "2021-02")),
        (DAY, _of(DAY, "2021-02-??")),
        (DAY, _of(DAY, "hier")),
        (MOMENT, _of(MOMENT, "2021-02-03")),
        (MOMENT, _of(MOMENT, "2021-02-03 25:00")),
        (replace(DAY, kind=VariableKind.TIME), _of(DAY, "24:10")),
        (LDL, _of(LDL, 1.2, unit="mmHg")),
        (LDL, _of(LDL, 1.2, unit="pommes")),
        (NIHSS, _of(NIHSS, 1.5)),
    ],
)
def test_what_cannot_be_a_value_is_none(variable: Variable, answer: Answer) -> None:
    with pytest.raises(NoValue):
        value_of(variable, answer)


@pytest.mark.parametrize(
    ("label", "unit", "value", "read", "expected"),
    [
        ("LDL cholestérol (mmol/L)", "mmol/L", 1.2, "g/L", 3.1036),
        ("LDL cholestérol (mmol/L)", "mmol/L", 3.1, "mmol/l", 3.1),
        ("LDL cholestérol (mmol/L)", "mmol/L", 3.1, "", 3.1),
        ("Glycémie (g/L)", "g/L", 11.1, "mmol/L", 1.9998),
        ("Créatinine (µmol/L)", "µmol/L", 9.0, "mg/L", 79.56),
        ("Taille (cm)", "cm", 1.63, "m", 163.0),
        ("Durée (jours)", "jours", 2.0, "semaines", 14.0),
    ],
)
def test_units_are_converted_as_the_rules_do(label: str, unit: str, value: float, read: str, expected: float) -> None:
    variable = Variable("x", label, VariableKind.NUMBER, unit=unit)
    assert value_of(variable, _of(variable, value, unit=read)) == pytest.approx(expected, rel=1e-3)
    whole = replace(variable, kind=VariableKind.INTEGER)
    assert value_of(whole, _of(variable, value, unit=read)) == int(expected + 0.5)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2021-06-13", (2021, 6, 13)),
        ("13/06/2021", (2021, 6, 13)),
        ("hier", (2021, 6, 13)),
        ("il y a 3 jours", (2021, 6, 11)),
    ],
)
def test_a_date_may_be_in_the_document_s_words(written: str, expected: tuple[int, int, int]) -> None:
    text = "Chute hier au domicile, douleurs depuis il y a 3 jours."
    document = build_document(RawDocument("P", "d", text, "2021-06-14"), lambda _: None)
    assert value_of(DAY, _of(DAY, written), dates_in(document, 0, len(text))) == dt.date(*expected)


def test_words_that_two_dates_share_settle_none() -> None:
    dates = [("hier", DateMention(0, 4, DateKind.RELATIVE, PartialDate(2021, 6, day))) for day in (12, 13)]
    with pytest.raises(NoValue):
        value_of(DAY, _of(DAY, "hier"), dates)


def test_a_date_and_time_in_the_document_s_words() -> None:
    text = "Début le 14 juin 2021 à 9h30, au réveil."
    document = build_document(RawDocument("P", "d", text, "2021-06-14"), lambda _: None)
    dates = dates_in(document, 0, len(text))
    assert value_of(MOMENT, _of(MOMENT, "14 juin 2021 à 9h30"), dates) == dt.datetime(2021, 6, 14, 9, 30)


def test_labels_that_two_choices_share_have_their_code() -> None:
    variable = replace(KIND, choices=(Choice("1", "Autre"), Choice("2", "Autre"), Choice("3", "AVC"), Choice("4", "")))
    assert choice_labels(variable) == {"Autre (1)": "1", "Autre (2)": "2", "AVC": "3", "4": "4"}


def test_schemas_leave_room_for_values_that_the_dictionary_forbids() -> None:
    schema = json.loads(answer_schema([NIHSS], reason=False))
    for value in (0, 42, 60):
        jsonschema.validate({"citations": [], "statut": "documenté", "valeur": value}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"citations": [], "statut": "documenté", "valeur": 120}, schema)


def test_the_short_form_has_no_reason_and_no_unit() -> None:
    answer = Answer("ldl", AnswerStatus.DOCUMENTED, 3.1, "g/L", (Quote(1, "x"),), "lu")
    assert answer_text({"ldl": answer}, reason=False) == (
        '{"citations":[{"passage":1,"texte":"x"}],"statut":"documenté","valeur":3.1}'
    )
    assert answer_text({"ldl": answer}).endswith('"valeur":3.1,"unité":"g/L"}')
