"""Names in texts: as they stand, written otherwise, in several pieces."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.terminology.abbreviations import defined
from rag.terminology.build import build_terminology
from rag.terminology.discontinuous import Pieces, Seams
from rag.terminology.index import StoredIndex
from rag.terminology.linker import Normalizer
from rag.terminology.loaders.table import TableSource
from rag.terminology.reading import Reading
from rag.terminology.tokens import key
from rag.terminology.variants import Kind, Variants
from tests.terminology.conftest import no_problem

NAMES = [
    "sténose de l'artère carotide",
    "sténose",
    "artère carotide",
    "insuffisance rénale",
    "insuffisance cardiaque",
    "cancer du sein",
    "cancer du poumon",
    "œdème du membre inférieur gauche",
    "œdème du membre inférieur droit",
    "artère rénale",
    "veine rénale",
    "infarctus cérébral",
    "hématome cérébral",
    "hémorragie cérébrale",
    "maladie du cœur",
    "infection",
    "fièvre",
    "thrombolyse intraveineuse",
    "fibrillation auriculaire",
    "infarctus du myocarde",
    "accident vasculaire cérébral",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredIndex]:
    folder = tmp_path_factory.mktemp("names")
    rows = [f"{number};{name}" for number, name in enumerate(NAMES)]
    (folder / "names.csv").write_text("\n".join(["code;term", *rows]), encoding="utf-8")
    build_terminology([TableSource(folder / "names.csv")], folder / "names.terms", no_problem)
    opened = StoredIndex.open(folder / "names.terms")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def normalizer(index: StoredIndex) -> Normalizer:
    return Normalizer(index)


def found(normalizer: Normalizer, text: str) -> set[tuple[str, str]]:
    """(what is written, the name it is read as) of every mention."""
    return {
        (" … ".join(text[start:end] for start, end in mention.fragments), mention.concept.label)
        for mention in normalizer.mentions(text)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # flat and nested
        (
            "Sténoses de l’artère carotide.",
            {
                ("Sténoses de l’artère carotide", "sténose de l'artère carotide"),
                ("Sténoses", "sténose"),
                ("artère carotide", "artère carotide"),
            },
        ),
        ("INSUFFISANCE RENALE", {("INSUFFISANCE RENALE", "insuffisance rénale")}),
        ("Pas d'infection ni de fièvre.", {("infection", "infection"), ("fièvre", "fièvre")}),
        # a shared beginning
        (
            "insuffisance rénale et cardiaque",
            {
                ("insuffisance rénale", "insuffisance rénale"),
                ("insuffisance … cardiaque", "insuffisance cardiaque"),
            },
        ),
        (
            "cancers du sein et du poumon",
            {("cancers du sein", "cancer du sein"), ("cancers … du poumon", "cancer du poumon")},
        ),
        (
            "œdème des membres inférieurs gauche > droit",
            {
                ("œdème des membres inférieurs gauche", "œdème du membre inférieur gauche"),
                ("œdème des membres inférieurs … droit", "œdème du membre inférieur droit"),
            },
        ),
        # a shared ending
        (
            "artères et veines rénales",
            {("artères … rénales", "artère rénale"), ("veines rénales", "veine rénale")},
        ),
        (
            "infarctus ou hématome cérébral",
            {("infarctus … cérébral", "infarctus cérébral"), ("hématome cérébral", "hématome cérébral")},
        ),
        # words put inside
        (
            "sténose très serrée de l'artère carotide",
            {
                ("sténose … de l'artère carotide", "sténose de l'artère carotide"),
                ("sténose", "sténose"),
                ("artère carotide", "artère carotide"),
            },
        ),
        # written otherwise
        ("hémoragie cérébrale", {("hémoragie cérébrale", "hémorragie cérébrale")}),
        ("saignement cérébral", {("saignement cérébral", "hémorragie cérébrale")}),
        ("affection cardiaque", {("affection cardiaque", "maladie du cœur")}),
        # an abbreviation that the text defines
        (
            "Fibrillation auriculaire (FiA). La FiA est permanente.",
            {
                ("Fibrillation auriculaire", "fibrillation auriculaire"),
                ("FiA", "fibrillation auriculaire"),
            },
        ),
    ],
)
def test_names_of_a_sentence(normalizer: Normalizer, text: str, expected: set[tuple[str, str]]) -> None:
    assert found(normalizer, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Sténose. Artère fémorale.",  # a sign between
        "insuffisance. Carence rénale",
        "cancer. Du sein",
        "infectiologue",  # another ending is another word
        "neurologue",
        "",
        " \n ",
    ],
)
def test_what_is_no_name(normalizer: Normalizer, text: str) -> None:
    assert {label for _, label in found(normalizer, text)} <= {"sténose"}


def test_positions_are_those_of_the_text(normalizer: Normalizer) -> None:
    text = "Bilan :\n– œdème des membres\ninférieurs gauche > droit"
    (apart_mention,) = [mention for mention in normalizer.mentions(text) if len(mention.fragments) > 1]
    assert [text[start:end] for start, end in apart_mention.fragments] == ["œdème des membres\ninférieurs", "droit"]
    assert apart_mention.document_id == ""
    assert 0 < apart_mention.score < 1


def test_a_name_is_surer_than_its_variants(normalizer: Normalizer) -> None:
    (whole,) = normalizer.mentions("hémorragie cérébrale")
    (misspelt,) = normalizer.mentions("hémoragie cérébrale")
    assert misspelt.score < whole.score == 1.0


def test_pieces_are_said_once_and_seams_change_nothing(index: StoredIndex) -> None:
    reading = Reading("insuffisance rénale et cardiaque et rénale et cardiaque, artères et veines rénales")
    pieces = Pieces(index, Seams(key(name) for name in NAMES)).find(reading)
    assert len(pieces) == len({places for places, _ in pieces}) >= 2
    assert Pieces(index, None).find(reading) == pieces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("virus de l'immunodéficience humaine (VIH), le VIH", ["VIH", "VIH"]),
        ("accident vasculaire cérébral ( AVC )", ["AVC"]),
        ("coronarographie (voir plus loin)", []),
        ("un patient (HTA)", []),
        ("(AVC)", []),
    ],
)
def test_abbreviations_that_a_text_defines(text: str, expected: Sequence[str]) -> None:
    reading = Reading(text)
    places = [place for place, _ in defined(reading)]
    assert [text[slice(*reading.span(*place))] for place in places] == expected


def test_an_abbreviation_stands_for_its_long_form() -> None:
    reading = Reading("un accident vasculaire cérébral (AVC)")
    assert [name for _, name in defined(reading)] == [key("accident vasculaire cérébral")]


VARIANTS = Variants([(key(name), name) for name in NAMES])


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("carotide artère sténose", "sténose de l'artère carotide", Kind.CONTENT),
        ("cardiopathie", "maladie du cœur", Kind.SYNONYM),
        ("fibrilation auriculaire", "fibrillation auriculaire", Kind.MISSPELT),
        ("fribillation auriculaire", "fibrillation auriculaire", Kind.MISSPELT),
    ],
)
def test_variants(text: str, name: str, kind: Kind) -> None:
    (variant,) = [one for one in VARIANTS.find(Reading(text)) if one.stop - one.first == len(text.split())]
    assert dict(variant.sources)[key(name)] is kind


@given(st.text(alphabet=st.sampled_from("aéèœltsrn ’'-(),.>+\n"), max_size=60) | st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    reading = Reading(text)
    assert all(0 <= one.first < one.stop <= len(reading.tokens) for one in VARIANTS.find(reading))
    assert all(first < stop for (first, stop), _ in defined(reading))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*" ".join(NAMES).split(), "et", "ou", ",", ">", "de", "du", "\n"]), max_size=25))
def test_mentions_lie_in_the_text_and_in_order(normalizer: Normalizer, words: list[str]) -> None:
    text = " ".join(words)
    mentions = normalizer.mentions(text)
    assert [mention.start for mention in mentions] == sorted(mention.start for mention in mentions)
    for mention in mentions:
        ends = [position for fragment in mention.fragments for position in fragment]
        assert ends == sorted(ends)
        assert 0 <= ends[0] < ends[-1] <= len(text)
