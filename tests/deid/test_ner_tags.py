"""Spans to tags and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.ner_tags import TAGS, TagReader, tag_tokens
from schema.phi import PhiEntity, PhiLabel


def scores(tags, sure=0.97):
    """Log-probabilities that give each tag named ``sure``, and the others the rest."""
    rows = np.full((len(tags), len(TAGS)), (1 - sure) / (len(TAGS) - 1), np.float32)
    for row, tag in enumerate(tags):
        rows[row, TAGS.index(tag)] = sure
    return np.log(rows)


def words(text):
    offsets, at = [], 0
    for word in text.split(" "):
        offsets.append((at, at + len(word)))
        at += len(word) + 1
    return offsets


@st.composite
def tagged_words(draw):
    count = draw(st.integers(1, 12))
    offsets = words(" ".join(draw(st.lists(st.text("abcé", min_size=1, max_size=5), min_size=count, max_size=count))))
    entities, at = [], 0
    while at < count:
        length = draw(st.integers(1, 3))
        if draw(st.booleans()):
            last = min(at + length, count) - 1
            entities.append(PhiEntity(offsets[at][0], offsets[last][1], draw(st.sampled_from(PhiLabel))))
        at += length
    return offsets, entities


@given(tagged_words())
def test_what_is_tagged_is_read_again(drawn):
    offsets, entities = drawn
    text = "a" * offsets[-1][1]
    for _, end in offsets[:-1]:
        text = text[:end] + " " + text[end + 1 :]
    found = TagReader(TAGS).read(scores([TAGS[tag] for tag in tag_tokens(offsets, entities)]), offsets, text)
    assert [scored.entity for scored in found] == entities
    assert all(scored.score > 0.9 for scored in found)


def test_a_span_is_not_cut_inside_a_word_for_a_weak_reason():
    text = "Kerouédan vu"
    offsets = [(0, 4), (4, 9), (9, 12)]
    rows = scores(["B-NOM", "O", "O"], sure=0.8)
    rows[1, TAGS.index("I-NOM")] = np.log(0.15)
    [scored] = TagReader(TAGS).read(rows, offsets, text)
    assert scored.entity == PhiEntity(0, 9, PhiLabel.NOM)


def test_glued_words_are_parted_for_a_strong_reason():
    text = "Dupont2019"
    found = TagReader(TAGS).read(scores(["B-NOM", "B-DATE"], sure=0.999), [(0, 6), (6, 10)], text)
    assert [scored.entity for scored in found] == [PhiEntity(0, 6, PhiLabel.NOM), PhiEntity(6, 10, PhiLabel.DATE)]


def test_a_span_never_begins_with_inside():
    found = TagReader(TAGS).read(scores(["I-NOM", "I-NOM"], sure=0.6), [(0, 2), (3, 5)], "ab cd")
    assert [scored.entity for scored in found] in ([], [PhiEntity(0, 5, PhiLabel.NOM)])


def test_blanks_that_a_tokenizer_counts_as_its_own_are_outside():
    [scored] = TagReader(TAGS).read(scores(["O", "B-NOM"]), [(0, 2), (2, 8)], "Dr Leroy\n")
    assert scored.entity == PhiEntity(3, 8, PhiLabel.NOM)


def test_tags_with_last_and_single_are_read():
    names = ["O", "B-NOM", "I-NOM", "L-NOM", "U-NOM"]
    rows = np.log(np.array([[0.01] * 5] * 4) + np.eye(5)[[1, 3, 4, 0]] * 0.95).astype(np.float32)
    found = TagReader(names).read(rows, words("Le Goff Petit dort"), "Le Goff Petit dort")
    assert [scored.entity for scored in found] == [PhiEntity(0, 7, PhiLabel.NOM), PhiEntity(8, 13, PhiLabel.NOM)]


def test_no_token_no_span():
    assert TagReader(TAGS).read(np.zeros((0, len(TAGS)), np.float32), [], "") == []


@pytest.mark.parametrize("tag", ["B-PERSON", "PER", "X-NOM", "B-"])
def test_a_tag_of_another_scheme_is_named(tag):
    with pytest.raises(ValueError, match=tag):
        TagReader(["O", tag])
