"""Values planted in cohorts that have manual evidence: right ones, wrong ones, and quotes that nobody wrote.

Everything is made from a cohort's own table and evidence, with a fixed seed. A planted value that happens to be the
table's is left out, and so is a planted quote that happens to be written.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from eval.values import equal, normalised
from generator.llm.whole import whole_record
from generator.rules.label import wanted_of
from rag.corpus.read import read_documents
from rag.patient import build_record
from rag.redcap.dictionary import read_dictionary
from rag.redcap.values import InvalidValue, decode, validate
from rag.settings import load_study
from schema.document import PatientRecord, RawDocument
from schema.passage import Passage
from schema.study import Study
from schema.value import Value
from schema.variable import Variable, VariableKind

_NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)
_DATES = (VariableKind.DATE, VariableKind.DATETIME)
_CLOSED = (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE)
_DENIES = re.compile(r"\b(?:pas|ni|aucune?s?|sans|non|jamais|absence|absente?|nég\w+|néant)\b|: 0\b", re.IGNORECASE)
_NO = re.compile(r"(?:non\b|absen|aucun|pas d|jamais|sans\b|n'|faux)", re.IGNORECASE)
_UNKNOWN = re.compile(r"(?:nsp|inconnu|non (?:renseign|précis|fait)|indétermin|sans précision)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,/])\d{1,4}(?:[.,]\d+)?(?![\w/])")
_DATE = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d\d)(?!\d)")
_SENTENCE = re.compile(r"[^\n.;]{12,140}")

#: Words of a label -> what a document would write of it, for sentences that are put into documents.
_TERMS = (
    (r"hypertension|\bhta\b", "hypertension artérielle"),
    (r"diab", "diabète de type 2"),
    (r"dyslip|cholest", "hypercholestérolémie"),
    (r"fibrillation|\bfa\b|acfa", "fibrillation atriale"),
    (r"\bavc\b|neurovasc", "AVC ischémique"),
    (r"coron|infarctus du myo", "infarctus du myocarde"),
    (r"cancer|néoplas|tumor", "cancer du côlon"),
    (r"dépress|psychiatr", "dépression traitée"),
    (r"tabac|tabag", "tabagisme actif"),
    (r"alcool", "alcoolisme chronique"),
    (r"pneumopath|pneumonie", "pneumopathie d'inhalation"),
    (r"épilep|comiti", "épilepsie"),
    (r"démence|cognitif", "maladie d'Alzheimer"),
    (r"\bbpco\b|bronch", "BPCO"),
    (r"insuffisance rénale|rein", "insuffisance rénale chronique"),
    (r"insuffisance cardiaque", "insuffisance cardiaque"),
)
_RELATIVES = (
    "Antécédents familiaux : {} chez le père.",
    "Mère : {}.",
    "Son frère a eu : {}.",
    "Hérédité : {} chez la mère à 60 ans.",
    "Notion de {} chez une sœur.",
    "Père décédé, {} connue chez lui.",
)
_DENIALS = (
    "Pas de {}.",
    "Pas de {} à ce jour.",
    "Pas d'argument pour : {}.",
    "Absence de {}.",
    "Ni {} ni autre antécédent.",
    "On ne retrouve pas de {}.",
    "{} : non.",
    "Pas de : goutte, {}, migraine.",
)


class Kind(StrEnum):
    """What is wrong with a planted value; RIGHT: nothing."""

    RIGHT = "right"
    DIGIT = "changed digit"
    OTHER_NUMBER = "other number of the quote or the document"
    NEGATED = "quote says the contrary"
    INSERTED_DENIAL = "sentence of denial put in the document"
    RELATIVE = "relative's"
    OTHER_DATE = "other date"
    OTHER_CHOICE = "other choice"
    OTHER_TIME = "other moment of the same measure"
    INVENTED_DIGIT = "invented: digit of a quote changed"
    INVENTED_WORD = "invented: denial, side or name changed"
    INVENTED_ELSEWHERE = "invented: sentence of another patient"
    INVENTED_SAID = "invented: the question with its answer"

    @property
    def is_invented(self) -> bool:
        """Whether the quote is not written anywhere in the record."""
        return self.name.startswith("INVENTED")


@dataclass(frozen=True, slots=True)
class Planted:
    """One value to check. ``added``: a sentence put at the end of the document that ``quotes`` names."""

    kind: Kind
    patient: str
    variable: Variable
    value: Value
    quotes: tuple[tuple[str, str], ...]  # (document, words)
    added: str = ""


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort with its manual cells, ready to be planted."""

    name: str
    variables: tuple[Variable, ...]
    study: Study
    documents: dict[str, list[RawDocument]]
    cells: tuple[Planted, ...]

    def record(self, patient: str, planted: Planted | None = None) -> PatientRecord:
        """A patient's record, with the sentence that a planted value adds to it."""
        raws = self.documents[patient]
        if planted is not None and planted.added:
            target = planted.quotes[0][0]
            raws = [
                replace(raw, text=f"{raw.text}\n{planted.added}\n") if raw.document_id == target else raw
                for raw in raws
            ]
        return build_record(raws, lambda _: None)


