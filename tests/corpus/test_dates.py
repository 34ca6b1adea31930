"""Annotated sentences: what is between brackets is a mention, what follows the bar is what it means."""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus.dates import find_dates
from schema.document import DateKind, DateMention, PartialDate

NOTE = PartialDate(2021, 6, 25)
ANNOTATION = re.compile(r"\[([^\]|]+)\|([^\]]*)\]")


def said(mention: DateMention) -> str:
    """The meaning in short: "2021-06-14 09:10", "J3", "09:10"."""
    if mention.kind is DateKind.DAY_OFFSET:
        return f"J{mention.offset_days:g}"
    parts = [str(mention.date) if mention.date else "", mention.clock.strftime("%H:%M") if mention.clock else ""]
    return " ".join(part for part in parts if part)


def check(annotated: str, written_on: PartialDate | None = NOTE) -> None:
    text = ANNOTATION.sub(r"\1", annotated)
    expected = [(match[1], match[2]) for match in ANNOTATION.finditer(annotated)]
    assert [(text[m.start : m.end], said(m)) for m in find_dates(text, written_on)] == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Hospitalisée du [14/06/2021|2021-06-14] au [25/06/2021|2021-06-25].",
        "Vu le [14.06.21|2021-06-14] puis le [14-06-2021|2021-06-14] et le [2021-06-14|2021-06-14].",
        "Examen du [14 / 06 / 2021|2021-06-14], relu le [5/6/2021|2021-06-05].",
        "Riom, le [9 février 2021|2021-02-09]",
        "opéré le [9 fév. 21|2021-02-09], revu le [3 sept. 2020|2020-09-03]",
        "le [1er mars|2021-03-01], sans accent le [12 aout 2019|2019-08-12] et le [2 decembre 2020|2020-12-02]",
        "découvert en [mai 2016|2016-05-??], HbA1c 6,1 % ([11/2017|2017-11-??])",
        "AIT en [2015|2015-??-??], HTA depuis [2008|2008-??-??], PTH droite [2014|2014-??-??], cataracte",
        "Fuite mitrale ([2016|2016-??-??]). Pontage fin [2009|2009-??-??].",
        "[mardi 22 octobre 2019|2019-10-22] puis [Lundi 14 juin 2021, 10h45|2021-06-14 10:45] – interne de garde",
        "née le [17.02.49|1949-02-17]",
        "arrêt du tabac en [juin dernier|2020-06-??], reprise en [mars|2021-03-??]",
        "hospitalisé du [22|2019-10-22] au [29 octobre 2019|2019-10-29]",
        "Édition du [2021-06-14T09:10|2021-06-14 09:10], [2021-06-14T09:10:30.000Z|2021-06-14 09:10]",
        "COMPTE RENDU DU [14 JUIN 2021|2021-06-14]",
    ],
)
def test_written_dates(sentence: str) -> None:
    check(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "IRM [14/06|2021-06-14] : ASPECTS 6 ; scanner du [15/06|2021-06-15]",
        "SNG jusqu'au [22/06|2021-06-22], apixaban repris le [24/06|2021-06-24]",
        "bilan du [02/11|2020-11-02], opéré le [27 août|2020-08-27]",
        "rendez-vous le [12/09|2021-09-12] en consultation, à réévaluer en [février|2022-02-??]",
        "transmissions du [26/06|2021-06-26] et du [2/07|2021-07-02]",
        "vu [mercredi 6/2|2021-02-06]",
    ],
)
def test_a_missing_year_comes_from_the_note(sentence: str) -> None:
    check(sentence)


def test_a_missing_year_is_not_made_up() -> None:
    check("IRM du 14/06 à [09h10|09:10]", written_on=None)


@pytest.mark.parametrize(
    "sentence",
    [
        "Début à [dix-neuf heures vingt|19:20]",
        "début retenu [dix neuf heure vingt|19:20], bolus à [vingt heure cinquante huit|20:58].",
        "à [sept heures|07:00], vers [huit heures moins le quart|07:45], à [9h et demie|09:30]",
        "ponction à [quinze heures zéro cinq|15:05], TICI 3 à [16 heures quarante|16:40]",
        "vers [midi et demi|12:30], à [midi vingt|12:20], [minuit et quart|00:15]",
        "à [vingt heures|20:00] un comprimé, puis matin, midi et soir",
        "vue normale [16h00|16:00] / découverte [18h40|18:40] ; 24h00 de surveillance",
        "une heure et cinquante deux minutes après le début, à une heure et demie de route",
        "pendant quarante huit heures, toutes les six heures, depuis deux heures, les six premières heures",
        "entre neuf et dix heures, vers six sept heures, soixante douze heures de surveillance",
    ],
)
def test_hours_in_words(sentence: str) -> None:
    check(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "SCANNER DU [23/0l/2022 à 06h4O|2022-01-23 06:40]",
        "[03-l0-2021 09H12|2021-10-03 09:12]",
        "le [l8/06/2O21 à 1Oh45|2021-06-18 10:45]",
    ],
)
def test_letters_that_a_scanner_reads_for_digits(sentence: str) -> None:
    check(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Extubée [hier à 17h40|2021-06-24 17:40], vue [avant-hier|2021-06-23], sort [demain matin|2021-06-26].",
        "vu [ce jour|2021-06-25], [aujourd'hui|2021-06-25], [Aujourd’hui|2021-06-25], [ce matin|2021-06-25]",
        "chute [il y a 3 jours|2021-06-22], AVC [il y a deux mois|2021-04-??], IDM [il y a un an|2020-??-??]",
        "fièvre [depuis 3 semaines|2021-06-04], tousse [depuis environ 10 jours|2021-06-15]",
        "contrôle [dans six mois|2021-12-??], début remontant [à 3 mois|2021-03-??]",
        "tombé [lundi dernier|2021-06-21], revient [mardi prochain|2021-06-29], vu [la semaine dernière|2021-06-??]",
        "couché [hier soir 23h15|2021-06-24 23:15] ; vue bien [23h10 hier|2021-06-24 23:10]",
        "thrombectomie [la veille|2021-06-24]",
        "Le [14/06|2021-06-14] chute ; [le lendemain|2021-06-15] confusion.",
        "Entré le [3/06|2021-06-03].\n[Le lendemain|2021-06-04], [4 juin|2021-06-04], fièvre.",
    ],
)
def test_relative_dates(sentence: str) -> None:
    check(sentence)


