"""The pipeline from a question to a reply; reads top to bottom.

Is: the order in which the parts speak. Is not: any of the parts.
"""

from __future__ import annotations

import copy
import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chatbot.answer.compose import UnitVectors, cite, compose
from chatbot.answer.confidence import default_threshold
from chatbot.answer.evidence import Evidence, IndexLookup, gather
from chatbot.answer.suggest import SHOWN, Suggester
from chatbot.masking import masker
from chatbot.present.audience import prefer_for
from chatbot.present.conflicts import find_conflicts
from chatbot.present.currency import status_words
from chatbot.present.disclaimer import disclaimer
from chatbot.present.doses import statement_cautions
from chatbot.present.drugs import answers_for_named_drug, asked_drugs
from chatbot.present.notices import ABSTENTIONS, answer_notices, question_notices
from chatbot.present.order import newest_first
from chatbot.present.population_mentions import Population
from chatbot.present.populations import about_any, populations_asked, suits_population
from chatbot.present.strength import strength_badges
from chatbot.replies import (
    Abstention,
    AbstentionReason,
    Answer,
    Audience,
    CitedPassage,
    Clarification,
    Emergency,
    EmergencyCard,
    Reply,
    Statement,
    Turn,
)
from chatbot.settings import Settings
from chatbot.understand.examples import WeighedExamples
from chatbot.understand.followup import Resolution, resolve
from chatbot.understand.privacy import without_personal_data
from chatbot.understand.redflags import find_red_flag, goes_against
from chatbot.understand.unfit import earlier_crisis, find_unfit_request
from index.embedding import Embedder
from index.lexical import content_terms
from index.opened import OpenIndex
from index.rerank import Reranker
from index.search import Hit

if TYPE_CHECKING:
    from chatbot.answer.wording import Wording

# A question is a question, not a document; more is refused before anything looks at it.
MAX_QUESTION_CHARS = 4_000
# Retrieved passages that are shown folded, beside those that are cited.
_ALSO_SHOWN = 5
# A topic of which this share of the weight stands nowhere in the index is one that the index does not hold.
_UNKNOWN_SHARE = 0.5


class QuestionFault(ValueError):
    """The question, or what came with it, cannot be taken; the message says why and what to do."""


@dataclass(slots=True)
class Stages:
    """Milliseconds by stage, as a reply reports them."""

    clock: Callable[[], float]
    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        started = self.clock()
        try:
            yield
        finally:
            self.spent[name] = round(self.spent.get(name, 0.0) + 1000 * (self.clock() - started), 2)


@dataclass(frozen=True, slots=True)
class _Edition:
    """An open index and what belongs to it: replaced together, so that no reply mixes two."""

    opened: OpenIndex
    suggester: Suggester
    allowed: NDArray[np.bool_] | None


