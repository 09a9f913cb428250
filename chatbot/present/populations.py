"""Says when no quote is about whom a question is for, and whose dose a quote may be shown to.

Is: the groups that hold through a conversation, their notices, and the age group of a dose. Is not: the reading of
groups (see `population_mentions.py`), nor a judgement that something is safe for anyone: silence is told as silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal

from chatbot.present.population_mentions import POPULATIONS, Population, populations_in
from chatbot.replies import CitedPassage, Notice, Statement


def populations_asked(question: str, earlier: Iterable[str], *, is_followup: bool) -> frozenset[Population]:
    """Return the groups that a question is about, with those that earlier messages named and that still hold.

    What a message says of a person ("I am pregnant", "my son is 4") holds for the rest of the conversation; a group
    that was only asked about ("and in pregnancy?") holds for follow-ups. Another stage of life replaces the one before.

    Example:
        >>> sorted(populations_asked("What is the dose of ibuprofen?", ["My son is 4."], is_followup=False))
        ['child']
    """
    groups: frozenset[Population] = frozenset()
    for text in earlier:
        if is_followup or _OF_A_PERSON.search(text):
            groups = _joined(groups, text)
    return _joined(groups, question)


def _joined(before: frozenset[Population], text: str) -> frozenset[Population]:
    """Return the groups of a text with those before it that still hold beside them."""
    now = populations_in(text)
    if now & {"child", "older", "pregnancy", "breast-feeding"} or _GROWN.search(text):
        before -= {"child", "older"}
    if "child" in now:
        before -= {"pregnancy", "breast-feeding"}
    return before | now


# Said of somebody, not asked in general.
_OF_A_PERSON = re.compile(
    r"\b(?:i|i['’]?m|i['’]?ve|im|we|we['’]?re|my|our|his|her|he|she|he['’]?s|she['’]?s|me|patient|pt)\b", re.IGNORECASE
)


def population_notices(
    asked: AbstractSet[Population], statements: Sequence[Statement], passages: Sequence[CitedPassage]
) -> tuple[Notice, ...]:
    """Return one notice for each group that was asked about and that no quote is about.

    A quote is about a group when its own words, its headings and lead-ins, or the title or section of its
    passage name it. No statements, no notices: an abstention says already that nothing was found.
    """
    if not statements:
        return ()
    covered = frozenset().union(*_about(statements, passages).values())
    missing = [name for name in POPULATIONS if name in asked and name not in covered]
    return tuple(Notice(f"population_{name.replace('-', '_')}", _NONE_IS_ABOUT[name]) for name in missing)


def about_any(
    asked: AbstractSet[Population], statements: Sequence[Statement], passages: Sequence[CitedPassage]
) -> frozenset[str]:
    """Return the ids of the passages that are quoted with something about one of the groups that are asked for."""
    about = _about(statements, passages) if asked else {}
    return frozenset(passage.passage_id for passage in passages if asked & about.get(passage.number, frozenset()))


def _about(statements: Sequence[Statement], passages: Sequence[CitedPassage]) -> dict[int, frozenset[Population]]:
    """Return the groups that the quotes of each passage are about, by its number."""
    about: dict[int, frozenset[Population]] = {}
    by_number = {passage.number: passage for passage in passages}
    for statement in statements:
        cited = [by_number[number] for number in statement.citations if number in by_number]
        heads = [line for passage in cited for line in (passage.title, *passage.section)]
        groups = populations_in("\n".join([statement.text, *statement.context, *heads]))
        for number in statement.citations:
            about[number] = about.get(number, frozenset()) | groups
    return about


# Grade 6 or less, for every reader: silence is told as silence, never as safety.
_SILENCE = "That does not mean that it is safe. Ask a doctor or a pharmacist."
_NONE_IS_ABOUT: dict[Population, str] = {
    "pregnancy": f"None of the quotes is about pregnancy. {_SILENCE}",
    "breast-feeding": f"None of the quotes is about breast-feeding. {_SILENCE}",
    "child": f"None of the quotes is about children. {_SILENCE}",
    "older": f"None of the quotes is about older people. {_SILENCE}",
    "kidney": f"None of the quotes is about kidney disease. {_SILENCE}",
    "liver": f"None of the quotes is about liver disease. {_SILENCE}",
    "allergy": f"None of the quotes is about allergy. {_SILENCE}",
    "anticoagulant": f"None of the quotes is about people who take blood thinners. {_SILENCE}",
}


def suits_population(asked: AbstractSet[Population], text: str, context: Iterable[str] = ()) -> bool:
    """Say whether a quote may be shown to a question about `asked`.

    A dose is shown for a child only where its words or its headings say that it is a child's: a dose that names
    nobody is an adult's. A child's dose is not shown for a question about pregnancy or older age. Anything that
    is no dose suits everybody.
    """
    # Imported here: doses read populations as well.
    from chatbot.present.amounts import find_amounts
    from chatbot.present.doses import is_dose_statement

    above = tuple(context)
    lines = [text, *above]
    about = populations_in("\n".join(lines))
    if "child" in asked:
        group = _age_group((text, *reversed(above)))
        # An amount under a heading for adults is an adult's, even where it is no medicine's dose.
        return group == "child" or not (is_dose_statement(text, above) or (group == "adult" and find_amounts(text)))
    if asked & {"pregnancy", "breast-feeding", "older"} and "child" in about and not asked & about:
        return any(_GROWN.search(line) for line in lines) or not is_dose_statement(text, above)
    return True


_GROWN = re.compile(r"\b(?:adults?|women|men|elderly|older\s+people|pregnan\w*)\b", re.IGNORECASE)


def _age_group(lines: Iterable[str]) -> Literal["child", "adult"] | None:
    """Return whose a dose is: the innermost of its lines that names an age group decides."""
    for line in lines:
        grown = _GROWN.search(line)
        if "child" in populations_in(line):
            # "Adolescents and adults" share an adult's dose.
            shared = grown and not populations_in(_ADOLESCENT.sub("", line)) & {"child"}
            return "adult" if shared else "child"
        if grown:
            return "adult"
    return None


_ADOLESCENT = re.compile(r"\b(?:adolescen\w*|teen\w*|(?:over|aged|from)\s+1[2-7]\b[^.;]{0,20})", re.IGNORECASE)
