"""Where a variable is usually written, learned by counting."""

import numpy as np
import pytest

from retriever.prior import PRIORS, Prior, count, traits_of
from retriever.query import query_text
from retriever.timeline import encode_timeline
from schema.document import PatientRecord
from schema.variable import Question, Variable, VariableKind

LDL = Question("P1", Variable("ldl", "LDL-cholestérol (mmol/L)", VariableKind.NUMBER, unit="mmol/L"))
LDL_OTHERWISE = Question("P1", Variable("x", "Cholestérol LDL calculé (mmol/L)", VariableKind.NUMBER, unit="mmol/L"))
RANKIN = Question("P1", Variable("mrs", "Score de Rankin modifié", VariableKind.INTEGER))

LABORATORY, LETTER = ("biologie", "examens", "1"), ("courrier", "", "6")
PASSAGES = [LABORATORY, LETTER, LETTER]


def weights(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@pytest.fixture
def prior() -> Prior:
    """Three patients whose LDL is written in the laboratory's results, and never their Rankin."""
    return Prior.learned([(PASSAGES, {query_text(LDL): weights(2, 0, 0)})] * 3)


def test_passages_like_those_that_told_it_are_preferred(prior: Prior) -> None:
    found = prior.of(LDL, PASSAGES)
    assert found.shape == (3, len(PRIORS))
    kind, known = found[:, PRIORS.index("kind")], found[:, PRIORS.index("known")]
    assert kind[0] > 0 > kind[1]
    assert known == pytest.approx(np.log1p(3))


def test_log_odds_are_those_computed_by_hand(prior: Prior) -> None:
    # 3 of 3 told in "biologie", which holds a third of all passages; 3 imaginary passages smooth it.
    expected = np.log((3 + 3 / 3) / (3 + 3) / (1 / 3))
    assert prior.of(LDL, PASSAGES)[0, 0] == pytest.approx(expected)


def test_a_variable_in_other_words_borrows_and_one_of_another_matter_does_not(prior: Prior) -> None:
    same, other, none = (prior.of(q, PASSAGES) for q in (LDL, LDL_OTHERWISE, RANKIN))
    assert 0 < other[0, 0] < same[0, 0]
    assert abs(none[0, 0]) < 0.1


def test_nothing_learned_says_nothing() -> None:
    assert not Prior({}, {}).of(LDL, PASSAGES).any()


def test_a_patient_can_be_left_out() -> None:
    alone = Prior.learned([(PASSAGES, {query_text(LDL): weights(1, 0, 0)})])
    own = count(PASSAGES, {query_text(LDL): weights(1, 0, 0)})
    assert not alone.of(LDL, PASSAGES, without=own).any()
    assert alone.of(LDL, PASSAGES).any()


def test_a_patient_weighs_one_however_many_passages_tell_it() -> None:
    counts = count(PASSAGES, {query_text(LDL): weights(1, 2, 1)})[query_text(LDL)]
    assert counts["kind"] == {"biologie": 0.25, "courrier": 0.75}


def test_counts_of_two_cohorts_add_up_and_passages_are_spread_as_in_the_later_one(prior: Prior) -> None:
    later = Prior.learned([([LETTER], {query_text(LDL): weights(1)})])
    both = later.added_to(prior)
    assert both.counts[query_text(LDL)]["kind"] == {"biologie": 3, "courrier": 1}
    assert both.everywhere == later.everywhere


def test_traits_are_kind_section_and_delay(record: PatientRecord) -> None:
    timeline = encode_timeline(record, lambda found: np.zeros((len(found), 2), dtype=np.float32))
    traits = traits_of(timeline)
    assert len(traits) == len(timeline.passages)
    assert traits[0] == ("courrier", "", "0")
    assert int(traits[-1][2]) > 0
