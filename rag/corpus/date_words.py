"""How French notes write dates and times: the one pattern that finds them, and the words around them.

All patterns read lower-cased text. What a match means is decided in `rag.corpus.dates`.
"""

from __future__ import annotations

import re

#: Months by their first letters, accents removed; three letters are enough but for juin and juillet.
MONTHS = {
    "jan": 1, "fev": 2, "mar": 3, "avr": 4, "mai": 5, "juin": 6, "juil": 7,
    "aou": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
NUMBERS = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9,
    "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "vingt": 20, "trente": 30,
}  # fmt: skip
#: Words of hours and minutes, which add up: "cinquante-huit", "vingt et une", "et quart".
SPELLED = {
    **NUMBERS,
    "seize": 16,
    "quarante": 40,
    "cinquante": 50,
    "soixante": 60,
    "quart": 15,
    "demi": 30,
    "demie": 30,
}
WEEKDAYS = {"lundi": 0, "mardi": 1, "mercredi": 2, "jeudi": 3, "vendredi": 4, "samedi": 5, "dimanche": 6}
#: Days from the note's date.
DAY_WORDS = {
    "aujourd": 0, "ce ": 0, "cet": 0, "la nuit": 0, "hier": -1, "avant-hier": -2, "avant hier": -2,
    "demain": 1, "après-demain": 2, "apres-demain": 2,
}  # fmt: skip
#: Days from the date that the line has named, or from the note's date.
NARRATED_DAY_WORDS = {"la veille": -1, "l'avant-veille": -2, "le lendemain": 1, "le surlendemain": 2}

_MONTH = (
    r"(?:janvier|janv|jan|f[ée]vrier|f[ée]vr|f[ée]v|mars|avril|avr|mai|juin|juillet|juill|juil|ao[uû]t"
    r"|septembre|sept|octobre|oct|novembre|nov|d[ée]cembre|d[ée]c)"
)
_NUMBER = r"(?:\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + ")"
_UNIT = r"(?:jours?|j|semaines?|sem|mois|ans?|années?|annees?)"
_WEEKDAY = "(?:" + "|".join(WEEKDAYS) + ")"
#: A number below 80 in words. Its words add up, but only as French puts them together: "six sept heures" is no 13.
_UNIT_WORD = "(?:deux|trois|quatre|cinq|six|sept|huit|neuf)"
_TEEN_WORD = "(?:onze|douze|treize|quatorze|quinze|seize|dix(?:[ -](?:sept|huit|neuf))?)"
_SPELLED = (
    rf"(?:(?:vingt|trente|quarante|cinquante|soixante)(?:[ -]et[ -]une?|[ -]{_UNIT_WORD}|[ -]{_TEEN_WORD})?"
    rf"|{_TEEN_WORD}|{_UNIT_WORD}|une?|z[ée]ro)"
)
#: "à vingt heures un comprimé" is no 20h01.
_SPELLED_MINUTE = rf"(?:z[ée]ro[ -]{_UNIT_WORD}|(?!une? ){_SPELLED})"
#: "et demie", "moins le quart", "moins vingt", "moins 10".
_PART_OF_HOUR = rf"(?: et (?:demie?|quart)| moins (?:le quart|un quart|\d\d?|{_SPELLED}))(?!\w)"
_ABOUT = r"(?:environ |près de |à peu près |plus de |moins de |déjà |au moins |[~<>] ?)?"
# A number that goes on is a telephone number, a version or an identifier, not a date.
_STOP = r"(?!\w)(?![./:-]\d)"
# After a two-digit year: what shows that the number counts something else ("le 9 mars 12 mg").
_NOT_A_COUNT = r"(?!\w)(?![.,:/]\d)(?! ?(?:h|:|heures?|mg|g|ml|µg|%|ans?|mois|jours?|x|cp|ui)(?!\w))(?! ?h\d)"

