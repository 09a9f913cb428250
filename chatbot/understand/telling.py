"""How a message is told: what it denies, what is long past, what is only asked about, and whom it is about.

Is: scope by words and commas (in the manner of NegEx, Chapman et al. 2001, and ConText, Harkema et al. 2009).
Is not: a parser. Where the words leave it open, a message counts as a report: a card too many does less harm.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chatbot.understand.phrases import Hit, Lexicon, Words

# "no A, B": how many words a plain "no" or "not" reaches when nothing ends it.
_DENIAL_WORDS = 6
# "denies A, B, C and D": a clinician's list is longer.
_WIDE_DENIAL_WORDS = 18
# "a slight ache in the calf": how many words a "slight" reaches.
_MILD_WORDS = 3
# "I think he has had a …": how many words lie between the guess and the illness at most.
_HAPPENING_WORDS = 5
# "risk of …", "watch out for …", "if someone has …".
_UNREAL_WORDS = 12
# A comma parts two clauses only after this many words; before, it sets off a time ("Years ago, I had …").
_CLAUSE_WORDS = 5
# Two words with no person and no onset are a topic ("chest pain"); "swollen hot calf" is taken as a report.
_TOPIC_WORDS = 2
# "Seizure in a child" is a topic too.
_NAMED_TOPIC_WORDS = 5
# So much text about patients in general, with nobody in it, was copied from a page.
_PAGE_WORDS, _PAGE_SENTENCES = 30, 2
# "My sister is ill, what …": how many words before a question word make a clause of their own.
_SHORT_CLAUSE_WORDS = 3

# No phrase of the lists is longer.
_LONGEST_PHRASE_WORDS = 8

_CLAUSE_STARTS = frozenset("but however although though yet now then today tonight".split())
_SUBJECTS = frozenset("i my he she his her it there we since suddenly can should what which is this that".split())
_OF_A_KIND = frozenset("in for among with of to".split())
_TIME_ENDS = frozenset("years months decades ago year month childhood ages".split())
_QUESTION_WORDS = frozenset("can should what which is".split())
_PATIENT = re.compile(
    r"\b\d{1,3} (?:m|f|yof|yom|years? old|months? old|weeks? old|days? old|man|woman|boy|girl)\b|\bg\d+ ?p\d+\b"
)
_VITALS = re.compile(
    r"\b(?:bp \d|gcs \d|spo2 \d|rr \d|hr \d|heart rate \d|t \d\d[.]\d|temp(?:erature)?(?: of| is| was)? \d)"
)
_YEAR = re.compile(r"\b(?:in|since|from|of|until|till|before|by|during) (?:19[4-9]\d|20[0-3]\d)\b")
_SPAN_OF_YEARS = re.compile(
    r"\bfor (?:the (?:past|last) )?(?:\d+|several|many|some|a few|few|a couple of|six|ten) "
    r"(?:years|months|decades)\b|\b(?:six|\d+) (?:years|months) of\b"
)
# "First dose an hour ago, lips swollen" tells of today, whatever it speaks of.
_DATED = re.compile(
    r"\b(?:hours?|minutes?|mins) ago\b|\bsince (?:this morning|last night|yesterday|lunch|breakfast|an hour)\b|\bright now\b"
)
# "She had a fit at two, can she be vaccinated now she is six?"
_AT_AGE = re.compile(r"\bat (?:the age of |age )?\d{1,2}$")
_TOLD_ON = tuple(
    f"{start}{who} {verb} " for start in ("", "and ") for who in ("it", "he", "she") for verb in ("was", "had")
)
_AGE_NOW = re.compile(r"\b(?:now (?:he|she|i) (?:is|am)|(?:he|she) is now|i am now|now) \d{1,2}\b")
_LONG_AGO = re.compile(
    r"\b(?:\d+|a|several|many|few|couple of|some|six|ten) "
    r"(?:years?|months?|decades?) (?:ago|back)\b"
)


@dataclass(frozen=True, slots=True)
class Telling:
    """What was made out of a message's wording; the tuples run beside its words or its sentences.

    `denied`, `mild`, `unreal`, `past`, `chronic` and `happening` hold one flag a word; `report` and `person` one a
    sentence. `happening` marks what is said to be going on ("I think he is having a …").
    """

    denied: tuple[bool, ...]
    mild: tuple[bool, ...]
    unreal: tuple[bool, ...]
    past: tuple[bool, ...]
    chronic: tuple[bool, ...]
    happening: tuple[bool, ...]
    report: tuple[bool, ...]
    person: tuple[bool, ...]

    def as_report(self, *, all_of_it: bool = False) -> Telling:
        """Return the same, with what is only supposed taken as told; with `all_of_it`, named illnesses too."""
        told = replace(self, unreal=(False,) * len(self.unreal), report=(True,) * len(self.report))
        if not all_of_it:
            return told
        return replace(told, person=(True,) * len(self.person), happening=(True,) * len(self.happening))


def read_telling(message: Words, grammar: Lexicon) -> Telling:
    """Return how `message` is told, by the word lists of `telling.yaml`."""
    hits = _longest(grammar.hits(message.words))
    by_name: dict[str, list[Hit]] = {name: [] for name in grammar.names}
    for hit in hits:
        by_name[hit.name].append(hit)
    bounds = _sentence_bounds(message)
    denied = _denied(message, by_name, bounds)
    mild = _reach(message, by_name["mild"], bounds, _MILD_WORDS)
    clauses = _clauses(message, bounds)
    past, chronic = _times(message, by_name, clauses)
    unreal = _unreal(message, by_name, clauses)
    tellings = [_sentence(message, by_name, number, start, end) for number, (start, end) in enumerate(bounds)]
    someone = any(person for _, person in tellings)
    report = tuple(mode == "report" or (mode == "open" and someone) for mode, _ in tellings)
    page = len(bounds) >= _PAGE_SENTENCES and len(message.words) >= _PAGE_WORDS
    about = by_name["generic"] or by_name["about"]
    if by_name["study"] or (page and about and not someone and not _DATED.search(" ".join(message.words))):
        report = tuple(False for _ in report)
    return Telling(
        denied=denied,
        mild=mild,
        unreal=unreal,
        past=past,
        chronic=chronic,
        happening=_happening(message, by_name["happening"], bounds),
        report=report,
        person=tuple(person for _, person in tellings),
    )


def _longest(hits: Sequence[Hit]) -> list[Hit]:
    """Drop a hit inside a longer one whose list overrules its own ("now" in "now and then")."""
    kept = []
    longer = [hit for hit in hits if hit.end - hit.start > 1]
    longer_starts = [hit.start for hit in longer]
    at = 0
    for hit in hits:
        while at < len(longer) and longer[at].start < hit.start - _LONGEST_PHRASE_WORDS:
            at += 1
        if not any(
            other.start <= hit.start
            and hit.end <= other.end
            and hit.end - hit.start < other.end - other.start
            and (hit.name, other.name) in _OVERRULES
            for other in longer[at : bisect_right(longer_starts, hit.start)]
        ):
            kept.append(hit)
    return kept


# (list, the list that overrules it where a longer phrase of it covers the same words)
_OVERRULES = frozenset(
    {
        ("present", "chronic"),
        ("present", "past"),
        ("past", "present"),
        ("chronic", "present"),
        ("negator", "not_negating"),
        ("mild", "not_mild"),
        ("about", "real_signs"),
        ("unreal", "real_signs"),
    }
)


def _sentence_bounds(message: Words) -> list[tuple[int, int]]:
    bounds: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(message.words) + 1):
        if at == len(message.words) or message.sentence[at] != message.sentence[start]:
            bounds.append((start, at))
            start = at
    return bounds


def _clauses(message: Words, bounds: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cut sentences where a new subject or a turn of time begins."""
    clauses: list[tuple[int, int]] = []
    words, place = message.words, message.place
    for start, end in bounds:
        begin = start
        for at in range(start + 1, end):
            after_comma = place[at] - place[at - 1] > 1
            joined = words[at - 1] == "and" and words[at] in _SUBJECTS
            turn = words[at] in _CLAUSE_STARTS and (words[at] != "now" or words[at + 1 : at + 3] != ("and", "then"))
            subject = joined or (after_comma and words[at] in _SUBJECTS)
            least = _SHORT_CLAUSE_WORDS if words[at] in _QUESTION_WORDS else _CLAUSE_WORDS
            # "I have had back pain for years, …": the years belong to what stands before the comma.
            dated = after_comma and words[at - 1] in _TIME_ENDS and at - begin >= _CLAUSE_WORDS
            if (turn and at - begin >= 2) or (subject and at - begin >= least) or dated:
                clauses.append((begin, at))
                begin = at
        clauses.append((begin, end))
    return clauses


