"""Finds lists that were flattened into running text: "Call if you have - a fever - a stiff neck. Rest at home."

Is: rules of punctuation and capital letters on one paragraph. Is not: certain; where the end of a list is in
doubt, its lead-in is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpus.documents import Span
from corpus.sentences import split_sentences

# A hyphen between blanks. A range ("5 - 10 mg") and a deviation ("3 +/- 2") are none. Round and square bullets
# mean nothing else in prose.
_BULLET = re.compile(r"(?:(?<=\s)|^)(?:(?P<hyphen>-\s+(?=[^\s\d+-])|(?<=[:.;,]\s)-\s+(?=\d))|[•●▪◦‣]\s*(?=\S))")
# A clause that ends in one of these is unfinished: what follows completes it.
_OPENERS = frozenset(
    "about any are as be by can cause causes could do for from had has have help helps if in include included "
    "includes including involve involved involves involving is like may means might must need needs not "
    "of on only or should than that these those through to try unless until using usually via was were "
    "when where whether which who with without would following avoid consider contain contains comprise "
    "comprises require requires you".split()
)
# After these even two lower-case parts between hyphens are a list and not a parenthesis.
_STRONG_OPENERS = frozenset(
    "as are by not include included includes including involve involves following contain contains comprise "
    "comprises causes cause to if you with".split()
)
# A parenthesis between hyphens tends to begin so: "can - and should - be stopped".
_PARENTHESIS = re.compile(r"(?:and|or|but|even|especially|particularly|in|for example|e\.g|such as|usually|if)\b", re.I)
# Words that begin sentences and are capitalised nowhere else: closed classes of English. "A" and "I" are left
# out ("hepatitis A is …", "type I diabetes").
_STARTERS = (
    "Although|After|Also|An|Another|As|At|Because|Before|Both|But|By|Other|Others|Do|During|Each|Even|Every|For|From|"
    "Having|He|How|However|If|In|It|Its|Many|Most|No|Not|Of|On|Once|Only|Or|People|Several|She|Since|So|Some|Such|Talk|"
    "The|Their|There|These|They|This|Those|To|Under|Until|We|What|When|While|With|Without|You|Your"
)
_UNMARKED_START = re.compile(rf"(?<=[a-z0-9)\]%])\s+(?=(?:{_STARTERS})\s+[a-z])")
# So many equal characters say that a text repeats the list before it.
_REPEATED_CHARS = 16
# "Urinalysis." and "Limit salt." are titles of the sentences after them.
_MAX_TITLE_WORDS = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a paragraph: prose, or an item with the clauses it stands under, outermost first."""

    is_item: bool
    start: int
    end: int
    lead_ins: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bullet:
    start: int
    # Where the item's first word begins.
    after: int
    is_round: bool
    # It follows a colon or the end of a sentence, or is round: no parenthesis begins so.
    is_plain: bool
    is_lower: bool


def split_flat_lists(text: str, start: int, end: int) -> list[Piece]:
    """Return the parts of the paragraph `text[start:end]` in order; offsets count from the start of `text`.

    Every visible character but the bullets lies in exactly one part.

    Example:
        >>> text = "Call a doctor if you have - A fever - A stiff neck. Rest at home."
        >>> [text[piece.start : piece.end] for piece in split_flat_lists(text, 0, len(text))]
        ['Call a doctor if you have', 'A fever', 'A stiff neck.', 'Rest at home.']
    """
    bullets = _find_bullets(text, start, end)
    pieces: list[Piece] = []
    at = start
    while bullets:
        run, limit = _collect_run(text, bullets, end)
        lead_in = _last_sentence(text, at, run[0].start)
        if _is_list(text, run, lead_in):
            pieces += _prose(text, at, run[0].start)
            items, at = _items(text, run, limit, lead_in)
            pieces += items
            bullets = [bullet for bullet in bullets if bullet.start >= at]
        else:
            bullets = bullets[1:]
    return pieces + _prose(text, at, end)


def _find_bullets(text: str, start: int, end: int) -> list[_Bullet]:
    found = []
    for match in _BULLET.finditer(text, start, end):
        if match.end() >= end:
            continue
        is_round = match.group("hyphen") is None
        before = text[start : match.start()].rstrip()[-1:]
        is_plain = is_round or before in ("", ":", ".", "!", "?", ";")
        found.append(_Bullet(match.start(), match.end(), is_round, is_plain, text[match.end()].islower()))
    return found


def _collect_run(text: str, bullets: list[_Bullet], end: int) -> tuple[list[_Bullet], int]:
    """Return the bullets of the list that the first one may begin, and where its last item must end."""
    first, run = bullets[0], [bullets[0]]
    takes_lower = first.is_lower or _goes_on_lower(text, bullets[:3])
    for bullet in bullets[1:]:
        sentences = _sentences(text, run[-1].after, bullet.start)
        is_new_list = len(sentences) > 1 and _opener(text, sentences[-1]) is not None
        is_new_sentence = len(sentences) > 1 and not bullet.is_plain and bullet.is_lower
        if bullet.is_round == first.is_round and (is_new_list or is_new_sentence):
            return run, bullet.start
        # Within a list of capitalised items, a hyphen before a small letter belongs to its item.
        if bullet.is_round == first.is_round and (takes_lower or not bullet.is_lower or bullet.is_plain):
            run.append(bullet)
    return run, end


