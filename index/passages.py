"""Cuts documents into passages, and passages into the units that may be quoted.

Is: pure; never across a heading, never away from a list's lead-in, never inside a sentence. Is not: a reader of
files, nor a ranking.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.documents import Block, Document, Span
from corpus.sentences import split_sentences

# Changes with every rule below, so that an index cut by other rules is refused.
CHUNKER_VERSION = 2
# The embedding model reads 256 tokens, some 190 words of medical English with the title and the headings.
MAX_WORDS = 180
# Below this a passage says too little to be found by its meaning; it joins its neighbour where both fit.
MIN_WORDS = 60
# A list stays whole with its lead-in up to here; a longer one is cut between items, and each part carries the
# lead-in as data.
MAX_LIST_WORDS = 260
# A sentence that leans on the one before it is quoted with it, up to this many words.
MAX_UNIT_WORDS = 90

# Words that point back: a sentence opening with one cannot be read by itself.
_POINTS_BACK = re.compile(
    r"(?:(?:and|so|but|thus|then|also|in addition|for example|for instance|as a result|however|instead)\b,?\s+)?"
    r"(?:it|its|this|that|these|those|they|them|their|he|she|his|her|such|both|either|neither|"
    r"the (?:former|latter|same|other|others)|doing so|if so|if not|here)\b"
    # "Yes, it is." answers a question that the sentence before it asked.
    r"|(?:yes|no|true|false|correct|right|maybe|absolutely|certainly|probably not|not really)\s*[,.;:!–—-]",
    re.IGNORECASE,
)
# Words that take back or limit what was just said: the sentence before must not stand without this one.
_TAKES_BACK = re.compile(
    r"(?:however|but|yet|nevertheless|nonetheless|otherwise|unless|except|although|though|even so|that said|"
    r"in contrast|on the other hand|conversely|instead|only if|not (?:if|when))\b",
    re.IGNORECASE,
)
# "That people should …" points at nothing, "It is important to …" neither: openings that only look like pronouns.
_EMPTY_IT = re.compile(
    r"it (?:is|was|may be|can be|might be|has been)(?: \w+){0,2} "
    r"(?:to|that|for|known|estimated|recommended|important|possible|likely|unclear|unknown)\b|"
    r"(?:this|these|those) (?:guideline|article|review|study|studies|recommendations?|chapter|page)\b|"
    r"those (?:who|with|at|in|aged|taking)\b|both (?:\w+ )?\w+ and\b|either \w+ or\b|such as\b|here (?:is|are)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest text that may be quoted: a sentence (with those it leans on), a list item, a table row.

    `start` and `end` are half-open code-point offsets into the document's text, as are those of `lead_ins`
    (outermost first) and `notes`. `leans` says that it opens with a word that points to text before it.
    """

    kind: str
    start: int
    end: int
    lead_ins: tuple[Span, ...] = ()
    notes: tuple[Span, ...] = ()
    leans: bool = False
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole blocks (or of whole sentences of a long one) under one heading.

    `document.text[start:end] == text`. `lead_ins` are texts that begin before the passage and that one of its
    blocks stands under. `id` is derived from all else but `units`, so that a changed byte shows.
    """

    id: str
    document_id: str
    title: str
    section: tuple[str, ...]
    text: str
    start: int
    end: int
    lead_ins: tuple[str, ...] = ()
    page: int | None = None
    uncertain: bool = False
    units: tuple[Unit, ...] = ()

    @property
    def embedded_text(self) -> str:
        """Return what is embedded: title, section path and lead-ins, then the text that is quoted."""
        head = [self.title, " › ".join(self.section), *self.lead_ins]
        return "\n".join([*(part for part in head if part), self.text])

    @property
    def embedded_units(self) -> tuple[Span, ...]:
        """Return where its units stand in `embedded_text`: half-open code-point offsets, in the units' order."""
        shift = len(self.embedded_text) - len(self.text) - self.start
        return tuple((unit.start + shift, unit.end + shift) for unit in self.units)

    @property
    def embedding_key(self) -> str:
        """Return the content hash under which its vector and those of its units are kept."""
        content = f"{self.embedded_units}\n{self.embedded_text}"
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

    def expected_id(self) -> str:
        """Return the id that this content has; it differs from `id` if a byte was changed since."""
        return passage_id(self.document_id, self.title, self.section, self.lead_ins, self.text, self.start, self.page)


def passage_id(
    document_id: str,
    title: str,
    section: Sequence[str],
    lead_ins: Sequence[str],
    text: str,
    start: int,
    page: int | None,
) -> str:
    """Return the content-derived id, 24 hex digits: equal on every machine."""
    parts = [document_id, title, str(start), str(page), str(len(section)), *section, *lead_ins, text]
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:24]


