"""A dispute shown to the model: what it must answer for one of the values to be kept."""

from __future__ import annotations

import functools
import json
import pickle
import re
from collections.abc import Callable

import pytest

from generator.arbiter import Dispute, Ruled
from generator.both import BothGenerator
from generator.llm.arbitration import arbitration_schema
from generator.llm.engine import Completion, Engine, Fault, Finish, NoAnswer
from generator.llm.reader import LlmGenerator
from generator.llm.settings import Context, LlmSettings
from generator.rules.reader import RulesGenerator
from retriever.passages import passages as cut_into_passages
from schema.document import PatientRecord
from schema.problem import InputError, Problem
from schema.study import Study
from schema.value import Evidence, ExtractedValue, Status
from tests.llm.scripted import ARRIVAL, LATER, NIHSS, Asked, Reply, ScriptedEngine, record, said

TEXT = {"d0": ARRIVAL, "d1": LATER}
USUAL = LlmSettings()


def reading(value: int, document: str, quote: str) -> ExtractedValue:
    patient = record()
    text = next(d.source_text for d in patient.documents if d.document_id == document)
    start = text.index(quote)
    return ExtractedValue(
        "P1", "nihss", Status.FOUND, value, 0.9, (Evidence(document, start, start + len(quote), quote),)
    )


AT_ARRIVAL = reading(12, "d0", "NIHSS à 12")
LATE = reading(2, "d1", "NIHSS à 2")
DISPUTE = Dispute(NIHSS, (LATE, AT_ARRIVAL))


def is_arbitration(asked: Asked) -> bool:
    return asked.request.schema == arbitration_schema()


def letter_of(asked: Asked, value: int) -> str:
    """The letter under which a value is shown."""
    shown = asked.request.messages[1].content
    found = re.search(rf"<réponse (\w)>\nValeur proposée : {value}\n", shown)
    assert found, shown
    return found[1]


def ruling(choice: str, *quotes: str, passage: int = 1) -> str:
    cited = [{"passage": passage, "texte": quote} for quote in quotes]
    return json.dumps({"citations": cited, "raison": "", "choix": choice}, ensure_ascii=False)


def choosing(value: int, *quotes: str) -> Callable[[Asked], Reply]:
    return lambda asked: ruling(letter_of(asked, value), *quotes)


class _Plug(ScriptedEngine):
    """Answers as is plugged: building a reader takes half a second."""

    def __init__(self) -> None:
        super().__init__(lambda asked: self.reply(asked))
        self.reply: Callable[[Asked], Reply] = lambda asked: ""


@functools.cache
def _reader(settings: LlmSettings) -> tuple[LlmGenerator, _Plug]:
    plug = _Plug()
    return LlmGenerator([NIHSS], Study(), settings, lambda: plug), plug


def settle(
    reply: Callable[[Asked], Reply],
    settings: LlmSettings = USUAL,
    patient: PatientRecord | None = None,
    found: bool = True,
) -> tuple[Ruled, ScriptedEngine]:
    reader, plug = _reader(settings)
    plug.reply = reply
    plug.calls = []
    patient = patient or record()
    passages = {"nihss": [p for d in patient.documents for p in cut_into_passages(d)]} if found else None
    (ruled,) = reader.arbitrate(patient, passages, [DISPUTE])
    return ruled, plug


def test_the_value_that_the_model_chooses_both_times_and_quotes_is_upheld() -> None:
    ruled, engine = settle(choosing(12, "NIHSS à 12"))
    assert ruled == Ruled(1)
    first, second = engine.asked
    assert letter_of(first, 12) != letter_of(second, 12)  # each stands first once
    for asked in engine.asked:
        cited = re.search(r"Passage (\d+) cité : NIHSS à 12$", asked.request.messages[1].content, re.MULTILINE)
        assert cited
        assert "NIHSS à 12" in asked.shown.split(f"<passage {cited[1]} ")[1].split("</passage")[0]
        assert is_arbitration(asked)