def _goes_on_lower(text: str, bullets: list[_Bullet]) -> bool:
    """Say whether a list begins with a name and goes on in small letters: "- Asians - people over 40 - smokers"."""
    if len(bullets) < 3 or bullets[0].is_round:
        return False
    between = text[bullets[0].after : bullets[2].start]
    return bullets[1].is_lower and bullets[2].is_lower and not re.search(r"[.!?:]\s", between)


def _is_list(text: str, run: list[_Bullet], lead_in: Span | None) -> bool:
    first, size = run[0], len(run)
    if lead_in is None:
        return size > 1
    opener = _opener(text, lead_in)
    if opener == ":":
        return True
    if first.is_round or (first.is_plain and not first.is_lower):
        return size > 1 or opener is not None
    if not first.is_lower:
        return size > 1 or opener is not None
    if size == 2 and opener in _STRONG_OPENERS:
        return not _PARENTHESIS.match(text, first.after)
    return size > 2


def _items(text: str, run: list[_Bullet], limit: int, lead_in: Span | None) -> tuple[list[Piece], int]:
    """Return the items of one list and where its last one ends."""
    ends = [after.start for after in run[1:]]
    counts = [len(_sentences(text, b.after, e)) for b, e in zip(run[:-1], ends, strict=True)]
    # Items without a full stop leave no full stop after the last one either.
    is_unmarked = any(text[b.after : e].rstrip()[-1:] not in ".!?" for b, e in zip(run[:-1], ends, strict=True))
    sentences = _sentences(text, run[-1].after, limit, unmarked=is_unmarked)
    first_words = text[slice(*sentences[0])].split()
    longest = max(counts) if counts else (len(sentences) if len(first_words) <= _MAX_TITLE_WORDS else 1)
    kept = max(1, min(longest, len(sentences)))
    if kept == len(sentences) > 1 and _opener(text, sentences[-1]) is not None:
        # The last sentence opens the next list.
        kept -= 1
    ends.append(sentences[kept - 1][1])
    lead_ins = outermost = (lead_in,) if lead_in else ()
    # Some sources print a list twice, the second time without its bullets: its words keep their lead-in.
    again = _repeat(text, run, ends[-1], sentences)
    if again and again[0] < ends[-1]:
        ends[-1] = again[0]
    items: list[Piece] = []
    for bullet, stop in zip(run, ends, strict=True):
        if span := _trim(text, bullet.after, stop):
            items.append(Piece(True, *span, lead_ins))
            if _opener(text, span) is not None and bullet is not run[-1]:
                lead_ins += (span,)
    if again:
        items.append(Piece(True, *again, outermost))
    return items, again[1] if again else ends[-1]


def _repeat(text: str, run: list[_Bullet], last_end: int, sentences: list[Span]) -> Span | None:
    """Return where the words of a list stand once more, right after it or within its last item."""
    if len(run) < 2:
        return None
    first = text[run[0].after : run[1].start].rstrip(" .;,")[:_REPEATED_CHARS].casefold()
    if len(first) < _REPEATED_CHARS // 2:
        return None
    reach = min(sentences[-1][1], last_end + _REPEATED_CHARS * 2)
    at = text[run[-1].after : reach].casefold().find(first, 1)
    if at < 0:
        return None
    begin = run[-1].after + at
    # Without its bullets the list is shorter than it was with them; the sentence that this falls in ends it.
    size = sum(len(text[b.after : e].strip()) for b, e in zip(run, [b.start for b in run[1:]] + [begin], strict=True))
    least = begin + size * 9 // 10
    return begin, next((stop for _, stop in sentences if stop >= least), sentences[-1][1])


def _opener(text: str, sentence: Span) -> str | None:
    """Return what leaves a sentence unfinished (":" or its last word), or None if it is finished."""
    words = text[slice(*sentence)].rstrip()
    if words.endswith(":"):
        return ":"
    match = re.search(r"[A-Za-z]+$", words)
    word = match.group().lower() if match else ""
    return word if word in _OPENERS else None


def _sentences(text: str, start: int, end: int, *, unmarked: bool = False) -> list[Span]:
    spans = [(start + begin, start + stop) for begin, stop in split_sentences(text[start:end])]
    if not unmarked:
        return spans
    split: list[Span] = []
    for begin, stop in spans:
        for match in _UNMARKED_START.finditer(text, begin, stop):
            split.append((begin, match.start()))
            begin = match.end()
        split.append((begin, stop))
    return split


def _last_sentence(text: str, start: int, end: int) -> Span | None:
    sentences = _sentences(text, start, end)
    return sentences[-1] if sentences else None


def _prose(text: str, start: int, end: int) -> list[Piece]:
    span = _trim(text, start, end)
    return [Piece(False, *span)] if span else []


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
