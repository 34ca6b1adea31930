"""What kind of question a variable asks: which reader answers it, which lists answer it by omission."""

from __future__ import annotations

import re

from generator.rules.choices import is_known_question
from generator.rules.drugs import PREFIX as DRUG
from generator.rules.events import event_of_label
from generator.rules.label import Wanted, kinds_of, wanted_of
from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import canonical_unit
from generator.rules.text import fold
from schema.study import Policy
from schema.variable import Choice, Variable, VariableKind

NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)
DATED = (VariableKind.DATE, VariableKind.DATETIME, VariableKind.TIME)
#: The reader of what is not understood well enough to be right, and of free text: it answers nothing.
SILENT = "text"

_NO = re.compile(r"(?:non\b(?! (?:valvulaire|insulin|st\b))|absen\w*|aucune?\b|jamais\b|negati\w*|faux\b|no\b|pas d)")
_YES = re.compile(r"(?:oui\b|presen\w*|vrai\b|positi\w*|yes\b|fait\w*$|realise\w*$)")
_UNKNOWN = re.compile(
    r"(?:nsp\b|nc\b|nr\b|nd\b|na\b|n/a|\?|ne sai[ts] pas|inconnue?s?\b|"
    r"non (?:renseigne|connu|precise|fait|evalu|applicable|dispo|determine)\w*|"
    r"donnees? manquante|manquante?\b|non evaluable|indisponible|sans objet|missing|unknown|indetermine\w*$|non su\b)"
)
#: Words of a degree, a moment or a state of one thing, as against another thing.
_DEGREE = re.compile(
    r"\b(?:types?|stades?|grades?|classes?|leg\w+|minime?s?|moder\w+|severe?s?|sevre\w*|majeure?s?|mineure?s?|actif|"
    r"active|ancien\w*|"
    r"connue?s?|decouvert\w*|en cours|traitee?s?|equilibre\w*|chronique|aigue?s?|partiel\w*|complet\w*|"
    r"permanente?|paroxystique|"
    r"secondaires?|mixte|inaugural\w*|gestationnel|persistante?|occasionnel\w*|regulier\w*|quotidien\w*|[ivx]+|\d)\b"
)
_LETTER = re.compile(r"(?:(?:stade|grade|classe|score|child(?:-pugh)?)\s*)?[a-e]")
_GRADE = re.compile(
    r"(?:(?:stade|grade|classe|score|type|asa|nyha|killip|fine|ecog|os|ps|mrs)\s*)?(?:[ivx]+[a-d]?|\d{1,2}[a-d]?)"
)
_COUNT = re.compile(r"^\s*(?:nombre|nb|nbre|n)\s+(?:totale?\s+|cumule\w*\s+)?(?:de\s+|d'|des\s+|total de\s+)")
_DURATION = re.compile(r"^\s*(?:durees?|delais?|intervalle|temps (?:entre|ecoule|de|d'|total|jusqu))\b")
_LASTS = re.compile(r"\s*durees?\s+(?:totale\s+)?(?:de la |de l'|du |des |de |d'|sous )(?P<thing>[^(]+)")
#: A stretch of time that has a name of its own → the events that bound it.
_BOUNDED = (
    (r"\b(?:reanimation|usi|soins intensifs)\b", ("icu_in", "icu_out")),
    (r"\b(?:sejour|hospitalisation)\b", ("admission", "discharge")),
    (r"\b(?:intervention|operatoire|chirurgie)\b", ("incision", "closure")),
)
_FROM_TO = re.compile(r"\bentre\b(.+)\bet\b(.+)|(.+?)(?:\s[-–/]\s|[-–/]|\bjusqu'|\s(?:a|au|aux)\s)(.+)")
_TIME_UNITS = ("minutes", "hours", "days", "weeks", "months", "years", "seconds")
_YEAR = re.compile(r"\bannees?\b(?! d'etudes?)|\bdate\b")
_ACT_NAMED = re.compile(r"\b\w{3,}(?:ectomie|scopie|graphie|tomie|plastie|stomie|synthese|desis|dese|centese)s?\b")