def _denied(message: Words, by_name: Mapping[str, list[Hit]], bounds: Sequence[tuple[int, int]]) -> tuple[bool, ...]:
    words, place = message.words, message.place
    flags = [False] * len(words)
    ends = [end for _, end in bounds]
    stops = {hit.start for hit in by_name["ends_denial"]}
    on = {hit.start for hit in by_name["carries_on"]}
    unheard = sorted(hit.start for hit in by_name["unheard"])
    for wide, name, reach in ((False, "negator", _DENIAL_WORDS), (True, "wide_negator", _WIDE_DENIAL_WORDS)):
        for hit in by_name[name]:
            limit = ends[bisect_right(ends, hit.start)]
            if words[hit.start] == "never" and any(hit.end <= at < hit.end + 10 for at in unheard):
                continue
            last = hit.end + reach
            at = hit.end
            while at < min(limit, last):
                if at in stops and not (wide and words[at] in ("his", "her", "he", "she")):
                    break
                if at in on:
                    last = at + reach
                comma = at > hit.end and place[at] - place[at - 1] > 1
                if comma and not wide and not any(step in on for step in range(at, min(at + 8, limit))):
                    break
                if words[at] == "and" and not wide and words[hit.start] != "no":
                    break
                if words[at] == "and" and not wide and at + 1 < limit and words[at + 1] in ("a", "an", "the"):
                    break
                flags[at] = True
                at += 1
    return tuple(flags)


