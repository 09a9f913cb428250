"""Turns JATS running text (italics, superscripts, cross references, formulas) into plain words with markers.

Is: the place where a citation's `rid` becomes its number. Is not: aware of paragraphs, lists or tables.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from corpus.builder import Inline
from corpus.documents import Marker, Span
from corpus.readers.scripts import lowered, raised

# Their words are not part of the sentence around them.
_SKIPPED = frozenset(
    "fn graphic inline-graphic media object-id label-alt index-term alt-text long-desc tex-math".split()
)
_MARK_CHARS = re.compile(r"[\s\d,;–—-]*")
# Between two marks these make one list of them; a dash fills the range between.
_JOINT = re.compile(r"\]?\)?[\s,;]*(?P<dash>[-–—‐‑])?[\s,;]*\[?\(?")
_MAX_RANGE = 40
FORMULA_WITHOUT_WORDS = "[formula]"


def name_of(node: Any) -> str:
    """Return an element's name without its namespace, "" for comments and the like."""
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def entity_text(node: Any) -> str:
    """Return the character of an entity that a document type defines elsewhere ("&alpha;"), else "\\ufffd"."""
    text = html.unescape(f"&{node.name};")
    return text if not text.startswith("&") else "\ufffd"


@dataclass(slots=True)
class RunWriter:
    """Collects the words of one paragraph, heading or cell.

    `numbers` says which reference each `rid` is. `is_certain` turns false where something had no words, such as
    a formula that is only a picture.
    """

    numbers: Mapping[str, int]
    is_certain: bool = True
    # Footnotes met on the way: their ids, or the elements themselves where they stand in the text.
    notes: list[Any] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _size: int = 0
    _bold: list[Span] = field(default_factory=list)
    _marks: list[Marker] = field(default_factory=list)

    def text(self, words: str | None) -> None:
        """Add words as they stand."""
        if words:
            self._parts.append(words)
            self._size += len(words)

    def children(self, node: Any, skip: frozenset[str] = frozenset()) -> None:
        """Add all that an element holds, but for child elements named in `skip`."""
        self.text(node.text)
        for child in node:
            self.node(child, skip)
            self.text(child.tail)

    def node(self, node: Any, skip: frozenset[str] = frozenset()) -> None:
        """Add one inline element, without the text after it."""
        if node.tag is etree.Entity:
            self.text(entity_text(node))
            self.is_certain &= self._parts[-1] != "\ufffd"
            return
        name = name_of(node)
        if name == "fn":
            self.notes.append(node)
        elif name == "xref" and node.get("ref-type") == "fn":
            self.notes += (node.get("rid") or "").split()
        if not name or name in _SKIPPED or name in skip:
            return
        match name:
            case "xref" if node.get("ref-type") == "bibr":
                self._citation(node)
            case "xref" if node.get("ref-type") in ("table-fn", "fn") and not _has(node, "sup"):
                # Printed raised whether it is marked up so or not: "12 a" and "(0.9–1.7) c" must not look like values.
                self.text(raised("".join(plain_text(node))))
            case "sup":
                self._superscript(node)
            case "sub":
                self.text(lowered("".join(plain_text(node))))
            case "bold" | "b" | "strong":
                start = self._size
                self.children(node, skip)
                if self._size > start:
                    self._bold.append((start, self._size))
            case "break":
                self.text(" ")
            case "inline-formula" | "disp-formula":
                self._formula(node)
            case "math":
                self.text(math_text(node))
            case "strike" | "del":
                # Struck out: its author took it back.
                pass
            case _:
                self.children(node, skip)

    def run(self) -> Inline:
        """Return what was collected, neighbouring marks as one."""
        text = "".join(self._parts)
        return Inline(text, tuple(self._bold), tuple(_merge(text, self._marks)))

    def _citation(self, node: Any) -> None:
        numbers = [self.numbers[rid] for rid in (node.get("rid") or "").split() if rid in self.numbers]
        start = self._size
        words = "".join(plain_text(node))
        is_raised = any(name_of(child) == "sup" for child in node)
        if is_raised and _MARK_CHARS.fullmatch(words):
            words = f" [{words.strip()}]"
            start += 1
        self.text(words)
        if numbers and self._size > start:
            self._marks.append(Marker(start, self._size, tuple(dict.fromkeys(numbers))))

    def _superscript(self, node: Any) -> None:
        words = "".join(plain_text(node))
        cites = [child for child in node.iter("{*}xref") if child.get("ref-type") == "bibr"]
        if not cites or not _MARK_CHARS.fullmatch(words.replace("[", "").replace("]", "")):
            self.text(raised(words))
            return
        inner = RunWriter(self.numbers)
        inner.children(node)
        run = inner.run()
        bare = run.text.strip()
        self.text(" " if bare.startswith("[") else " [")
        at = self._size - (len(run.text) - len(run.text.lstrip()))
        self._marks += [Marker(mark.start + at, mark.end + at, mark.numbers) for mark in run.markers]
        self.text(bare if bare.startswith("[") else f"{bare}]")

    def _formula(self, node: Any) -> None:
        math = next(node.iter("{*}math"), None)
        words = math_text(math) if math is not None else "".join(plain_text(node)).strip()
        if not words:
            self.is_certain = False
        self.text(words or FORMULA_WITHOUT_WORDS)


