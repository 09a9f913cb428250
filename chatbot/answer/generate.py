"""Lets a language model order and word an answer, shows only what the gate lets stand, and falls back to quotes.

Is: the three uses of a model (answer, follow-up, suggestions), each with its deterministic twin beneath. Is not: the
gate (`verify.py`), the model (`llm.py`) or the twin (`compose.py`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.answer.compose import UnitVectors, cite, unit_context
from chatbot.answer.evidence import Evidence
from chatbot.answer.gate_clauses import read
from chatbot.answer.gate_quantities import find_quantities
from chatbot.answer.gate_words import names_in
from chatbot.answer.generate_faults import FAULT_NOTICES, fault_of_text
from chatbot.answer.injection import holds_markup, is_instruction
from chatbot.answer.llm import ChatModel, ModelFault, Tokens, ask
from chatbot.answer.prompts import PROMPT_VERSION, Prompt, answer_prompt, resolve_prompt, suggest_prompt
from chatbot.answer.verify import GATE_VERSION, Draft, Entailment, Gate, Source, SourceUnit, Verdict, tidy
from chatbot.answer.written import DraftScanner, WrittenAnswer, WrittenQuestion, WrittenQuestions, find_object
from chatbot.replies import Audience, CitedPassage, Mode, Notice, Statement, Turn
from chatbot.understand.polarity import statement_polarity
from corpus.citations import strip_markers
from corpus.documents import Document
from index.opened import OpenIndex
from index.passages import Passage, Unit

# Passages that score less than this share of the best answer something else; they would leave this machine for nothing.
_PASSAGE_SHARE = 0.7
_MAX_QUESTION_CHARS = 300
_SUGGESTED = 3

_SAFE_DETAIL = re.compile(r"[\w .,%/°µ–-]{0,40}")


# A statement that has passed the gate, with the passages that it cites.
Checked = tuple[Statement, tuple[CitedPassage, ...]]


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A passage with what a citation of it shows. `source.units[n]` stands for `units[n]`, where there is one."""

    source: Source
    passage: Passage
    document: Document
    units: tuple[Unit, ...]

    def cited(self, number: int, shown: Iterable[SourceUnit]) -> CitedPassage:
        """Return the passage as it is shown, with the references of the units that a reply stands on."""
        places = {(unit.start, unit.end) for unit in shown}
        return cite(number, self.passage, self.document, [u for u in self.units if (u.start, u.end) in places])


@dataclass(frozen=True, slots=True)
class Generated:
    """What a reply is made of. `mode` is "extractive" when the quotes had to stand in.

    `verification` is plain data for the reply: gate and prompt versions, model, host, counts, decisions, tokens,
    cost and fault. It never holds text that a model wrote and the gate refused.
    """

    statements: tuple[Statement, ...]
    passages: tuple[CitedPassage, ...]
    mode: Mode
    notices: tuple[Notice, ...]
    verification: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Readings:
    """A follow-up as the rules read it and as the model does; `model` is "" if it may not stand or is the same."""

    rules: str
    model: str

    @property
    def differ(self) -> bool:
        return bool(self.model)

    def notice(self) -> Notice | None:
        """Return the sentence that shows both readings, None if there is one only."""
        if not self.differ:
            return None
        return Notice("two_readings", f"Answered: “{self.rules}” It can also be read as: “{self.model}”")


def source_passages(
    evidence: Evidence,
    opened: OpenIndex,
    *,
    suits: Callable[[str, tuple[str, ...]], bool] = lambda text, context: True,
    keep: Iterable[str] = (),
    limit: int,
) -> tuple[SourcePassage, ...]:
    """Return up to `limit` passages that a model may use, numbered from 1, without units that do not suit the question.

    `keep` are ids of passages that the quotes come from; they come first, however they scored.
    """
    best = evidence.hits[0].score if evidence.hits else 0.0
    kept = set(keep)
    chosen = [hit for hit in evidence.hits if hit.passage.id in kept]
    chosen += [hit for hit in evidence.hits if hit not in chosen and hit.score >= _PASSAGE_SHARE * best]
    found: list[SourcePassage] = []
    for hit in chosen[:limit]:
        document = opened.records.document(hit.passage.document_id)
        source = as_source(len(found) + 1, hit.passage, document, suits)
        if source.source.units:
            found.append(source)
    return tuple(found)


def as_source(
    number: int,
    passage: Passage,
    document: Document,
    suits: Callable[[str, tuple[str, ...]], bool] = lambda text, context: True,
) -> SourcePassage:
    """Return a passage as a model may use it: without units that do not suit, or that speak to a model."""
    units: list[SourceUnit] = []
    for unit in passage.units:
        text, context = document.text[unit.start : unit.end], unit_context(document, passage, unit)
        if suits(text, (document.title, *context)) and not is_instruction(text):
            lead_in = " ".join(strip_markers(document.text[start:end]) for start, end in unit.lead_ins)
            quotable = not unit.leans and not text.rstrip().endswith((":", "?"))
            units.append(SourceUnit(text, unit.start, unit.end, lead_in, context, quotable))
    return SourcePassage(Source(number, document.title, tuple(units)), passage, document, passage.units)


