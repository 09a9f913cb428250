"""Checks a document's citations against its reference list, and says which sentences stand on nothing.

Is: six checks, each a fact about the document itself. Is not: a look-up of whether a source exists or supports
what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from corpus.documents import Block, Document, Reference, Rejected, Span
from corpus.sentences import split_sentences
from corpus.shift import find_shift

FindingCode = Literal[
    "dangling_citation",
    "uncited_reference",
    "duplicate_reference",
    "uncited_claim",
    "possible_shift",
    "unparsed_reference",
]

_ADVICE = re.compile(
    r"\b(?:should|must|ought to|need(?:s)? to|(?:is|are|be) (?:not )?(?:strongly |generally |usually |routinely )?"
    r"(?:recommended|advised|indicated|contra-?indicated|preferred|first[- ]line)|we (?:recommend|suggest|advise)|"
    r"recommend(?:s)? (?:that|against|using)|first[- ]line|do not|never|avoid)\b",
    re.IGNORECASE,
)
# A sentence that begins with one of these, or does so after its condition, tells someone what to do.
_ORDER = re.compile(
    r"(?:[^,;:]{0,80}[,:]\s+)?(?:add|administer|advise|apply|arrange|ask|assess|avoid|begin|check|consider|continue|"
    r"correct|discontinue|do not|encourage|give|inject|measure|monitor|never|offer|perform|prescribe|recommend|reduce|"
    r"refer|repeat|rule out|seek|start|stop|switch|take|taper|treat|use|withhold)\b(?!\s+(?:of|is|was|are|in|has)\b)",
    re.IGNORECASE,
)
_DOSE = re.compile(
    r"\d[\d.,]*(?:\s?[-–]\s?\d[\d.,]*)?\s?(?:mg|mcg|µg|μg|micrograms?|milligrams?|grams?|g|ml|mL|millilitres?|units?|IU|"
    r"mmol|mEq|drops?|tablets?|capsules?|puffs?)\b(?!\s?/\s?(?:d[Ll]|l|L)\b)"
)
_SOURCE_WORDS = re.compile(r"[^\W_]+")
# Shorter titles ("Nutrition") repeat without being the same source.
_MIN_TITLE_CHARS = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `start` and `end` are the sentence in `document.text`; (0, 0) for a fault of the list itself.

    `number` is the reference meant, `detail` our sentence about it.
    """

    code: FindingCode
    number: int | None
    text: str
    start: int = 0
    end: int = 0
    detail: str = ""


def findings_for(document: Document) -> tuple[Finding, ...]:
    """Return all faults of one document: those of its sentences by position, then those of its list by number."""
    sentences = list(_sentences(document))
    found = [*_dangling(document, sentences), *_shifts(document, sentences), *_uncited_claims(document, sentences)]
    found.sort(key=lambda finding: (finding.start, finding.end, finding.code, finding.number or 0))
    return (*found, *_list_faults(document))


def audit(entries: Iterable[Document | Rejected]) -> dict[str, Any]:
    """Return the JSON form of the audit of documents as `load` yields them, rejected files beside them."""
    documents: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for entry in entries:
        if isinstance(entry, Rejected):
            rejected.append(asdict(entry))
            continue
        documents.append(
            {
                "path": entry.path,
                "document_id": entry.id,
                "title": entry.title,
                "references": len(entry.references),
                "markers": len(entry.markers),
                "findings": [asdict(finding) for finding in findings_for(entry)],
            }
        )
    return {"documents": documents, "rejected": rejected}


def _sentences(document: Document) -> Iterator[tuple[Span, Block]]:
    for block in document.blocks:
        for start, end in split_sentences(document.text[block.start : block.end]):
            yield (block.start + start, block.start + end), block


def _dangling(document: Document, sentences: list[tuple[Span, Block]]) -> Iterator[Finding]:
    known = {entry.number for entry in document.references}
    for (start, end), _ in sentences:
        for number in document.cited_numbers(start, end):
            if number not in known:
                detail = f"cites [{number}], but the list has {len(known)} references"
                yield Finding("dangling_citation", number, document.text[start:end], start, end, detail)


def _shifts(document: Document, sentences: list[tuple[Span, Block]]) -> Iterator[Finding]:
    citing = [(span, numbers) for span, _ in sentences if (numbers := document.cited_numbers(*span))]
    for entry in find_shift(document, citing):
        reference = document.reference(entry.better)
        title = reference.title if reference else ""
        detail = f"cites [{entry.number}], but its words fit [{entry.better}] better: {title}"
        text = document.text[entry.start : entry.end]
        yield Finding("possible_shift", entry.number, text, entry.start, entry.end, detail)


def _uncited_claims(document: Document, sentences: list[tuple[Span, Block]]) -> Iterator[Finding]:
    # What a study itself did and found has no other source than the study.
    if document.kind == "research":
        return
    for (start, end), block in sentences:
        text = document.text[start:end]
        # A sentence that opens a list is said by its items.
        if block.kind not in ("paragraph", "item", "row") or text.rstrip(" *").endswith(":"):
            continue
        around = ((block.start, block.end), *block.lead_ins, *block.notes)
        if is_claim(text) and not any(document.cited_numbers(*span) for span in around):
            yield Finding("uncited_claim", None, text, start, end, "a recommendation or dose without a source")


def is_claim(sentence: str) -> bool:
    """Say whether a sentence recommends something, forbids it, or states a dose.

    Example:
        >>> is_claim("Give 5 mg at night."), is_claim("Cramp should pass."), is_claim("Cramp is common.")
        (True, True, False)
    """
    if sentence.rstrip().endswith("?"):
        return False
    return bool(_DOSE.search(sentence) or _ORDER.match(sentence) or _ADVICE.search(sentence))


def _list_faults(document: Document) -> Iterator[Finding]:
    cited = {number for mark in document.markers for number in mark.numbers}
    seen: dict[str, int] = {}
    for entry in document.references:
        if entry.number not in cited:
            yield Finding("uncited_reference", entry.number, entry.title, detail="no sentence cites it")
        if not entry.title or not (entry.source or entry.year or entry.pmid or entry.doi):
            yield Finding("unparsed_reference", entry.number, entry.title, detail="no source, year or identifier")
        keys = _identities(entry)
        first = next((seen[key] for key in keys if key in seen), None)
        if first is not None:
            yield Finding("duplicate_reference", entry.number, entry.title, detail=f"the same source as [{first}]")
        for key in keys:
            seen.setdefault(key, entry.number)


def _identities(entry: Reference) -> list[str]:
    """Return what makes two entries the same source: an identifier, or title and year."""
    title = " ".join(_SOURCE_WORDS.findall(entry.title.casefold()))
    keys = [f"doi {entry.doi.casefold()}"] if entry.doi else []
    keys += [f"pmid {entry.pmid}"] if entry.pmid else []
    return [*keys, f"{title} {entry.year}"] if len(title) >= _MIN_TITLE_CHARS else keys
