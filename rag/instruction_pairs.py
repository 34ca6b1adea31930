"""From a table and the passages of its patients to what a language model is taught: questions and their answers.

Distant supervision: a value of the table, the passages that the question shows, and the words among them that carry
it, found by the rules' citations or by weak labels and accepted by the verifier that checks a model's quotes. Where no
shown words carry a value nothing is taught of it as documented: that would teach to invent.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np
import yaml

from eval.values import equal
from generator.llm.answer import Answer, AnswerStatus, answer_text, no_codes
from generator.llm.answer_form import asks_unit
from generator.llm.engine import Completion, Finish, Message
from generator.llm.examples import choose_examples
from generator.llm.ground import Located
from generator.llm.hearing import hear
from generator.llm.layout import Layout, Readable
from generator.llm.prompt import PromptStyle, messages_for
from generator.llm.settings import Context, LlmSettings
from generator.llm.verify import Checked, Reading, Verdict, Verifier
from generator.llm.whole import Mentions, whole_record
from generator.rules.reader import RulesGenerator
from generator.train.pairs import Pair
from rag.lessons import Kind, LeftOut, Lesson, Lessons
from rag.look_alikes import LookAlike, LookAlikes
from rag.redcap import branching
from rag.redcap.values import InvalidValue, decode
from rag.supervision import Supervisor, anchor_of
from rag.taught_quotes import Candidate, answer_of, best_first, cited_candidates, weak_candidates
from rag.variable_words import words_of
from retriever.passages import passages as cut
from retriever.weak import Weights
from schema.document import PatientRecord
from schema.passage import Passage
from schema.study import Study, VariableHints
from schema.value import Status, Value
from schema.variable import Variable

#: Weight of a pair whose quote or silence nobody but the weak labels vouches for.
WEAK = 0.5
#: Pairs of a kind, at most, for each one that tells a value as `fill` asks for it.
_SILENT, _HARD, _ABSENT = 1.0, 0.25, 0.25
#: Pairs that are not documented, at least, for each one that tells a value, where the table leaves hardly a cell empty.
_LEAST_SILENT = 0.5

_STATUS = {
    Status.FOUND: AnswerStatus.DOCUMENTED,
    Status.STATED_ABSENT: AnswerStatus.DENIED,
    Status.ABSENT_BY_OMISSION: AnswerStatus.OMITTED,
}

#: Whether a model can take a prompt.
Fits = Callable[[Sequence[Message]], bool]


class PairMaker:
    """Makes the pairs of one patient at a time. Built once with a dictionary.

    Args:
        settings: how `fill` will ask; its questions are about one variable each.
        fits: whether the model takes a prompt; passages are left out until it does, as `fill` does.
        mentions: gives the concepts of a document, for a whole record; None: it is shown without.
        seed: decides which of the many silent cells and hard questions are taken.
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        study: Study | None = None,
        settings: LlmSettings | None = None,
        fits: Fits = lambda _: True,
        mentions: Mentions | None = None,
        seed: int = 0,
    ) -> None:
        study, settings = study or Study(), settings or LlmSettings()
        rules = RulesGenerator(variables, study)
        self._tools = _Tools(
            variables=tuple(variables),
            words=words_of(variables, study),
            conditions={v.name: branching.parse(v.branching) for v in variables if v.branching},
            settings=settings,
            style=PromptStyle(settings.style),
            fits=fits,
            mentions=mentions if settings.concepts else None,
            rules=rules,
            supervisor=Supervisor(variables, rules, study),
            verifier=Verifier(variables, study),
            seed=seed,
        )

    def lessons_of(
        self,
        record: PatientRecord,
        row: Mapping[str, str],
        found: Mapping[str, Sequence[Passage]] | None = None,
    ) -> Lessons:
        """What a patient teaches.

        Args:
            row: coded values by variable name, as `rag.supervision.read_rows` gives them.
            found: by variable name, the passages that `fill` would read, best first; None: the whole record.
        """
        return _Patient(self._tools, record, row, found).lessons()

    def pairs_of(
        self,
        record: PatientRecord,
        row: Mapping[str, str],
        found: Mapping[str, Sequence[Passage]] | None = None,
    ) -> list[Pair]:
        """The pairs of `lessons_of`."""
        return [lesson.pair for lesson in self.lessons_of(record, row, found).taught]