def counted(label: str) -> str:
    """The label of a count without "nombre de": what is counted."""
    match = _COUNT.match(fold(label))
    return label[match.end() :] if match else label


def lasting(label: str) -> str:
    """What a question about a length of time says to last ("Durée d'antibiothérapie"); "" for any other question."""
    match = _LASTS.match(fold(label))
    return match["thing"] if match else ""


def reader_of(variable: Variable, wanted: Wanted) -> str:
    """The name of the reader that answers a variable; `SILENT` when its label is not understood."""
    kind = variable.kind
    if cause_of_readmission(variable.label) is not None and (kind is VariableKind.DATE or _asks_if(variable)):
        return "readmission"
    if kind is VariableKind.DATE:
        return "date"
    if kind in (VariableKind.DATETIME, VariableKind.TIME):
        return "clock"
    if kind in NUMBERS:
        return _reader_of_number(variable, wanted)
    if kind is VariableKind.CHECKBOX:
        return "list" if is_list(variable) and not is_known_question(variable) else "checkbox"
    if kind in (VariableKind.YESNO, VariableKind.TRUEFALSE, VariableKind.CHOICE):
        return _reader_of_choice(variable, wanted)
    return SILENT


_READMISSION = re.compile(
    r"\b(?:re-?\s?hospitalis\w+|re-?\s?admission|nouvelle hospitalisation)s?\b(?!\s*anterieur)(?P<why>.*)$"
)
_CAUSE = re.compile(
    r"\b(?:pour|liee? a|de cause|d'origine|motivee? par|en rapport avec)\s+(?:une?\s|l[ae]\s|l')?(?P<cause>.+)$"
)


def cause_of_readmission(label: str) -> str | None:
    """What a question about readmissions gives as their cause, "" for any; None for any other question."""
    asked = _READMISSION.search(fold(label))
    if asked is None or _COUNT.match(fold(label)) or _DURATION.search(fold(label)):
        return None
    cause = _CAUSE.search(asked["why"])
    return cause["cause"] if cause else ""


def _asks_if(variable: Variable) -> bool:
    return is_yes_no(variable) and not _others(variable)


def _reader_of_number(variable: Variable, wanted: Wanted) -> str:
    label = fold(variable.label)
    unit = canonical_unit(variable.unit)
    if _DURATION.search(label) and unit in _TIME_UNITS:
        return "duration" if wanted.understood or bounds_of(variable) else SILENT
    readers = [str(reader) for name in wanted.concepts if (reader := _entry(name).get("reader"))]
    if readers == ["age"] and _AGE_THEN.search(label):
        return SILENT
    if readers and not (_COUNT.match(label) and readers[0] == "measure" and not unit):
        return readers[0] if len(wanted.concepts) == 1 else SILENT
    if not wanted.understood:
        return SILENT
    if _COUNT.match(label):
        return "count"
    if _DURATION.search(label) or _YEAR.search(re.sub(r"\([^)]*\)", " ", label)) or (variable.unit and not unit):
        return SILENT
    if wanted.concepts:  # an amount of something that is no measure ("Tabac (paquets-années)") needs its unit
        return "measure" if unit else SILENT
    return "measure"


#: The age at another time, or another person's: "Âge au premier épisode", "Âge de la mère".
_AGE_THEN = re.compile(
    r"\b(?:premiere?s?|debut|survenue|apparition|episode|menopause|menarche|naissance|gestation\w*|mere|pere|conjoint|"
    r"parents?|deces|arret|diagnostic de)\b"
)


def _reader_of_choice(variable: Variable, wanted: Wanted) -> str:
    readers = {str(_entry(name).get("reader", "")) for name in wanted.concepts}
    if readers == {"sex"}:
        return "sex"
    if asks_for_death(variable):
        return "vital"
    if is_sided(variable):
        return "side"
    if is_graded(variable):
        return "grade" if wanted.understood else SILENT
    if is_known_question(variable):
        return "choice"
    if kinds_of(wanted.concepts) == {"drug"} and (is_yes_no(variable) or _names_drugs(variable)):
        return "treatment"
    if kinds_of(wanted.concepts) == {"condition"} and _others(variable) and _are_degrees(variable, wanted):
        return "condition"
    if _is_sign(variable):
        if variable.kind is VariableKind.CHOICE:
            return "choice" if wanted.understood else SILENT
        return SILENT if wanted.concepts or not wanted.forms else "condition"
    if is_yes_no(variable) and (not _others(variable) or _are_degrees(variable, wanted)):
        return _reader_of_presence(variable, wanted)
    return "choice"