def _reach(message: Words, hits: Sequence[Hit], bounds: Sequence[tuple[int, int]], reach: int) -> tuple[bool, ...]:
    flags = [False] * len(message.words)
    ends = [end for _, end in bounds]
    for hit in hits:
        for at in range(hit.end, min(hit.end + reach, ends[bisect_right(ends, hit.start)])):
            if at > hit.end and message.place[at] - message.place[at - 1] > 1:
                break
            flags[at] = True
    return tuple(flags)


def _happening(message: Words, hits: Sequence[Hit], bounds: Sequence[tuple[int, int]]) -> tuple[bool, ...]:
    """Flag what is said to go on: after the guess ("I think he has had a …") or before it ("… I think")."""
    flags = list(_reach(message, hits, bounds, _HAPPENING_WORDS))
    ends = {end: start for start, end in bounds}
    for hit in hits:
        if (start := ends.get(hit.end)) is not None and message.words[hit.start] in ("think", "thinks"):
            first = max(start, hit.start - _HAPPENING_WORDS)
            flags[first : hit.start] = [True] * (hit.start - first)
    return tuple(flags)


def _unreal(message: Words, by_name: Mapping[str, list[Hit]], clauses: Sequence[tuple[int, int]]) -> tuple[bool, ...]:
    """Flag what is feared, warned of, prevented or supposed, up to the end of its clause."""
    flags = [False] * len(message.words)
    ends = [end for _, end in clauses]
    for hit in by_name["unreal"]:
        for at in range(hit.start, min(hit.end + _UNREAL_WORDS, ends[bisect_right(ends, hit.start)])):
            flags[at] = True
    for start, end in clauses:
        if message.words[start] in ("what", "which") and "would" in message.words[start:end]:
            flags[start:end] = [True] * (end - start)
    return tuple(flags)


