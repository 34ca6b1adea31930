"""Invented documents: their spans, their variety, their grammar, their flaws."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rag.deid.synthetic
from rag.deid.synthetic.dates import in_words
from rag.deid.synthetic.generate import generate
from rag.deid.synthetic.grammar import Grammar, GrammarError, Piece
from rag.deid.synthetic.names import names
from rag.deid.synthetic.noise import spoil
from rag.deid.synthetic.values import Values
from schema.phi import PhiLabel

FILES = sorted((Path(rag.deid.synthetic.__file__).parent / "grammar").glob("*.txt"))
SYMBOLS = sorted({symbol for file in FILES for symbol in re.findall(r"^={2,3} (\S+)$", file.read_text("utf-8"), re.M)})


@pytest.fixture(scope="module")
def examples():
    return list(generate(300, seed=4))


def test_spans_lie_in_the_text_in_order_and_without_blanks_around(examples):
    for example in examples:
        last = 0
        for entity in example.entities:
            assert last <= entity.start < entity.end <= len(example.text)
            span = example.text[entity.start : entity.end]
            assert span == span.strip()
            last = entity.end


def test_same_seed_same_documents_another_seed_others():
    first = list(generate(20, seed=5))
    assert list(generate(20, seed=5)) == first
    assert list(generate(8, seed=5)) == first[:8]
    assert not {example.text for example in generate(20, seed=6)} & {example.text for example in first}


def test_no_two_documents_alike_and_no_identifier_twice(examples):
    assert len({example.text for example in examples}) == len(examples)
    assert len({example.document_id for example in examples}) == len(examples)


def test_every_label_occurs_and_some_documents_name_nobody(examples):
    assert {entity.label for example in examples for entity in example.entities} == set(PhiLabel)
    assert any(not example.entities for example in examples)


def test_scales_and_eponyms_are_outside_the_spans(examples):
    seen = inside = 0
    for example in examples:
        for scale in re.finditer(r"NIHSS|Rankin|Fazekas|signe de Babinski|Doppler TSA|HbA1c", example.text):
            seen += 1
            inside += any(e.start < scale.end() and scale.start() < e.end for e in example.entities)
    assert seen > 50
    assert inside <= seen / 20  # some people are called Rankin


def test_many_names_are_on_no_list(examples):
    dice = random.Random(1)
    drawn = [names().surname(dice) for _ in range(400)]
    assert len(set(drawn)) > 300
    listed = {
        word.lower()
        for file in (Path(rag.deid.synthetic.__file__).parent).glob("*.yml")
        for word in re.findall(r"[\w'’-]+", file.read_text("utf-8"))
    }
    assert sum(name.lower() not in listed for name in drawn) > 150


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_symbol_of_the_grammar_can_be_written(symbol):
    grammar = Grammar(FILES)
    dice = random.Random(symbol)
    for _ in range(5):
        text = "".join(piece.text for piece in grammar.expand(symbol, Values(dice), dice))
        assert not re.search(r"[{}⏎]|#\d+-\d+", text), text
    assert Values(dice)(symbol) is None, "a slot has the same name: it would never be read"


def test_a_labelled_reference_is_one_span_with_all_its_parts(tmp_path):
    file = tmp_path / "g.txt"
    file.write_text(
        "== start\nVu {par|par} {NOM:name}.\n\n== name\n{part}-{part}\n\n=== lines\na\n{part}\n---\nb\n", "utf-8"
    )
    pieces = Grammar([file]).expand("start", lambda slot: "Xo" if slot == "part" else None, random.Random(0))
    assert "".join(piece.text for piece in pieces) == "Vu par Xo-Xo."
    assert [piece for piece in pieces if piece.label] == [Piece("Xo-Xo", PhiLabel.NOM)]


@pytest.mark.parametrize(
    ("grammar", "told"),
    [
        ("== start\n{nothing}\n", "nothing"),
        ("== start\nopen {a|b\n", "not closed"),
        ("text before\n== start\na\n", "line 1"),
        ("== start\n{a {b|c}}\n", "neither a name nor"),
    ],
)
def test_a_grammar_that_is_wrong_says_where(tmp_path, grammar, told):
    file = tmp_path / "g.txt"
    file.write_text(grammar, "utf-8")
    with pytest.raises(GrammarError, match=told):
        Grammar([file]).expand("start", lambda slot: None, random.Random(0))


@given(
    st.lists(st.tuples(st.text(max_size=12), st.sampled_from([None, *PhiLabel])), max_size=8),
    st.integers(min_value=0, max_value=10_000),
)
def test_flaws_never_misplace_a_span(drawn, seed):
    pieces = [Piece(text, label) for text, label in drawn]
    text, entities = spoil(pieces, random.Random(seed))
    last = 0
    for entity in entities:
        assert last <= entity.start < entity.end <= len(text)
        assert not text[entity.start].isspace() and not text[entity.end - 1].isspace()
        last = entity.end
    assert len(entities) <= sum(piece.label is not None for piece in pieces)


def test_most_texts_keep_the_words_of_their_spans():
    pieces = [Piece("Vu par le Dr "), Piece("Kérouédan", PhiLabel.NOM), Piece(" hier")]
    kept = 0
    for seed in range(100):
        text, [entity] = spoil(pieces, random.Random(seed))
        kept += text[entity.start : entity.end] == "Kérouédan"
    assert 40 < kept < 95


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zéro"),
        (21, "vingt et un"),
        (71, "soixante et onze"),
        (80, "quatre-vingt"),
        (91, "quatre-vingt-onze"),
        (1978, "mille neuf cent soixante-dix-huit"),
        (2000, "deux mille"),
        (2021, "deux mille vingt et un"),
    ],
)
def test_numbers_in_words(number, words):
    assert in_words(number) == words
