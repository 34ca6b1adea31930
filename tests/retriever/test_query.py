from retriever.lexical import tokens
from retriever.query import query_text
from schema.study import VariableHints
from schema.variable import Choice, Question, Variable, VariableKind

SMOKING = Variable(
    name="tabac",
    label="Tabagisme à l'admission",
    kind=VariableKind.CHOICE,
    section="Facteurs de risque",
    note="Sevré = arrêté avant l'épisode.",
    unit="paquets-années",
    choices=(Choice("0", "Jamais"), Choice("1", "Ancien"), Choice("2", "Actif")),
)


def test_the_words_of_the_dictionary_are_searched():
    words = tokens(query_text(Question("P1", SMOKING)))
    for expected in ["tabagisme", "admission", "facteurs", "paquets", "ancien", "actif", "arrêté", "épisode"]:
        assert tokens(expected)[0] in words


def test_the_label_counts_twice():
    words = tokens(query_text(Question("P1", SMOKING)))
    assert (words.count("tabag"), words.count("risqu")) == (2, 1)


def test_synonyms_of_the_study_are_searched():
    hints = VariableHints(synonyms=("fumeur", "PA"))
    assert query_text(Question("P1", SMOKING), hints).splitlines()[-2:] == ["fumeur", "PA"]


def test_free_words_are_searched_as_they_are():
    assert query_text(Question("P1", text="Le patient fume-t-il ?")) == "Le patient fume-t-il ?"