class Generator:
    """Writes with one model; safe to share between threads."""

    def __init__(
        self,
        model: ChatModel,
        vectors: UnitVectors,
        *,
        timeout_seconds: float,
        retries: int = 1,
        entailment: Entailment | None = None,
        price_read: float = 0.0,
        price_written: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Store; nothing is asked. Prices are per million tokens, in whatever money; 0 where not known."""
        self._model = model
        self._vectors = vectors
        self._timeout_seconds = timeout_seconds
        self._retries = retries
        self._entailment = entailment
        self._prices = (price_read, price_written)
        self._clock = clock

    def compose(
        self,
        question: str,
        turns: Sequence[Turn],
        sources: Sequence[SourcePassage],
        extractive: tuple[tuple[Statement, ...], tuple[CitedPassage, ...]],
        *,
        max_statements: int,
        audience: Audience = "physician",
    ) -> Generated:
        """Return a checked answer; the extractive one with a notice if anything goes wrong. Raises nothing."""
        *_, last = self._run(question, turns, sources, extractive, max_statements, audience, stream=False)
        assert isinstance(last, Generated)
        return last

    def stream(
        self,
        question: str,
        turns: Sequence[Turn],
        sources: Sequence[SourcePassage],
        extractive: tuple[tuple[Statement, ...], tuple[CitedPassage, ...]],
        *,
        max_statements: int,
        audience: Audience = "physician",
    ) -> Iterator[Checked | Generated]:
        """Yield each statement, with the passages that it cites, once it is checked; then the whole, which replaces them."""
        return self._run(question, turns, sources, extractive, max_statements, audience, stream=True)

    def _run(
        self,
        question: str,
        turns: Sequence[Turn],
        sources: Sequence[SourcePassage],
        extractive: tuple[tuple[Statement, ...], tuple[CitedPassage, ...]],
        max_statements: int,
        audience: Audience,
        *,
        stream: bool,
    ) -> Iterator[Checked | Generated]:
        started = self._clock()
        gate = Gate([passage.source for passage in sources], self._similarity, entailment=self._entailment)
        answer = _Answer(sources, max_statements)
        prompt = answer_prompt(question, turns, [p.source for p in sources], limit=max_statements, audience=audience)
        scanner, tokens, fault = DraftScanner(), Tokens(), None
        first_ms = 0.0

        def judged(drafts: Iterable[Draft]) -> Iterator[Checked]:
            nonlocal first_ms
            for draft in drafts:
                for shown in answer.add(gate.judge(draft)):
                    first_ms = first_ms or round(1000 * (self._clock() - started), 1)
                    yield shown

        try:
            deadline = started + self._timeout_seconds
            for chunk in ask(
                self._model,
                prompt,
                WrittenAnswer,
                deadline=deadline,
                retries=self._retries,
                stream=stream,
                clock=self._clock,
            ):
                tokens = tokens.plus(chunk.tokens)
                yield from judged(scanner.feed(chunk.text))
                if scanner.overflowed:
                    raise ModelFault("endless")
            yield from judged(scanner.finish())
            fault = fault_of_text(scanner.text, answer.verdicts)
        except ModelFault as caught:
            fault = caught.kind
        verification = {
            "gate": GATE_VERSION,
            "prompt": PROMPT_VERSION,
            "model": self._model.name,
            "host": self._model.host,
            **answer.counts(),
            "decisions": [_decision(verdict) for verdict in answer.verdicts],
            "tokens": {"read": tokens.read, "written": tokens.written},
            "cost": round((tokens.read * self._prices[0] + tokens.written * self._prices[1]) / 1e6, 6),
            "first_statement_ms": first_ms,
            "fault": fault or "",
        }
        if fault:
            notice = Notice("language_model", FAULT_NOTICES[fault])
            yield Generated(*extractive, "extractive", (notice,), verification)
        else:
            yield Generated(*answer.finished(), "llm", (), verification)

    def resolve(self, question: str, turns: Sequence[Turn], rules: str) -> Readings:
        """Return a follow-up read by the rules (given) and by the model; the search keeps to the rules' reading.

        The model's may use only words, numbers and medicines of the conversation. Raises nothing.
        """
        written = self._one_object(resolve_prompt(question, turns), WrittenQuestion).get("question")
        said = "\n".join((question, rules, *(turn.content for turn in turns)))
        if not isinstance(written, str) or not _may_ask(written, said):
            return Readings(rules, "")
        reading = tidy(written)
        return Readings(rules, "" if names_in(reading) == names_in(rules) else reading)

    def suggest(
        self,
        question: str,
        sources: Sequence[SourcePassage],
        *,
        answerable: Callable[[Sequence[str]], Sequence[bool]],
        fallback: Sequence[str],
    ) -> tuple[str, ...]:
        """Return up to three questions that the index answers, the model's first; `fallback` fills the rest."""
        written = self._one_object(suggest_prompt(question, [p.source for p in sources]), WrittenQuestions)
        listed = written.get("questions")
        said = "\n".join(
            (question, *(unit.text for p in sources for unit in p.source.units), *(p.document.title for p in sources))
        )
        proposed = (
            [tidy(q) for q in listed[:8] if isinstance(q, str) and _may_ask(q, said)]
            if isinstance(listed, list)
            else []
        )
        fresh = [q for q in dict.fromkeys(proposed) if names_in(q) != names_in(question)]
        good = [q for q, known in zip(fresh, answerable(fresh), strict=True) if known] if fresh else []
        return tuple(dict.fromkeys((*good, *fallback)))[:_SUGGESTED]

    def _one_object(self, prompt: Prompt, schema: Any) -> dict[str, Any]:
        deadline = self._clock() + self._timeout_seconds
        try:
            pieces = ask(self._model, prompt, schema, deadline=deadline, retries=0, clock=self._clock)
            return find_object("".join(piece.text for piece in pieces))
        except ModelFault:
            # The deterministic twin stands; that a model could not help with this is told with the answer.
            return {}

    def _similarity(self, text: str, others: Sequence[str]) -> list[float]:
        made = self._vectors.of([text, *others])
        return [float(value) for value in made[1:] @ made[0]]


class _Answer:
    """Collects verdicts, numbers passages in the order in which they are first cited, and ends at a limit."""

    def __init__(self, sources: Sequence[SourcePassage], limit: int) -> None:
        self._by_number = {passage.source.number: passage for passage in sources}
        self._limit = limit
        self._shown: list[Statement] = []
        self._numbers: dict[int, int] = {}
        self._units: dict[int, list[SourceUnit]] = {}
        self.verdicts: list[Verdict] = []

    def add(self, verdict: Verdict) -> Iterator[Checked]:
        """Take a verdict; yield its statement if it is shown."""
        if len(self._shown) >= self._limit:
            return
        self.verdicts.append(verdict)
        if verdict.decision == "dropped":
            return
        for support in verdict.supports:
            self._numbers.setdefault(support.number, len(self._numbers) + 1)
            self._units.setdefault(support.number, []).append(support.unit)
        statement = self._statement(verdict)
        self._shown.append(statement)
        yield (
            statement,
            tuple(self._by_number[old].cited(self._numbers[old], self._units[old]) for old in verdict.citations),
        )

    def _statement(self, verdict: Verdict) -> Statement:
        citations = tuple(sorted({self._numbers[number] for number in verdict.citations}))
        unit = verdict.supports[0].unit
        if verdict.decision == "replaced":
            return Statement(
                unit.text, citations, unit.context, unit.start, unit.end, statement_polarity(unit.text, unit.context)
            )
        # Lead-ins are worded into the statement already; read under "Avoid:" it would say the opposite.
        section = self._by_number[verdict.citations[0]].passage.section
        return Statement(verdict.text, citations, section, polarity=statement_polarity(verdict.text))

    def counts(self) -> dict[str, int]:
        return {name: sum(v.decision == name for v in self.verdicts) for name in ("kept", "replaced", "dropped")}

    def finished(self) -> tuple[tuple[Statement, ...], tuple[CitedPassage, ...]]:
        passages = (self._by_number[old].cited(new, self._units[old]) for old, new in self._numbers.items())
        return tuple(self._shown), tuple(passages)


def _may_ask(question: str, said: str) -> bool:
    """Say whether a question of a model holds nothing that was not said before."""
    text = tidy(question)
    if not 0 < len(text) <= _MAX_QUESTION_CHARS or not text.endswith("?") or holds_markup(text) or is_instruction(text):
        return False
    known = find_quantities(said)
    if not all(any(quantity.said_by(other) for other in known) for quantity in find_quantities(text)):
        return False
    return names_in(text) <= names_in(said) and read(text).substances <= read(said).substances


def _decision(verdict: Verdict) -> dict[str, Any]:
    failure = verdict.failure
    detail = failure.detail if failure else ""
    safe = _SAFE_DETAIL.fullmatch(detail) and not holds_markup(detail)
    return {
        "decision": verdict.decision,
        "check": failure.check if failure else "",
        "detail": detail if safe else "",
        "cited": list(verdict.draft.citations[:8]),
    }