def test_relative_dates_keep_their_place_without_a_note_date() -> None:
    (mention,) = find_dates("Extubée hier", None)
    assert (mention.kind, mention.date) == (DateKind.RELATIVE, None)


@pytest.mark.parametrize(
    "sentence",
    [
        "NIHSS 12 à [H24|J1], CRP 84 à [J3|J3], [J+3|J3], [J-1|J-1] et [J0|J0]",
        "scanner à [24 h|J1], IRM à [48h|J2], contrôle à [24 heures|J1]",
        "troponine [H+3|J0.125]",
        "Consultation [à 3 mois|J91] puis [à six semaines|J42]",
        "au [3ème jour|J3], à la [24e heure|J1], [jour 5|J5]",
    ],
)
def test_day_offsets(sentence: str) -> None:
    check(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "ponction à [14h05|14:05], fin [14 h 20|14:20], contrôle [14:35|14:35], sortie vers [16h|16:00]",
        "appel à [15 heures|15:00], repas à [midi|12:00], couché vers [minuit|00:00], [14h05min|14:05]",
        "le [14/06 à 09h10|2021-06-14 09:10] ; [2021-06-14 09:10|2021-06-14 09:10]",
        "[14/06/2021 – 10h45|2021-06-14 10:45] ; [06/06 07h30|2021-06-06 07:30] – IDE",
        "[22.06.21 – 08 h 00|2021-06-22 08:00]",
        "retrouvé au sol à [11h20 le 18/06|2021-06-18 11:20]",
        "déficit depuis [09h10|09:10], à [3 h 10|03:10] il s'est levé",
    ],
)
def test_times_of_day(sentence: str) -> None:
    check(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "PA 165/90 mmHg, TA 16/9 bras droit, TA 17/10 D, PA à 12/08",
        "force 4/5, souffle 2/6, ASPECTS 6/10, GUSS 12/20, BERG 34/56, score 10/12, réflexes 12/42",
        "NIHSS 9, brachiofaciale 3-4, stent 4x40, grade 2-3",
        "à 60 ans, 72 ans, père mort à 74 ans",
        "Tél. 06 11 00 47 29, 06.11.00.47.29, 04-73-00-18-42, poste 2012",
        "63200 Riom, BP 2014, 1 64 08 42 019 077 31, IPP 8004417290, NDA 210614338, dossier 21-164-0772",
        "le 30/02/2021, 31/04/2020, 2021-13-01, 45/12/2020, 32 mars 2021",
        "pendant 6 h, durée 1 h 52, délai de 4h30, 4h30 après le début, soit 5 h 56 après, toutes les 4 heures",
        "< 4 h 30, fenêtre de 4h30, un délai inférieur à 4h30, 2 h de trajet, Holter 24 h, repos 24 h, sur 48h",
        "1 cp matin, midi et soir ; l'après-midi ; le jeudi",
        "2.1.10 Traitement ; version 2.10.3",
        "metformine 2000, héparine 2000 UI, enoxaparine 4000 UI, diurèse 2000 mL, 1950 g",
        "vitamine B12, segment M1-M2, L5-S1, T2*, hépatite C, CIM-10 J18.9, H1N1, 18G",
        "3 fois par jour, 2x/j, 1/j, 35 PA, 10 mg/j",
        "ce soir-là, en sept jours, mais",
        "Apgar 10/10/10, kyste de 12/10 cm, à 33 semaines d'aménorrhée, grossesse estimée à 8 mois",
        "",
    ],
)
def test_what_is_neither_date_nor_time(sentence: str) -> None:
    check(sentence)


def test_two_digit_years_belong_to_the_time_of_the_note() -> None:
    assert find_dates("01.02.98", PartialDate(2021))[0].date == PartialDate(1998, 2, 1)
    assert find_dates("01.02.98", PartialDate(1999))[0].date == PartialDate(1998, 2, 1)
    assert find_dates("01.02.22", PartialDate(2021))[0].date == PartialDate(2022, 2, 1)


@given(
    st.text(alphabet=st.sampled_from("0123456789/.:-hHJ +\nàleduîÎİ'’ juinmaHeures"), max_size=80),
    st.none() | st.dates().map(PartialDate.of) | st.integers(1, 9999).map(PartialDate),
)
def test_mentions_are_ordered_and_mean_something(text: str, written_on: PartialDate | None) -> None:
    mentions = find_dates(text, written_on)
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)
    assert all(a.end <= b.start for a, b in pairwise(mentions))
    for mention in mentions:
        assert (mention.offset_days is not None) == (mention.kind is DateKind.DAY_OFFSET)
        if mention.kind is DateKind.ABSOLUTE:
            assert mention.date is not None
        if mention.kind is DateKind.CLOCK:
            assert mention.clock is not None and mention.date is None


@given(st.dates(dt.date(1930, 1, 1), dt.date(2060, 1, 1)))
def test_every_full_date_is_read_back(day: dt.date) -> None:
    for form in ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y/%m/%d"):
        (mention,) = find_dates(f"Examen du {day.strftime(form)}.", None)
        assert mention.date == PartialDate.of(day)
