"""Finds lists that were flattened into running text: "Call if you have - a fever - a stiff neck. Rest at home."

Is: rules of punctuation and capital letters on one paragraph. Is not: certain; where the end of a list is in
doubt, its lead-in is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_right
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
    "as are avoid by not include included includes including involve involves following contain contains comprise "
    "comprises causes cause to if you with".split()
)
# A parenthesis between hyphens tends to begin so: "can - and should - be stopped".
_PARENTHESIS = re.compile(r"(?:and|or|but|even|especially|particularly|in|for example|e\.g|such as|usually|if)\b", re.I)
# Words that begin sentences and are capitalised nowhere else: closed classes of English, without "A" and "I".
_STARTERS = (
    "Although|After|Also|An|Another|As|At|Because|Before|Both|But|By|Other|Others|Do|During|Each|Even|Every|For|From|"
    "Having|He|How|However|If|In|It|Its|Many|Most|Next|No|Not|Of|Often|On|Once|Only|Or|People|Several|She|Since|So|Some|Sometimes|Such|Talk|"
    "The|Their|Then|There|These|They|This|Those|To|Under|Until|We|What|When|While|With|Without|You|Your"
)
_VERBS = "are|can|do|does|has|have|is|may|must|need|needs|should|usually|was|were|will"
# "Hepatitis A vaccine is" holds no sentence start.
_DESIGNATED = "".join(
    f"(?<!{word})"
    for word in (
        "hepatitis",
        "vitamin",
        "type",
        "group",
        "influenza",
        "flu",
        "class",
        "grade",
        "factor",
        "category",
        "stage",
        "toxin",
        "or",
        "and",
    )
)
# Where items have no full stop, these begin the text after the list: a closed-class word, an adverb, or a noun
# with its verb ("Travellers can …", "A nurse will …").
_UNMARKED_START = re.compile(
    rf"(?<=[a-z0-9)\]%])\s+(?=(?:(?:{_STARTERS}),?\s+[a-z]|(?!July|Italy|Kelly|Lilly)[A-Z][a-z]{{3,}}ly,?\s[a-z]"
    rf"|(?:[A-Z][a-z]+[^\Wsui]s|Children|Women|Men)(?:\s[a-z]+){{0,3}}?\s(?:{_VERBS})\b))"
    rf"|(?<=[a-z0-9)\]%]){_DESIGNATED}\s+(?=A(?:\s[a-z]+){{1,4}}?\s(?:{_VERBS})\b)"
)
# Within an item only these open a list inside of it; other small words may just end it ("when they are on").
_NESTING = frozenset((":", "as", "by", "following", "include", "includes", "including"))
# A list in one line has a handful of items; the bound keeps a line of nothing but hyphens from taking for ever.
_MAX_ITEMS = 120
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


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A stretch of text with its sentences, which are found once."""

    text: str
    start: int
    end: int
    sentence_ends: list[int]

    def sentences(self, start: int, end: int, *, unmarked: bool = False) -> list[Span]:
        """Return the sentences within `text[start:end]`, cut there; `unmarked` finds those without a full stop."""
        spans: list[Span] = []
        at = bisect_right(self.sentence_ends, start)
        while start < end:
            stop = min(end, self.sentence_ends[at]) if at < len(self.sentence_ends) else end
            if span := _trim(self.text, start, stop):
                spans += _split_unmarked(self.text, *span) if unmarked else [span]
            start, at = stop, at + 1
        return spans

    def opener(self, sentence: Span) -> str | None:
        """Return what leaves a sentence unfinished (":" or its last word), or None if it is finished."""
        words = self.text[slice(*sentence)].rstrip()
        if words.endswith(":"):
            return ":"
        match = re.search(r"[A-Za-z]+$", words[-20:])
        word = match.group().lower() if match else ""
        return word if word in _OPENERS else None


def split_flat_lists(text: str, start: int, end: int) -> list[Piece]:
    """Return the parts of the paragraph `text[start:end]` in order; offsets count from the start of `text`.

    Every visible character but the bullets lies in exactly one part.

    Example:
        >>> text = "Call a doctor if you have - A fever - A stiff neck. Rest at home."
        >>> [text[piece.start : piece.end] for piece in split_flat_lists(text, 0, len(text))]
        ['Call a doctor if you have', 'A fever', 'A stiff neck.', 'Rest at home.']
    """
    bullets = _find_bullets(text, start, end)
    if not bullets:
        return _prose(text, start, end)
    ends = [start + stop for _, stop in split_sentences(text[start:end])]
    paragraph = _Paragraph(text, start, end, ends)
    pieces: list[Piece] = []
    at, position = start, 0
    while position < len(bullets):
        run, limit = _collect_run(paragraph, bullets[position : position + _MAX_ITEMS])
        before = paragraph.sentences(at, run[0].start)
        lead_in = before[-1] if before else None
        if not _is_list(paragraph, run, lead_in):
            position += 1
            continue
        pieces += _prose(text, at, run[0].start)
        items, at = _items(paragraph, run, limit, lead_in)
        pieces += items
        while position < len(bullets) and bullets[position].start < at:
            position += 1
    return pieces + _prose(text, at, end)