# What begins with a digit, then what begins with a letter; the name of the group that matched says which it is.
_DIGITS = (
    rf"(?P<iso>(?P<iso_y>\d{{4}})(?P<iso_s>[-/.])(?P<iso_m>\d{{1,2}})(?P=iso_s)(?P<iso_d>\d{{1,2}})"
    rf"(?:t(?P<iso_h>\d\d):(?P<iso_min>[0-5]\d)(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?){_STOP}",
    rf"(?P<dmy>(?P<dmy_d>\d{{1,2}}) ?(?P<dmy_s>[/.-]) ?(?P<dmy_m>\d{{1,2}}) ?(?P=dmy_s) ?"
    rf"(?P<dmy_y>\d{{4}}|\d{{2}})){_STOP}",
    rf"(?P<text>(?P<text_d>\d{{1,2}})(?:er)?[ -]?(?P<text_m>{_MONTH})(?![^\W_])"
    rf"(?:\.?[ -]?(?P<text_y>\d{{4}}(?!\w)|'?\d{{2}}{_NOT_A_COUNT}))?)",
    r"(?P<colon>(?P<colon_h>\d{1,2}):(?P<colon_min>[0-5]\d)(?::[0-5]\d(?:\.\d+)?)?)(?![\w:])",
    r"(?P<hour>(?P<hour_h>\d{1,3}) ?(?:h(?![a-zà-ÿ])|heures?(?!\w))"
    rf"(?: ?(?P<hour_min>[0-5]\d| {_SPELLED_MINUTE})(?: ?(?:minutes|min|mn)(?!\w))?(?!\w)"
    rf"|(?P<hour_part>{_PART_OF_HOUR}))?)",
    rf"(?P<my>(?P<my_m>\d{{1,2}})/(?P<my_y>(?:19|20)\d{{2}})){_STOP}",
    r"(?P<dm>(?P<dm_d>\d{1,2})(?P<dm_s>[/.-])(?P<dm_m>\d{1,2}))(?!\w)(?![./:,-]?\d)",
    r"(?P<year>(?:19|20)\d{2})(?![\w%])(?![.,/:-]\d)",
    r"(?P<nth>(?P<nth_n>\d{1,3})(?:e|è|è?me|ième) (?P<nth_u>jour|heure)(?!\w))",
)
_LETTERS = (
    rf"(?P<said>(?P<said_h>{_SPELLED}) heures?(?!\w)"
    rf"(?:(?P<said_part>{_PART_OF_HOUR})| (?:et )?(?P<said_min>{_SPELLED_MINUTE}|[0-5]\d)(?!\w)(?: minutes?(?!\w))?)?)",
    rf"(?P<month>(?P<month_m>{_MONTH})(?![^\W_])"
    r"(?:\.? (?:de )?(?P<month_y>(?:19|20)\d{2})(?!\w)| (?P<month_rel>derni[eè]r|prochain|pass[ée])(?!\w))?)",
    r"(?P<day>aujourd'?hui|ce jour|ce matin|cet apr[èe]s-midi|ce soir|ce midi|cette nuit|la nuit derni[èe]re"
    r"|(?:(?:avant[ -])?hier|(?:apr[èe]s-)?demain)(?: (?:soir|matin|midi|apr[èe]s-midi))?)(?!\w)(?!-l[àa])",
    r"(?P<narrated>(?P<narrated_w>la veille|l'avant-veille|le (?:sur)?lendemain)"
    r"(?: (?:au soir|soir|matin|midi))?)(?!\w)",
    rf"(?P<span>(?P<span_w>il y a|y a|depuis|dans|d'ici|à) {_ABOUT}(?P<span_n>{_NUMBER}) ?(?P<span_u>{_UNIT}))(?!\w)",
    rf"(?P<last>(?P<last_w>{_WEEKDAY}|la semaine|le mois|l'ann[ée]e|l'an) "
    r"(?P<last_r>derni[èe]re?|pass[ée]e?|prochaine?))(?!\w)",
    r"(?P<j>j ?(?P<j_n>[+-]? ?\d{1,3}))(?!\w)(?![.,/]\d)",
    r"(?P<jour>jour (?P<jour_n>\d{1,3}))(?!\w)(?![.,/]\d)",
    r"(?P<h>h ?\+? ?(?P<h_n>\d{1,3}))(?!\w)(?![.,/]\d)",
    rf"(?P<noon>(?P<noon_w>midi|minuit)(?!\w)"
    rf"(?:(?P<noon_part>{_PART_OF_HOUR})| (?P<noon_min>[0-5]\d|{_SPELLED_MINUTE})(?!\w))?)",
)
TOKEN = re.compile(rf"(?=\d)(?<!\w)(?<!\d[.,/:-])(?:{'|'.join(_DIGITS)})|(?=[a-zà])(?<![\w/])(?:{'|'.join(_LETTERS)})")

#: A weekday written before a date belongs to it.
WEEKDAY_BEFORE = re.compile(rf"(?<!\w)(?:{_WEEKDAY}|lun\.|mar\.|mer\.|jeu\.|ven\.|sam\.|dim\.),? (?:le )?\Z")
#: "du 3 au 11/09", "les 3 et 4 mars": a day without a month, which the next date lends.
DAY_BEFORE = re.compile(r"(?<!\w)(?:du|les?|entre le|nuit du) ((\d{1,2})(?:er)?) (?:au|et|à|[-–]) ?(?:le )?\Z")