def test_a_whole_record_is_shown_where_nothing_was_searched() -> None:
    ruled, engine = settle(choosing(12, "NIHSS à 12"), found=False)
    assert ruled == Ruled(1)
    assert "Consultation du 20/09/2021" in engine.asked[0].shown


@pytest.mark.parametrize(
    "reply",
    [
        lambda asked: ruling("A", "NIHSS à 12"),  # the first one, whichever it is
        lambda asked: ruling("aucune", "NIHSS à 12"),
        choosing(12),
        choosing(12, "NIHSS évalué à 12 ce jour"),  # written nowhere
        choosing(12, "hémiplégie droite"),  # says nothing of it
        choosing(2, "NIHSS à 2"),  # of another moment than the one asked for
        lambda asked: "Je ne sais pas.",
        lambda asked: Completion('{"citations":[', Finish.LENGTH),
        lambda asked: Completion("", Finish.REFUSED),
        lambda asked: NoAnswer(Fault.REJECTED),
        lambda asked: NoAnswer(Fault.TOO_LONG),
    ],
    ids=[
        *("by_place", "neither", "unquoted", "invented", "beside", "other_time", "prose", "cut", "refused", "rejected"),
        "too_long",
    ],
)
def test_anything_else_settles_nothing(reply: Callable[[Asked], Reply]) -> None:
    assert settle(reply)[0] == Ruled()


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.OVERLOADED, Fault.TIMEOUT])
def test_a_server_that_is_away_leaves_the_dispute_open(fault: Fault) -> None:
    assert settle(lambda asked: NoAnswer(fault))[0] == Ruled(is_open=True)


def test_a_server_that_never_opens_leaves_the_dispute_open() -> None:
    def away() -> Engine:
        raise InputError(Problem("http://127.0.0.1:1", "does not answer.", "Start it."))

    assert LlmGenerator([NIHSS], Study(), USUAL, away).arbitrate(record(), None, [DISPUTE]) == [Ruled(is_open=True)]


def test_a_record_too_long_to_share_is_shown_by_the_variables_own_passages() -> None:
    patient = record()
    of_arrival, of_later = (list(cut_into_passages(d)) for d in patient.documents)
    reader, plug = _reader(LlmSettings(context=Context.AUTO))
    plug.reply = lambda asked: (
        NoAnswer(Fault.TOO_LONG) if "Consultation" in asked.shown else choosing(12, "NIHSS à 12")(asked)
    )
    passages = {"nihss": of_arrival, "autre": of_later}
    assert reader.arbitrate(patient, passages, [DISPUTE]) == [Ruled(1)]


def test_two_readers_in_full() -> None:
    """The rules read 12; the model reads 2 at first, and 12 once it is shown both."""
    patient = record()

    def reply(asked: Asked) -> Reply:
        return choosing(12, "NIHSS à 12")(asked) if is_arbitration(asked) else said(2, "NIHSS à 2", passage=2)

    engine = ScriptedEngine(reply)
    model = LlmGenerator([NIHSS], Study(), USUAL, lambda: engine)
    (value,) = BothGenerator([NIHSS], RulesGenerator([NIHSS]), model).fill(patient)
    assert (value.status, value.value) == (Status.FOUND, 12)
    for cited in value.evidence:
        assert TEXT[cited.document_id][cited.start : cited.end] == cited.quote


def test_both_readers_travel_to_another_process() -> None:
    model = LlmGenerator([NIHSS], Study(), USUAL, _open_nothing)
    sent = pickle.loads(pickle.dumps(BothGenerator([NIHSS], RulesGenerator([NIHSS]), model)))
    (value,) = sent.fill(record())
    assert (value.status, value.candidates) == (Status.SERVER_ERROR, (12,))


def _open_nothing() -> Engine:
    raise InputError(Problem("http://127.0.0.1:1", "does not answer.", "Start it."))
