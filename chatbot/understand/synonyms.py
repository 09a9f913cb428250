"""Words for the same thing: what else a question may be searched by.

Is: a curated table of lay and clinical terms and the abbreviations that the corpus itself explains. Is not: a
thesaurus; nothing that is merely related stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

# Words that the question did not say count less than those that it did. On consumer questions .3 to .6 are alike.
SYNONYM_WEIGHT = 0.4
_TABLE = Path(__file__).parent / "lay_terms.yaml"
_LONGEST_PHRASE = 7


def expand(question: str, abbreviations: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """Return other words for what a question names, each with its weight.

    `abbreviations` maps short forms, as the corpus writes them, to long ones.

    Example:
        >>> expand("Is a heart attack painful?", {})
        (('myocardial infarction', 0.4),)
    """
    words = [word.strip(".,;:?!()[]\"'“”‘’") for word in question.split()]
    found = {abbreviations[word]: SYNONYM_WEIGHT for word in words if word in abbreviations}
    lowered = [word.lower() for word in words]
    table, at = _sets(), 0
    while at < len(lowered):
        for size in range(min(_LONGEST_PHRASE, len(lowered) - at), 0, -1):
            phrase = " ".join(lowered[at : at + size])
            others = table.get(phrase) or table.get(phrase.removesuffix("s"))
            if others:
                found.update(dict.fromkeys(others, SYNONYM_WEIGHT))
                at += size - 1
                break
        at += 1
    return tuple(found.items())


@cache
def _sets() -> dict[str, tuple[str, ...]]:
    import yaml

    rows = yaml.load(_TABLE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {name: tuple(other for other in row if other != name) for row in rows for name in row}