def _reader_of_presence(variable: Variable, wanted: Wanted) -> str:
    """A yes or no: of a condition, an act or a drug. A measure is neither present nor absent."""
    kinds = kinds_of(wanted.concepts)
    if kinds & {"measure", "person"} or not wanted.understood:
        return SILENT
    if kinds == {"procedure"} or (not kinds and is_act(variable, wanted)):
        return "procedure"
    return "treatment" if kinds == {"drug"} else "condition"


def _is_sign(variable: Variable) -> bool:
    """Whether the answer is that a test is positive: to name the test is not yet to answer."""
    if variable.kind is VariableKind.CHOICE:
        return any(fold(choice.label).startswith("positi") for choice in variable.choices)
    return bool(re.search(r"\bpositi(?:f|ve)s?\b|\banorma\w+|\beleve\w*", fold(variable.label)))


def bounds_of(variable: Variable) -> tuple[str, ...]:
    """The two events of ``lexicon/events.yml`` between which a length of time runs; () when the label names none."""
    label = re.sub(r"\([^)]*\)", " ", fold(variable.label))
    asked = label[match.end() :] if (match := _DURATION.search(label)) else label
    if match and match[0].strip().startswith("duree"):
        return next((events for pattern, events in _BOUNDED if re.search(pattern, asked)), ())
    for split in _FROM_TO.finditer(asked):
        first, last = (event_of_label(side) for side in split.groups() if side)
        if first and last and first != last:
            return first, last
    return ()


def is_act(variable: Variable, wanted: Wanted) -> bool:
    """Whether words that the lexicon does not have name something that is done to a patient."""
    label = fold(variable.label)
    return bool(_ACT_NAMED.search(label)) or holds_word(label, "acts")


def holds_word(label: str, group: str) -> bool:
    """Whether a folded label holds one of a group of words of ``lexicon/labels.yml``."""
    for word in load_lexicon("labels")[group]:
        ending = "" if word.endswith("*") else r"\b"
        if re.search(rf"\b{re.escape(word.rstrip('*'))}{ending}", label):
            return True
    return False


def _entry(concept: str) -> dict[str, object]:
    return dict(load_lexicon("concepts").get(concept, {}))


def is_no(choice: Choice) -> bool:
    """Whether a choice says no ("Non", "Absente", "Aucun")."""
    label = fold(choice.label)
    return bool(_NO.match(label)) and not _UNKNOWN.match(label)


def is_yes(choice: Choice) -> bool:
    """Whether a choice says a plain yes."""
    return bool(_YES.match(fold(choice.label)))


def is_unknown(choice: Choice) -> bool:
    """Whether a choice says that nothing is known ("NSP", "Inconnu", "Non renseigné")."""
    return bool(_UNKNOWN.match(fold(choice.label)))


def is_other(choice: Choice) -> bool:
    """Whether a choice stands for anything else ("Autre", "Autres complications")."""
    return bool(re.match(r"autres?\b", fold(choice.label)))


def is_yes_no(variable: Variable) -> bool:
    """Whether one choice says no and another that it is there, with or without degrees."""
    if variable.kind in (VariableKind.YESNO, VariableKind.TRUEFALSE):
        return True
    return any(is_no(c) for c in variable.choices) and any(not is_no(c) and not is_unknown(c) for c in variable.choices)


def _others(variable: Variable) -> list[Choice]:
    """The choices that say neither no, nor yes, nor that nothing is known."""
    if variable.kind is not VariableKind.CHOICE:
        return []
    return [c for c in variable.choices if not (is_no(c) or is_yes(c) or is_unknown(c))]


