"""A patient's questions, asked until each has an answer or a reason why it has none.

All the questions of a patient are sent together, so that the server batches them. Those whose answer cannot be used are
asked again in a next round: in parts, with more room, with fewer passages, or with a word on what was wrong. What is
asked depends on the answers alone, never on how questions were batched nor on a try that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from generator.llm.answer import Answer, AnswerStatus, answer_schema
from generator.llm.engine import Completion, Engine, Fault, Finish, Message, NoAnswer, Request
from generator.llm.examples import Example, choose_examples
from generator.llm.hearing import Flaw, Heard, hear
from generator.llm.layout import Layout, Readable
from generator.llm.prompt import PromptStyle, repair
from generator.llm.settings import Context, LlmSettings
from schema.document import PatientRecord
from schema.passage import Passage
from schema.variable import Variable

#: How many times the usual length is allowed to an answer that was cut.
_LONGER = 4


@dataclass(frozen=True, slots=True)
class _Mended:
    """The answer that the model is told to mend: its text, and what was heard in it."""

    text: str
    heard: Heard


@dataclass(frozen=True, slots=True)
class _Question:
    """Variables asked for at once.

    Args:
        shared: it shows what all the patient's questions show, not the variables' own passages.
        most: passages shown for each variable, at most.
    """

    variables: tuple[Variable, ...]
    sample: int
    shared: bool
    most: int
    is_longer: bool = False
    mended: _Mended | None = None


class Asking:
    """Asks the questions of one patient."""

    def __init__(self, engine: Engine, settings: LlmSettings, record: PatientRecord, readable: Readable) -> None:
        self._engine = engine
        self._settings = settings
        self._record = record
        self._readable = readable
        self._style = PromptStyle(settings.style)
        self._system = self._style.system().strip()
        self._written: dict[tuple[int, tuple[Variable, ...] | None], tuple[Layout, str]] = {}
        self._heard: dict[tuple[str, int], Heard] = {}

    def ask(self, variables: Sequence[Variable]) -> dict[str, tuple[Heard, ...]]:
        """What was heard of each variable, by its name: one `Heard` for each sample, the likeliest answer first."""
        settings, most = self._settings, self._readable.most
        shared = settings.context is not Context.VARIABLE
        left = [
            _Question(tuple(variables[i : i + settings.group]), sample, shared, most)
            for sample in range(settings.samples)
            for i in range(0, len(variables), settings.group)
        ]
        while left := [question for question in left if self._is_worth_asking(question)]:
            answers = self._engine.complete([self._request(question) for question in left])
            left = [
                again for question, answer in zip(left, answers, strict=True) for again in self._take(question, answer)
            ]
        return {
            variable.name: tuple(self._heard[variable.name, sample] for sample in range(settings.samples))
            for variable in variables
        }

    def _is_worth_asking(self, question: _Question) -> bool:
        """Whether there is something to read: nothing is said of a variable for which no passage was found."""
        if self._layout(question).passages:
            return True
        for variable in question.variables:
            self._keep(question, variable, Heard(None, Answer(variable.name, AnswerStatus.SILENT, None)))
        return False

    def _layout(self, question: _Question) -> Layout:
        return self._shown(question)[0]

    def _shown(self, question: _Question) -> tuple[Layout, str]:
        """What a question shows, and its text: written once for all the questions that show the same."""
        key = question.most, None if question.shared else question.variables
        if key not in self._written:
            readable = self._readable
            layout = readable.shared(key[0]) if question.shared else readable.own(question.variables, key[0])
            self._written[key] = layout, self._style.record(layout.passages)
        return self._written[key]

    def _request(self, question: _Question) -> Request:
        variables, style = question.variables, self._style
        layout, record = self._shown(question)
        asked = style.question(variables, layout.first, self._examples_for(variables, layout.passages))
        messages: tuple[Message, ...] = (Message("system", self._system), Message("user", (record + asked).strip()))
        if question.mended is not None:
            messages += repair(style, question.mended.text, [question.mended.heard.why])
        return Request(messages, answer_schema(variables, style.reason), self._room(question), question.sample)

    def _room(self, question: _Question) -> int:
        """Tokens that its answer may take."""
        return self._settings.max_tokens * len(question.variables) * (_LONGER if question.is_longer else 1)

    def _examples_for(self, variables: Sequence[Variable], passages: Sequence[Passage]) -> list[Example]:
        """Solved questions like these, the most like last; those of a group are shared out among its variables."""
        wanted = self._style.examples if self._settings.examples is None else self._settings.examples
        each = max(1, wanted // len(variables)) if wanted else 0
        chosen = [example for variable in variables for example in choose_examples(variable, passages, each)]
        return list({example.variable.name: example for example in chosen}.values())[-wanted:] if wanted else []

    def _take(self, question: _Question, answer: Completion | NoAnswer) -> Iterable[_Question]:
        """Keep what an answer says of its variables; the questions that it leaves to ask."""
        if isinstance(answer, NoAnswer):
            if answer.fault is Fault.TOO_LONG:
                return self._shorter(question)
            return self._settle(question, Flaw.UNREACHABLE if answer.is_passing else Flaw.REJECTED)
        if answer.finish is Finish.LENGTH:
            is_context_full = 0 < answer.completion_tokens < self._room(question)
            return self._shorter(question) if is_context_full else self._longer(question)
        if answer.finish is Finish.REFUSED:
            return self._apart(question, question.variables) or self._settle(question, Flaw.REFUSED)
        passages, reason = self._layout(question).passages, self._style.reason
        heard = hear(self._record, question.variables, passages, answer, reason)
        return list(self._mend(question, answer, heard))

    def _mend(self, question: _Question, answer: Completion, heard: dict[str, Heard]) -> Iterator[_Question]:
        flawed = [variable for variable in question.variables if heard[variable.name].flaw]
        apart = self._apart(question, flawed)
        yield from apart
        for variable in question.variables:
            told = heard[variable.name]
            if variable in flawed and apart:
                continue
            if told.flaw and told.flaw.is_mendable and question.mended is None:
                yield replace(question, mended=_Mended(answer.text, told))
            else:
                self._keep(question, variable, told if question.mended is None else _best(question.mended.heard, told))

    def _apart(self, question: _Question, variables: Sequence[Variable]) -> list[_Question]:
        """Each of these variables of a group in a question of its own; none where it is alone already."""
        if len(question.variables) == 1:
            return []
        return [replace(question, variables=(variable,)) for variable in variables]

    def _longer(self, question: _Question) -> Iterable[_Question]:
        if len(question.variables) > 1:
            return _halves(question)
        if question.is_longer or question.mended is not None:
            return self._settle(question, Flaw.CUT)
        return [replace(question, is_longer=True)]

    def _shorter(self, question: _Question) -> Iterable[_Question]:
        if question.is_longer or question.mended is not None:
            return self._settle(question, Flaw.CUT)
        if question.shared and self._settings.context is Context.AUTO and not self._readable.is_whole:
            return [replace(question, shared=False)]
        if len(question.variables) > 1:
            return _halves(question)
        if question.most > 1 and not self._readable.is_whole:
            return [replace(question, most=(question.most + 1) // 2)]
        return self._settle(question, Flaw.TOO_LONG)

    def _settle(self, question: _Question, flaw: Flaw) -> Iterable[_Question]:
        """Nothing more will be heard of these variables; of an answer that was to be mended, what it said stays."""
        mended = question.mended
        for variable in question.variables:
            said = mended.heard if mended is not None and flaw is not Flaw.UNREACHABLE else Heard(flaw)
            self._keep(question, variable, said)
        return ()

    def _keep(self, question: _Question, variable: Variable, heard: Heard) -> None:
        self._heard[variable.name, question.sample] = heard


def _best(first: Heard, second: Heard) -> Heard:
    """Of an answer and what it became once mended, the one that says more."""
    worth = {Flaw.FORM: 0, Flaw.VALUE: 1, Flaw.QUOTE: 2, None: 3}
    return second if worth.get(second.flaw, -1) >= worth.get(first.flaw, -1) else first


def _halves(question: _Question) -> list[_Question]:
    middle = len(question.variables) // 2
    return [replace(question, variables=part) for part in (question.variables[:middle], question.variables[middle:])]