class Chatbot:
    """Answers questions from one index; open it once, ask it from any thread."""

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        *,
        today: Callable[[], datetime.date] = datetime.date.today,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Open the index that the settings name.

        Raises:
            IndexUnavailable, DamagedIndex: see `OpenIndex`.
        """
        self.settings = settings
        self._embedder = embedder
        self._today = today
        self._clock = clock
        self._vectors = UnitVectors(embedder)
        self._examples = WeighedExamples(embedder)
        self.reranker = Reranker(settings.reranker) if settings.reranker else None
        self.wording = _open_wording(settings, self._vectors)
        self._open()

    @property
    def threshold(self) -> float:
        """Return the probability below which it abstains."""
        return default_threshold() if self.settings.threshold is None else self.settings.threshold

    def refresh(self) -> None:
        """Open the index anew if a build has replaced it since."""
        if not self.opened.is_current():
            self._open()

    def fixed(self) -> Chatbot:
        """Return a chatbot that stays on the edition of the index that is open now, whoever refreshes this one."""
        return copy.copy(self)

    @property
    def opened(self) -> OpenIndex:
        """Return the open index."""
        return self._edition.opened

    @property
    def allowed(self) -> NDArray[np.bool_] | None:
        """Return a mask over the rows that may be quoted, None if all may."""
        return self._edition.allowed

    @property
    def _suggester(self) -> Suggester:
        return self._edition.suggester

    def _open(self) -> None:
        opened = OpenIndex(self.settings.index, self._embedder, self.settings.store)
        allowed = opened.approved_rows() if self.settings.require_approved else None
        self._edition = _Edition(opened, Suggester(opened, self.threshold), allowed)

    def reply(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        *,
        article: str | None = None,
        audience: Audience = "physician",
        tell: Callable[[Statement, Sequence[CitedPassage]], None] | None = None,
    ) -> Reply:
        """Answer one question from the index, or say why not.

        `article` is the id of the document that the conversation stands on. `tell` is told of each statement of a
        language model once it has passed the gate, before the reply is whole; of none where something must be read
        first: an emergency, or that a source is retracted or replaced.

        Raises:
            QuestionFault: it is empty or too long, or there is no such article.
            DamagedIndex: a passage is not what was indexed.
        """
        return self.fixed()._reply(question, turns, article, audience, tell)

    def _reply(
        self,
        question: str,
        turns: Sequence[Turn],
        article: str | None,
        audience: Audience,
        tell: Callable[[Statement, Sequence[CitedPassage]], None] | None,
    ) -> Reply:
        opened, stages = self.opened, Stages(self._clock)
        started = self._clock()
        title = self._check(question, article, opened)
        with stages("understand"):
            unfit = find_unfit_request(question, turns, locale=self.settings.locale, examples=self._examples)
            lookup = IndexLookup(opened)

            def resolved(asked: str, before: Sequence[Turn]) -> Resolution:
                return resolve(without_personal_data(asked), _without_personal_data(before), lookup, article=title)

            resolution = resolved(question, turns)
            card = find_red_flag(
                question,
                turns,
                standalone_question=resolution.standalone_question,
                standalone=lambda asked, before: resolved(asked, before).standalone_question,
                title=title,
                locale=self.settings.locale,
                examples=self._examples,
            ) or earlier_crisis(turns, locale=self.settings.locale, examples=self._examples)
            common = self._common(question, turns, resolution, audience)

        def done(reply: Reply) -> Reply:
            stages.spent["total"] = round(1000 * (self._clock() - started), 2)
            return replace(reply, timings_ms=dict(stages.spent))

        if unfit and (shown := card or unfit.card):
            return done(Emergency(card=shown, **common))
        if unfit:
            return done(Abstention(reason_code="unfit_request", reason=unfit.text, **common))
        if resolution.how == "small_talk" and card is None:
            return done(self._abstain("small_talk", common))
        if resolution.choices and card is None:
            with stages("clarify"):
                choices = self._answerable(resolution.choices)
            if len(choices) > 1:
                asked = "Which one do you mean?"
                return done(Clarification(clarifying_question=asked, choices=choices, **common))
            chosen = (choices or resolution.choices)[0]
            resolution = replace(resolution, standalone_question=chosen)
            common = self._common(question, turns, resolution, audience)
        led_to: tuple[str, ...] = ()
        read_again = None
        if self.wording is not None and resolution.is_followup:
            hidden, said_before = _hidden(question, turns)
            read_again = self.wording.read_again(hidden(question), said_before, hidden(resolution.standalone_question))
        with stages("search"):
            evidence = gather(
                resolution, turns, opened, article_id=article, allowed=self.allowed, reranker=self.reranker
            )
        common["confidence"] = evidence.confidence
        asked_before = [question, resolution.standalone_question, *(t.content for t in turns if t.role == "user")]
        if not self.answers(resolution, evidence):
            with stages("suggest"):
                common["related_questions"] = self._suggester.instead(evidence, asked_before)
            if card:
                return done(Emergency(card=card, **common))
            return done(self._abstain("nothing_near", common, self._unknown(resolution, evidence)))
        with stages("compose"):
            evidence = replace(evidence, hits=_for_reader(evidence.hits, audience))
            populations = populations_asked(
                resolution.standalone_question,
                [turn.content for turn in turns if turn.role == "user"],
                is_followup=resolution.is_followup,
            )
            names_drug = bool(asked_drugs(resolution.standalone_question))

            def suits(text: str, context: tuple[str, ...]) -> bool:
                if goes_against(card, " ".join((*context, text))):
                    return False
                if names_drug and not answers_for_named_drug(resolution.standalone_question, text, context):
                    return False
                return not populations or suits_population(populations, text, context)

            statements, passages = compose(
                resolution,
                evidence,
                opened,
                self._vectors,
                max_statements=self.settings.max_statements,
                suits=suits,
            )
        if not statements:
            with stages("suggest"):
                common["related_questions"] = self._suggester.instead(evidence, asked_before)
            return done(Emergency(card=card, **common) if card else self._abstain("nothing_near", common))
        if self.wording is not None:
            with stages("wording"):
                from chatbot.answer.generate import source_passages

                sources = source_passages(
                    evidence,
                    opened,
                    suits=suits,
                    keep=[p.passage_id for p in passages],
                    limit=self.settings.llm_passages,
                )
                hidden, said_before = _hidden(question, turns)
                asked = hidden(resolution.standalone_question)
                suggested = self.wording.suggest(asked, sources, self._suggester.answerable)
                worded = self.wording.answer(
                    asked,
                    said_before,
                    sources,
                    (statements, passages),
                    max_statements=self.settings.max_statements,
                    audience=audience,
                    tell=None if tell is None or card else self._telling(tell, audience),
                )
                statements, passages = worded.statements, worded.passages
                said = dict(worded.verification)
                # A clock reading belongs with the others: the rest of a reply is the same every time.
                stages.spent["first_statement"] = said.pop("first_statement_ms", 0.0)
                common["mode"], common["verification"] = worded.mode, said
                common["notices"] += worded.notices
                if both := self.wording.reading(read_again):
                    common["notices"] += (both,)
                led_to = self.wording.suggestions(suggested)
        with stages("notices"):
            if common.get("mode", "extractive") == "extractive":
                statements, passages = self._in_order(statements, passages, evidence, audience, populations)
            statements = tuple(self._dressed(statement, statements, passages, audience) for statement in statements)
            documents = [opened.records.document(passage.document_id) for passage in passages]
            common["notices"] += answer_notices(
                statements,
                passages,
                documents,
                populations,
                today=self._today(),
                max_age_years=self.settings.max_age_years,
            )
            common["also_retrieved"] = self._also(evidence, passages)
        with stages("suggest"):
            cited = [passage.document_id for passage in passages]
            related = self._suggester.after(evidence, cited, asked_before)
            common["related_questions"] = tuple(dict.fromkeys((*led_to, *related)))[:SHOWN]
        return done(_answer(card, statements, passages, common))

    @staticmethod
    def check_question(question: str) -> None:
        """Raise QuestionFault if a question is empty or too long."""
        if not question.strip():
            raise QuestionFault("the question is empty: type one")
        if question != question.encode("utf-8", "replace").decode("utf-8"):
            raise QuestionFault("the question holds bytes that are no characters: type it again")
        if len(question) > MAX_QUESTION_CHARS:
            raise QuestionFault(
                f"the question has {len(question):,} characters, the most is {MAX_QUESTION_CHARS:,}: shorten it"
            )

    def answers(self, resolution: Resolution, evidence: Evidence) -> bool:
        """Say whether evidence is enough to answer from."""
        return evidence.confidence >= self.threshold and not self._unknown(resolution, evidence)

    def _check(self, question: str, article: str | None, opened: OpenIndex) -> str:
        """Return the open article's title, "" if none is open. Raises QuestionFault."""
        self.check_question(question)
        if article is None:
            return ""
        if article not in opened.records:
            raise QuestionFault(f"no article {article!r} in the index: 'followup search' names the ids that it holds")
        return opened.records.document(article).title

    def _common(
        self, question: str, turns: Sequence[Turn], resolution: Resolution, audience: Audience
    ) -> dict[str, Any]:
        return {
            "question": question,
            "standalone_question": resolution.standalone_question,
            "disclaimer": disclaimer(audience),
            "index_version": self.opened.version,
            "notices": question_notices(question, turns, examples=self._examples),
            "understood": {
                "how": resolution.how,
                "topic": resolution.focus.topic,
                "asked": sorted(resolution.asked),
                "is_followup": resolution.is_followup,
            },
        }

    def _abstain(self, code: AbstentionReason, common: dict[str, Any], terms: Sequence[str] = ()) -> Abstention:
        if terms:
            quoted = ", ".join(f"“{term}”" for term in terms)
            return Abstention(
                reason_code="unknown_term", reason=ABSTENTIONS["unknown_term"].format(terms=quoted), **common
            )
        return Abstention(reason_code=code, reason=ABSTENTIONS[code], **common)

    def _unknown(self, resolution: Resolution, evidence: Evidence) -> list[str]:
        """Return the words of the topic that stand nowhere in the index, if they are most of what it names."""
        if evidence.features.unknown < _UNKNOWN_SHARE:
            return []
        words = resolution.focus.topic.split()
        frequency = self.opened.store.document_frequency
        return [w for w in words if (terms := content_terms(w)) and not any(frequency(term) for term in terms)]

    def _answerable(self, choices: Sequence[str]) -> tuple[str, ...]:
        known = self._suggester.answerable(choices)
        return tuple(choice for choice, answers in zip(choices, known, strict=True) if answers)

    @staticmethod
    def _in_order(
        statements: tuple[Statement, ...],
        passages: tuple[CitedPassage, ...],
        evidence: Evidence,
        audience: Audience,
        populations: AbstractSet[Population],
    ) -> tuple[tuple[Statement, ...], tuple[CitedPassage, ...]]:
        if len(passages) < 2:
            return statements, passages
        scores = {hit.passage.id: hit.score for hit in evidence.hits}
        conflicts = find_conflicts(statements, passages)
        # "And in pregnancy?": what is about pregnancy is read first.
        foremost = about_any(populations, statements, passages)
        # For a patient the easier of equals come first, whatever their year.
        return newest_first(
            statements, passages, conflicts, scores, years_rank=audience != "patient", foremost=foremost
        )

    def _dressed(
        self, statement: Statement, shown: Sequence[Statement], passages: Sequence[CitedPassage], audience: Audience
    ) -> Statement:
        passage = next(passage for passage in passages if passage.number == statement.citations[0])
        beside = [other.text for other in shown if other.citations[0] == passage.number and other != statement]
        return replace(
            statement,
            badges=strength_badges(statement.text, statement.context),
            cautions=statement_cautions(statement, passage, audience=audience, beside=beside),
            issued=status_words(passage, self._today(), max_age_years=self.settings.max_age_years),
        )

    def _telling(
        self, tell: Callable[[Statement, Sequence[CitedPassage]], None], audience: Audience
    ) -> Callable[[Statement, Sequence[CitedPassage]], None]:
        def told(statement: Statement, passages: Sequence[CitedPassage]) -> None:
            if not any(passage.flags or passage.superseded_by for passage in passages):
                tell(self._dressed(statement, (), passages, audience), passages)

        return told

    def _also(self, evidence: Evidence, passages: Sequence[CitedPassage]) -> tuple[CitedPassage, ...]:
        cited = {passage.passage_id for passage in passages}
        rest = [hit.passage for hit in evidence.hits if hit.passage.id not in cited][:_ALSO_SHOWN]
        document = self.opened.records.document
        return tuple(
            cite(len(passages) + place, passage, document(passage.document_id), ())
            for place, passage in enumerate(rest, 1)
        )