def _has(node: Any, name: str) -> bool:
    return next(node.iter(f"{{*}}{name}"), None) is not None


def plain_text(node: Any) -> Iterator[str]:
    """Yield the words of an element, superscripts and entities resolved, cross references as they are printed."""
    yield node.text or ""
    for child in node:
        name = name_of(child)
        if child.tag is etree.Entity:
            yield entity_text(child)
        elif name == "sup" and name_of(node) != "xref" and not _has(child, "xref"):
            yield raised("".join(plain_text(child)))
        elif name == "sub":
            yield lowered("".join(plain_text(child)))
        elif name == "math":
            yield math_text(child)
        elif name and name not in _SKIPPED:
            yield from plain_text(child)
        yield child.tail or ""


def math_text(node: Any) -> str:
    """Return a MathML formula in one line: x², (a)/(b), √(x).

    Superscripts of numbers stay raised, so that 10⁹ is never 109.
    """
    name = name_of(node)
    parts = [math_text(child) for child in node if isinstance(child.tag, str)]
    if not parts:
        return " ".join((node.text or "").split())
    match name:
        case "msup" if len(parts) == 2:
            return parts[0] + raised(parts[1])
        case "msub" if len(parts) == 2:
            return parts[0] + lowered(parts[1])
        case "msubsup" if len(parts) == 3:
            return parts[0] + lowered(parts[1]) + raised(parts[2])
        case "mfrac" if len(parts) == 2:
            return f"({parts[0]})/({parts[1]})"
        case "msqrt":
            return f"√({''.join(parts)})"
        case "mfenced":
            return f"({', '.join(parts)})"
        case "annotation" | "annotation-xml":
            return ""
        case "semantics":
            return parts[0]
        case "mtr":
            return " ".join(parts)
        case "mtable":
            return "; ".join(parts)
        case _:
            return "".join(parts)


def _merge(text: str, marks: list[Marker]) -> Iterator[Marker]:
    """Yield marks with their brackets, those that stand in one list as one mark, ranges filled."""
    merged: list[Marker] = []
    for mark in marks:
        last = merged[-1] if merged else None
        between = _JOINT.fullmatch(text, last.end, mark.start) if last else None
        if last and between and mark.start >= last.end:
            numbers = list(last.numbers)
            low, high = last.numbers[-1], mark.numbers[0]
            if between.group("dash") and low < high <= low + _MAX_RANGE:
                numbers += range(low + 1, high)
            numbers += mark.numbers
            merged[-1] = Marker(last.start, mark.end, tuple(dict.fromkeys(numbers)))
        else:
            merged.append(mark)
    for mark in merged:
        opened, closed = text[mark.start - 1 : mark.start], text[mark.end : mark.end + 1]
        if (opened, closed) in (("[", "]"), ("(", ")")):
            yield Marker(mark.start - 1, mark.end + 1, mark.numbers)
        else:
            yield mark
