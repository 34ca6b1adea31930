"""Figures against numbers counted by hand, and properties that hold for any annotation."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.deid import LABELS, AnnotatedDocument, Count, DeidFigures, LabelFigures, measure, score
from eval.medical_terms import MedicalTerms, read_medical_terms
from schema.phi import PhiEntity, PhiLabel

MARK = re.compile(r"\[([^\]]*)\]\(([A-Z_]+)\)")


def marked(line: str) -> tuple[str, tuple[PhiEntity, ...]]:
    """A text with "[Dupont](NOM)" marks, and its spans."""
    text, entities, end = "", [], 0
    for mark in MARK.finditer(line):
        text += line[end : mark.start()]
        entities.append(PhiEntity(len(text), len(text) + len(mark[1]), PhiLabel(mark[2])))
        text, end = text + mark[1], mark.end()
    return text + line[end:], tuple(entities)


def compared(gold: str, predicted: str, patient: str = "P1", name: str = "D1") -> AnnotatedDocument:
    (text, by_hand), (same, found) = marked(gold), marked(predicted)
    assert text == same
    return AnnotatedDocument(patient, name, text, by_hand, found)


def figures_of(*documents: AnnotatedDocument, ignored: tuple[PhiLabel, ...] = ()) -> DeidFigures:
    return measure([score(document, ignored) for document in documents], ignored, replicates=50)


def of_label(figures: DeidFigures, label: PhiLabel) -> LabelFigures:
    return next(row for row in figures.labels if row.label == label.value)


# Sixteen identifying letters and digits: Jean 4, Aubry 5, 0102 4, Dax 3.
GOLD = "M. [Jean](PRENOM) [Aubry](NOM), [01-02](TEL), habite [Dax](VILLE) avec Horton."
# Jean is right; Aubry is taken for a town and cut (2 letters left); the phone is missed; Dax is right; Horton is wrong.
FOUND = "M. [Jean](PRENOM) [Aub](VILLE)ry, 01-02, habite [Dax](VILLE) avec [Horton](NOM)."


def test_counts_made_by_hand() -> None:
    scored = score(compared(GOLD, FOUND), terms=MedicalTerms(["horton"]))
    assert [(leak.entity.label, leak.whole) for leak in scored.leaks] == [(PhiLabel.NOM, False), (PhiLabel.TEL, True)]
    assert [entity.label for entity in scored.false_alarms] == [PhiLabel.NOM]
    assert [scored.document.text[start:end] for start, end in scored.masked_terms] == ["Horton"]

    figures = measure([scored], replicates=10)
    assert (figures.documents, figures.patients, figures.whole_leaks, figures.partial_leaks) == (1, 1, 1, 1)
    assert figures.words == 9  # M Jean Aubry 01 02 habite Dax avec Horton
    assert figures.recall_characters.value == pytest.approx(10 / 16)
    assert figures.precision_characters.value == pytest.approx(10 / 16)  # Jean 4, Aub 3, Dax 3 of these and Horton 6
    assert figures.recall_tokens.value == pytest.approx(2 / 5)  # Jean, Dax; not Aubry, 01, 02
    assert figures.documents_without_leak.value == figures.patients_without_leak.value == 0
    assert figures.terms_per_1000_words.value == pytest.approx(1000 / 9)

    assert (figures.overall.gold, figures.overall.predicted) == (4, 4)
    assert figures.overall.exact.f1.value == pytest.approx(2 * 2 / 8)
    town, surname = of_label(figures, PhiLabel.VILLE), of_label(figures, PhiLabel.NOM)
    assert (town.exact.precision.value, town.exact.recall.value) == (0.5, 1)
    assert (surname.exact.f1.value, surname.relaxed.f1.value, surname.tokens.f1.value) == (0, 0, 0)
    assert surname.hidden.value == pytest.approx(3 / 5)
    assert of_label(figures, PhiLabel.TEL).hidden.value == 0
    assert of_label(figures, PhiLabel.MAIL).exact.f1.value is None


def test_relaxed_and_token_agreement_forgive_a_cut_that_exact_agreement_does_not() -> None:
    figures = figures_of(compared("vu par [De La Tour](NOM)", "vu par De [La](NOM) [Tour](NOM)"))
    assert figures.overall.exact.f1.value == 0
    assert (figures.overall.relaxed.precision.value, figures.overall.relaxed.recall.value) == (1, 1)
    assert figures.overall.relaxed.f1.value == 1
    assert figures.overall.tokens.precision.value == 1
    assert figures.overall.tokens.recall.value == pytest.approx(2 / 3)


def test_what_is_neither_letter_nor_digit_leaks_nothing() -> None:
    figures = figures_of(compared("[06 11-22.](TEL)", "[06](TEL) [11](TEL)-[22](TEL)."))
    assert figures.recall_characters.value == figures.recall_tokens.value == figures.documents_without_leak.value == 1


def test_shares_of_documents_and_patients() -> None:
    figures = figures_of(
        compared("[Ivo](PRENOM)", "[Ivo](PRENOM)", "P1", "a"),
        compared("[Ivo](PRENOM) ici", "Ivo ici", "P1", "b"),
        compared("rien", "rien", "P2", "a"),
        compared("[Uma](PRENOM)", "[Uma](VILLE)", "P3", "a"),
    )
    assert figures.documents_without_leak.value == pytest.approx(3 / 4)
    assert figures.patients_without_leak.value == pytest.approx(2 / 3)
    assert figures.without_identifier == 1
    low, high = figures.patients_without_leak.low, figures.patients_without_leak.high
    assert low is not None and high is not None and low < 2 / 3 < high


def test_a_label_left_out_is_neither_asked_for_nor_wrong_but_hides() -> None:
    document = compared(
        "[Ivo](PRENOM) né le [1931](DATE_NAISSANCE), vu le [2 mai](DATE) et le 3 mai",
        "[Ivo](PRENOM) né le [1931](DATE), vu le 2 mai et le [3 mai](DATE)",
    )
    asked = figures_of(document)
    assert asked.overall.exact.f1.value == pytest.approx(2 * 1 / 6)
    assert asked.documents_without_leak.value == 0
    figures = figures_of(document, ignored=(PhiLabel.DATE,))
    assert figures.ignored == (PhiLabel.DATE,)
    assert figures.documents_without_leak.value == figures.recall_characters.value == 1
    assert figures.precision_characters.value == 1
    assert (figures.overall.gold, figures.overall.predicted, figures.false_alarms) == (2, 1, 0)
    assert PhiLabel.DATE.value not in {row.label for row in figures.labels}


def test_a_neutral_place_may_be_hidden_and_need_not_be() -> None:
    text = "Uma, 93 ans, chez Renault"
    gold = (PhiEntity(0, 3, PhiLabel.PRENOM),)
    neutral = ((5, 7), (18, 25))
    plain = AnnotatedDocument("P", "D", text, gold, gold, neutral)
    masked = AnnotatedDocument("P", "D", text, gold, (*gold, PhiEntity(18, 25, PhiLabel.NOM)), neutral)
    assert figures_of(plain) == figures_of(masked)
    wide = AnnotatedDocument("P", "D", text, gold, (PhiEntity(0, 7, PhiLabel.PRENOM),), neutral)
    assert figures_of(wide).precision_characters.value == 1


def test_a_person_named_like_a_term_may_be_masked() -> None:
    document = compared(
        "Mme [Rankin](NOM), Rankin 3, maladie de Parkinson", "Mme [Rankin](NOM), [Rankin](NOM) 3, maladie de Parkinson"
    )
    scored = score(document, terms=MedicalTerms(["Rankin", "Parkinson"]))
    assert scored.masked_terms == ((12, 18),)


def test_terms_are_found_whatever_their_case_and_accents_the_longest_first() -> None:
    terms = MedicalTerms(["Gougerot-Sjögren", "Sjögren", "Lasègue"])
    text = "GOUGEROT SJOGREN, sjögren, laségue, Lasagne"
    assert [text[start:end] for start, end in terms.find(text)] == ["GOUGEROT SJOGREN", "sjögren", "laségue"]


def test_bundled_terms_hold_eponyms_and_no_frequent_surname_alone() -> None:
    terms = read_medical_terms()
    text = "Rankin Babinski Parkinson Horton Broca Willis Doppler Holter Fazekas Glasgow"
    assert len(list(terms.find(text))) == 10
    assert not list(terms.find("Martin Petit Roux Simpson Weber Berger Bouchard Marin Rose Blanc"))


def test_an_interval_draws_patients() -> None:
    """One patient errs throughout: with two patients, a replicate in four draws that one alone."""
    documents = [compared("[Ivo](NOM)", "[Ivo](NOM)", "P1", str(n)) for n in range(9)]
    documents += [compared("[Uma](NOM)", "Uma", "P2", "0")]
    figures = measure([score(document) for document in documents], replicates=400, seed=1)
    assert figures.recall_characters.value == pytest.approx(0.9)
    assert (figures.recall_characters.low, figures.recall_characters.high) == (0, 1)
    assert figures == measure([score(document) for document in documents], replicates=400, seed=1)


texts = st.text(alphabet="aé0 -\n", min_size=1, max_size=25)


@st.composite
def annotations(draw: st.DrawFn) -> AnnotatedDocument:
    text = draw(texts)
    spans = st.lists(
        st.tuples(st.integers(0, len(text) - 1), st.integers(1, 8), st.sampled_from(LABELS)).map(
            lambda span: PhiEntity(span[0], min(len(text), span[0] + span[1]), span[2])
        ),
        max_size=5,
    ).map(tuple)
    return AnnotatedDocument(draw(st.sampled_from("AB")), draw(texts), text, draw(spans), draw(spans))


@given(st.lists(annotations(), min_size=1, max_size=4), st.sets(st.sampled_from(LABELS), max_size=3))
def test_any_annotation_gives_figures_in_range(documents: list[AnnotatedDocument], ignored: set[PhiLabel]) -> None:
    figures = measure([score(document, ignored) for document in documents], ignored, replicates=5)
    rows = [figures.overall, *figures.labels]
    estimates = [figures.recall_characters, figures.recall_tokens, figures.precision_characters]
    estimates += [
        e for row in rows for a in (row.exact, row.relaxed, row.tokens) for e in (a.precision, a.recall, a.f1)
    ]
    for figure in estimates:
        assert figure.value is None or (0 <= figure.value <= 1 and not math.isnan(figure.value))
    for document in documents:
        scored = score(document, ignored)
        left = scored.by_label[:, Count.CHARACTERS] - scored.by_label[:, Count.HIDDEN_CHARACTERS]
        assert (left.sum() > 0) == bool(scored.leaks)  # no leak, no identifying letter left: and the reverse


@given(annotations())
def test_what_the_annotators_marked_hides_everything(document: AnnotatedDocument) -> None:
    perfect = AnnotatedDocument("P", "D", document.text, document.gold, document.gold)
    scored = score(perfect)
    assert scored.leaks == scored.false_alarms == ()
    assert np.array_equal(scored.by_label[:, Count.EXACT], scored.by_label[:, Count.GOLD])
