"""Further subjects: many, worded in several ways, told verbatim at their moments, different from cohort to cohort."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.synth.config import SynthConfig
from rag.synth.extras import PREFIX, SEVERAL, Subject, asked, base_subjects, subjects
from rag.synth.generate import SyntheticPatient, generate, variables_of
from rag.synth.load import data, voices

configs = st.builds(
    SynthConfig,
    patients=st.just(1),
    documents=st.sampled_from([(5, 8), (20, 25), (60, 60)]),
    noise=st.sampled_from([0.0, 1.0]),
    anaphora=st.floats(0, 1),
    contradictions=st.floats(0, 1),
    missingness=st.floats(0, 0.5),
    extras=st.integers(1, 60),
    vocabulary=st.text("ABCdef 12", min_size=1, max_size=4),
    seed=st.integers(0, 10_000),
)


def test_there_are_many_subjects_of_every_kind() -> None:
    kinds = Counter(subject.kind for subject in subjects().values())
    assert sum(kinds.values()) >= 300
    assert set(kinds) == {"number", "date", "time", "yesno", "choice"}
    assert min(kinds.values()) >= 5


@pytest.mark.parametrize("subject", subjects().values(), ids=subjects().keys())
def test_a_subject_is_whole(subject: Subject) -> None:
    groups, moments = data("extra_groups.yml"), data("extra_moments.yml")
    assert subject.group in groups
    assert len(set(subject.ask)) >= 2
    assert subject.say
    assert subject.slots
    assert set(subject.slots) <= set(moments)
    assert subject.kinds <= set(voices())
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in subject.names)
    if subject.kind in ("yesno", "choice"):
        assert all(words and all(words) for _, words in subject.words)
    if subject.kind == "choice":
        assert [code for code, _ in subject.choices] == [code for code, _ in subject.words]
    else:
        assert subject.low <= subject.high


def test_moments_have_many_wordings() -> None:
    for name, moment in data("extra_moments.yml").items():
        assert ("role" in moment) != (name in SEVERAL)
        assert len(set(moment["asked"])) >= 3 or name == "any"


def test_dictionaries_share_few_subjects() -> None:
    first, second = asked("B", 1, 20), asked("C", 2, 20)
    assert len(first) == len(second) == 30
    assert len(set(first) & set(second)) < 12
    assert asked("B", 1, 20) == first


@settings(max_examples=8, deadline=None)
@given(st.text("ABCdef 12", min_size=1, max_size=4), st.integers(0, 999), st.integers(0, 60))
def test_names_and_meanings_of_variables_are_their_own(vocabulary: str, seed: int, extras: int) -> None:
    asked_for = variables_of(SynthConfig(vocabulary=vocabulary, seed=seed, extras=extras))
    assert len({variable.name for variable in asked_for}) == len(asked_for)
    assert len({variable.meaning for variable in asked_for}) == len(asked_for)
    assert any(variable.concept.startswith(PREFIX) for variable in asked_for) == (extras > 0)


def _further(patient: SyntheticPatient) -> set[str]:
    return {variable.name for variable in patient.variables if variable.concept.startswith(PREFIX)}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs)
def test_what_is_told_is_in_the_text_and_answers_are_in_range(config: SynthConfig) -> None:
    of_concept = {subject.concept: subject for subject in subjects().values()}
    for patient in generate(config):
        texts = {document.document_id: document.text for document in patient.documents}
        for told in patient.told:
            assert told.quote in texts[told.document_id]
        variables = {variable.name: variable for variable in patient.variables}
        for answer in patient.answers:
            variable = variables[answer.variable]
            subject = of_concept.get(variable.concept)
            if subject is None:
                continue
            assert answer.evidence[0].key.concept == subject.concept
            match subject.kind:
                case "number":
                    assert subject.low <= float(answer.value) <= subject.high
                case "date":
                    assert dt.date.fromisoformat(answer.value)
                case "time":
                    assert dt.time.fromisoformat(answer.value)
                case "yesno":
                    assert answer.value in ("0", "1")
                case "choice":
                    assert answer.value in dict(subject.choices)
            if answer.kind != "anaphoric":
                assert all(told.value == answer.value for told in answer.evidence)


def test_the_extremes_of_a_stay_are_extremes() -> None:
    checked = 0
    for patient in generate(SynthConfig(patients=12, documents=(30, 50), contradictions=0, extras=40, seed=8)):
        variables = {variable.name: variable for variable in patient.variables}
        for answer in patient.answers:
            variable = variables[answer.variable]
            if variable.moments not in (("max",), ("min",)):
                continue
            encounter = answer.evidence[0].key.encounter
            told = [t for t in patient.told if t.key.concept == variable.concept and t.key.encounter == encounter]
            values = [float(each.value) for each in told if each.key.moment not in ("pre", "samu")]
            best = max(values) if variable.moments == ("max",) else min(values)
            assert float(answer.value) == best
            checked += 1
    assert checked > 5


def test_a_patient_is_asked_about_several_and_told_of_others() -> None:
    for patient in generate(SynthConfig(patients=5, documents=(30, 40), extras=20, missingness=0, seed=3)):
        cells = [answer for answer in patient.answers if answer.variable in _further(patient)]
        told = {each.key.concept for each in patient.told if each.key.concept.startswith(PREFIX)}
        wanted = {variable.concept for variable in patient.variables}
        assert len(cells) >= 4
        assert told & wanted
        assert told - wanted


def test_without_extras_nothing_of_them_is_told_or_asked() -> None:
    for patient in generate(SynthConfig(patients=2, extras=0)):
        assert not _further(patient)
        assert not any(told.key.concept.startswith(PREFIX) for told in patient.told)


def test_what_is_said_does_not_stand_at_one_place() -> None:
    places = []
    for patient in generate(SynthConfig(patients=6, documents=(25, 30), noise=0, seed=12)):
        texts = {document.document_id: document.text for document in patient.documents}
        for told in patient.told:
            if told.key.concept.startswith(PREFIX):
                text = texts[told.document_id]
                places.append(text.index(told.quote) / len(text))
    thirds = Counter(int(place * 3) for place in places)
    assert all(thirds[third] > len(places) * 0.1 for third in range(3))


def test_known_concepts_are_asked_at_further_moments() -> None:
    concepts = {subject.concept for subject in base_subjects()}
    asked_for = variables_of(SynthConfig(vocabulary="C", extras=20))
    further = [variable for variable in asked_for if "@" in variable.meaning and variable.concept in concepts]
    assert len(further) == 20
