"""Puts what is about the people asked for first, then the newer of comparable sources, and side by side what disagrees.

Is: an order of passages that were chosen already, renumbered with their statements. Is not: a search; a newer source
on another matter answers nothing, so years count only among equals and between sources that belong together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from chatbot.present.audience import EQUAL_RANK
from chatbot.present.conflicts import Conflict
from chatbot.present.currency import is_withdrawn, issued_year, succeeds
from chatbot.replies import CitedPassage, Statement


def newest_first(
    statements: Sequence[Statement],
    passages: Sequence[CitedPassage],
    conflicts: Sequence[Conflict],
    scores: Mapping[str, float],
    *,
    years_rank: bool = True,
    foremost: Collection[str] = (),
) -> tuple[tuple[Statement, ...], tuple[CitedPassage, ...]]:
    """Return statements and passages in the order in which they are read, numbered anew.

    `scores` are the search's, by passage id; `foremost` names passages that come first. Among about equal scores newer passages come first (unless
    `years_rank` is off), undated ones last. Passages that disagree stand next to each other, the newer first. A
    replaced passage comes after its successor, a withdrawn one after all others.
    """
    order = list(range(len(passages)))
    if years_rank:
        order = _among_equals(order, passages, scores)
    order.sort(key=lambda position: passages[position].passage_id not in foremost)
    place = {passage.number: position for position, passage in enumerate(passages)}
    for conflict in conflicts:
        first, second = (place[statements[at].citations[0]] for at in (conflict.first, conflict.second))
        _join(order, first, second, passages)
    for later in range(len(passages)):
        for earlier in order[:]:
            if succeeds(passages[earlier], passages[later]) and order.index(later) < order.index(earlier):
                order.remove(later)
                order.insert(order.index(earlier) + 1, later)
    order.sort(key=lambda position: is_withdrawn(passages[position]))
    if order == list(range(len(passages))):
        return tuple(statements), tuple(passages)
    number = {passages[position].number: rank for rank, position in enumerate(order, 1)}
    renumbered = [replace(s, citations=tuple(number[cited] for cited in s.citations)) for s in statements]
    renumbered.sort(key=lambda statement: statement.citations[0])
    return tuple(renumbered), tuple(replace(passages[p], number=rank) for rank, p in enumerate(order, 1))


def _among_equals(order: list[int], passages: Sequence[CitedPassage], scores: Mapping[str, float]) -> list[int]:
    """Return positions with the newer first among passages whose scores are about the same as their group's first."""
    groups: list[list[int]] = []
    for position in order:
        score = scores.get(passages[position].passage_id, 0.0)
        first = scores.get(passages[groups[-1][0]].passage_id, 0.0) if groups else 0.0
        if groups and abs(first - score) <= EQUAL_RANK:
            groups[-1].append(position)
        else:
            groups.append([position])
    return [
        position for group in groups for position in sorted(group, key=lambda at: -(issued_year(passages[at]) or 0))
    ]


def _join(order: list[int], one: int, other: int, passages: Sequence[CitedPassage]) -> None:
    """Put two passages next to each other where the first of them stands, the newer first."""
    years = issued_year(passages[one]), issued_year(passages[other])
    newer, older = (one, other) if order.index(one) < order.index(other) else (other, one)
    if None not in years and years[0] != years[1]:
        newer, older = (one, other) if (years[0] or 0) > (years[1] or 0) else (other, one)
    at = min(order.index(one), order.index(other))
    for position in (older, newer):
        order.remove(position)
        order.insert(at, position)
