"""Words of French clinical text, and BM25 over the passages of one patient.

The usual French stop lists drop "pas", "ne", "sans" and "aucun": "pas de diabète" becomes "diabète". Ours keeps
every negation, every number and every unit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray

from schema.passage import Passage

#: Articles, pronouns, prepositions and auxiliaries. No negation ("pas", "ne", "ni", "sans", "non", "aucun",
#: "jamais") and no word of time or order ("avant", "depuis", "puis").
_STOP = frozenset(
    re.findall(
        r"\w+",
        """a ai as au aux avec c ce ces cet cette chez d dans de des du elle elles en es est et eux il ils j je l la
        le les leur leurs lui m ma me mes mon notre nos nous on ont ou par pour qu que qui s sa se ses son sont sur t
        te un une votre vos vous y ete etait etre ainsi dont donc car si""",
    )
)

#: Units written with a bar stay one word ("mmol/l", "kg/m2"); so do numbers with a comma, a bar, a colon or an h.
_TOKEN = re.compile(
    r"(?<![a-z])[a-zμ]{1,5}/(?:l|dl|ml|m2|kg|min|h|j)(?![a-z])"
    r"|\d+(?:[.,/:]\d+)+"
    r"|[^\W_]+(?:['’](?=[^\W_]))?"
    r"|%"
)
_ELISIONS = {"n": "ne", "jusqu": "jusque", "lorsqu": "lorsque", "puisqu": "puisque", "quoiqu": "quoique"}
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_COMBINING = re.compile("[\u0300-\u036f]+")
_FEMININE = re.compile("ee(s?)$")

_stemmer = Stemmer.Stemmer("french")


def tokens(text: str) -> list[str]:
    """Words of a text, folded so that two writings of one word are one token.

    Lower case, no accent, elisions cut ("l'", "d'", "qu'"; "n'" is read as "ne"), French Snowball stems, decimal
    point ("6,2" and "6.2" agree). Abbreviations, numbers and units come out as they are: "HTA" → "hta",
    "g/L" → "g/l", "160/90" → "160/90".
    """
    found = []
    for word in _TOKEN.findall(fold(text)):
        elided = word[-1] in "'’"
        whole = _ELISIONS.get(word[:-1], word[:-1]) if elided else word
        if whole not in _STOP:
            found.append(_stem(whole))
    return found


def fold(text: str) -> str:
    """Lower case without accents or ligatures; ² becomes 2."""
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text.lower().translate(_LIGATURES)))


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    if word.isalpha():
        # Without its accent, Snowball no longer takes "opérée" and "opéré" for one word.
        return str(_stemmer.stemWord(_FEMININE.sub(r"e\1", word)))
    return word.replace(",", ".")


class Bm25:
    """BM25 (Robertson and Zaragoza 2009; Lucene's variant, k1 = 1.5, b = 0.75) over a few hundred bags of words.

    Word frequencies are those of the bags given, hence of one patient: a word found everywhere in this
    patient's record ("AVC") counts little.
    """

    def __init__(self, bags: Sequence[Sequence[str]]) -> None:
        vocabulary: dict[str, int] = {"": 0}
        ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in bag] for bag in bags]
        self._size = len(bags)
        self._bm25 = bm25s.BM25()
        if any(ids):
            self._bm25.index((ids, vocabulary), show_progress=False)
            self._known = vocabulary
        else:  # bm25s cannot index bags without a word
            self._known = {}

    def scores(self, words: Iterable[str]) -> NDArray[np.float32]:
        """BM25 of every bag for some words, in the bags' order: shape (n,); 0 where no word is shared.

        A word said twice counts twice.
        """
        known = [self._known[word] for word in words if word in self._known]
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._bm25.get_scores_from_ids(known), dtype=np.float32)


class LexicalIndex:
    """BM25 over the words of passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._bm25 = Bm25([tokens(passage.text) for passage in passages])

    def scores(self, query: str) -> NDArray[np.float32]:
        """See `Bm25.scores`; the query is cut into words as the passages are."""
        return self._bm25.scores(tokens(query))
