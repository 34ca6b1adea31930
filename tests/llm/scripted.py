"""An engine that answers as a test says, and a record to ask about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from generator.llm.engine import Completion, Finish, NoAnswer, Request, Token
from rag.corpus.build import build_document
from schema.document import PatientRecord, RawDocument
from schema.variable import Choice, Variable, VariableKind

NIHSS = Variable("nihss", "Score NIHSS à l'admission", VariableKind.INTEGER, minimum="0", maximum="42")
DIABETES = Variable("diabete", "Diabète", VariableKind.YESNO, choices=(Choice("1", "Oui"), Choice("0", "Non")))
SMOKING = Variable("tabac", "Tabagisme actif", VariableKind.YESNO, choices=(Choice("1", "Oui"), Choice("0", "Non")))
WEIGHT = Variable("poids", "Poids (kg)", VariableKind.NUMBER, unit="kg")
VARIABLES = (NIHSS, DIABETES, SMOKING, WEIGHT)

ARRIVAL = """\
Compte rendu d'hospitalisation du 14/06/2021 au 21/06/2021.
Antécédents : diabète de type 2. Pas de tabagisme.
Histoire de la maladie : installation brutale d'une hémiplégie droite.
A l'entrée, NIHSS à 12. Poids : 71 kg.
"""
LATER = "Consultation du 20/09/2021. Bonne récupération, NIHSS à 2. Reprise de la marche."


def record(*texts: str, patient: str = "P1") -> PatientRecord:
    """A record of documents a month apart; the two above where none is given."""
    raws = [
        RawDocument(patient, f"d{number}", text, f"2021-{6 + number:02d}-21", "crh", "Compte rendu")
        for number, text in enumerate(texts or (ARRIVAL, LATER))
    ]
    return PatientRecord.of(patient, [build_document(raw, lambda _: None) for raw in raws])


def said(value: object, *quotes: str, status: str = "documenté", passage: int = 1, unit: str | None = None) -> str:
    """An answer in the form of the full style."""
    told = {
        "citations": [{"passage": passage, "texte": quote} for quote in quotes],
        "raison": "",
        "statut": status,
        "valeur": value,
    }
    return json.dumps(told if unit is None else told | {"unité": unit or None}, ensure_ascii=False)


SILENT = said(None, status="non documenté")
#: The right answer to each of the variables above, about the two documents above.
RIGHT = {
    "nihss": said(12, "NIHSS à 12"),
    "diabete": said("Oui", "diabète de type 2"),
    "tabac": said("Non", "Pas de tabagisme", status="exclu"),
    "poids": said(71, "Poids : 71 kg", unit="kg"),
}


def group_of(*names: str, **told: str) -> str:
    """The right answers of several variables in one, some of them told otherwise."""
    return json.dumps({name: json.loads(told.get(name, RIGHT[name])) for name in names}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what it is about."""

    request: Request

    @property
    def names(self) -> tuple[str, ...]:
        """The variables asked for."""
        return tuple(re.findall(r"^<variable (\w+)>$", self._parts[1], re.MULTILINE))

    @property
    def shown(self) -> str:
        """The text of the record."""
        return self._parts[0]

    @property
    def is_repair(self) -> bool:
        """Whether an answer is to be mended."""
        return len(self.request.messages) > 2

    @property
    def _parts(self) -> tuple[str, str]:
        shown, _, asked = self.request.messages[1].content.rpartition("<question>")
        return shown, asked


Reply = str | Completion | NoAnswer


class ScriptedEngine:
    """Answers with ``reply``; keeps what it was asked, by call."""

    name = "scripted"
    context = 4096

    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        self._reply = reply
        self.calls: list[list[Asked]] = []
        self.closed = False

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """See `Engine.complete`."""
        self.calls.append([Asked(request) for request in requests])
        return [_whole(self._reply(asked)) for asked in self.calls[-1]]

    def close(self) -> None:
        """See `Engine.close`."""
        self.closed = True

    @property
    def asked(self) -> list[Asked]:
        """All that was asked."""
        return [asked for call in self.calls for asked in call]


def _whole(reply: Reply) -> Completion | NoAnswer:
    return Completion(reply, Finish.STOP, _tokens(reply)) if isinstance(reply, str) else reply


def _tokens(text: str, logprob: float = -0.1) -> tuple[Token, ...]:
    return tuple(Token(piece, logprob) for piece in re.findall(r"\w+|\W", text))


def rightly(asked: Asked) -> str:
    """The right answer, whatever is asked."""
    return RIGHT[asked.names[0]] if len(asked.names) == 1 else group_of(*asked.names)


def cut(text: str = '{"citations":[{"pass') -> Completion:
    """An answer that was cut."""
    return Completion(text, Finish.LENGTH)


def instead(name: str, *replies: Reply) -> Callable[[Asked], Reply]:
    """Right answers, but for one variable, whose questions get these replies in turn (the last one from then on)."""
    left = list(replies)

    def reply(asked: Asked) -> Reply:
        if asked.names != (name,):
            return rightly(asked)
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


def names_asked(calls: Iterable[Iterable[Asked]]) -> list[list[tuple[str, ...]]]:
    """The variables of each question of each call."""
    return [[asked.names for asked in call] for call in calls]
