"""From a plan to a text: a voice of the right kind is chosen, its lines said, its marks taken out as quotes."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from rag.synth.extra_facts import Extras
from rag.synth.extra_text import woven
from rag.synth.facts import Told
from rag.synth.grammar import SOFT, capital
from rag.synth.load import Voice, grammar, voices
from rag.synth.noise import Noise
from rag.synth.scene import CLOSE, MOST_MARKS, OPEN, Scene

_LONGEST_QUOTE = 220
_SHORTEST_QUOTE = 18


@dataclass(frozen=True, slots=True)
class Text:
    """A text and what it tells."""

    title: str
    body: str
    told: tuple[Told, ...]


def voice_for(scene: Scene, dice: random.Random, used: dict[str, int]) -> Voice | None:
    """A voice of the document's kind that fits; of the hospital's style if there is one, the least used first."""
    fitting = [
        voice for voice in voices().get(scene.planned.kind, ()) if all(scene.holds(t) for t in voice.guard.terms)
    ]
    if not fitting:
        return None
    ours = [voice for voice in fitting if scene.place.style in voice.styles]
    pool = ours if ours and dice.random() < 0.7 else fitting
    return min(pool, key=lambda voice: used.get(f"{voice.kind}/{voice.name}", 0) * 2 + dice.random() * 3)


def compose(scene: Scene, voice: Voice, document_id: str, noise: Noise, extras: Extras) -> Text | None:
    """Say all that the voice can say; None if nothing remains."""
    blocks = []
    for block in voice.blocks:
        lines: list[str] = []
        heading = ""
        for is_heading, option in block:
            said = grammar().say(option, scene)
            if is_heading:
                heading = scene.forms.heading(said) if said else ""
                continue
            if said and said.strip():
                if heading:
                    lines.append(heading)
                    heading = ""
                lines.append(said)
        if lines:
            blocks.append("\n".join(lines))
    title = grammar().say(scene.dice.choice(voice.titles), scene) or ""
    if not blocks:
        return None
    blocks = woven(scene, extras, blocks)
    text = noise.apply(_tidy("\n\n".join(blocks)))
    body, told = _read_marks(text, scene, document_id)
    return Text(_read_marks(title, scene, document_id)[0].strip(), body, tuple(told))


_MARKS = f"{chr(OPEN)}-{chr(CLOSE + MOST_MARKS)}"
_SPACES = re.compile(r" {2,}(?=\S)")
_BEFORE = re.compile(rf" +(?=[{_MARKS}]*[,.](?:\s|[{_MARKS}]|$))", re.MULTILINE)
_TRAILING = re.compile(rf"[ \t]+(?=[{_MARKS}]*$)", re.MULTILINE)
_ELIDED = re.compile(rf"\b([Dd])e ([{_MARKS}]*)(?=[aeiouéèêâîô])")
_LEADING = re.compile(rf"^([{_MARKS}]*)[ \t]+", re.MULTILINE)
_DOUBLED = re.compile(rf"([.,;:])([{_MARKS}]*)[.,;](?=[\s{_MARKS}]|$)")
_SOFT_AT_START = re.compile(rf"(^[{_MARKS}]*){SOFT}", re.MULTILINE)
_LINES = re.compile(r"\n{3,}")
_SENTENCE = re.compile(rf"(?:(?<=[.!?] )(?<!cf\. )(?<!Cf\. )|(?<=\n))[{_MARKS}]*[a-zà-ÿ](?![A-Z])")


def _tidy(text: str) -> str:
    text = _SOFT_AT_START.sub(r"\1", text).replace(SOFT, "\n")
    text = _SPACES.sub(" ", text)
    text = _BEFORE.sub("", text)
    text = _DOUBLED.sub(r"\1\2", text)
    text = _TRAILING.sub("", text)
    text = _LEADING.sub(r"\1", text)
    text = _ELIDED.sub(r"\1'\2", text)
    text = _LINES.sub("\n\n", text)
    return _SENTENCE.sub(lambda match: capital(match[0]), capital(text)) + "\n"


def _read_marks(text: str, scene: Scene, document_id: str) -> tuple[str, list[Told]]:
    plain: list[str] = []
    opened: dict[int, int] = {}
    spans: list[tuple[int, int, int]] = []
    for sign in text:
        code = ord(sign)
        if OPEN <= code < CLOSE:
            opened[code - OPEN] = len(plain)
        elif CLOSE <= code < CLOSE + MOST_MARKS:
            spans.append((code - CLOSE, opened[code - CLOSE], len(plain)))
        else:
            plain.append(sign)
    body = "".join(plain)
    told = []
    for number, start, end in spans:
        mark = scene.marks[number]
        quote = _quote(body, start, end)
        if quote:
            told.append(Told(document_id, mark.key, mark.value, quote, mark.source))
    return body, told


_LEFT = re.compile(r"\n|(?<!\.)[.;!?]\s")
_RIGHT = re.compile(r"\n|[.;!?](?= |\n|$)")


def _quote(body: str, start: int, end: int) -> str:
    """The words of a telling, with those of its clause where they alone would mean little."""
    while start < end and body[start].isspace():
        start += 1
    while end > start and body[end - 1].isspace():
        end -= 1
    if end - start < _SHORTEST_QUOTE or " " not in body[start:end]:
        left = max((match.end() for match in _LEFT.finditer(body, 0, start)), default=0)
        right = _RIGHT.search(body, end)
        stop = right.start() if right else len(body)
        start, end = max(left, start - _LONGEST_QUOTE // 2), min(stop, end + _LONGEST_QUOTE // 2)
    elif end - start > _LONGEST_QUOTE * 2:
        end = start + _LONGEST_QUOTE * 2
    if body.count(body[start:end]) > 1:  # words found twice would not say where
        line, after = body.rfind("\n", 0, start) + 1, body.find("\n", end)
        start = max(line, start - _LONGEST_QUOTE // 2)
        end = min(after if after >= 0 else len(body), end + _LONGEST_QUOTE // 2)
    while start > 0 and start < end and body[start - 1].isalnum() and body[start].isalnum():
        start += 1
    while end < len(body) and end > start and body[end - 1].isalnum() and body[end].isalnum():
        end -= 1
    return body[start:end].strip()
