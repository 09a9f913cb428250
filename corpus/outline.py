"""Finds sections, paragraphs and list items in plain text, without changing a character of it.

Is: rules of layout (blank lines, bullets, short lines, labels such as "METHODS:"). Is not: an understanding of
the words; lists flattened into running text are the work of `flat_lists.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from corpus.builder import opens_list
from corpus.documents import Block, BlockKind, Section, Span
from corpus.flat_lists import split_flat_lists
from corpus.footnotes import attach_notes
from corpus.sentences import split_sentences

# Longer lines are sentences that lost their full stop.
_MAX_HEADING_CHARS = 80
_MAX_HEADING_WORDS = 12
# A heading without a blank line after it has only its shortness to tell it, so it must be shorter.
_MAX_TIGHT_CHARS = 50
_MAX_TIGHT_WORDS = 6
# A line of this length was broken by its width; a shorter one ended there.
_FULL_LINE_CHARS = 60
_TAB_WIDTH = 4

_LETTERED = r"\(?[a-zA-Z]\)"
_NUMBERED = r"\(?\d{1,2}[.)]"
_BULLET = re.compile(rf"(?P<mark>[-–*•●▪◦‣·]|o(?=[ \t]+[A-Z])|{_NUMBERED}|{_LETTERED})[ \t]+(?=\S)")
_HASHES = re.compile(r"(#{1,6})[ \t]+(?=\S)")
_NUMBERED_HEADING = re.compile(r"(\d{1,2}(?:\.\d{1,2})*)\.?[ \t]+(?=[A-Z])")
# A short line with a finite verb or a dose is a sentence that lost its full stop, and is better quoted.
_SENTENCE_WORDS = re.compile(
    r"\b(?:is|are|was|were|be|been|should|must|can|cannot|may|might|do|does|did|has|have|had|will)\b"
)
_DOSE = re.compile(r"\d\s*(?:mg|mcg|µg|g|ml|mL|units?|%|mmol|IU)\b|\[\d")
_ENDS_SENTENCE = re.compile(r"[.!?][\"”’)\]]*$")
# Labels of structured abstracts. Source: the most frequent of the labels that the National Library of Medicine
# maps to its five categories ("Structured Abstracts").
_LABELS = (
    "AIMS?|BACKGROUND|BACKGROUND AND (?:AIMS?|PURPOSE|OBJECTIVES?)|CASE REPORT|CLINICAL RELEVANCE|CONCLUSIONS?|CONTEXT|"
    "DATA EXTRACTION|DATA SOURCES|DATA SYNTHESIS|DESIGN|DISCUSSION|FINDINGS|GOALS?|HYPOTHESIS|IMPLICATIONS|IMPORTANCE|"
    "INTERPRETATION|INTERVENTIONS?|INTRODUCTION|LIMITATIONS|MAIN OUTCOME MEASURES?|MAIN RESULTS|MATERIALS? AND METHODS|"
    "MEASUREMENTS|METHODOLOGY|METHODS?|METHODS AND RESULTS|OBJECTIVES?|OUTCOME MEASURES?|PARTICIPANTS|PATIENTS|"
    "PATIENTS AND METHODS|PRINCIPAL FINDINGS|PURPOSE|RATIONALE|RECOMMENDATIONS?|RESULTS?|SETTING|SIGNIFICANCE|"
    "STUDY DESIGN|STUDY SELECTION|SUBJECTS?|SUMMARY"
)
_LABEL = re.compile(rf"(?P<label>(?i:{_LABELS})|[A-Z][A-Z/&,()' -]{{3,60}}?)\s?:\s+(?=\S)")
_INNER_LABEL = re.compile(rf"(?<=[.!?)\]])\s+(?=(?:{_LABELS}):\s)")
# In a label such as "DO NOT TAKE:" these are half of what the sentence says; they stay in the text.
_NEGATIVE_LABEL = re.compile(r"\b(?:NOT|NO|NEVER|AVOID|WITHOUT|DON|EXCEPT|STOP|CONTRAINDICAT\w*|WARNING|CAUTION)\b")

# Headings in capitals stand above others; labels stand below all.
_CAPITALS_LEVEL, _PLAIN_LEVEL, _LABEL_LEVEL = 1, 5, 9


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    indent: int
    after_blank: bool
    text: str


@dataclass(frozen=True, slots=True)
class _OpenItem:
    indent: int
    mark: str
    span: Span


@dataclass(slots=True)
class _Outline:
    """What has been found so far."""

    text: str
    under: tuple[str, ...]
    sections: list[Section] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    items: list[_OpenItem] = field(default_factory=list)
    list_under: tuple[Span, ...] = ()

    def open_section(self, start: int, level: int, title: str) -> None:
        while self.path and self.path[-1][0] >= level:
            self.path.pop()
        self.path.append((level, " ".join(title.split())))
        self._begin(start)

    def _begin(self, start: int) -> None:
        self.close(start)
        self.sections.append(Section(self.under + tuple(title for _, title in self.path), start, start))
        self.items.clear()
        self.list_under = ()

    def close(self, end: int) -> None:
        if self.sections:
            last = self.sections[-1]
            self.sections[-1] = Section(last.path, last.start, end)

    def block(self, kind: BlockKind, start: int, end: int, lead_ins: tuple[Span, ...] = ()) -> Span:
        if not self.sections:
            self._begin(start)
        self.blocks.append(Block(kind, start, end, len(self.sections) - 1, lead_ins))
        return start, end

    def paragraph(self, start: int, end: int) -> None:
        """Add a paragraph, taken apart at its labels and its flattened lists."""
        self.items.clear()
        for begin, stop in _split_at(_INNER_LABEL, self.text, start, end):
            label = _LABEL.match(self.text, begin, stop)
            if label and _names_section(label.group("label")):
                self.open_section(begin, _LABEL_LEVEL, label.group("label"))
                begin = label.end()
            for piece in split_flat_lists(self.text, begin, stop):
                kind: BlockKind = "item" if piece.is_item else "paragraph"
                self.block(kind, piece.start, piece.end, piece.lead_ins)
        self.list_under = self._lead_in()

    def item(self, start: int, end: int, indent: int, mark: str) -> None:
        """Add an item under its list's lead-in and the items that it stands inside of."""
        while self.items and self._closes(self.items[-1], indent, mark):
            self.items.pop()
        span = self.block("item", start, end, self.list_under + tuple(item.span for item in self.items))
        self.items.append(_OpenItem(indent, mark, span))

    def item_goes_on(self, start: int, end: int) -> None:
        """Add a further paragraph of the last item; it stands under that item."""
        self.block("item", start, end, self.list_under + tuple(item.span for item in self.items))

    def _closes(self, last: _OpenItem, indent: int, mark: str) -> bool:
        if indent != last.indent or mark == last.mark:
            return indent <= last.indent
        # Lists nested without indentation: another bullet after an item that opens a list goes inside it.
        is_outer_mark = any(item.mark == mark and item.indent == indent for item in self.items)
        return is_outer_mark or not opens_list(self.text[slice(*last.span)])

    def _lead_in(self) -> tuple[Span, ...]:
        last = self.blocks[-1] if self.blocks else None
        if last is None or last.kind != "paragraph":
            return ()
        quoted = self.text[last.start : last.end]
        if not opens_list(quoted):
            return ()
        begin, _ = split_sentences(quoted)[-1]
        return ((last.start + begin, last.end),)


