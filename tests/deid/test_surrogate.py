"""Surrogates of one patient: the same person keeps one fake name in every form, and nothing original stays."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.fake_names import FEMALE, MALE, name_key, pools, sexes
from rag.deid.keys import Replaced, Secret
from rag.deid.policy import Action, Policy, load_policy
from rag.deid.replace import deidentify_patient
from tests.deid.marked import identified, marked

SECRET = Secret(b"s" * 32)
SURROGATE, MASK = load_policy("surrogate"), load_policy("mask")


def rewritten(*written: str, secret: Secret = SECRET, policy: Policy = SURROGATE) -> list[str]:
    """The texts of one patient, de-identified."""
    done = deidentify_patient("P1", [identified(text) for text in written], policy, secret)
    return [text.text for text in done.texts]


def fakes(written: str, secret: Secret = SECRET) -> list[str]:
    """What stands in place of each span of a text."""
    done = deidentify_patient("P1", [identified(written)], SURROGATE, secret)
    (text,) = done.texts
    return [text.text[start:end] for _, _, start, end in text.replaced]


def test_every_form_of_a_name_changes_alike() -> None:
    (line,) = rewritten(
        "Mme [PRENOM Yvonne] [NOM Maubert] ; [NOM MAUBERT] [PRENOM YVONNE] ; [PRENOM Y.] [NOM Maubert] ; "
        "[NOM Maubert]-Durtal ; [NOM maubert] ; [NOM Maubert-Sarlin] ; [NOM Sarlin] ; [NOM MAUBERT SARLIN]"
    )
    first, second, third, _, small, compound, sarlin, capitals = line.split(" ; ")
    _, given_name, name = first.split()
    assert second == f"{name.upper()} {given_name.upper()}"
    assert third == f"{given_name[0]}. {name}"
    assert small == name.lower()
    assert compound == f"{name}-{sarlin}"
    assert capitals == f"{name} {sarlin}".upper()
    assert len({name, sarlin, given_name}) == 3


def test_a_person_keeps_the_name_in_all_documents_and_another_patient_does_not() -> None:
    one, two = rewritten("Dr [NOM Maubert]", "vu par le Dr [NOM MAUBERT]")
    assert two.removeprefix("vu par le Dr ") == one.removeprefix("Dr ").upper()
    others = {
        deidentify_patient(f"P{n}", [identified("Dr [NOM Maubert]")], SURROGATE, SECRET).texts[0].text
        for n in range(20)
    }
    assert len(others) > 10


def test_the_secret_decides() -> None:
    names = {rewritten("[NOM Maubert]", secret=Secret(bytes([n]) * 32))[0] for n in range(30)}
    assert len(names) > 20


@pytest.mark.parametrize("name", ["Yvonne", "Gérard", "Katarzyna", "Giovanni", "Margarida", "Yannick", "Hélène"])
def test_a_first_name_keeps_its_sex(name: str) -> None:
    (fake,) = fakes(f"[PRENOM {name}]")
    sex = sexes()[name_key(name)]
    assert fake in pools().first_names[sex]


@pytest.mark.parametrize(("title", "sex"), [("Mme", FEMALE), ("M.", MALE), ("Madame", FEMALE), ("son fils", MALE)])
def test_the_title_tells_the_sex_of_a_name_that_no_list_holds(title: str, sex: str) -> None:
    assert fakes(f"{title} [PRENOM Zyxwal] [NOM Maubert]")[0] in pools().first_names[sex]


def test_initials_are_those_of_the_fake_name() -> None:
    full, initials, other = (
        fakes("[PRENOM Jean-Marc] [NOM Maubert], puis [PRENOM J.-M.] [NOM M.]")[0:4:1][:1]
        + fakes("[PRENOM Jean-Marc] [NOM Maubert], puis [PRENOM J.-M.] [NOM M.]")[2:]
    )
    first, second = full.split("-")
    assert initials == f"{first[0]}.-{second[0]}."
    assert other != "M."


def test_an_initial_of_nobody_changes_too_and_stays_the_same() -> None:
    first, second = fakes("Dr [NOM K.], et de nouveau Dr [NOM K.]")
    assert first == second != "K."
    assert re.fullmatch(r"[A-Z]\.", first)


def test_a_misspelt_name_is_that_of_the_same_person() -> None:
    one, two, three = fakes("[NOM Larroquette] puis [NOM Larroquette] et [NOM Laroquette]")
    assert one == two == three


def test_two_known_names_that_resemble_stay_two() -> None:
    one, _, other = fakes("Dr [NOM Morin], Dr [NOM Morin] et M. [NOM Marin]")
    assert one != other


def test_particles_spaces_and_elisions() -> None:
    for name, shape in [
        ("de Montferrier", r"de [A-Z]\w+"),
        ("d'Estrelles", r"d'[AEIOUYHÉÈ]\w+"),
        ("Pereira Da Cunha", r"\w+ Da [A-Z]\w+"),
        ("M A U B E R T", r"[A-ZÉÈ](?: [A-ZÉÈ])+"),
        ("N'GUESSAN", r"[A-ZÉÈÊÇ]+"),
        ("O’Brien", r"[A-Z]\w+"),
    ]:
        (fake,) = fakes(f"[NOM {name}]")
        assert re.fullmatch(shape, fake), (name, fake)


@pytest.mark.parametrize("name", ["Le Du", "LE VAN", "De De", "der", "Ben Del"])
def test_a_name_made_of_particles_changes_whole(name: str) -> None:
    (fake,) = fakes(f"[NOM {name}]")
    assert not set(name_key(fake).split()) & set(name_key(name).split())


def test_names_in_other_alphabets_change() -> None:
    for name in ("Иванова", "Παπαδόπουλος", "王", "محمد"):
        (fake,) = fakes(f"[NOM {name}]")
        assert name not in fake


def test_towns_keep_their_size_and_their_postcode_follows() -> None:
    (line,) = rewritten("[ZIP 69008] [VILLE LYON] ; [VILLE Lyon] ; [ZIP 58140] [VILLE Lormes] ; [ZIP 58140]")
    first, again, second, alone = line.split(" ; ")
    towns = {town.name: town for town in pools().towns}
    postcode, town = first.split(" ", 1)
    assert town == again.upper()
    assert (towns[again].size, towns[again].postcode) == ("large", postcode)
    postcode, town = second.split(" ", 1)
    assert (towns[town].size, towns[town].postcode) == ("small", postcode)
    assert alone == postcode


def test_a_town_fits_the_word_before_it() -> None:
    for number in range(15):
        line = rewritten(
            "né à [VILLE Ornans], d'[VILLE Ornans] ; de [VILLE Beaune]", secret=Secret(bytes([number]) * 32)
        )
        vowel, consonant = re.search(r"d'(\S).* ; de (\S)", line[0]).groups()
        assert name_key(vowel) in "aeiouyh"
        assert name_key(consonant) not in "aeiouyh"


@pytest.mark.parametrize(
    ("hospital", "kept"),
    [
        ("CHU de Sorbières", r"CHU de \w.*"),
        ("EHPAD Les Coquelicots", r"EHPAD Les \w.*"),
        ("Centre de rééducation des Coquelicots", r"Centre de rééducation des \w.*"),
        ("CLINIQUE DU VAL SOMBRE", r"CLINIQUE DU [A-ZÉÈÊ-]+"),
        ("SSR neurologique", r"SSR \w.*"),
        ("SAMU 87", r"SAMU \d\d"),
    ],
)
def test_what_a_hospital_is_stays(hospital: str, kept: str) -> None:
    (fake,) = fakes(f"[HOPITAL {hospital}]")
    assert re.fullmatch(kept, fake)
    assert fake != hospital


def test_one_hospital_in_three_forms() -> None:
    line = "[HOPITAL CHR du Haut-Sornin], [HOPITAL CHR DU HAUT SORNIN] ; [HOPITAL CHU de Mervans], [VILLE Mervans]"
    one, two, three, town = fakes(line)
    assert two == one.upper()
    assert three == f"CHU de {town}"


@pytest.mark.parametrize(
    ("label", "written", "shape"),
    [
        ("TEL", "04 73 00 18 42", r"04 65 71 \d\d \d\d"),
        ("TEL", "06.11.00.47.29", r"06\.39\.98\.\d\d\.\d\d"),
        ("TEL", "0111004729", r"019900\d{4}"),
        ("TEL", "+33 2 11 00 47 29", r"\+33 2 61 91 \d\d \d\d"),
        ("TEL", "+33 (0)3 11 00 47 29", r"\+33 \(0\)3 53 01 \d\d \d\d"),
        ("TEL", "05 49 11 22 33 / 4512", r"05 36 49 \d\d \d\d / \d{4}"),
        ("TEL", "09 72 11 22 33", r"01 99 00 \d\d \d\d"),
        ("MAIL", "y.maubert@hopital-sornin.fr", r"[a-zéè]\.[a-zéèô]+@exemple\.example"),
        ("IPP", "8004417290", r"[1-9]\d{9}"),
        ("IPP", "0019954420", r"00[1-9]\d{7}"),
        ("NDA", "U23-0305-118", r"[A-Z]\d\d-\d{4}-\d{3}"),
        ("ADRESSE", "12 bis place des Halles", r"\d{1,2} place .+"),
        ("ADRESSE", "Résidence du Lac, bât. C, code 19A47", r"Résidence .+"),
        ("ADRESSE", "12 RUE DE LA POSTE", r"\d{1,2} RUE [A-ZÉÈ' -]+"),
        ("ADRESSE", "8 rue Haute 58140 Lormes", r"\d{1,2} rue .+ \d{5} \S.+"),
    ],
)
def test_numbers_and_addresses_keep_their_shape(label: str, written: str, shape: str) -> None:
    (fake,) = fakes(f"[{label} {written}]")
    assert re.fullmatch(shape, fake), fake
    assert fake != written


def test_a_number_written_in_two_ways_has_one_surrogate() -> None:
    one, two = fakes("[TEL 04 73 00 18 42] [TEL 0473001842]")
    assert one.replace(" ", "") == two
    one, two = fakes("[IPP 80044 17290] [IPP 8004417290]")
    assert one.replace(" ", "") == two


def test_a_social_security_number_has_a_right_key_and_was_given_to_nobody() -> None:
    for written in ("1 64 08 42 019 077 31", "264082A01907731", "2 64 08 99 352 077"):
        (fake,) = fakes(f"[SECU {written}]")
        digits = re.sub(r"\W", "", fake)
        assert fake[0] == written[0]
        assert digits[10:13] == "000"
        assert len(digits) == 13 or int(digits[13:]) == 97 - int(digits[:13]) % 97


def test_a_social_security_number_tells_the_moved_birth_date() -> None:
    birth, number = fakes("né le [DATE_NAISSANCE 14/08/1964] n° [SECU 1 64 08 42 019 077 31]")
    assert number[2:7] == f"{birth[8:]} {birth[3:5]}"


def test_a_mail_follows_the_person() -> None:
    given_name, name, mail = fakes("[PRENOM Yvonne] [NOM Maubert], [MAIL yvonne.maubert@ch-sornin.fr]")
    assert mail == f"{given_name.lower()}.{name.lower()}@exemple.example"


def test_more_people_than_there_are_names() -> None:
    letters = string.ascii_lowercase
    names = [f"Qu{a}{b}{c}x" for a in letters for b in letters[:5] for c in letters[:4]]
    given = fakes(" ".join(f"[NOM {name}]" for name in names))
    assert len(set(given)) == len(names)


def test_no_surrogate_is_a_word_that_a_reader_could_take_for_a_finding() -> None:
    words = {"parent", "neveu", "cousin", "masse", "barre", "labbe", "raynaud", "weber", "becker", "marie", "gilbert"}
    every = {name_key(name) for names in (pools().surnames, *pools().first_names.values()) for name in names}
    assert not words & every
    assert len(pools().surnames) > 100


NAMES = st.text(st.sampled_from("abcdeéhijlmnorstuvz-' "), min_size=2, max_size=14).filter(
    lambda text: re.search(r"[a-zé]{2}", text)
)
NUMBERS = st.text("0123456789 .-", min_size=2, max_size=18).filter(lambda text: re.search(r"[1-9]", text))
SPANS = st.one_of(
    st.tuples(st.sampled_from(["NOM", "PRENOM", "VILLE"]), NAMES.map(str.title)),
    st.tuples(st.sampled_from(["IPP", "NDA", "TEL", "SECU"]), NUMBERS),
    st.tuples(st.just("MAIL"), st.just("a.b@c.fr")),
)


@given(st.lists(SPANS, min_size=1, max_size=12), st.text("abc ,.\n🙂é", max_size=10))
def test_under_mask_nothing_of_a_span_stays_and_the_rest_is_unchanged(spans: list[tuple[str, str]], gap: str) -> None:
    written = gap.join(f"[{label} {text}]" for label, text in spans)
    (line,) = rewritten(written, policy=MASK)
    assert line == gap.join(f"<{label}>" if any(map(str.isalnum, text)) else text for label, text in spans)


@given(st.lists(SPANS, min_size=1, max_size=12))
def test_no_surrogate_equals_an_original_and_equal_originals_have_equal_surrogates(
    spans: list[tuple[str, str]],
) -> None:
    written = " | ".join(f"[{label} {text}]" for label, text in spans)
    given = fakes(written)
    assert given == fakes(written)
    originals = {name_key(text) for _, text in spans}
    seen: dict[tuple[str, str], str] = {}
    for (label, text), fake in zip(spans, given, strict=True):
        if label in ("NOM", "PRENOM", "VILLE") and len(text.strip(" -'")) > 3:
            assert name_key(fake) not in originals
        assert seen.setdefault((label, text), fake) == fake


def test_an_earlier_key_is_followed_when_documents_are_added() -> None:
    first = deidentify_patient("P1", [identified("Dr [NOM Maubert] le [DATE 12/03/2021]")], SURROGATE, SECRET)
    texts = [identified("M. [NOM Lorrin] le [DATE 01/02/1931], né le [DATE_NAISSANCE 03/02/1920]")] * 3
    later = deidentify_patient(
        "P1", [*texts, identified("Dr [NOM MAUBERT] le [DATE 12/03/2021]")], SURROGATE, SECRET, first.key
    )
    assert later.texts[3].text == first.texts[0].text.replace(
        first.texts[0].text.split()[1], first.texts[0].text.split()[1].upper()
    )
    assert later.key.shift_days == first.key.shift_days
    assert set(later.key.replaced) > set(first.key.replaced)


@pytest.mark.parametrize("name", ["Lætitia", "Laetitia", "DUP0NT", "O'Sullivan", "N'Diaye", "İlkay", "Müller-Œstreich"])
def test_an_earlier_key_is_followed_whatever_the_spelling(name: str) -> None:
    first = deidentify_patient("P1", [identified(f"Dr [NOM {name}]")], SURROGATE, SECRET)
    others = identified(" ".join(f"[NOM Nom{letter}]," for letter in string.ascii_lowercase))
    later = deidentify_patient("P1", [others, identified(f"Dr [NOM {name}]")], SURROGATE, SECRET, first.key)
    assert later.texts[1].text == first.texts[0].text


def test_a_ligature_is_its_two_letters() -> None:
    one, other = fakes("Dr [PRENOM Lætitia], Dr [PRENOM Laetitia]")
    assert one == other


def test_an_earlier_key_is_followed_for_places_whatever_comes_before_them() -> None:
    places = "[VILLE Lormes], [HOPITAL clinique des Grands-Bois], [ADRESSE 3 rue du Cloître]"
    first = deidentify_patient("P1", [identified(places)], SURROGATE, SECRET)
    towns = " ".join(f"[VILLE Bourg{letter}]" for letter in string.ascii_lowercase)
    clinics = " ".join(f"[HOPITAL clinique des Bois-{letter * 4}]" for letter in string.ascii_lowercase[:12])
    streets = " ".join(f"[ADRESSE {n} rue du Bois]" for n in range(1, 30))
    texts = [identified(f"{towns} {clinics} {streets}"), identified(places + ", [VILLE LORMES]")]
    later = deidentify_patient("P1", texts, SURROGATE, SECRET, first.key)
    town = first.texts[0].text.partition(",")[0]
    assert later.texts[1].text == f"{first.texts[0].text}, {town.upper()}"
    assert town not in later.texts[0].text


def test_the_table_of_the_key_undoes_the_surrogates() -> None:
    text, _ = marked("Mme [NOM Maubert], [VILLE Lormes]")
    done = deidentify_patient("P1", [identified("Mme [NOM Maubert], [VILLE Lormes]")], SURROGATE, SECRET)
    back = done.texts[0].text
    for label, original, surrogate in done.key.replaced:
        assert label in ("NOM", "VILLE")
        back = back.replace(surrogate, original)
    assert back == text


def test_what_is_masked_already_passes() -> None:
    (line,) = rewritten("Mme [NOM <NOM>], [VILLE XXX], [DATE ***], Dr [NOM <NOM_2>]")
    assert line == "Mme <NOM>, XXX, ***, Dr <NOM_2>"


def test_an_action_for_each_level() -> None:
    policy = Policy(otherwise=Action.MASK, actions={"HOPITAL": {"identifying": "mask", "otherwise": "keep"}})
    lines = rewritten(
        "Dr [NOM Maubert] – [HOPITAL CHU de Mervans]\nTransfert du [HOPITAL CHU de Mervans]", policy=policy
    )
    assert lines[0] == "Dr <NOM> – <HOPITAL>\nTransfert du CHU de Mervans"


def test_a_date_that_cannot_be_read_is_masked() -> None:
    (line,) = rewritten("le [DATE quelque jour]")
    assert line == "le <DATE>"
    assert (
        Replaced("DATE", "quelque jour", "<DATE>")
        not in deidentify_patient("P1", [identified("le [DATE quelque jour]")], SURROGATE, SECRET).key.replaced
    )
