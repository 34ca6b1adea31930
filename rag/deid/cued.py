"""Persons announced by a word: a title, a function, a relative, the label of a form, the end of a letter."""

from __future__ import annotations

from collections.abc import Sequence

from rag.deid.cues import PersonCues
from rag.deid.gazetteer import Gazetteer
from rag.deid.names import Known, NameReader, Part, Unit
from rag.deid.tokens import CAPITALISED, LETTER, LINE, LOWER, SIGN, UPPER, WORD, Token
from schema.phi import PhiLabel

_LIST_SIGNS = frozenset({",", "/", ";", "&", "+", "-", "–", "—", "et", "•", "|"})
_DASHES = frozenset({":", "-", "–", "—", "=", "."})
_POSSESSIVES = frozenset(
    {"son", "sa", "ses", "l", "d", "une", "un", "leur", "leurs", "mon", "ma", "votre", "vos", "la", "le"}
)


class CuedPersons:
    """Finds the persons that the word at a place announces."""

    def __init__(self, lists: Gazetteer, cues: PersonCues, reader: NameReader) -> None:
        self._lists = lists
        self._cues = cues
        self._reader = reader
        phrases = [cues.maiden, cues.roles, cues.patient, cues.kin, cues.closings, *cues.labels.values()]
        self._openers = cues.titles.union(*(phrase.openers for phrase in phrases))

    def may_open(self, token: Token) -> bool:
        """Whether a word begins a cue; most do not, and cost nothing more."""
        return token.fold in self._openers

    def find(self, tokens: Sequence[Token], at: int, known: Known) -> list[Part]:
        """The persons that the word at ``at`` announces, by the first kind of cue that finds one."""
        if not self.may_open(tokens[at]):
            return []
        if tokens[at].fold in self._cues.titles and (parts := self._after_title(tokens, at, known)):
            return parts
        for label, phrases in self._cues.labels.items():
            if (
                label != "VILLE"
                and (end := phrases.match(tokens, at)) > at
                and (parts := self._after_label(tokens, end, label, known))
            ):
                return parts
        for phrases, read in (
            (self._cues.patient, self._after_patient),
            (self._cues.maiden, self._after_maiden),
            (self._cues.kin, self._after_kin),
            (self._cues.roles, self._after_role),
            (self._cues.closings, self._after_closing),
        ):
            if (end := phrases.match(tokens, at)) > at and (parts := read(tokens, at, end, known)):
                return parts
        return []

    # -- signs and titles ---------------------------------------------------------------------------------------------

    def _skip(self, tokens: Sequence[Token], at: int) -> tuple[int, bool]:
        """Past the signs after a cue; whether a colon (or the like) was among them."""
        place, colon = at, False
        while place < len(tokens):
            token = tokens[place]
            if token.kind == SIGN and token.fold in _DASHES:
                colon = colon or token.fold in {":", "="}
            elif (
                token.fold == "("
                and place + 2 < len(tokens)
                and tokens[place + 1].fold in {"s", "e", "es"}
                and tokens[place + 2].fold == ")"
            ):
                place += 2
            else:
                break
            place += 1
        return place, colon

    def _title_end(self, tokens: Sequence[Token], at: int) -> int:
        """Past one or more titles ("M. le Pr", "Madame le Docteur"); ``at`` where there is none."""
        place = at
        while place < len(tokens) and tokens[place].kind == WORD:
            form = tokens[place].fold
            if form in self._cues.titles and not (form == "m" and (place > at or self._is_initials(tokens, place))):
                place += 1
                signs = {"."} if form in self._cues.weak_titles else {".", ":"}
                while place < len(tokens) and tokens[place].fold in signs:
                    place += 1
            elif (
                form in {"le", "la", "l", "s", "et"}
                and place > at
                and place + 1 < len(tokens)
                and tokens[place + 1].fold in self._cues.titles
            ):
                place += 1
            else:
                break
        return place

    @staticmethod
    def _is_initials(tokens: Sequence[Token], at: int) -> bool:
        """ "M.C. Boudou": an initial glued to another, no "Monsieur"."""
        if at + 3 >= len(tokens):
            return False
        one, dot, two, end = tokens[at : at + 4]
        return (
            dot.fold in {".", "-"}
            and end.fold == "."
            and two.shape == LETTER
            and one.end == dot.start
            and dot.end == two.start
        )

    def _after_title(self, tokens: Sequence[Token], at: int, known: Known) -> list[Part]:
        title = tokens[at]
        end = self._title_end(tokens, at)
        weak = title.fold in self._cues.weak_titles and end <= at + 2
        if (
            weak
            and title.shape == LOWER
            and not (title.fold == "m" and end == at + 2 and self._reader.is_sure_word(tokens, end))
        ):
            return []
        wrapped = end < len(tokens) and tokens[end].kind == LINE and not weak
        place = end + wrapped
        plain = title.fold in self._cues.plain_titles
        units = self._reader.units(tokens, place, cued=True, lower=plain, unlisted=plain)
        if not units or not self._fits_title(tokens, units, weak, title, wrapped):
            return []
        parts = self._reader.split(units, PhiLabel.NOM, known)
        return parts + self.listed(
            tokens, units[-1].last + 1, known, PhiLabel.NOM, strict=True, every=title.fold in self._cues.plural_titles
        )

    def _fits_title(self, tokens: Sequence[Token], units: list[Unit], weak: bool, title: Token, wrapped: bool) -> bool:
        head = units[0]
        if all(unit.shape == LETTER for unit in units):  # "Mme D.", "M. H."
            spaced = tokens[head.first].start > tokens[head.first - 1].end
            return (
                not wrapped and title.fold != "pr" and tokens[head.last].fold == "." and (title.fold != "m" or spaced)
            )
        ordinary = self._lists.is_common(head.fold) and not self._lists.is_name(head.fold)
        if weak:
            if ordinary or (
                self._lists.is_protected(head.fold) and title.fold != "pr" and not self._lists.is_name(head.fold)
            ):
                return False
            dotted = tokens[head.first - 1].fold == "."
            known = any(self._lists.is_name(unit.fold) for unit in units)
            return known or (dotted and len(head.fold) > 2) or title.fold == "pr" or len(units) > 1
        if wrapped:
            return len(units) > 1 or self._reader.is_sure(head)
        return not (ordinary and head.shape != LETTER and head.fold in self._cues.stops)

    # -- what each kind of cue announces ------------------------------------------------------------------------------

    def _after_label(self, tokens: Sequence[Token], end: int, label: str, known: Known) -> list[Part]:
        place, colon = self._skip(tokens, end)
        if not colon or place >= len(tokens):
            return []
        place += tokens[place].kind == LINE
        place = self._title_end(tokens, place)
        wanted = PhiLabel.NOM if label == "BOTH" else PhiLabel(label)
        if spaced := spaced_letters(tokens, place):
            return [Part(place, spaced - 1, wanted, "".join(token.fold for token in tokens[place:spaced]))]
        units = self._reader.units(tokens, place, cued=True, lower=True)
        if not units or not self._reader.is_credible(units, colon=True):
            return []
        if label == "BOTH" or (len(units) > 1 and wanted is PhiLabel.NOM):
            mixed = len({unit.shape for unit in units}) > 1
            last = units[-1].fold
            first_name_ends = self._lists.is_first(last) and not self._lists.is_last(last)
            parts = self._reader.split(units, PhiLabel.NOM, known, header=True)
            if label == "BOTH" or ((mixed or first_name_ends) and any(part.label is PhiLabel.NOM for part in parts)):
                return parts
        return [Part(units[0].first, units[-1].last, wanted, " ".join(unit.fold for unit in units))]

    def _after_patient(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        if not tokens[at].is_capital and tokens[at].fold not in {"patient", "patiente"}:
            return []
        place, colon = self._skip(tokens, end)
        if self._title_end(tokens, place) > place:
            return []
        units = self._reader.units(tokens, place, cued=colon)
        if not units or not (colon or len(units) > 1) or not self._reader.is_credible(units, colon):
            return []
        header = all(unit.shape in (UPPER, LETTER) for unit in units)
        parts = self._reader.split(units, PhiLabel.NOM, known, header=header)
        return parts + self.listed(tokens, units[-1].last + 1, known, PhiLabel.PRENOM, strict=not colon)

    def _after_maiden(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        before = tokens[at - 1] if at else None
        if tokens[at].fold in {"epouse", "ep"}:  # "son épouse Corinne", "Épouse Samira": a relative
            following = tokens[end] if end < len(tokens) else None
            first_only = (
                following is not None
                and self._lists.is_first(following.fold)
                and not self._lists.is_last(following.fold)
            )
            if before is None or before.kind == LINE or before.fold in {"'", "."} | _POSSESSIVES or first_only:
                return []
        units = self._reader.units(tokens, self._skip(tokens, end)[0], cued=True, lower=True)
        if (
            not units
            or units[0].shape == LETTER
            or units[0].fold in self._cues.stops
            or self._reader.is_ordinary(units[0])
        ):
            return []
        return self._reader.split(units, PhiLabel.NOM, known, header=True)

    def _after_kin(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        place, colon = end, False
        while place < len(tokens) and place - end < 4 and tokens[place].fold in {":", ",", "(", "«", "-", "–"}:
            colon = colon or tokens[place].fold in {":", "("}
            place += 1
        if self._title_end(tokens, place) > place:
            return []
        units = self._reader.units(tokens, place, cued=colon or place == end)
        while len(units) > 1 and self._lists.is_protected(units[-1].fold) and not self._lists.is_last(units[-1].fold):
            units.pop()
        if not units or (units[0].shape == LETTER and len(units) == 1):
            return []
        head = units[0]
        if self._lists.is_protected(head.fold) and not (
            self._lists.is_first(head.fold) and not self._lists.is_common(head.fold)
        ):
            return []
        ordinary = self._lists.is_common(head.fold)
        if not any(self._lists.is_name(unit.fold) for unit in units):
            if ordinary or head.shape == UPPER or head.fold in self._cues.stops or place - end > 1:
                return []
        elif ordinary and len(units) == 1 and ((place > end and not colon) or not self._lists.is_first(head.fold)):
            return []
        parts = self._reader.split(units, PhiLabel.PRENOM, known)
        return parts + self.listed(tokens, units[-1].last + 1, known, PhiLabel.PRENOM, strict=True)

    def _after_role(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        role = tokens[at].fold
        if len(role) <= 3 and tokens[at].shape != UPPER and end < len(tokens) and tokens[end].fold not in {":", "."}:
            return []  # "as", "ide", "mar" are words; the functions are written in capitals
        starts = at == 0 or tokens[at - 1].kind == LINE
        if end + 1 < len(tokens):
            end = self._cues.role_tails.match(tokens, end + (tokens[end].fold == "."))
        place, colon = self._skip(tokens, end)
        colon = colon or (starts and place > end and tokens[place - 1].fold in {"-", "–", "—"})
        enclosed = place == end and place < len(tokens) and tokens[place].fold == "("
        place += enclosed or (colon and place < len(tokens) and tokens[place].kind == LINE)
        if self._title_end(tokens, place) > place:
            return []
        units = self._reader.units(tokens, place, cued=colon)
        if not units or not self._reader.is_credible(units, colon=True):
            return []
        head = units[0]
        sure = any(self._reader.is_sure(unit) for unit in units)
        if not colon and not sure:
            # "interne Fau": an unknown word right after a function, capitalised but not an abbreviation
            if (
                head.shape == LETTER
                and len(units) > 1
                and units[1].shape != LETTER
                and not self._reader.is_ordinary(units[1])
            ):
                return self._reader.split(units, PhiLabel.NOM, known)
            if (
                place > end + enclosed
                or head.shape != CAPITALISED
                or self._reader.is_ordinary(head)
                or self._lists.is_protected(head.fold)
            ):
                return []
        elif not colon and (tokens[place - 1].fold in {".", "-", "–"} and len(role) > 8):
            return []
        if len(units) == 1 and not sure:
            after = tokens[units[0].last + 1] if units[0].last + 1 < len(tokens) else None
            closed = after is None or after.kind != WORD
            if head.shape == UPPER and len(head.fold) < 5:
                return []
            if self._lists.is_common(head.fold) and not (colon and closed and self._lists.is_name(head.fold)):
                return []
        alone = PhiLabel.NOM if role.startswith(self._cues.surname_roles) else PhiLabel.PRENOM
        alone = self._reader.label_alone(head, alone) if self._lists.is_name(head.fold) else PhiLabel.NOM
        parts = self._reader.split(units, alone, known)
        return parts + self.listed(tokens, units[-1].last + 1, known, alone, strict=not colon)

    def _after_closing(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        """The signature on its own line after "Bien cordialement,"."""
        place = end
        while (
            place < len(tokens) and place - end < 4 and (tokens[place].kind == LINE or tokens[place].fold in {",", "."})
        ):
            place += 1
        if place >= len(tokens) or tokens[place - 1].kind != LINE or self._title_end(tokens, place) > place:
            return []
        units = self._reader.units(tokens, place, cued=True)
        last = units[-1].last + 1 if units else place
        ends = last >= len(tokens) or tokens[last].kind in (LINE, SIGN) or tokens[last].start - tokens[last - 1].end > 2
        if (
            not units
            or not ends
            or (self._reader.is_ordinary(units[0]) and len(units) == 1)
            or units[0].fold in self._cues.stops
        ):
            return []
        if self._lists.is_protected(units[0].fold) and not self._lists.is_name(units[0].fold):
            return []
        return self._reader.split(units, self._reader.label_alone(units[0], PhiLabel.PRENOM), known)

    def listed(
        self, tokens: Sequence[Token], at: int, known: Known, alone: PhiLabel, *, strict: bool, every: bool = False
    ) -> list[Part]:
        """More names after a first one: "Vasseur / Kim (CCA), Ozturk".

        Args:
            strict: no colon opened the list, so that a comma may end it: lone names only after "et" and "/".
            every: a plural title opened it ("Drs X – Y – Z"): unknown words are names too.
        """
        parts: list[Part] = []
        place = at
        while place < len(tokens):
            sign = tokens[place].fold
            if sign == "(":
                close = next(
                    (step for step in range(place + 1, min(place + 5, len(tokens))) if tokens[step].fold == ")"), None
                )
                if close is None:
                    break
                place = close + 1
                continue
            if sign not in _LIST_SIGNS or (sign in {"-", "–", "—", "|"} and strict and not every):
                break
            start = place + 1
            if start < len(tokens) and tokens[start].kind == LINE and not strict:
                start += 1
            if self._title_end(tokens, start) > start:
                break
            units = self._reader.units(tokens, start, cued=every)
            if not units or all(unit.shape == LETTER for unit in units):
                break
            sure = any(
                unit.shape == LETTER
                or self._reader.is_sure(unit)
                or (alone is PhiLabel.PRENOM and self._lists.is_first(unit.fold))
                for unit in units
            )
            if not (sure or every) or (strict and not every and len(units) < 2 and sign not in {"et", "/"}):
                break
            parts += self._reader.split(units, self._reader.label_alone(units[0], alone), known)
            place = units[-1].last + 1
        return parts


def spaced_letters(tokens: Sequence[Token], at: int, gap: int = 2) -> int:
    """The index after a name in boxes ("B E N  S A I D"); 0 where there is none."""
    place = at
    while (
        place < len(tokens)
        and tokens[place].shape == LETTER
        and (place == at or 1 <= tokens[place].start - tokens[place - 1].end <= gap)
    ):
        place += 1
    return place if place - at >= 3 else 0
