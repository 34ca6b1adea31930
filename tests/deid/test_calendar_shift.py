"""The shift of a patient: whole weeks, never none, no age changed; and ages that few people reach."""

import datetime as dt
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.calendar import Reference
from rag.deid.keys import Secret
from rag.deid.policy import load_policy
from rag.deid.replace import deidentify_patient
from rag.deid.shift import age_on, grouped_birth, old_ages, possible_shifts
from tests.deid.marked import identified

SECRET = Secret(b"s" * 32)
WEEKS = (27, 260)


def first_shift(secret: Secret, patient: str, births: Iterable[dt.date], days: Iterable[dt.date]) -> int:
    return next(possible_shifts(secret, patient, {*births}, {*days}, WEEKS))


DAYS = st.dates(dt.date(1995, 1, 1), dt.date(2025, 12, 31))
BIRTHS = st.dates(dt.date(1915, 1, 1), dt.date(1994, 12, 31))


@given(st.text(max_size=5), st.sets(BIRTHS, max_size=2), st.sets(DAYS, min_size=1, max_size=8))
def test_whole_weeks_between_the_bounds_that_change_no_age(
    patient: str, births: set[dt.date], days: set[dt.date]
) -> None:
    shift = first_shift(SECRET, patient, births, days)
    assert shift % 7 == 0
    assert WEEKS[0] <= abs(shift) // 7 <= WEEKS[1]
    assert shift == first_shift(SECRET, patient, births, days)
    step = dt.timedelta(days=shift)
    assert all(age_on(born + step, day + step) == age_on(born, day) for born in births for day in days)


def test_shifts_differ_from_patient_to_patient_and_go_back_in_time() -> None:
    day = {dt.date(2021, 6, 14)}
    shifts = [first_shift(SECRET, f"P{n}", (), day) for n in range(60)]
    assert len(set(shifts)) > 40
    assert max(shifts) < 0
    assert first_shift(Secret(b"t" * 32), "P1", (), day) != shifts[1]


def test_no_date_leaves_the_years_that_documents_speak_of() -> None:
    for number in range(20):
        shift = first_shift(SECRET, f"P{number}", {dt.date(1900, 3, 1)}, {dt.date(1999, 6, 1)})
        assert (dt.date(1900, 3, 1) + dt.timedelta(days=shift)).year >= 1900


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("Patiente de 94 ans.", "Patiente de 90 ans."),
        ("Mme Maubert, 101 ans", "Mme Maubert, 90 ans"),
        ("F, 92 a, autonome", "F, 90 a, autonome"),
        ("Âge : 93", "Âge : 90"),
        ("AGE 93 SEXE F", "AGE 90 SEXE F"),
        ("âgée de 96", "âgée de 90"),
        ("quatre-vingt-douze ans", "quatre-vingt-dix ans"),
        ("Centenaire : cent deux ans", "Centenaire : quatre-vingt-dix ans"),
        ("84 ans, mère décédée à 97 ans", "84 ans, mère décédée à 90 ans"),
        ("89 ans", "89 ans"),
        ("90 ans", "90 ans"),
        ("quatre-vingt-neuf ans", "quatre-vingt-neuf ans"),
        (
            "FC 95 a priori stable, SpO2 97 %, 94 mmHg, 12/95 ans",
            "FC 95 a priori stable, SpO2 97 %, 94 mmHg, 12/95 ans",
        ),
        ("TA 195 ; âge : 93 mois", "TA 195 ; âge : 93 mois"),
        ("194 ans, 2.94 ans", "194 ans, 2.94 ans"),
    ],
)
def test_ages_over_89_are_grouped(text: str, grouped: str) -> None:
    found = text
    for age in reversed([*old_ages(text)]):
        found = found[: age.start] + age.new + found[age.end :]
    assert found == grouped


@given(st.dates(dt.date(1900, 1, 1), dt.date(1950, 12, 31)), st.sets(DAYS, min_size=1, max_size=5))
def test_a_grouped_birth_date_makes_its_bearer_90(born: dt.date, days: set[dt.date]) -> None:
    moved = grouped_birth(born, days)
    old = sorted(day for day in days if age_on(born, day) > 89)
    if old:
        assert age_on(moved, old[0]) == 90
    else:
        assert moved == born


def aged(policy: str) -> str:
    texts = [
        identified("née le [DATE_NAISSANCE 19/03/1926], 95 ans", reference=Reference(dt.date(2021, 6, 10))),
        identified("née le [DATE 19.03.1926], vue le [DATE 10/07/2021]", reference=Reference(dt.date(2021, 7, 10))),
    ]
    done = deidentify_patient("P1", texts, load_policy(policy), SECRET)
    assert done.key.shift_days % 7 == 0
    return " / ".join(text.text for text in done.texts)


def test_the_birth_date_of_someone_over_89_agrees_with_the_grouped_age() -> None:
    first, second = aged("surrogate").split(" / ")
    born = dt.datetime.strptime(first[7:17], "%d/%m/%Y").date()
    again = dt.datetime.strptime(second[7:17], "%d.%m.%Y").date()
    seen = dt.datetime.strptime(second[-10:], "%d/%m/%Y").date()
    assert born == again
    assert age_on(born, seen) == 90
    assert first.endswith(", 90 ans")


def test_under_mask_the_age_alone_is_grouped() -> None:
    assert aged("mask") == "née le <DATE_NAISSANCE>, 90 ans / née le <DATE>, vue le <DATE>"


def test_days_that_borrow_a_month_stay_apart_and_agree() -> None:
    reference = Reference(dt.date(2019, 11, 2))
    text = "du [DATE 22] au [DATE 29 octobre 2019] | les [DATE 14], [DATE 15] et [DATE 16/11] | le [DATE 1]"
    done = deidentify_patient("P1", [identified(text, reference=reference)], load_policy("surrogate"), SECRET)
    step = dt.timedelta(days=done.key.shift_days)
    days = [dt.date(2019, 10, 22), dt.date(2019, 10, 29), *(dt.date(2019, 11, day) for day in (14, 15, 16, 1))]
    first, last, one, two, three, alone = (day + step for day in days)
    stay, visits, day = done.texts[0].text.replace("1er", "1").split(" | ")
    assert re.fullmatch(rf"du {first.day}(?: \w+)? au {last.day} \w+ {last.year}", stay)
    assert re.fullmatch(rf"les 0?{one.day}(?:/\d\d)?, 0?{two.day}(?:/\d\d)? et {three:%d/%m}", visits)
    assert day == f"le {alone.day}"
