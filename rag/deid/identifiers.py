"""Numbers and addresses that identify: telephone, e-mail, social security, patient, stay, professionals, plates.

National numbers of professionals (RPPS, ADELI) bear the label SECU; numbers of establishments, plates and files NDA;
web addresses MAIL: the label set has no closer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.deid.merge import Candidate, Rank
from schema.phi import PhiLabel

_MAIL = re.compile(
    r"(?<![\w.+-])[\w+-][\w.+-]{0,63}(?: ?(?:@|\(at\)|\[at\]|arobase) ?)[\w-]{2,63}(?:(?: ?\. ?"
    r"|[.,])[\w-]{2,63}(?![\w-])){0,5}",
    re.UNICODE,
)
_URL = re.compile(r"(?:https?://|(?<![\w.])www\.)[^\s<>\"'()]{3,200}", re.IGNORECASE)
_TEN = re.compile(
    r"(?<![\dOo,])(?<!\d[.\-/])(?<!\d )[0Oo][1-9Ol](?:[ .\-/_]{0,2}[\dOol]){8}(?![\dOo])(?!\s?(?:h\d|:\d))"
)
_NINE = re.compile(r"(?<![\d.,-])(?<!\d )[1-9](?P<s>[.-])\d\d(?:(?P=s)\d\d){3}(?![\d.,-])")
_ABROAD = re.compile(
    r"(?<![\w+])(?:(?:\+|00) ?\(?\d{1,3}\)?"
    r"|\(\+?\d{2,3}\))[ .\-]{0,2}(?:\(0\)[ .\-]?)?[\dO](?:[ .\-/()]{0,2}[\dO]){6,11}(?!\d)"
)
_TEL_CUE = re.compile(
    r"(?<![^\W_])(?:t[ée]l(?:[ée]phone|[ée]copie)?|phone|fax|t[ée]l[ée]copie|portable|mobile|gsm|n°[ ]?interne"
    r"|n°[ ]?(?:de )?poste|poste|post\.|p\.(?=\s?\d \d\d)|bip|dect|standard|"
    r"ligne(?: directe)?|joignables? (?:au|sur)|joindre au|jointe? au|appel(?:er|ez)(?: sur)?(?: le| au)?"
    r"|contacter (?:le|au)|rappeler (?:le|au)|"
    r"fax[ée]e?r?[^\n]{0,20}? (?:au|[àa])|num[ée]ro (?:de (?:t[ée]l[ée]phone|bureau|portable|mobile|poste)|suivant"
    r"|direct|compos[ée])|secr[ée]tariat|T)"
    r"(?:[ \t]?\.|[ \t](?:direct|m[ée]dical|port|portable|fixe|dom|domicile|mobile|fax|bureau|sec|secr[ée]tariat"
    r"|interne)\.?)?[ \t]{0,2}(?:n°)?[ \t]{0,2}[:=/]?[ \t]{0,2}\(?(?:est |le |au )?[ \t]{0,2}"
    r"(?P<v>\+?[\dO][\dO.\- /]{1,22}\d)(?![\d/])",
    re.IGNORECASE,
)
_NIR = re.compile(
    r"(?<![\d.,])(?<!\d )(?P<v>[1-478][ .\-]?\d\d[ .\-]?\d\d[ .\-]?(?:\d\d|2[AB])[ .\-]?\d{3}[ .\-]?\d{3}(?:[ .\-/"
    r"|]{0,3}(?:cl[ée][ :]{0,2})?(?P<k>\d\d))?)(?!\d)",
    re.IGNORECASE,
)
_SPACED_NIR = re.compile(r"(?<![\d.,])(?<!\d )\d(?: \d(?!\d)){8,47}(?!\d|[.,]\d)")
_BOXED = re.compile(r"\|?\d(?:\|\d){8,15}\|?(?:[ \t]*(?:cl[ée])?[ \t]*\|\d\|\d\|?)?", re.IGNORECASE)
_SECU_CUE = re.compile(
    r"(?:s[ée]cu(?:rit[ée])?(?:[ \t]+sociale)?|(?<![^\W_])(?:N\.?S\.?S\.?|N\.?I\.?R\.?|I\.?N\.?S\.?(?:-?C)?|S\.?S\.?"
    r"|INSEE|RNIPP)(?![^\W_])|immatriculation|assurance[ \t]+maladie|assur[ée]e?|matricule|"
    r"carte[ \t]+vitale|RPPS|ADELI|(?<![^\W_])n°[ \t]?ordre"
    r"|ordre[ \t]+n°)[^\d\n]{0,50}?(?<![^\W\d_])(?P<v>[\d][\dAB .\-/]{4,34}\d)(?!\d)",
    re.IGNORECASE,
)
_PATIENT_CUE = re.compile(
    r"(?<![^\W_])(?:I\.?P\.?P\.?|IP|N\.?I\.?P\.?|NPI|DPI|PID|dossier[ \t]patient|n°[ \t]?permanent"
    r"|num[ée]ro[ \t]permanent"
    r"|ID(?:[ \t]?patient)?|identifiant(?:[ \t]+(?:permanent|patient"
    r"|du patient|local|unique|national))*|n(?:um[ée]ro|°|o)?[ \t]?(?:de[ \t]|du[ \t])?patient|n°[ \t]?IPP"
    r"|code[ \t]patient|"
    r"(?<=le )patient|n°[ \t]?d.identification|num[ée]ro d.identification)(?![^\W_])[ \t]{0,3}(?:\([^()\n]{0,20}\)"
    r"|local|AP-?HP|hospitalier|permanent|patient|n°|num[ée]ro)?[ \t]{0,3}(?:[:=#\[(n°]|est(?: le)?|étant(?: le)?"
    r"|n°)?[ \t]{0,3}[:\[(]?[ \t]{0,3}"
    r"(?P<v>[A-Z]{0,3}[- ]?\d{1,}(?:[-./]?\d+)*(?: \d{2,4}(?!\d|[/.]\d)){0,4})",
    re.IGNORECASE,
)
_GLUED_PATIENT = re.compile(r"(?<![^\W_])(?:IPP|NIP)[\[(:]?(?P<v>[A-Z]{0,2}\d{4,14})", re.IGNORECASE)
_GLUED_STAY = re.compile(r"(?<![^\W_])(?:NDA|IEP)[\[(:]?(?P<v>[A-Z]{0,2}\d{4,14})")
#: A date, a blood pressure ("Examen : TA 154/82").
_NO_NUMBER_OF_STAY = re.compile(r"\d\d?[/.]\d\d?[/.]\d{2,4}|[A-Z]{2,3} \d{2,3}/\d{2,3}", re.IGNORECASE)
_STAY_CUE = re.compile(
    r"(?<![^\W_])(?:N\.?D\.?A\.?|I\.?E\.?P\.?|(?:n(?:um[ée]ro|°|o|os)?[ \t]{0,2}(?:de[ \t]|du[ \t]|d[’'])?)(?:dossier"
    r"|s[ée]jour|passage|venue|visite|adm\.?|admission|entr[ée]e|demande|examen|pr[ée]l[èe]vement|intervention"
    r"|hospitalisation|accession|facture|bon|laboratoire|[ée]chantillon|acte|prescription|FINESS|inclusion|ordre"
    r"|enregistrement)|"
    r"(?:dossier|s[ée]jour|passage|venue|visite|admission|demande|examen|pr[ée]l[èe]vement|intervention|accession"
    r"|FINESS|facture|immatriculation|plaque|anonymat|[ée]chantillon|inclusion)[ \t]{0,2}(?:n(?:um[ée]ro|°|o)|#|:)"
    r"|FINESS|visite|dossier)(?![^\W_])"
    r"[ \t]{0,2}(?:m[ée]dical[ \t]*)?(?:administratif[ \t]*)?(?:n°|num[ée]ro"
    r"|#)?[ \t]{0,2}[:=\[(]?[ \t]{0,3}(?:n°)?[ \t]?(?P<v>[A-Z]{0,3}[-/ ]?\d[\w./-]{2,19}\w)",
    re.IGNORECASE,
)
_ANY_NUMBERED = re.compile(
    r"(?<![^\W_])[Nn](?:°|º|o\.?)[ \t]{0,2}:?[ \t]{0,2}(?P<v>[A-Z]{0,3}-?\d[\d./-]{4,18}\d)(?!\w)"
)
_CODE = re.compile(r"(?<![\w/.-])(?=[\w./-]*\d{3})[A-Z]{1,4}\d{0,2}[-/]\d{2,6}(?:[-/]\d{2,7}){1,2}(?![\w/-])")
_LETTERED = re.compile(r"(?<![^\W_])[Nn](?:°|º)[ \t]{0,2}(?P<v>\d{1,3}[A-Z]{1,2}\d{4,9})(?!\w)")
_STAY_ALONE = re.compile(
    r"(?<![^\W_])(?:s[ée]jour|venue|visite|passage|hospit(?:alisation)?|admission|SEJ"
    r"|dossier)\.?[ \t]{0,2}[:=(]?[ \t]{0,2}(?P<v>[A-Z]?\d{6,14}|\d{2,4}[./]\d{2}[./]\d{3,6})(?!\w)",
    re.IGNORECASE,
)
_NUMBER_BELOW = re.compile(
    r"(?<![^\W_])(?P<k>IPP|NIP|NDA|IEP)[ \t]{0,3}(?:n°|:"
    r"|\([^()\n]{0,15}\))?[ \t]{0,3}:?[ \t]{0,3}\r?\n[ \t]{0,3}(?P<v>[A-Z]{0,2}\d{5,14})(?!\w)"
)
_LETTERED_NUMBER = re.compile(r"(?<![\w./-])[A-Z]{1,3}\d{6,12}(?![\w/-])")
_MISREAD_NUMBER = re.compile(r"(?<![\w.,/-])(?=(?:[OlI]*\d){5})(?=\d*[OlI])[\dOlI]{7,12}(?!\w)")
_KEY = re.compile(r"(?<![^\W_])cl[ée][ ]?:?[ ]?(?P<v>\d\d)(?!\d)", re.IGNORECASE)
_NOT_A_FILE = re.compile(
    r"(?:\blot|\bloi|d[ée]cret|article|circulaire|arr[êe]t[ée]|version|taille|sonde|\bCIM|\bCCAM|chapitre"
    r"|r[èe]glement|\bRPPS|\bADELI)[ \t]*(?:de[ \t]+[\w]+[ \t]+)?(?:n°[ \t]?)?:?[ \t]?$",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"(?<![\w-])[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}(?![\w-])|(?<=immatriculé )\d{1,4} ?[A-Z]{2,3} ?\d\d\b"
    r"|(?<=immatriculée )\d{1,4} ?[A-Z]{2,3} ?\d\d\b"
)
_LONG_NUMBER = re.compile(
    r"(?<![\w+])(?<!\d[.,/-])\d{7,12}(?![\w%°]|[.,/-]\d| ?(?:/mm|G/L|UI\b|U\b|copies|cop/|mg|g\b|/ml|/L|elem|éléments))"
)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _is_day(digits: str) -> bool:
    return 1 <= int(digits[:2]) <= 31 and 1 <= int(digits[2:4]) <= 12 and digits[4:6] in {"18", "19", "20"}


def nir_key_holds(text: str) -> bool:
    """Whether a French social security number of 15 characters carries its right key (97 - number mod 97)."""
    number = "".join(char for char in text.upper() if char.isalnum())
    if len(number) != 15:
        return False
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and number[13:].isdigit() and 97 - int(body) % 97 == int(number[13:])


def _valued(match: re.Match[str], label: PhiLabel, rank: Rank) -> Candidate:
    start, end = match.span("v")
    text = match.string
    while start < end and text[start] in " -/.":
        start += 1
    while end > start and text[end - 1] in " -/.":
        end -= 1
    return Candidate(start, end, label, rank)


def _phones(text: str) -> Iterator[Candidate]:
    for match in _TEN.finditer(text):
        if len(_digits(match.group())) >= 5:
            yield Candidate(*match.span(), PhiLabel.TEL, Rank.FORM)
    for match in _NINE.finditer(text):
        yield Candidate(*match.span(), PhiLabel.TEL, Rank.FORM)
    for match in _ABROAD.finditer(text):
        yield Candidate(*match.span(), PhiLabel.TEL, Rank.CUED)
    for match in _TEL_CUE.finditer(text):
        digits = len(_digits(match["v"]))
        if (
            4 <= digits <= 15
            and not re.match(r"\d\d?/\d\d", match["v"])
            and not (len(match["v"]) == 4 and match["v"][:2] in {"19", "20"})
        ):
            yield _valued(match, PhiLabel.TEL, Rank.CUED)


def _social(text: str) -> Iterator[Candidate]:
    for match in _NIR.finditer(text):
        holds = nir_key_holds(match["v"])
        yield _valued(match, PhiLabel.SECU, Rank.CERTAIN if holds else Rank.CUED if match["k"] else Rank.FORM)
    for match in _BOXED.finditer(text):
        yield Candidate(*match.span(), PhiLabel.SECU, Rank.CUED)
    for match in _KEY.finditer(text):
        if sum(char.isdigit() for char in text[max(0, match.start() - 32) : match.start()]) >= 11:
            yield _valued(match, PhiLabel.SECU, Rank.FORM)
    for match in _SPACED_NIR.finditer(text):
        start, end = match.span()
        digits = match.group().replace(" ", "")
        if len(digits) >= 20:  # a number and a date of eight digits run together
            first, last = _is_day(digits[:8]), _is_day(digits[-8:])
            start, end = start + 16 * first, end - 16 * last
        yield Candidate(start, end, PhiLabel.SECU, Rank.CUED)
    for match in _SECU_CUE.finditer(text):
        if 6 <= len(_digits(match["v"])) <= 16 and not re.match(r"\d\d?[/.]\d\d?[/.]\d{2,4}", match["v"]):
            yield _valued(match, PhiLabel.SECU, Rank.CERTAIN if len(_digits(match["v"])) >= 8 else Rank.FORM)


def _numbered(text: str) -> Iterator[Candidate]:
    for pattern in (_PATIENT_CUE, _GLUED_PATIENT):
        for match in pattern.finditer(text):
            if len(_digits(match["v"])) >= 4:
                yield _valued(match, PhiLabel.IPP, Rank.CERTAIN)
    for match in _GLUED_STAY.finditer(text):
        yield _valued(match, PhiLabel.NDA, Rank.CERTAIN)
    for match in _STAY_CUE.finditer(text):
        if len(_digits(match["v"])) >= 4 and not _NO_NUMBER_OF_STAY.fullmatch(match["v"]):
            yield _valued(match, PhiLabel.NDA, Rank.CERTAIN)
    for match in _STAY_ALONE.finditer(text):
        yield _valued(match, PhiLabel.NDA, Rank.CUED)
    for match in _NUMBER_BELOW.finditer(text):
        yield _valued(match, PhiLabel.IPP if match["k"] in {"IPP", "NIP"} else PhiLabel.NDA, Rank.CERTAIN)
    for match in _CODE.finditer(text):
        if len(_digits(match.group())) >= 6 and not _NOT_A_FILE.search(
            text[max(0, match.start() - 25) : match.start()]
        ):
            yield Candidate(*match.span(), PhiLabel.NDA, Rank.FORM)
    for match in _LETTERED.finditer(text):
        if not _NOT_A_FILE.search(text[max(0, match.start() - 25) : match.start()]):
            yield _valued(match, PhiLabel.NDA, Rank.FORM)
    for match in _ANY_NUMBERED.finditer(text):
        if len(_digits(match["v"])) >= 5 and not _NOT_A_FILE.search(text[max(0, match.start() - 25) : match.start()]):
            yield _valued(match, PhiLabel.NDA, Rank.FORM)
    for pattern in (_LETTERED_NUMBER, _MISREAD_NUMBER):
        for match in pattern.finditer(text):
            if not _NOT_A_FILE.search(text[max(0, match.start() - 30) : match.start()]):
                yield Candidate(*match.span(), PhiLabel.IPP, Rank.WEAK)
    line, found = -1, 0
    for match in _LONG_NUMBER.finditer(text):
        if _NOT_A_FILE.search(text[max(0, match.start() - 30) : match.start()]):
            continue
        here = text.rfind("\n", 0, match.start())
        found = found + 1 if here == line else 0
        line = here
        cued = re.search(
            r"(?:NDA|IEP|dossier|s[ée]jour)\W{0,6}$", text[max(0, match.start() - 14) : match.start()], re.IGNORECASE
        )
        label = PhiLabel.NDA if found or cued else PhiLabel.IPP
        yield Candidate(*match.span(), label, Rank.WEAK)


def find_identifiers(text: str) -> list[Candidate]:
    """Every identifying number, e-mail and web address of a text, possibly overlapping."""
    found = (
        [Candidate(*match.span(), PhiLabel.MAIL, Rank.CERTAIN) for match in _MAIL.finditer(text)]
        if "@" in text or "arobase" in text or "at" in text
        else []
    )
    found += [
        Candidate(match.start(), match.end() - (match.group()[-1] in ".,;"), PhiLabel.MAIL, Rank.CERTAIN)
        for match in _URL.finditer(text)
    ]
    found += [Candidate(*match.span(), PhiLabel.NDA, Rank.FORM) for match in _PLATE.finditer(text)]
    return [*found, *_phones(text), *_social(text), *_numbered(text)]