def _times(
    message: Words, by_name: Mapping[str, list[Hit]], clauses: Sequence[tuple[int, int]]
) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    past = [False] * len(message.words)
    chronic = [False] * len(message.words)
    clause_starts = [start for start, _ in clauses]
    marked: list[set[str]] = [set() for _ in clauses]
    for name in ("past", "chronic", "present", "not_this_time"):
        for hit in by_name[name]:
            clause = bisect_right(clause_starts, hit.start) - 1
            if name == "past" and message.words[hit.end - 1] == "of":
                # "belly rock hard, fever, history of ulcer": only what follows is past.
                past[hit.start : clauses[clause][1]] = [True] * (clauses[clause][1] - hit.start)
            else:
                marked[clause].add(name)
    for position, (start, end) in enumerate(clauses):
        if "present" in marked[position]:
            continue
        if position + 1 < len(clauses) and "not_this_time" in marked[position + 1]:
            # "My fits always stopped by themselves, but this one …": the old trouble is the present one.
            continue
        text = " ".join(message.words[start:end])
        grown = _AT_AGE.search(text) and any(_AGE_NOW.search(" ".join(message.words[a:b])) for a, b in clauses)
        # "Last year my calf was swollen, it was a clot": told on in the past.
        told_on = position and past[start - 1] and text.startswith(_TOLD_ON)
        if grown or told_on or "past" in marked[position] or _YEAR.search(text) or _LONG_AGO.search(text):
            past[start:end] = [True] * (end - start)
        if "chronic" in marked[position] or _SPAN_OF_YEARS.search(text):
            chronic[start:end] = [True] * (end - start)
    return tuple(past), tuple(chronic)


def _sentence(message: Words, by_name: Mapping[str, list[Hit]], number: int, start: int, end: int) -> tuple[str, bool]:
    """Say of one sentence whether it is a "report", "about" something or "open", and if it has a person."""

    def within(name: str) -> list[Hit]:
        hits = by_name[name]
        low = bisect_left(hits, start, key=lambda hit: hit.start)
        return hits[low : bisect_left(hits, end, lo=low, key=lambda hit: hit.start)]

    def inside(name: str) -> bool:
        return bool(within(name))

    first = start
    leading = {hit.start for hit in within("leading")}
    while first < end - 1 and first in leading:
        first += 1
    by_word = any(hit.start == first for name in ("asks_first", "asks_subject") for hit in within(name))
    asks = message.asked[number] or by_word
    text = " ".join(message.words[start:end])
    agents = within("agent")
    # "can I", "tell me about": who asks is not who is ill.
    askers = (*agents, *(hit for hit in within("asks_first") if hit.start == first))
    as_agent = {at for asker in askers for at in range(asker.start, asker.end)}
    person = any(hit.start not in as_agent for hit in within("sufferer"))
    clinical = bool(_PATIENT.search(text))
    vitals = bool(_VITALS.search(text))
    if not asks:
        if person or clinical or vitals:
            return "report", True
        if (inside("about") or (inside("generic") and not inside("present"))) and not _DATED.search(text):
            # "Purple rash and fever in a child" tells; "Rash in children" and "a child with fever" name a topic.
            one = end - start > _NAMED_TOPIC_WORDS and all(message.words[hit.start] == "a" for hit in within("generic"))
            if inside("about") or not one:
                return "about", False
        topic = end - start <= _TOPIC_WORDS and not inside("present") and not inside("acts")
        return ("open" if topic else "report"), False
    # "58M with chest pain, next step?" tells of somebody; "In a 58-year-old with …, is …?" asks about such people.
    told_first = (clinical or vitals) and not by_word and message.words[first] not in _OF_A_KIND
    if person or (clinical and vitals) or told_first:
        return "report", True
    if inside("generic"):
        return "about", False
    if agents:
        return ("about", False) if inside("learn_verb") else ("report", True)
    if inside("about"):
        return "about", False
    if inside("intense") or inside("at_once"):
        return "report", False
    return ("about" if any(hit.start == first for hit in within("asks_knowledge")) else "open"), False