def cut(document: Document) -> Iterator[Passage]:
    """Yield the passages of a document in its order; together they hold every block exactly once."""
    for run in _runs(document):
        start, end = run[0].start, run[-1].end
        first = run[0].block
        # Of the whole run, not only of its first block: that may be the tail of the item that the rest stands under.
        spans = sorted({span for piece in run for span in piece.block.lead_ins if span[0] < start})
        lead_ins = tuple(document.text[a:b] for a, b in spans)
        section = document.sections[first.section].path
        text = document.text[start:end]
        yield Passage(
            id=passage_id(document.id, document.title, section, lead_ins, text, start, first.page),
            document_id=document.id,
            title=document.title,
            section=section,
            text=text,
            start=start,
            end=end,
            lead_ins=lead_ins,
            page=first.page,
            uncertain=any(piece.block.uncertain for piece in run),
            units=tuple(unit for piece in run for unit in _units(document, piece)),
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or some whole sentences of a long one."""

    block: Block
    start: int
    end: int
    words: int


def _runs(document: Document) -> Iterator[list[_Piece]]:
    """Yield groups of pieces, each of one section and one page-ordered stretch of the text."""
    by_section: dict[int, list[Block]] = {}
    for block in document.blocks:
        by_section.setdefault(block.section, []).append(block)
    for section in sorted(by_section):
        yield from _pack(_atoms(document, by_section[section]))


def _atoms(document: Document, blocks: Sequence[Block]) -> list[list[_Piece]]:
    """Group what belongs together: a list with its lead-in, a table with its header, else block by block."""
    atoms: list[list[_Piece]] = []
    for position, block in enumerate(blocks):
        pieces = _pieces(document, block)
        before = blocks[position - 1] if position else None
        if before is not None and _stays_with(block, before):
            atoms[-1] += pieces
        else:
            atoms += [[piece] for piece in pieces]
    return atoms


def _stays_with(block: Block, before: Block) -> bool:
    """Say whether `block` needs `before` in its passage: its lead-in, or the list or table that it goes on."""
    opened_here = any(before.start <= start < before.end for start, _ in block.lead_ins)
    same_list = block.kind == before.kind and block.lead_ins[:1] == before.lead_ins[:1] != ()
    table_part = block.kind in ("row", "note", "caption") and before.kind in ("row", "caption")
    return opened_here or same_list or table_part


def _pieces(document: Document, block: Block) -> list[_Piece]:
    """Return the block whole, or cut at sentence ends where it is longer than a passage may be."""
    words = _words(document, block)
    if words <= MAX_WORDS:
        return [_Piece(block, block.start, block.end, words)]
    pieces: list[_Piece] = []
    for start, end in _sentence_groups(document.text[block.start : block.end]):
        start, end = start + block.start, end + block.start
        size = len(document.text[start:end].split())
        if pieces and pieces[-1].words + size <= MAX_WORDS:
            last = pieces[-1]
            pieces[-1] = _Piece(block, last.start, end, last.words + size)
        else:
            pieces.append(_Piece(block, start, end, size))
    return pieces


def _pack(atoms: list[list[_Piece]]) -> Iterator[list[_Piece]]:
    """Join neighbouring atoms into passages of MIN_WORDS to MAX_WORDS; cut an overlong list between its items."""
    runs: list[list[_Piece]] = []
    for atom in atoms:
        for part in _split_list(atom):
            size = _size(part)
            if runs and _size(runs[-1]) + size <= MAX_WORDS:
                runs[-1] = runs[-1] + part
            elif runs and min(_size(runs[-1]), size) < MIN_WORDS // 2 and _size(runs[-1]) + size <= MAX_LIST_WORDS:
                # A crumb costs less as a slightly long neighbour than as a passage of its own.
                runs[-1] = runs[-1] + part
            else:
                runs.append(part)
    yield from runs


def _split_list(atom: list[_Piece]) -> list[list[_Piece]]:
    if _size(atom) <= MAX_LIST_WORDS:
        return [atom]
    parts: list[list[_Piece]] = [[]]
    for piece in atom:
        if parts[-1] and _size(parts[-1]) + piece.words > MAX_WORDS:
            parts.append([])
        parts[-1].append(piece)
    return parts


def _size(run: Sequence[_Piece]) -> int:
    return sum(piece.words for piece in run)


def _words(document: Document, block: Block) -> int:
    return len(document.text[block.start : block.end].split())


def _units(document: Document, piece: _Piece) -> Iterator[Unit]:
    block = piece.block
    if block.kind in ("caption", "note"):
        return
    text = document.text[piece.start : piece.end]
    if block.kind == "row":
        spans = [(0, len(text))]
    elif block.kind == "item" and len(text.split()) <= MAX_UNIT_WORDS // 2:
        # A short item is one thought, however many sentences it has.
        spans = [(0, len(text))]
    else:
        spans = _sentence_groups(text)
    for start, end in spans:
        quoted = text[start:end]
        yield Unit(
            block.kind,
            piece.start + start,
            piece.start + end,
            tuple(span for span in block.lead_ins if span != (piece.start + start, piece.start + end)),
            block.notes,
            leans=block.kind != "row" and points_back(quoted),
            uncertain=block.uncertain,
        )


def _sentence_groups(text: str) -> list[Span]:
    """Return sentences, each joined with those before it that it cannot be read, or must not be lost, without."""
    groups: list[Span] = []
    for start, end in split_sentences(text):
        sentence = text[start:end]
        leans = points_back(sentence) or _TAKES_BACK.match(sentence)
        if groups and leans and len(text[groups[-1][0] : end].split()) <= MAX_UNIT_WORDS:
            groups[-1] = (groups[-1][0], end)
        else:
            groups.append((start, end))
    return groups


def points_back(sentence: str) -> bool:
    """Say whether a sentence opens with a word whose meaning stands before it.

    Example:
        >>> points_back("It lasts for minutes."), points_back("It is important to stretch.")
        (True, False)
    """
    return bool(_POINTS_BACK.match(sentence)) and not _EMPTY_IT.match(sentence)


def unit_to_row(unit: Unit) -> list[Any]:
    """Return a unit as a short JSON-ready list; `unit_from_row` is its inverse."""
    return [
        unit.kind, unit.start, unit.end, unit.lead_ins, unit.notes, int(unit.leans), int(unit.uncertain)
    ]  # fmt: skip


def unit_from_row(row: Sequence[Any]) -> Unit:
    """Rebuild a unit from `unit_to_row`'s list."""
    kind, start, end, lead_ins, notes, leans, uncertain = row
    return Unit(
        kind,
        start,
        end,
        tuple((a, b) for a, b in lead_ins),
        tuple((a, b) for a, b in notes),
        bool(leans),
        bool(uncertain),
    )
