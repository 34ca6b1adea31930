"""Before a merge: whether the same number means the same token in every model."""

from __future__ import annotations

from collections.abc import Iterator

from merging.folder import ModelFolder, numbers
from merging.plan import Ingredient, Plan
from merging.result import Check, Level

#: A vocabulary that has grown by more than this share is another vocabulary.
FEW = 0.01
_SHOWN = 4
_ROLES = ("bos_token", "eos_token", "pad_token", "unk_token")


def check_vocabulary(plan: Plan) -> Iterator[Check]:
    """The same tokens at the same numbers; or a few more, which are reconciled where the recipe asks for it."""
    name, reference = "vocabulary", plan.reference
    if silent := [one.name for one in plan.all if not one.folder.vocabulary]:
        yield from _without_tokenizer(plan, silent)
        return
    known = reference.folder.embedded
    sound = True
    for one in plan.all:
        mine = one.folder.embedded
        common = mine.keys() & known.keys()
        moved = [token for token in common if mine[token] != known[token]]
        extra = sorted(mine.keys() - known.keys(), key=mine.__getitem__)
        missing = known.keys() - mine.keys()
        few = FEW * max(len(mine), len(known))
        if len(extra) > few or len(missing) > few:
            what = (
                f"{one.name} has {len(mine)} tokens and {reference.name} {len(known)}, of which {len(common)} are"
                " the same: another vocabulary, whose embeddings cannot be mixed"
            )
        elif len(moved) > few:
            example = min(moved, key=known.__getitem__)
            what = (
                f"{len(moved)} tokens have other numbers in {one.name} than in {reference.name}"
                f" ({example!r}: {mine[example]}, {known[example]})"
            )
        else:
            continue
        sound = False
        yield Check(name, Level.FAIL, what)
    if not sound:
        return
    if not plan.needs_union:
        yield Check(name, Level.OK, f"the same {len(known)} tokens, at the same numbers")
        return
    grown = "; ".join(filter(None, (_growth(one, reference) for one in plan.all)))
    if plan.recipe.vocabulary == "union":
        what = f"{grown}; reconciled: all tokens are kept, each with the embedding of the models that have it"
        yield Check(name, Level.WARN, what)
    else:
        yield Check(name, Level.FAIL, f"{grown}; give vocabulary: union to keep all tokens")


def _without_tokenizer(plan: Plan, silent: list[str]) -> Iterator[Check]:
    rows = {one.folder.rows for one in plan.all}
    names = ", ".join(silent)
    if plan.speaker.name in silent:
        yield Check("vocabulary", Level.FAIL, f"{plan.speaker.name}, whose tokenizer is to be taken, has none")
    elif len(rows) > 1:
        what = f"{names}: no tokenizer, and not the same number of embeddings ({', '.join(map(str, sorted(rows)))})"
        yield Check("vocabulary", Level.FAIL, what)
    else:
        what = f"{names}: no tokenizer, so nothing shows that the tokens are the same"
        yield Check("vocabulary", Level.WARN, what)


def _growth(one: Ingredient, reference: Ingredient) -> str:
    mine, known = one.folder.embedded, reference.folder.embedded
    extra = sorted(mine.keys() - known.keys(), key=mine.__getitem__)
    missing = sorted(known.keys() - mine.keys(), key=known.__getitem__)
    parts = []
    if extra:
        parts.append(f"{one.name} has {len(extra)} tokens more than {reference.name} ({_some(extra)})")
    if missing:
        parts.append(f"{one.name} lacks {len(missing)} tokens of {reference.name} ({_some(missing)})")
    if moved := [token for token in mine.keys() & known.keys() if mine[token] != known[token]]:
        parts.append(f"{len(moved)} tokens have other numbers in {one.name} than in {reference.name}")
    if not parts and one.folder.rows != reference.folder.rows:
        parts.append(f"{one.name} has {one.folder.rows} embeddings, {reference.name} {reference.folder.rows}")
    return "; ".join(parts)


def _some(tokens: list[str]) -> str:
    return ", ".join(tokens[:_SHOWN]) + (", …" if len(tokens) > _SHOWN else "")


def check_specials(plan: Plan) -> Iterator[Check]:
    """The tokens with a role: where they differ, those of the recipe's ``chat`` are taken."""
    name, speaker = "special tokens", plan.speaker
    beyond = {one.name: len(one.folder.vocabulary) - len(one.folder.embedded) for one in plan.all}
    if lost := [f"{key}: {count}" for key, count in beyond.items() if count]:
        what = f"tokens without an embedding, left out: {'; '.join(lost)}"
        yield Check(name, Level.WARN, what)
    roles = {one.name: _roles(one.folder) for one in plan.all}
    differing = [
        f"{role} ({', '.join(key + ' ' + told.get(role, 'none') for key, told in roles.items())})"
        for role in _ROLES
        if len({told.get(role) for told in roles.values()}) > 1
    ]
    if differing:
        yield Check(name, Level.WARN, f"differ in {'; '.join(differing)}; those of {speaker.name} are taken")
    elif not lost:
        yield Check(name, Level.OK, ", ".join(f"{role} {token}" for role, token in roles[speaker.name].items()))


def _roles(folder: ModelFolder) -> dict[str, str]:
    by_number = {number: token for token, number in folder.vocabulary.items()}
    found: dict[str, str] = {}
    for role in _ROLES:
        told = folder.tokenizer_config.get(role)
        token = told.get("content") if isinstance(told, dict) else told
        if token is None:
            first = numbers(folder.config.get(f"{role}_id"))[:1]
            token = by_number.get(first[0], f"number {first[0]}") if first else None
        if token is not None:
            found[role] = str(token)
    return found


def check_chat(plan: Plan) -> Iterator[Check]:
    """The chat template: that of the recipe's ``chat`` is taken."""
    name, speaker = "chat template", plan.speaker
    if not speaker.folder.chat_template:
        others = [one.name for one in plan.all if one.folder.chat_template]
        hint = f"; give chat: {others[0]} to take that of {others[0]}" if others else ""
        yield Check(name, Level.WARN, f"{speaker.name} has none, so a server cannot lay out a conversation{hint}")
        return
    other = [one.name for one in plan.all if one.folder.chat_template not in ("", speaker.folder.chat_template)]
    if other:
        what = f"that of {speaker.name} is taken; {', '.join(other)} learned another"
        yield Check(name, Level.WARN, what)
    else:
        yield Check(name, Level.OK, f"that of {speaker.name}")
