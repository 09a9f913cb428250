"""BM25 over titles, sections, questions and bodies, with English stemming and accent folding.

Is: a thin adapter of tantivy; user text never reaches a query parser, only terms do. Is not: a fusion with
vectors (see `search.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from index.records import DamagedIndex

# What a match in each field counts, relative to one in the body. Fitted on the development sets; a title names
# what the whole document is about, so that a match there says most.
FIELD_WEIGHTS: Mapping[str, float] = {"title": 2.0, "section": 0.6, "question": 1.0, "body": 1.0}
_ANALYZER = "english_folded"
_WRITER_HEAP_BYTES = 64_000_000
# A longer word is no word; it would only fill the term dictionary.
_MAX_TERM_CHARS = 60
# Words that shape a question but name nothing in it. Only closed classes and the verbs of asking stand here.
STOPWORDS = frozenset(
    [
        "a",
        "about",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "anything",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "done",
        "for",
        "from",
        "get",
        "give",
        "given",
        "go",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "just",
        "let",
        "may",
        "me",
        "might",
        "mine",
        "more",
        "most",
        "much",
        "must",
        "my",
        "of",
        "on",
        "or",
        "other",
        "our",
        "ours",
        "out",
        "over",
        "own",
        "please",
        "same",
        "shall",
        "she",
        "should",
        "so",
        "some",
        "such",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "theirs",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "too",
        "up",
        "us",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "yours",
        "explain",
        "know",
        "information",
        "somebody",
        "someone",
        "something",
        "want",
        "wonder",
    ]
)


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """What is indexed of one passage; `row` is its position in the index's passages."""

    row: int
    title: str
    section: str
    question: str
    body: str


@cache
def _analyzer() -> Any:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(_MAX_TERM_CHARS))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stemmer("english"))
        .build()
    )


def terms_of(text: str) -> list[str]:
    """Return the stemmed, folded words of a text in order, stop words included.

    Example:
        >>> terms_of("Œdema of the calves")
        ['oedema', 'of', 'the', 'calv']
    """
    terms: list[str] = _analyzer().analyze(text)
    return terms


def content_terms(text: str) -> list[str]:
    """Return the stemmed words that name something, each once, in order of appearance.

    Example:
        >>> content_terms("What is the maximum dose of baclofen?")
        ['maximum', 'dose', 'baclofen']
    """
    words = re.findall(r"[^\W_]+", text)
    named = [word for word in words if word.lower() not in STOPWORDS and (len(word) > 1 or word.isdigit())]
    return list(dict.fromkeys(term for word in named for term in terms_of(word)))


class LexicalWriter:
    """Writes a new index into an empty folder; one segment order, so that equal entries give equal ranks."""

    def __init__(self, folder: Path) -> None:
        from tantivy import Index

        folder.mkdir(parents=True, exist_ok=True)
        index = Index(_schema(), path=str(folder))
        index.register_tokenizer(_ANALYZER, _analyzer())
        self._writer = index.writer(heap_size=_WRITER_HEAP_BYTES, num_threads=1)

    def add(self, entries: Iterable[LexicalEntry]) -> None:
        """Write the next entries."""
        from tantivy import Document

        for entry in entries:
            document = Document()
            document.add_unsigned("row", entry.row)
            for field in FIELD_WEIGHTS:
                if text := getattr(entry, field):
                    document.add_text(field, text)
            self._writer.add_document(document)

    def close(self) -> None:
        """Write what was added to the disk."""
        self._writer.commit()
        self._writer.wait_merging_threads()


class LexicalIndex:
    """Reads what `LexicalWriter` wrote."""

    def __init__(self, folder: Path) -> None:
        from tantivy import Index

        with _panics_shown(folder):
            index = Index.open(str(folder))
            index.register_tokenizer(_ANALYZER, _analyzer())
            index.config_reader("manual")
            self._schema = index.schema
            self._searcher = index.searcher()
        self._folder = folder

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def document_frequency(self, term: str) -> int:
        """Return how many passages hold a stemmed term in any field; the largest of the fields' counts."""
        with _panics_shown(self._folder):
            return max(int(self._searcher.doc_freq(field, term)) for field in FIELD_WEIGHTS)

    def search(
        self, terms: Mapping[str, float], limit: int, *, required: Iterable[str] = (), any_of: Iterable[str] = ()
    ) -> list[tuple[int, float]]:
        """Return (row, BM25 score) of the best passages for weighted stemmed terms, best first.

        A term counts in every field where it stands, by the field's weight; terms add up. A passage must hold every
        term of `required`, and two of those of `any_of` (or its only one), in some field.
        """
        from tantivy import Occur, Query

        # Each field of each term is a clause of its own: the same sums as one query a term, in 2/3 of the time.
        clauses = [part for term, weight in terms.items() if weight > 0 for part in self._fields(term, weight)]
        if not clauses or limit < 1:
            return []
        clauses += [(Occur.Must, self._term(term, 1.0)) for term in required]
        if wanted := list(any_of):
            some = Query.boolean_query([(Occur.Should, self._term(term, 1.0)) for term in wanted], min(2, len(wanted)))
            clauses.append((Occur.Must, some))
        with _panics_shown(self._folder):
            found = self._searcher.search(Query.boolean_query(clauses), limit, count=False)
            rows: list[Any] = self._searcher.fast_field_values("row", [address for _, address in found.hits])
        ranked = [(int(row), float(score)) for row, (score, _) in zip(rows, found.hits, strict=True)]
        return sorted(ranked, key=lambda hit: (-hit[1], hit[0]))

    def _term(self, term: str, weight: float) -> Any:
        from tantivy import Query

        return Query.boolean_query(self._fields(term, weight))

    def _fields(self, term: str, weight: float) -> list[tuple[Any, Any]]:
        from tantivy import Occur, Query

        return [
            (Occur.Should, Query.boost_query(Query.term_query(self._schema, field, term), weight * field_weight))
            for field, field_weight in FIELD_WEIGHTS.items()
        ]


@contextmanager
def _panics_shown(folder: Path) -> Iterator[None]:
    """Turn what tantivy raises on files that it cannot make sense of into `DamagedIndex`.

    A panic of its Rust code reaches Python as a class that cannot be imported and is no `Exception`.
    """
    try:
        yield
    except ValueError as error:
        raise DamagedIndex(f"{folder} cannot be read ({error})") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DamagedIndex(f"{folder} cannot be read") from error


def _schema() -> Any:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_unsigned_field("row", stored=True, fast=True, indexed=True)
    for field in FIELD_WEIGHTS:
        builder.add_text_field(field, stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    return builder.build()