def _find_bullets(text: str, start: int, end: int) -> list[_Bullet]:
    found = []
    for match in _BULLET.finditer(text, start, end):
        if match.end() >= end:
            continue
        is_round = match.group("hyphen") is None
        before = text[max(start, match.start() - 3) : match.start()].rstrip()[-1:]
        is_plain = is_round or before in ("", ":", ".", "!", "?", ";")
        found.append(_Bullet(match.start(), match.end(), is_round, is_plain, text[match.end()].islower()))
    return found


def _collect_run(paragraph: _Paragraph, bullets: list[_Bullet]) -> tuple[list[_Bullet], int]:
    """Return the bullets of the list that the first one may begin, and where its last item must end."""
    first, run = bullets[0], [bullets[0]]
    takes_lower = first.is_lower or _goes_on_lower(paragraph.text, bullets[:3])
    for bullet in bullets[1:]:
        if bullet.is_round != first.is_round:
            continue
        sentences = paragraph.sentences(run[-1].after, bullet.start, unmarked=True)
        is_new_list = len(sentences) > 1 and paragraph.opener(sentences[-1]) is not None
        is_new_sentence = len(sentences) > 1 and not bullet.is_plain and bullet.is_lower
        if is_new_list or is_new_sentence:
            return run, bullet.start
        # Within a list of capitalised items, a hyphen before a small letter belongs to its item, unless that item
        # opens a list of its own.
        opens_inner = bullet.is_lower and sentences and paragraph.opener(sentences[-1]) in _NESTING
        takes_lower = takes_lower or bool(opens_inner)
        if takes_lower or not bullet.is_lower or bullet.is_plain:
            run.append(bullet)
    return run, paragraph.end


def _goes_on_lower(text: str, bullets: list[_Bullet]) -> bool:
    """Say whether a list begins with a name and goes on in small letters: "- Asians - people over 40 - smokers"."""
    if len(bullets) < 3 or bullets[0].is_round:
        return False
    between = text[bullets[0].after : bullets[2].start]
    return bullets[1].is_lower and bullets[2].is_lower and not re.search(r"[.!?:]\s", between)


def _is_list(paragraph: _Paragraph, run: list[_Bullet], lead_in: Span | None) -> bool:
    first, size = run[0], len(run)
    opener = paragraph.opener(lead_in) if lead_in else None
    if opener == ":":
        return True
    if lead_in is None or first.is_round or not first.is_lower:
        return size > 1 or opener is not None
    if size == 2 and opener in _STRONG_OPENERS:
        return not _PARENTHESIS.match(paragraph.text, first.after)
    return size > 2


def _items(paragraph: _Paragraph, run: list[_Bullet], limit: int, lead_in: Span | None) -> tuple[list[Piece], int]:
    """Return the items of one list and where its last one ends."""
    text = paragraph.text
    ends = [after.start for after in run[1:]]
    inner = list(zip(run[:-1], ends, strict=True))
    # Items without a full stop leave no full stop after the last one either.
    is_unmarked = any(text[b.after : e].rstrip()[-1:] not in ".!?" for b, e in inner)
    sentences = paragraph.sentences(run[-1].after, limit, unmarked=is_unmarked)
    is_title = len(text[slice(*sentences[0])].split()) <= _MAX_TITLE_WORDS
    longest = max((len(paragraph.sentences(b.after, e)) for b, e in inner), default=len(sentences) if is_title else 1)
    kept = max(1, min(longest, len(sentences)))
    if kept == len(sentences) > 1 and paragraph.opener(sentences[-1]) is not None:
        # The last sentence opens the next list.
        kept -= 1
    ends.append(sentences[kept - 1][1])
    outermost: tuple[Span, ...] = (lead_in,) if lead_in else ()
    lead_ins = outermost
    # Some sources print a list twice, the second time without its bullets: its words keep their lead-in.
    again = _repeat(text, run, ends[-1], sentences)
    if again and again[0] < ends[-1]:
        ends[-1] = again[0]
    items: list[Piece] = []
    inner_is_lower = False
    for number, (bullet, stop) in enumerate(zip(run, ends, strict=True), start=1):
        if inner_is_lower and not bullet.is_lower:
            # Back from an inner list in small letters to the capitals of the outer one.
            lead_ins, inner_is_lower = outermost, False
        if span := _trim(text, bullet.after, stop):
            items.append(Piece(True, *span, lead_ins))
            if bullet is not run[-1] and paragraph.opener(span) in _NESTING:
                lead_ins += (span,)
                inner_is_lower = not bullet.is_lower and run[number].is_lower
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


def _split_unmarked(text: str, start: int, end: int) -> list[Span]:
    spans = []
    for match in _UNMARKED_START.finditer(text, start, end):
        spans.append((start, match.start()))
        start = match.end()
    return [*spans, (start, end)]


def _prose(text: str, start: int, end: int) -> list[Piece]:
    span = _trim(text, start, end)
    return [Piece(False, *span)] if span else []


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
