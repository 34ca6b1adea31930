"""Dates move in their own form: every form in, the same form out, distances kept."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.calendar import Reference, complete_dates, dates_extent
from rag.deid.redate import shift_dates, shift_month, shift_year
from rag.deid.spelling import french_number, read_number, unaccented

NOTE = Reference(dt.date(2021, 6, 14))
DAYS = st.dates(dt.date(1905, 1, 1), dt.date(2090, 12, 31))
WEEKS = st.integers(-500, 500).filter(bool).map(lambda weeks: 7 * weeks)
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
ABBREVIATED = ("janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc")


@pytest.mark.parametrize(
    ("written", "moved"),  # by 23 weeks backwards, in a note of 14 June 2021
    [
        ("12/03/2021", "02/10/2020"),
        ("12.03.21", "02.10.20"),
        ("12-3-21", "02-10-20"),
        ("2/5/2021", "22/11/2020"),
        ("2021-03-12T10:30", "2020-10-02T10:30"),
        ("20210312", "20201002"),
        ("12032021", "02102020"),
        ("120321", "021020"),
        ("1 2 / 0 3 / 2 0 2 1", "0 2 / 1 0 / 2 0 2 0"),
        ("12 mars 2021", "2 octobre 2020"),
        ("12 MARS 2021", "2 OCTOBRE 2020"),
        ("12 Mars 2021", "2 Octobre 2020"),
        ("12mars2021", "2octobre2020"),
        ("1er mars 2021", "21 septembre 2020"),
        ("11 juin 2021", "1er janvier 2021"),
        ("12 fevrier 2021", "4 septembre 2020"),
        ("13 janvier 2021", "5 août 2020"),
        ("13 JANV. 2021", "5 AOÛT. 2020"),
        ("20 aout 2020", "12 mars 2020"),
        ("18 juin 21", "8 janvier 21"),
        ("18 juin '21", "8 janvier '21"),
        ("12 mars\n2021", "2 octobre\n2020"),
        ("premier mars deux mille dix", "vingt et un septembre deux mille neuf"),
        ("le douze novembre mil neuf cent quarante-cinq", "le quatre juin mil neuf cent quarante-cinq"),
        ("lundi 14 juin 2021, 10h45", "lundi 4 janvier 2021, 10h45"),
        ("mars 2021", "octobre 2020"),
        ("03/2021", "10/2020"),
        ("en juin", "en janvier"),
        ("le 12/03", "le 02/10"),
        ("12 mars", "2 octobre"),
        ("du 22 au 29 octobre 2019", "du 14 au 21 mai 2019"),
        ("14-15/06/2021", "04-05/01/2021"),
        ("14, 15 et 16 juin", "4, 5 et 6 janvier"),
        ("du 28/12 au 05/01/2020", "du 20/07 au 28/07/2019"),
        ("l2/O3/2O21", "02/10/2020"),
        ("12/03 16h", "02/10 16h"),
        ("12/03 16:30", "02/10 16:30"),
        ("12 03 21", "02 10 20"),
        ("1Z/03/2021", "02/10/2020"),
        ("12|03|21", "02|10|20"),
        ("12-032021", "02-102020"),
        ("12 jnillet 2020", "2 février 2020"),
        ("12 DECEMBTE 2020", "4 JUILLET 2020"),
    ],
)
def test_a_date_keeps_its_form(written: str, moved: str) -> None:
    assert shift_dates(written, -7 * 23, NOTE) == moved


@pytest.mark.parametrize(
    ("written", "days", "moved"),
    [
        ("du 22 au 29 octobre 2019", 7 * 31, "du 26 mai au 2 juin 2020"),
        ("du 22 au 29/10/2019", 7 * 31, "du 26/05 au 02/06/2020"),
        ("les 29 et 30 mai 2020", -7 * 22, "les 27 et 28 décembre 2019"),
        ("du 30 au 31 mai 2020", 7 * 30 + 7, "du 2 au 3 janvier 2021"),
        ("du 27 au 30/05/2020", 7 * 31, "du 30/12/2020 au 02/01/2021"),
        ("du 28 au 2 juin 2020", 7, "du 4 au 9 juin 2020"),
        ("2016", -7 * 60, "2015"),
        ("2016-2018", -7 * 60, "2015-2017"),
        ("'98", 7 * 53, "'99"),
        ("30/02/2021", 7, "07/03/2021"),
    ],
)
def test_days_that_borrow_a_month_and_years(written: str, days: int, moved: str) -> None:
    assert shift_dates(written, days, NOTE) == moved


@pytest.mark.parametrize("written", ["bonjour", "vendredi", "10h30", "45/99", "", "J3"])
def test_what_holds_no_date_gives_none(written: str) -> None:
    assert shift_dates(written, 7, NOTE) is None
    assert dates_extent(written, NOTE) is None


def test_a_date_without_year_lies_before_the_note_or_a_little_after() -> None:
    assert NOTE.year_of(6, 30) == 2021
    assert NOTE.year_of(9, 30) == 2020
    assert Reference(dt.date(2020, 12, 28)).year_of(1, 5) == 2021
    assert Reference(dt.date(2021, 6, 14), {(9, 30): 2021}).year_of(9, 30) == 2021


def test_two_digits_are_a_year_of_the_past() -> None:
    assert complete_dates("03/11/39", NOTE) == [dt.date(1939, 11, 3)]
    assert complete_dates("03/11/22", NOTE) == [dt.date(2022, 11, 3)]


def test_the_extent_leaves_weekday_and_time_out() -> None:
    text = "Lundi 14 juin 2021 à 10h45"
    assert dates_extent(text, NOTE) == (6, 18)
    assert dates_extent("du 3 au 11/09", NOTE) == (3, 13)


def forms(day: dt.date) -> list[str]:
    month = MONTHS[day.month - 1]
    words = "premier" if day.day == 1 else french_number(day.day)
    century = "deux mille" if day.year >= 2000 else "mil neuf cent"
    year = f"{century} {french_number(day.year % 100)}" if day.year % 100 else century
    return [
        f"{day:%d/%m/%Y}", f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day.day}/{day.month}/{day.year}",
        f"{day:%d%m%Y}", f"{day:%Y%m%d}", " ".join(f"{day:%d%m%Y}"),
        f"{day.day} {month} {day.year}", f"{day.day} {unaccented(month).upper()} {day.year}",
        f"{day.day} {ABBREVIATED[day.month - 1]}. {day.year}", f"{words} {month} {year}",
    ]  # fmt: skip


@given(DAYS, WEEKS, st.integers(0, 10))
def test_every_form_moves_by_the_same_days(day: dt.date, days: int, form: int) -> None:
    written = forms(day)[form]
    moved = shift_dates(written, days, NOTE)
    assert moved is not None
    assert complete_dates(moved, NOTE) == [day + dt.timedelta(days=days)]
    assert complete_dates(shift_dates(moved, -days, NOTE) or "", NOTE) == [day]


@given(DAYS, st.integers(0, 400), WEEKS)
def test_the_days_between_two_dates_stay(day: dt.date, later: int, days: int) -> None:
    other = day + dt.timedelta(days=later)
    moved = shift_dates(f"du {day:%d/%m/%Y} au {other:%d/%m/%Y}", days, NOTE)
    first, second = complete_dates(moved or "", NOTE)
    assert (second - first).days == later


@given(st.integers(1905, 2090), st.integers(1, 12), st.integers(0, 60), WEEKS)
def test_months_and_years_keep_their_distance_and_come_back(year: int, month: int, later: int, days: int) -> None:
    end = year * 12 + month - 1 + later
    first, second = shift_month(year, month, days), shift_month(end // 12, end % 12 + 1, days)
    assert (second[0] - first[0]) * 12 + second[1] - first[1] == later
    assert shift_month(*first, -days) == (year, month)
    assert shift_year(shift_year(year, days), -days) == year


@given(st.integers(0, 99))
def test_numbers_are_read_as_they_are_written(number: int) -> None:
    assert read_number(unaccented(french_number(number))) == number


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    moved = shift_dates(text, 7, NOTE)
    assert moved is None or moved