#: Words right before "4/5" or "16/9" that make it a date.
DATE_CUE = re.compile(
    r"(?<!\w)(?:le|du|au|dès le|au plus tard le|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|date ?:"
    r"|(?:lun|mar|mer|jeu|ven|sam|dim)\.) \Z"
)
#: Words shortly before that make it a blood pressure or a score.
MEASURE_CUE = re.compile(
    r"(?<!\w)(?:ta|pa|pas|pad|pam|tas|tension\w*|pression\w*|score|scores|berg|mms|mmse|moca|guss|eva|en|glasgow"
    r"|gcs|aspects?|apgar|souffle|coté|cotée|force|motricité|acuité|av|od|og|visus)(?!\w)[^.;\n\d]{0,40}\Z"
)
#: What follows a blood pressure.
MEASURE_AFTER = re.compile(r" ?(?:mm ?hg|cm ?hg|[cm]m\b|%|/|bras |au bras|aux |à droite|à gauche|[dg]\b|debout|couché)")
#: A year alone is a year after one of these.
YEAR_CUE = re.compile(
    r"(?:(?<!\w)(?:en|depuis|de|d[èe]s|vers|fin|d[ée]but|courant|ann[ée]e|avant|apr[èe]s|jusqu'en|printemps|[ée]t[ée]"
    r"|automne|hiver|et|puis) (?:fin |d[ée]but )?|(?<!\w)d'|\( ?)\Z"
)
#: A year without such a word: after a word, at the end of a phrase ("PTH droite 2014, cataracte").
YEAR_BARE_BEFORE = re.compile(r"[a-zà-ÿ)] \Z")
YEAR_BARE_AFTER = re.compile(r" ?(?:[,;.):]|$|\n|et\b|puis\b)")
NOT_A_YEAR_BEFORE = re.compile(r"(?:n°|num[ée]ro|ipp|nda|dossier|poste|bip|t[ée]l|bp|ch|chambre|lot|r[ée]f) ?\Z")
UNIT_AFTER = re.compile(
    r" ?(?:mg|ml|µg|ug|ui|u|g|kg|kcal|cal|m|cm|mm|cc|l|x|h|ng|pg|pas|m[èe]tres|calories|fois)(?!\w)"
)
#: Before a month alone.
MONTH_CUE = re.compile(
    r"(?<!\w)(?:en|de|mois de|d'|mois d'|fin|d[ée]but|mi|mi-|courant|depuis|d[èe]s|vers|avant|apr[èe]s|jusqu'en|jusqu'à"
    r"|janvier|mars|avril|mai|juin|juillet|septembre|octobre|novembre|et|à) ?\Z"
)
#: What is planned lies after the note.
FUTURE_CUE = re.compile(
    r"(?<!\w)(?:rendez-vous|rdv|pr[ée]vue?s?|programm[ée]e?s?|jusqu'au|jusqu'en|jusqu'à|reverrai|reverra|reverrons"
    r"|reporté\w*|prochaine?s?|convoqu[ée]\w*|à partir du|échéance|valable|sera|seront"
    r"|(?:à|pour|de) [a-zà-ÿ]+(?:er|ir|oir|dre))(?!\w)[^.\n]{0,40}\Z"
)

#: "à 33 semaines d'aménorrhée" is an age, "remonte à 3 mois" counts from the note.
AGE_AFTER = re.compile(r" (?:d'am[ée]norrh|de grossesse|de gestation|d'[âa]ge|de vie|sa(?!\w))")
GOES_BACK = re.compile(r"(?<!\w)remont\w+ \Z")

#: A time of day is announced.
CLOCK_CUE = re.compile(
    r"(?<!\w)(?:à|a|vers|dès|jusqu'à|heure ?:?|matin|soir|nuit|midi|"
    r"(?:arriv[ée]e?|d[ée]but|ponction|bolus|coucher|r[ée]veil) ?:?)"
    r"(?: environ| peu près)? ?\Z"
)
#: A way to go: "à une heure et demie de route".
DISTANCE_AFTER = re.compile(r" ?de (?:route|trajet|marche|transport|vol|voiture|ambulance)(?!\w)")
#: Letters that a scanner reads in place of digits, where digits and their separators leave no other reading.
MISREAD = re.compile(
    r"[oli](?:(?=\d|[/.:-]\d|h\d)(?<=\d.)|(?=\d)(?<=\d[/.:h-].)|(?!\w)(?<=[h:]\d.)|(?=\d[/.:h-]\d\d)(?<!\w.))"
)
#: … unless "à" belongs to a comparison.
COMPARISON = re.compile(
    r"(?:sup[ée]rieur|inf[ée]rieur|[ée]gal|estim[ée]|limit[ée]|r[ée]duit|prolong[ée]|fix[ée])\w* à \Z"
)
#: A length of time, whatever its size.
DURATION_CUE = re.compile(
    r"(?:(?<!\w)(?:pendant|durant|dur[ée]e?s?|durait|d[ée]lais?|toutes les|il y a|au bout d[e']|plus d[e']|moins d[e']"
    r"|fen[êe]tre|intervalle|retard|dans les?|dans|sur|total|au-delà d[e']|pr[èe]s d[e']|p[ée]riode|holter|repos|chaque"
    r"|premi[èe]res?|derni[èe]res?|quelques|x|soit)(?!\w)|[<>≤≥~+])[ :=]*(?:d[e'] ?|à |un |une |environ |[<>≤≥~] ?)*\Z"
)
#: A length of time when the number is small: "après 3h" but "après 14h05".
WEAK_DURATION_CUE = re.compile(r"(?<!\w)(?:depuis|apr[èe]s|en|environ|de|d'|sous|les?|par|avant) \Z|\(\Z")
WEAK_DURATION_AFTER = re.compile(
    r" ?(?:apr[èe]s|avant|plus t(?:ard|ôt)|d['’]|d(?:e|u) [a-z]|/|par |post|x ?\d|de suite)"
)