@dataclass(frozen=True, slots=True)
class _Tools:
    """What is built once with a dictionary."""

    variables: tuple[Variable, ...]
    words: Mapping[str, VariableHints]
    conditions: Mapping[str, branching.Branching]
    settings: LlmSettings
    style: PromptStyle
    fits: Fits
    mentions: Mentions | None
    rules: RulesGenerator
    supervisor: Supervisor
    verifier: Verifier
    seed: int


@dataclass(frozen=True, slots=True)
class _Told:
    """A filled cell whose value the shown passages tell."""

    lesson: Lesson
    candidate: Candidate
    value: Value


class _Patient:
    """The cells of one patient, read once."""

    def __init__(
        self,
        tools: _Tools,
        record: PatientRecord,
        row: Mapping[str, str],
        found: Mapping[str, Sequence[Passage]] | None,
    ) -> None:
        self._tools, self._record, self._row = tools, record, row
        self._whole = found is None
        whole = whole_record(record, tools.mentions) if found is None else []
        self._readable = Readable(found, whole, tools.settings.concepts)
        self._values = {v.name: value for v in tools.variables if (value := _typed(v, row)) is not None}
        self._left: Counter[LeftOut] = Counter()
        self._random = np.random.default_rng([tools.seed, *sha256(record.patient_id.encode()).digest()[:8]])
        asked = (v for v in tools.variables if self._is_open(v))
        self._layouts = {v.name: layout for v in asked if (layout := self._layout(v)) is not None}
        self._asked = [v for v in tools.variables if v.name in self._layouts]
        shown = {name: list(layout.passages) for name, layout in self._layouts.items()}
        self._read = {value.variable: value for value in tools.rules.fill(record, shown)}
        windows = [] if self._whole else [window for document in record.documents for window in cut(document)]
        every = [passage for passages in shown.values() for passage in passages]
        self._universe = list({passage.span: passage for passage in (*windows, *every)}.values())
        self._places = {passage.span: place for place, passage in enumerate(self._universe)}
        self._labels = tools.supervisor.label(record, self._universe, row)
        self._alike = LookAlikes(tools.supervisor, self._universe, row, self._labels, self._random)

    def lessons(self) -> Lessons:
        """See `PairMaker.lessons_of`."""
        told, silent = self._told_and_silent()
        lessons = [cell.lesson for cell in told]
        lessons += self._balanced(silent, round(_SILENT * len(told)))
        taken = len(lessons) - len(told)
        self._left[LeftOut.BALANCED] += len(silent) - taken
        lessons += self._hard(told)
        lessons += self._absent(told, round(max(_ABSENT * len(told), _LEAST_SILENT * len(told) - taken)))
        order = {variable.name: place for place, variable in enumerate(self._tools.variables)}
        lessons.sort(key=lambda lesson: (order[lesson.variable.name], list(Kind).index(lesson.kind)))
        return Lessons(tuple(lessons), {why: count for why, count in self._left.items() if count})

    def _is_open(self, variable: Variable) -> bool:
        condition = self._tools.conditions.get(variable.name)
        applies = condition is None or condition.applies(dict(self._values))
        self._left[LeftOut.CLOSED] += not applies
        return applies

    def _layout(self, variable: Variable) -> Layout | None:
        """What `fill` would show for a variable: fewer passages until the model takes them; None if it never does."""
        for layout in self._layouts_to_try(variable):
            if not layout.passages:
                self._left[LeftOut.UNTOLD] += variable.name in self._values
                return None
            if self._tools.fits(self._messages(variable, layout)):
                return layout
        self._left[LeftOut.TOO_LONG] += 1
        return None

    def _layouts_to_try(self, variable: Variable) -> Iterator[Layout]:
        context, readable = self._tools.settings.context, self._readable
        most = readable.most
        if context is not Context.VARIABLE or self._whole:
            yield readable.shared(most)
        while not self._whole:
            if context is not Context.PATIENT:
                yield readable.own([variable], most)
            if most == 1:
                return
            most = (most + 1) // 2
            if context is Context.PATIENT:
                yield readable.shared(most)

    def _told_and_silent(self) -> tuple[list[_Told], list[Lesson]]:
        candidates = {v.name: list(self._candidates(v)) for v in self._asked if v.name in self._values}
        tried = [(name, candidate) for name, held in candidates.items() for candidate in held]
        readings = [
            Reading(name, self._values[name], self._supposed(name), candidate.quotes) for name, candidate in tried
        ]
        checked: defaultdict[str, list[tuple[Candidate, Checked]]] = defaultdict(list)
        for (name, candidate), result in zip(tried, self._tools.verifier.check(self._record, readings), strict=True):
            checked[name].append((candidate, result))
        told: list[_Told] = []
        silent: list[Lesson] = []
        for variable in self._asked:
            layout, read = self._layouts[variable.name], self._read[variable.name]
            if variable.name not in self._values:
                is_read = read.value is not None  # by the rules, where who filled the table read nothing
                why = "wrong_value" if is_read else "unsaid"
                silent.append(self._silence(variable, layout, Kind.SILENT, why, weak=is_read))
            elif cell := self._telling(variable, layout, checked[variable.name]):
                told.append(cell)
            elif self._is_elsewhere(variable):
                silent.append(self._silence(variable, layout, Kind.SILENT, "unsaid", weak=True))
            else:
                self._left[self._why_left(variable, checked[variable.name])] += 1
        return told, silent

    def _candidates(self, variable: Variable) -> Iterator[Candidate]:
        """Quotes to try, those of the rules first, each only once."""
        name, passages = variable.name, self._layouts[variable.name].passages
        seen: set[tuple[Located, ...]] = set()
        read, value = self._read[name], self._values[name]
        cited = cited_candidates(self._record, passages, read) if equal(variable, read.value, value) else iter(())
        anchor = anchor_of(self._tools.variables, self._row)
        weights = self._weights(name)[[self._places[passage.span] for passage in passages]]
        liked = weak_candidates(variable, self._row[name], passages, weights, self._tools.words[name], anchor)
        for candidate in chain(cited, liked):
            if candidate.quotes not in seen:
                seen.add(candidate.quotes)
                yield candidate

    def _supposed(self, name: str) -> Status:
        """The status of a value before its quotes are read: that of the rules where they agree."""
        variable = next(v for v in self._asked if v.name == name)
        read, value = self._read[name], self._values[name]
        if equal(variable, read.value, value):
            return read.status
        codes = value if isinstance(value, tuple) else (value,)
        return Status.STATED_ABSENT if set(codes) & set(no_codes(variable)) else Status.FOUND

    def _telling(
        self, variable: Variable, layout: Layout, checked: Sequence[tuple[Candidate, Checked]]
    ) -> _Told | None:
        """The shortest candidate that the verifier takes, as an answer that `fill` would read as the table's value."""
        for candidate, result in best_first(checked):
            value, status = self._values[variable.name], _STATUS[result.status]
            reason = candidate.reason or _reasons()[status.value]
            answer = answer_of(
                variable, value, status, candidate, self._record, layout.passages, self._tools.style, reason
            )
            if self._is_heard(variable, layout, answer, value):
                weight = 1.0 if not candidate.weak else WEAK
                passage = candidate.passage
                lesson = self._lesson(variable, layout, Kind.TOLD, candidate.weak, weight, answer, passage)
                return _Told(lesson, candidate, value)
        return None

    def _is_heard(self, variable: Variable, layout: Layout, answer: Answer, value: Value) -> bool:
        """Whether `fill`, given this answer, would read the value."""
        reason = self._tools.style.reason
        given = Completion(answer_text({variable.name: answer}, reason), Finish.STOP)
        heard = hear(self._record, [variable], layout.passages, given, reason)[variable.name]
        return heard.flaw is None and equal(variable, heard.value, value)

    def _is_elsewhere(self, variable: Variable) -> bool:
        """Whether the value is told, as far as anyone knows, only by passages that the question does not show."""
        weights = self._weights(variable.name)
        shown = [self._places[passage.span] for passage in self._layouts[variable.name].passages]
        return bool(weights.any()) and not weights[shown].any() and self._read[variable.name].value is None

    def _why_left(self, variable: Variable, checked: Sequence[tuple[Candidate, Checked]]) -> LeftOut:
        verdicts = {result.verdict for _, result in checked}
        if Verdict.VERIFIED in verdicts:
            return LeftOut.UNFIT
        read = self._read[variable.name].value
        differs = read is not None and not equal(variable, read, self._values[variable.name])
        return LeftOut.OTHERWISE if differs or verdicts - {Verdict.UNSUPPORTED} else LeftOut.UNTOLD

    def _balanced(self, silent: Sequence[Lesson], most: int) -> list[Lesson]:
        """At most so many of them, as many as can be of each kind of variable."""
        by_kind: defaultdict[str, list[Lesson]] = defaultdict(list)
        for i in self._random.permutation(len(silent)).tolist():
            by_kind[silent[i].variable.kind].append(silent[i])
        taken: list[Lesson] = []
        while len(taken) < most and any(by_kind.values()):
            for held in by_kind.values():
                if held and len(taken) < most:
                    taken.append(held.pop())
        return taken

    def _hard(self, told: Sequence[_Told]) -> Iterator[Lesson]:
        """Some of what is told, told again among passages that look right and are not."""
        left = round(_HARD * len(told))
        for cell in self._drawn(told):
            variable = cell.lesson.variable
            quoted = list({place.passage.span: place.passage for place in cell.candidate.quotes}.values())
            wrong = self._alike.wrong(variable)
            if not left or not wrong:
                continue
            layout = self._among(variable, quoted, wrong)
            style, weight = self._tools.style, cell.lesson.pair.weight
            status, reason = cell.lesson.answer.status, cell.lesson.answer.reason
            answer = answer_of(
                variable, cell.value, status, cell.candidate, self._record, layout.passages, style, reason
            )
            if self._tools.fits(self._messages(variable, layout)) and self._is_heard(
                variable, layout, answer, cell.value
            ):
                left -= 1
                yield self._lesson(variable, layout, Kind.HARD, cell.lesson.weak, weight, answer, cell.lesson.passage)

    def _absent(self, told: Sequence[_Told], left: int) -> Iterator[Lesson]:
        """Some of what is told, asked again without the passages that tell it."""
        asked = [(cell, wrong) for cell in self._drawn(told) if (wrong := self._alike.wrong(cell.lesson.variable))]
        layouts = {cell.lesson.variable.name: self._among(cell.lesson.variable, [], wrong) for cell, wrong in asked}
        shown = {name: list(layout.passages) for name, layout in layouts.items()}
        read = {value.variable: value for value in self._tools.rules.fill(self._record, shown)} if shown else {}
        for cell, wrong in asked:
            variable, layout = cell.lesson.variable, layouts[cell.lesson.variable.name]
            again = read[variable.name].value
            if not left or equal(variable, again, cell.value):
                continue
            if self._tools.fits(self._messages(variable, layout)):
                left -= 1
                why = wrong[0].kind.value
                yield self._silence(variable, layout, Kind.ABSENT, why, again is not None, wrong[0].passage.text)

    def _drawn(self, told: Sequence[_Told]) -> list[_Told]:
        return [told[i] for i in self._random.permutation(len(told)).tolist()]

    def _among(self, variable: Variable, right: Sequence[Passage], wrong: Sequence[LookAlike]) -> Layout:
        """A question made of these passages and of others that have nothing to do with it."""
        ranked = self._alike.among(variable, [*right, *(one.passage for one in wrong)])
        layout = Readable({variable.name: ranked}, (), self._tools.settings.concepts).shared(len(ranked))
        return replace(layout, first={}) if self._whole else layout

    def _weights(self, name: str) -> Weights:
        return self._labels[name].combined()

    def _silence(
        self, variable: Variable, layout: Layout, kind: Kind, why: str, weak: bool, passage: str = ""
    ) -> Lesson:
        reason = _reasons()[why] if self._tools.style.reason else ""
        unit = "" if asks_unit(variable, self._tools.style.reason) else None
        answer = Answer(variable.name, AnswerStatus.SILENT, None, unit, (), reason)
        return self._lesson(variable, layout, kind, weak, WEAK if weak else 1.0, answer, passage)

    def _lesson(
        self, variable: Variable, layout: Layout, kind: Kind, weak: bool, weight: float, answer: Answer, passage: str
    ) -> Lesson:
        text = answer_text({variable.name: answer}, self._tools.style.reason)
        pair = Pair(self._messages(variable, layout), text, weight)
        return Lesson(self._record.patient_id, variable, kind, weak, pair, answer, passage)

    def _messages(self, variable: Variable, layout: Layout) -> tuple[Message, ...]:
        style, settings = self._tools.style, self._tools.settings
        wanted = style.examples if settings.examples is None else settings.examples
        examples = choose_examples(variable, layout.passages, wanted) if wanted else []
        return messages_for(style, layout.passages, [variable], layout.first, examples)


def _typed(variable: Variable, row: Mapping[str, str]) -> Value | None:
    try:
        return decode(variable, row)
    except InvalidValue:
        return None


@functools.cache
def _reasons() -> dict[str, str]:
    content: dict[str, str] = yaml.safe_load(
        Path(__file__).with_name("instruction_reasons.yml").read_text(encoding="utf-8")
    )
    return content
