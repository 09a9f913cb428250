"""Where a language model meets the pipeline: opened by a setting, asked beside the rules, never waited for twice.

Is: the wiring of the three uses (answer, follow-up, suggestions) within one time limit. Is not: the model, the
prompts or the gate; see `generate.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import Any

from chatbot.answer.compose import UnitVectors
from chatbot.answer.entailment import load_entailment
from chatbot.answer.generate import Generated, Generator, Readings, SourcePassage
from chatbot.answer.generate_faults import FAULT_NOTICES
from chatbot.answer.llm import ChatModel, ModelFault, banner, open_model
from chatbot.replies import Audience, CitedPassage, Notice, Statement, Turn
from chatbot.settings import Settings

# Replies under way at once, each with a reading and suggestions beside its answer.
_WORKERS = 16

# Told of a statement that has passed the gate, with the passages that it cites.
Tell = Callable[[Statement, Sequence[CitedPassage]], None]
Quotes = tuple[tuple[Statement, ...], tuple[CitedPassage, ...]]


class Wording:
    """One model for one chatbot; safe to share between threads."""

    def __init__(self, settings: Settings, vectors: UnitVectors, model: ChatModel | None = None) -> None:
        """Open the model that the settings name (or take `model`); if it cannot be, every reply says so.

        Raises:
            EntailmentUnavailable: the entailment model that is named is none.
        """
        assert settings.llm or model, "a language model is used only when a setting names one"
        self._timeout_seconds = settings.llm_timeout_seconds
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="wording")
        self._fault: Notice | None = None
        self._generator: Generator | None = None
        self.banner = banner(settings.llm or (model.name if model else ""), settings.llm_base_url)
        entailment = load_entailment(settings.nli_model) if settings.nli_model else None
        try:
            model = model or open_model(
                settings.llm or "",
                base_url=settings.llm_base_url,
                timeout_seconds=settings.llm_timeout_seconds,
                max_tokens=settings.llm_max_tokens,
            )
        except ModelFault as fault:
            self._fault = Notice("language_model", FAULT_NOTICES[fault.kind])
            return
        self._generator = Generator(
            model,
            vectors,
            timeout_seconds=settings.llm_timeout_seconds,
            retries=settings.llm_retries,
            entailment=entailment,
            price_read=settings.llm_price_read,
            price_written=settings.llm_price_written,
        )

    def read_again(self, question: str, turns: Sequence[Turn], rules: str) -> Future[Any] | None:
        """Begin to read a follow-up by the model as well; `None` if there is no model."""
        return self._pool.submit(self._generator.resolve, question, turns, rules) if self._generator else None

    def answer(
        self,
        question: str,
        turns: Sequence[Turn],
        sources: Sequence[SourcePassage],
        quotes: Quotes,
        *,
        max_statements: int,
        audience: Audience,
        tell: Tell | None = None,
    ) -> Generated:
        """Return the worded answer, or the quotes with a notice; `tell` is told of each statement once it is checked."""
        if self._generator is None:
            notices = (self._fault,) if self._fault else ()
            return Generated(*quotes, "extractive", notices, {})
        if tell is None:
            return self._generator.compose(
                question, turns, sources, quotes, max_statements=max_statements, audience=audience
            )
        last: Generated | None = None
        for piece in self._generator.stream(
            question, turns, sources, quotes, max_statements=max_statements, audience=audience
        ):
            if isinstance(piece, Generated):
                last = piece
            else:
                tell(*piece)
        assert last is not None, "a stream ends with the whole answer"
        return last

    def suggest(
        self,
        question: str,
        sources: Sequence[SourcePassage],
        answerable: Callable[[Sequence[str]], Sequence[bool]],
    ) -> Future[Any] | None:
        """Begin to propose questions to go on with, only such as the index answers; `None` without a model."""
        if self._generator is None:
            return None
        return self._pool.submit(self._generator.suggest, question, sources, answerable=answerable, fallback=())

    @staticmethod
    def reading(begun: Future[Any] | None) -> Notice | None:
        """Return the notice that shows both readings of a follow-up, if they differ and the model is done."""
        found = _done(begun)
        return found.notice() if isinstance(found, Readings) else None

    @staticmethod
    def suggestions(begun: Future[Any] | None) -> tuple[str, ...]:
        """Return the model's questions if it is done; the answer was what took the time."""
        found = _done(begun)
        return found if isinstance(found, tuple) else ()


# What is not done when the answer is may take this much longer; then the rules' own stand.
_GRACE_SECONDS = 0.5


def _done(begun: Future[Any] | None) -> Any:
    if begun is None:
        return None
    try:
        return begun.result(timeout=_GRACE_SECONDS)
    except WaitedTooLong:
        return None