def outline(text: str, *, under: tuple[str, ...] = ()) -> tuple[tuple[Section, ...], tuple[Block, ...]]:
    """Return the sections and blocks of a plain text; offsets are code points into it.

    `under` is the path that all its sections stand under. Every word lies in a block, but for the headings, the
    labels, and the numbers that are bullets.

    Example:
        >>> text = "Avoid:\\n- quinine\\n- alcohol"
        >>> _, blocks = outline(text)
        >>> [(text[b.start : b.end], [text[s:e] for s, e in b.lead_ins]) for b in blocks]
        [('Avoid:', []), ('quinine', ['Avoid:']), ('alcohol', ['Avoid:'])]
    """
    found = _Outline(text, under)
    lines = _lines(text)
    position = 0
    while position < len(lines):
        line = lines[position]
        if heading := _heading(lines, position):
            found.open_section(line.start, *heading)
            position += 1
            continue
        bullet = _bullet(line, lines[position - 1] if position else None, found.items)
        stop = position + 1
        while stop < len(lines) and not _starts_block(lines, stop, bullet is not None, line, found.items):
            stop += 1
        end = lines[stop - 1].end
        if bullet and not (not found.items and _is_flat_list(text, line.start, end)):
            found.item(line.start + bullet.end(), end, line.indent, _mark_kind(bullet.group("mark")))
        elif line.after_blank and found.items and line.indent > found.items[-1].indent:
            found.item_goes_on(line.start, end)
        else:
            found.paragraph(line.start, end)
        position = stop
    found.close(len(text))
    return tuple(found.sections) or (Section(under, 0, len(text)),), attach_notes(text, found.blocks)


def _is_flat_list(text: str, start: int, end: int) -> bool:
    """Say whether a line that begins with a bullet holds a whole list: "- Rest. - Ice. - Compression."."""
    return sum(piece.is_item for piece in split_flat_lists(text, start, end)) > 1