def read_cohort(folder: Path, study: Path | None = None, patients: str = "", dictionary: Path | None = None) -> Cohort:
    """A cohort: ``documents.jsonl``, ``dictionary.csv``, ``evidence.jsonl``; of patients whose name starts so."""
    table = read_dictionary(dictionary or folder / "dictionary.csv")
    variables = {variable.name: variable for variable in table.variables}
    documents: dict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(folder / "documents.jsonl", lambda _: None):
        if raw.patient_id.startswith(patients):
            documents[raw.patient_id].append(raw)
    cells = []
    for line in (folder / "evidence.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        variable = variables.get(row["variable"])
        if variable is None or row["patient_id"] not in documents:
            continue
        written = {raw.document_id: raw.text for raw in documents[row["patient_id"]]}
        quotes = tuple((e["document_id"], e["quote"]) for e in row["evidence"])
        quotes = tuple((name, quote) for name, quote in quotes if quote in written.get(name, ""))
        value = _typed(variable, row["value"])
        if quotes and value is not None:
            cells.append(Planted(Kind.RIGHT, row["patient_id"], variable, value, quotes))
    return Cohort(
        folder.name, table.variables, load_study(study, table.variables, lambda _: None), dict(documents), tuple(cells)
    )


def passages_of(record: PatientRecord) -> list[Passage]:
    """What a model that reads the whole record is shown."""
    return whole_record(record)


def plant(cohort: Cohort, seed: int = 0) -> list[Planted]:
    """Right and wrong values of a cohort, and invented quotes, in an order that only the seed decides."""
    dice = random.Random(seed)
    planted: list[Planted] = list(cohort.cells)
    siblings = _siblings(cohort)
    others = _sentences(cohort)
    for cell in cohort.cells:
        planted += [*_wrong_numbers(cohort, cell, dice), *_wrong_choices(cell), *_wrong_dates(cohort, cell, dice)]
        planted += [
            *_inserted(cohort, cell, dice),
            *_other_times(cell, siblings),
            *_invented(cohort, cell, others, dice),
        ]
    return [one for one in planted if one.kind is Kind.RIGHT or _is_wrong(cohort, one)]


def _typed(variable: Variable, coded: object) -> Value | None:
    cells = {variable.name: ",".join(map(str, coded)) if isinstance(coded, list) else str(coded)}
    try:
        return decode(variable, cells)
    except InvalidValue:
        return None


def _is_wrong(cohort: Cohort, planted: Planted) -> bool:
    gold = next(
        (c.value for c in cohort.cells if (c.patient, c.variable.name) == (planted.patient, planted.variable.name)),
        None,
    )
    if planted.kind.is_invented:
        texts = [_signs(raw.text) for raw in cohort.documents[planted.patient]]
        return not any(_signs(quote) in text for _, quote in planted.quotes for text in texts)
    return gold is None or not equal(planted.variable, planted.value, gold)


def _signs(text: str) -> str:
    """Letters and figures alone: what spacing, typography and accents do not change."""
    return "".join(sign for sign in normalised(text) if sign.isalnum())


# ---------------------------------------------------------------- numbers
def _wrong_numbers(cohort: Cohort, cell: Planted, dice: random.Random) -> Iterator[Planted]:
    if cell.variable.kind not in _NUMBERS or not isinstance(cell.value, int | float):
        return
    if (changed := _with_other_digit(cell.variable, cell.value, dice)) is not None:
        yield replace(cell, kind=Kind.DIGIT, value=changed)
    inside = [v for _, quote in cell.quotes for v in _numbers_in(cell.variable, quote)]
    as_written = any(equal(cell.variable, v, cell.value) for v in inside)  # else the others may be it in another unit
    if as_written and (wrong := [v for v in inside if not equal(cell.variable, v, cell.value)]):
        yield replace(cell, kind=Kind.OTHER_NUMBER, value=dice.choice(wrong))
    name = cell.quotes[0][0]
    text = next(raw.text for raw in cohort.documents[cell.patient] if raw.document_id == name)
    places = [
        (value, match[0])
        for match in _SENTENCE.finditer(text)
        if not any(match[0].strip() in quote or quote in match[0] for _, quote in cell.quotes)
        for value in _numbers_in(cell.variable, match[0])
        if not equal(cell.variable, value, cell.value)
    ]
    if places:
        value, sentence = dice.choice(places)
        yield replace(cell, kind=Kind.OTHER_NUMBER, value=value, quotes=((name, sentence.strip()),))


def _numbers_in(variable: Variable, text: str) -> list[Value]:
    found = []
    for match in _NUMBER.finditer(text):
        written = match[0].replace(",", ".")
        if variable.kind is VariableKind.INTEGER and "." in written:
            continue
        if (value := _valid(variable, float(written) if "." in written else int(written))) is not None:
            found.append(value)
    return found


def _valid(variable: Variable, value: Value) -> Value | None:
    try:
        return validate(variable, value)
    except InvalidValue:
        return None


def _with_other_digit(variable: Variable, value: float, dice: random.Random) -> Value | None:
    written = str(value)
    for _ in range(20):
        at = dice.choice([i for i, sign in enumerate(written) if sign.isdigit()])
        digit = dice.choice([d for d in "0123456789" if d != written[at]])
        changed = written[:at] + digit + written[at + 1 :]
        typed = _valid(variable, float(changed) if "." in changed else int(changed))
        if typed is not None and not equal(variable, typed, value):
            return typed
    return None


# ---------------------------------------------------------------- choices
def _wrong_choices(cell: Planted) -> Iterator[Planted]:
    variable = cell.variable
    if variable.kind not in _CLOSED or not isinstance(cell.value, str):
        return
    no = _no_code(variable)
    codes = [choice.code for choice in variable.choices] or ["0", "1"]
    is_no = cell.value == no
    for code in codes:
        label = next((choice.label for choice in variable.choices if choice.code == code), "")
        if code == cell.value or _UNKNOWN.match(label) or "précision" in label:
            continue
        contrary = no is not None and (is_no or code == no)
        if contrary and is_no and not any(_DENIES.search(quote) for _, quote in cell.quotes):
            continue
        yield replace(cell, kind=Kind.NEGATED if contrary else Kind.OTHER_CHOICE, value=code)


def _no_code(variable: Variable) -> str | None:
    if not variable.choices:
        return "0"
    return next((choice.code for choice in variable.choices if _NO.match(choice.label)), None)


def _inserted(cohort: Cohort, cell: Planted, dice: random.Random) -> Iterator[Planted]:
    """The relative's disease, or a denial, put at the end of a document and quoted for the patient's own."""
    variable = cell.variable
    term = next((term for pattern, term in _TERMS if re.search(pattern, variable.label.lower())), None)
    no = _no_code(variable)
    if term is None or variable.kind not in _CLOSED or cell.value != no or "famil" in variable.label.lower():
        return
    positive = next((c.code for c in variable.choices if c.code != no and not _UNKNOWN.match(c.label)), "1")
    name = cell.quotes[0][0]
    for kind, forms in ((Kind.RELATIVE, _RELATIVES), (Kind.INSERTED_DENIAL, _DENIALS)):
        sentence = dice.choice(forms).format(term)
        yield replace(cell, kind=kind, value=positive, quotes=((name, sentence),), added=sentence)


# ---------------------------------------------------------------- dates and moments
def _wrong_dates(cohort: Cohort, cell: Planted, dice: random.Random) -> Iterator[Planted]:
    if cell.variable.kind not in _DATES or not isinstance(cell.value, dt.date):
        return
    moved = cell.value + dt.timedelta(days=dice.choice([-10, -3, -1, 1, 2, 7]))
    if isinstance(cell.value, dt.datetime):
        moved = dice.choice([moved, cell.value + dt.timedelta(minutes=dice.choice([-60, -5, 1, 10, 60]))])
    yield replace(cell, kind=Kind.OTHER_DATE, value=moved)
    places = []
    for raw in cohort.documents[cell.patient]:
        for match in _SENTENCE.finditer(raw.text):
            for day, month, year in _DATE.findall(match[0]):
                try:
                    date = dt.date(int(year), int(month), int(day))
                except ValueError:
                    continue
                places.append((date, raw.document_id, match[0].strip()))
    gold = cell.value.date() if isinstance(cell.value, dt.datetime) else cell.value
    wrong = [
        place
        for place in places
        if place[0] != gold and not any(place[2] in q or q in place[2] for _, q in cell.quotes)
    ]
    if wrong and not isinstance(cell.value, dt.datetime):
        date, name, sentence = dice.choice(wrong)
        yield replace(cell, kind=Kind.OTHER_DATE, value=date, quotes=((name, sentence),))


def _siblings(cohort: Cohort) -> dict[tuple[str, tuple[str, ...]], list[Planted]]:
    """Cells of one patient that ask for one measure at several moments."""
    found: dict[tuple[str, tuple[str, ...]], list[Planted]] = defaultdict(list)
    for cell in cohort.cells:
        concepts = wanted_of(cell.variable.label, named=True).concepts
        if cell.variable.kind in _NUMBERS and len(concepts) == 1:
            found[cell.patient, concepts].append(cell)
    return found


def _other_times(cell: Planted, siblings: dict[tuple[str, tuple[str, ...]], list[Planted]]) -> Iterator[Planted]:
    for group in siblings.values():
        if cell not in group:
            continue
        for other in group:
            if other.variable.name != cell.variable.name and (value := _valid(cell.variable, other.value)) is not None:
                yield replace(cell, kind=Kind.OTHER_TIME, value=value, quotes=other.quotes)


# ---------------------------------------------------------------- quotes that nobody wrote
def _sentences(cohort: Cohort) -> dict[str, list[str]]:
    return {
        patient: [match[0].strip() for raw in raws for match in _SENTENCE.finditer(raw.text)]
        for patient, raws in cohort.documents.items()
    }


_SWAPS = (
    ("gauche", "droite"), ("droite", "gauche"), ("droit", "gauche"), ("HTA", "FA"), ("diabète", "cancer"),
    ("NIHSS", "Glasgow"), ("sans", "avec"), ("actif", "sevré"), ("IRM", "scanner"), ("ischémique", "hémorragique"),
    ("aspirine", "apixaban"), ("mère", "patiente"), ("entrée", "sortie"), ("Pas de", "Présence de"),
    ("pas d'", "un "), ("connu", "absent"), ("normal", "anormal"),
)  # fmt: skip


def _invented(cohort: Cohort, cell: Planted, others: dict[str, list[str]], dice: random.Random) -> Iterator[Planted]:
    name, quote = dice.choice(cell.quotes)
    if digits := [i for i, sign in enumerate(quote) if sign.isdigit()]:
        at = dice.choice(digits)
        digit = dice.choice([d for d in "0123456789" if d != quote[at]])
        yield replace(cell, kind=Kind.INVENTED_DIGIT, quotes=((name, quote[:at] + digit + quote[at + 1 :]),))
    swaps = [(a, b) for a, b in _SWAPS if re.search(rf"\b{a}(?!\w)", quote)]
    if swaps:
        before, after = dice.choice(swaps)
        yield replace(
            cell, kind=Kind.INVENTED_WORD, quotes=((name, re.sub(rf"\b{before}(?!\w)", after, quote, count=1)),)
        )
    elif not _DENIES.search(quote) and quote[:1].isupper() and not quote[:2].isupper():
        denied = f"Pas de {quote[0].lower()}{quote[1:]}"
        yield replace(cell, kind=Kind.INVENTED_WORD, quotes=((name, denied),))
    strangers = [patient for patient in others if patient != cell.patient]
    if strangers:
        sentence = dice.choice(others[dice.choice(strangers)])
        yield replace(cell, kind=Kind.INVENTED_ELSEWHERE, quotes=((name, sentence),))
    yield replace(cell, kind=Kind.INVENTED_SAID, quotes=((name, _said(cell, dice)),))


def _said(cell: Planted, dice: random.Random) -> str:
    """What a model that repeats its question would write as a quote."""
    value = cell.value
    label = next((c.label for c in cell.variable.choices if c.code == value), str(value))
    forms = (
        "{} : {}",
        "Le patient a {} : {}.",
        "{} retrouvé(e) : {}",
        "On note {} ({})",
        "{} noté(e) à {} dans le dossier",
    )
    return dice.choice(forms).format(cell.variable.label, label)


def sampled(planted: Sequence[Planted], each: int, seed: int = 0) -> list[Planted]:
    """At most so many of each kind, drawn by the seed, in the order given."""
    dice = random.Random(seed)
    kept: set[int] = set()
    for kind in Kind:
        places = [i for i, one in enumerate(planted) if one.kind is kind]
        kept.update(dice.sample(places, min(each, len(places))))
    return [one for i, one in enumerate(planted) if i in kept]