def _without_personal_data(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return turns whose words name nobody, so that no rewritten question does."""
    return tuple(
        replace(
            turn,
            content=without_personal_data(turn.content),
            standalone_question=turn.standalone_question and without_personal_data(turn.standalone_question),
        )
        if turn.role == "user"
        else turn
        for turn in turns
    )


def _hidden(question: str, turns: Sequence[Turn]) -> tuple[Callable[[str], str], tuple[Turn, ...]]:
    """Return what masks personal data of all messages in a text, and the turns so masked, for a language model."""
    hidden = masker(question, *(turn.content for turn in turns if turn.role == "user"))
    return hidden, tuple(replace(turn, content=hidden(turn.content)) for turn in turns)


def _open_wording(settings: Settings, vectors: UnitVectors) -> Wording | None:
    if settings.llm is None:
        return None
    # Imported here: without a language model none of its modules is needed.
    from chatbot.answer.wording import Wording

    return Wording(settings, vectors)


def _for_reader(hits: tuple[Hit, ...], audience: Audience) -> tuple[Hit, ...]:
    """Return hits with easier passages first among about equals, for a reader who needs that."""
    return prefer_for(audience, hits, text=lambda hit: hit.passage.text, rank=lambda hit: hit.score)


def _answer(
    card: EmergencyCard | None,
    statements: tuple[Statement, ...],
    passages: tuple[CitedPassage, ...],
    common: dict[str, Any],
) -> Reply:
    if card:
        return Emergency(card=card, statements=statements, passages=passages, **common)
    return Answer(statements=statements, passages=passages, **common)