def _lines(text: str) -> list[_Line]:
    """Return the lines that hold a letter or digit; rules of dashes and stars count as blank lines."""
    lines: list[_Line] = []
    after_blank = True
    for match in re.finditer(r"[^\n]+", text):
        raw = match.group()
        shown = raw.strip()
        if not any(char.isalnum() for char in shown):
            after_blank = True
            continue
        begin = match.start() + len(raw) - len(raw.lstrip())
        if lines and "\n" in text[lines[-1].end : begin].replace("\n", "", 1):
            after_blank = True
        indent = len(raw[: len(raw) - len(raw.lstrip())].expandtabs(_TAB_WIDTH))
        lines.append(_Line(begin, begin + len(shown), indent, after_blank, shown))
        after_blank = False
    return lines


def _starts_block(
    lines: Sequence[_Line], position: int, in_item: bool, first: _Line, items: Sequence[_OpenItem]
) -> bool:
    line, before = lines[position], lines[position - 1]
    if line.after_blank or _heading(lines, position) or _bullet(line, before, items, in_list=in_item):
        return True
    if not in_item or line.indent > first.indent:
        return False
    # A line that is not indented goes on with its item only if the line before was broken in mid-sentence.
    is_broken = not _ENDS_SENTENCE.search(before.text) and (
        line.text[0].islower() or len(before.text) >= _FULL_LINE_CHARS
    )
    return not is_broken


def _bullet(
    line: _Line, before: _Line | None, items: Sequence[_OpenItem], *, in_list: bool = False
) -> re.Match[str] | None:
    match = _BULLET.match(line.text)
    if not match:
        return None
    mark, rest = match.group("mark"), line.text[match.end() :]
    tight = before is not None and not line.after_blank
    if before and tight and mark in "-–" and rest[0].isdigit() and before.text[-1].isdigit():
        # A range or a subtraction that was broken across lines.
        return None
    kind = _mark_kind(mark)
    if kind in "1a":
        is_first = mark.strip("().").lower() in ("1", "a")
        goes_on = in_list or any(item.mark == kind for item in items)
        # "… grade\n2. Patients with …" is a broken line, not the second of something.
        return match if is_first or goes_on or (not tight and kind == "1") else None
    return match


def _mark_kind(mark: str) -> str:
    bare = mark.strip("().")
    return "1" if bare.isdigit() else "a" if bare.isalpha() and mark != "o" else mark


def _heading(lines: Sequence[_Line], position: int) -> tuple[int, str] | None:
    """Return the level and words of the heading that a line is, or None."""
    line = lines[position]
    if hashes := _HASHES.match(line.text):
        return len(hashes.group(1)), line.text[hashes.end() :].rstrip("# ")
    if position + 1 == len(lines):
        return None
    shown, following = line.text, lines[position + 1]
    is_alone = line.after_blank and following.after_blank
    words = shown.rstrip(":").split()
    if shown.rstrip(":").isupper() and shown.endswith(":") and len(shown) > 4 and line.after_blank:
        return (_CAPITALS_LEVEL, shown.rstrip(": ")) if _names_section(shown.rstrip(": ")) else None
    if shown[-1] in ".,;:!" or not (shown[0].isupper() or shown[0].isdigit()):
        return None
    if (shown[-1] == "?" and not is_alone) or len(shown) > _MAX_HEADING_CHARS or len(words) > _MAX_HEADING_WORDS:
        return None
    if _DOSE.search(shown) or not any(char.isalpha() for char in shown):
        return None
    if shown[-1] != "?" and _SENTENCE_WORDS.search(shown):
        return None
    numbered = _NUMBERED_HEADING.match(shown)
    if _BULLET.match(shown) and not (numbered and is_alone and not _BULLET.match(following.text)):
        return None
    if not is_alone and not _is_tight_heading(lines, position):
        return None
    if numbered:
        return min(1 + numbered.group(1).count("."), _PLAIN_LEVEL - 1), shown
    return (_CAPITALS_LEVEL if shown.isupper() else _PLAIN_LEVEL), shown


def _is_tight_heading(lines: Sequence[_Line], position: int) -> bool:
    """Say whether a short line with text right below it is a heading: "Treatment\\nRest and ice are enough."""
    line, following = lines[position], lines[position + 1]
    if following.after_blank or _BULLET.match(following.text) or following.text[0].islower():
        return False
    if len(line.text) > _MAX_TIGHT_CHARS or len(line.text.split()) > _MAX_TIGHT_WORDS:
        return False
    if not line.after_blank and not _ENDS_SENTENCE.search(lines[position - 1].text):
        return False
    return len(following.text) >= _FULL_LINE_CHARS or bool(_ENDS_SENTENCE.search(following.text))


def _names_section(label: str) -> bool:
    """Say whether a label opens a section: a known one, or capitals with a long word and nothing negative."""
    if re.fullmatch(_LABELS, label, re.IGNORECASE):
        return True
    return not _NEGATIVE_LABEL.search(label) and any(len(word) > 4 for word in re.findall(r"[A-Z]+", label))


def _split_at(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[Span]:
    parts = []
    for match in pattern.finditer(text, start, end):
        parts.append((start, match.start()))
        start = match.end()
    return [*parts, (start, end)]