def _are_degrees(variable: Variable, wanted: Wanted) -> bool:
    """Whether the choices beside no are degrees of the thing asked for, not other things."""
    if not wanted.concepts:
        return False
    for choice in _others(variable):
        narrower = any(set(_entry(name).get("parents", ())) & set(wanted.concepts)  # type: ignore[call-overload]
                       for name in wanted_of(choice.label).concepts)  # fmt: skip
        if not narrower and not is_other(choice) and not _DEGREE.search(fold(choice.label)):
            return False
    return True


def _names_drugs(variable: Variable) -> bool:
    named = [wanted_of(c.label).concepts for c in _others(variable)]
    return bool(named) and sum(bool(n) and n[0].startswith(DRUG) for n in named) * 2 >= len(named)


def is_list(variable: Variable) -> bool:
    """Whether the choices of a checkbox field are conditions, acts or drugs, each of which is a yes or no."""
    items = [c for c in variable.choices if not (is_no(c) or is_unknown(c) or is_other(c))]
    named = [c for c in items if kinds_of(wanted_of(c.label).concepts) & {"condition", "procedure", "drug"}]
    return len(named) * 2 > len(items)


def is_sided(variable: Variable) -> bool:
    """Whether the choices are left and right ("Gauche | Droit | Bilatéral")."""
    labels = " ".join(fold(choice.label) for choice in variable.choices)
    return len(variable.choices) <= 5 and bool(re.search(r"\bgauche", labels) and re.search(r"\bdroit", labels))


def is_graded(variable: Variable) -> bool:
    """Whether the choices are the grades of a scale ("ASA 1 | ASA 2", "I | II | III", "0 | 2a | 2b")."""
    labels = [fold(choice.label).strip() for choice in variable.choices if not is_unknown(choice)]
    return len(labels) >= 3 and any(all(scale.fullmatch(label) for label in labels) for scale in (_GRADE, _LETTER))


def asks_for_death(variable: Variable) -> bool:
    """Whether the variable asks if the patient died: "Décès dans les 3 mois", "Statut vital (Vivant | Décédé)"."""
    label = fold(variable.label)
    if not re.search(r"\bdece[sd]|\bmort(?:alite|e)?\b|statut vital|\bsurvie\b", label):
        return False
    labels = [fold(choice.label) for choice in variable.choices]
    named = any("viva" in words for words in labels) and any(re.search("dece|mort", words) for words in labels)
    yes_no = is_yes_no(variable) and not _others(variable)
    return named or (yes_no and not re.search(r"cause|famil|pere|mere|parent|fratrie|subite", label))


def is_usual_state(variable: Variable, concepts: tuple[str, ...]) -> bool:
    """Whether a variable asks for a usual state (autonomy, home, walking), which is written at the admission."""
    if any(_entry(name).get("baseline") for name in concepts):
        return True
    label = fold(variable.label)
    states = load_lexicon("labels")["state"]
    return any(
        re.search(rf"\b{word.rstrip('*')}{'' if word.endswith('*') else chr(92) + 'b'}", label) for word in states
    )


_NO_IF_SILENT = re.compile(
    r"(?:\b(?:non|0|absen\w+|aucun\w*)\s*[,:=]?\s*(?:si|quand|lorsque)\b|consider\w+ comme (?:absen\w+|non|negati\w+))"
    r"[^.;]*\b(?:non|pas|jamais|rien|n'en|n'y)\b[^.;]*\b(?:mention|cite|ecri|signal|rapport|trouv|not|list|document|figure|comport)"
)


def omission_of(variable: Variable, reader: str, policy: Policy) -> str:
    """Which list answers "no" by omission, as the annotation rule says it; "" when the rule does not."""
    note = fold(variable.note)
    if re.search(
        r"\btraitement\b[^.;]*\b(?:liste|sans)\b|aucun traitement|\bordonnance\b[^.;]*\b(?:n'en|sans|ne comport)", note
    ):
        return "treatment"
    if re.search(r"enumer\w+|\bliste\b[^.;]*\bsans\b", note):
        return "history"
    if re.search(r"\bdecrites? sans\b|si les suites|prise en charge est decrite", note):
        return "care"
    if _NO_IF_SILENT.search(note):
        if reader == "treatment":
            return "treatment"
        return "care" if reader == "procedure" or policy is Policy.DURING_STAY else "history"
    return ""
