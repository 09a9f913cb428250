"""Finds document titles in running text.

Is: a table of stemmed titles, made when it is first asked. Is not: a search; a title counts whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from index.intents import question_intents
from index.lexical import content_terms, terms_of

# A title of more words is a sentence; nobody repeats it within another one.
_MAX_TITLE_TERMS = 12
# A title is about a phrase when the phrase makes up this share of what it names.
_TOPIC_SHARE = 0.5


class Titles:
    """The titles of an index."""

    def __init__(self, titles: Iterable[str]) -> None:
        self._titles = tuple(dict.fromkeys(title for title in titles if title))

    def within(self, text: str) -> str:
        """Return the longest title that stands in `text` word for word (stemmed), "" if none does."""
        words = terms_of(text)
        for size in range(min(len(words), _MAX_TITLE_TERMS), 0, -1):
            for start in range(len(words) - size + 1):
                if title := self._by_terms.get(tuple(words[start : start + size])):
                    return title
        return ""

    def is_topic(self, phrase: str) -> bool:
        """Say whether a title names this phrase and little else."""
        wanted = content_terms(phrase)
        if not wanted:
            return False
        candidates = set.intersection(*(self._by_term.get(term, set()) for term in wanted))
        return any(len(set(wanted)) >= _TOPIC_SHARE * self._sizes[title] for title in candidates)

    @cached_property
    def _by_terms(self) -> dict[tuple[str, ...], str]:
        table: dict[tuple[str, ...], str] = {}
        for title in self._titles:
            if content_terms(title):
                table.setdefault(tuple(terms_of(title)), title)
        return table

    @cached_property
    def _by_term(self) -> dict[str, set[str]]:
        table: dict[str, set[str]] = {}
        for title in self._titles:
            for term in content_terms(title):
                table.setdefault(term, set()).add(title)
        return table

    @cached_property
    def _sizes(self) -> dict[str, int]:
        # Words that only ask ("How is … treated?") are not what a title names.
        return {
            title: max(1, sum(not question_intents(term) for term in content_terms(title))) for title in self._titles
        }
