"""Asks a chat model of LangChain, within a time, and turns everything that can go wrong into a value.

Is: the only place that touches LangChain, and only when a model is set. Is not: a prompt (see `prompts.py`), and
never a judge of what was written (see `verify.py`).

    Fault: timeout · rate_limited · server_error · connection · bad_key · bad_request · unavailable
           empty · bad_json · endless · refusal · repeated_prompt · wrong_language · nothing_kept
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel

from chatbot.answer.prompts import Prompt
from chatbot.answer.written import MAX_WRITTEN_CHARS

Fault = Literal[
    "timeout",
    "rate_limited",
    "server_error",
    "connection",
    "bad_key",
    "bad_request",
    "unavailable",
    "empty",
    "bad_json",
    "endless",
    "refusal",
    "repeated_prompt",
    "wrong_language",
    "nothing_kept",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
# Asking again may help with these only.
RETRYABLE: frozenset[Fault] = frozenset(("rate_limited", "server_error", "connection"))
# Seconds before the second try; doubled for each further one.
_FIRST_WAIT_SECONDS = 0.25
# Where the providers that LangChain knows by name are reached; a base URL overrides it.
_HOSTS = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "ollama": "localhost:11434",
}


class ModelFault(Exception):
    """The model gave nothing usable. Holds the kind alone: a provider's message may quote a key or a prompt."""

    def __init__(self, kind: Fault) -> None:
        super().__init__(kind)
        self.kind: Fault = kind


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that a provider says it read and wrote; 0 where it does not say."""

    read: int = 0
    written: int = 0

    def plus(self, other: Tokens) -> Tokens:
        return Tokens(self.read + other.read, self.written + other.written)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of what a model writes, as JSON or plain text, with the tokens that are known so far."""

    text: str = ""
    tokens: Tokens = Tokens()


class ChatModel(Protocol):
    """What is asked of a language model."""

    @property
    def name(self) -> str:
        """Return how replies name it, "provider:model"."""
        ...

    @property
    def host(self) -> str:
        """Return where questions go."""
        ...

    def write(self, prompt: Prompt, schema: type[BaseModel], *, stream: bool) -> Iterator[Chunk]:
        """Yield what it writes, at once or piece by piece. May raise whatever its provider raises."""
        ...


class LangChainModel:
    """Any LangChain chat model; structured output by function calling where it can, plain text where not."""

    def __init__(self, model: Any, name: str, host: str) -> None:
        self._model = model
        self._name = name
        self._host = host

    @property
    def name(self) -> str:
        return self._name

    @property
    def host(self) -> str:
        return self._host

    def write(self, prompt: Prompt, schema: type[BaseModel], *, stream: bool) -> Iterator[Chunk]:
        messages = [("system", prompt.system), ("human", prompt.user)]
        if stream:
            yield from self._stream(messages, schema)
            return
        try:
            structured = self._model.with_structured_output(schema, method="function_calling", include_raw=True)
        except NotImplementedError:
            yield _chunk(self._model.invoke(messages))
            return
        answer = structured.invoke(messages)
        parsed, raw = answer["parsed"], answer["raw"]
        if isinstance(parsed, BaseModel):
            yield Chunk(parsed.model_dump_json(), _tokens(raw))
        else:
            yield _chunk(raw)

    def _stream(self, messages: list[tuple[str, str]], schema: type[BaseModel]) -> Iterator[Chunk]:
        try:
            bound = self._model.bind_tools([schema], tool_choice=schema.__name__)
        except NotImplementedError:
            bound = self._model
        for piece in bound.stream(messages):
            called = "".join(call.get("args") or "" for call in getattr(piece, "tool_call_chunks", ()))
            yield Chunk(called or _text(piece), _tokens(piece))


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    timeout_seconds: float,
    max_tokens: int,
) -> LangChainModel:
    """Return the model that a setting names, "provider:model"; keys come from the provider's own variable.

    Raises:
        ModelFault: `unavailable` if its package is not installed or the name is not known, `bad_key` if no key is set.
    """
    from langchain.chat_models import init_chat_model

    extra: dict[str, Any] = {"base_url": base_url} if base_url else {}
    try:
        # Retries are ours: the provider's own would run past the time that was set.
        model = init_chat_model(
            name, temperature=0, timeout=timeout_seconds, max_retries=0, max_tokens=max_tokens, **extra
        )
    except ImportError as error:
        raise ModelFault("unavailable") from error
    except Exception as error:
        # Each provider raises its own type when a key is missing; none of their texts may get out.
        raise ModelFault("bad_key" if "key" in str(error).lower() else "unavailable") from None
    return LangChainModel(model, name, host_of(name, base_url))


def host_of(name: str, base_url: str | None) -> str:
    """Return the host that questions would leave this machine for, without user name or path."""
    if base_url:
        parts = urlsplit(base_url if "//" in base_url else f"//{base_url}")
        return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    provider = name.partition(":")[0].lower()
    return _HOSTS.get(provider, f"the service of {provider}")


def banner(name: str, base_url: str | None) -> str:
    """Return what must be shown before the first question leaves this machine."""
    return (
        f"A language model ({name}) words the answers. Your question, your last messages (names and numbers masked) and "
        f"the passages found are sent to {host_of(name, base_url)}. Nothing else is sent. Each sentence is checked "
        "against its passage before it is shown."
    )


def ask(
    model: ChatModel,
    prompt: Prompt,
    schema: type[BaseModel],
    *,
    deadline: float,
    retries: int,
    stream: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Chunk]:
    """Yield what a model writes until `deadline`, a time of `clock`; try again where that may help.

    Nothing is tried again once something was yielded.

    Raises:
        ModelFault: with the kind of what went wrong.
    """
    wait = _FIRST_WAIT_SECONDS
    for attempt in range(retries + 1):
        yielded = False
        try:
            for chunk in _within(model, prompt, schema, deadline, stream, clock):
                yielded = True
                yield chunk
            return
        except ModelFault as fault:
            last = attempt == retries or yielded or fault.kind not in RETRYABLE
            if last or clock() + wait >= deadline:
                raise
            time.sleep(wait)
            wait *= 2


_DONE = object()


def _within(
    model: ChatModel,
    prompt: Prompt,
    schema: type[BaseModel],
    deadline: float,
    stream: bool,
    clock: Callable[[], float],
) -> Iterator[Chunk]:
    """Run the model beside this thread, so that a call that never returns holds nobody up."""
    pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        try:
            for chunk in model.write(prompt, schema, stream=stream):
                if stop.is_set():
                    return
                pieces.put(chunk)
            pieces.put(_DONE)
        except Exception as error:
            # Any provider may raise anything; all of it ends in a quoted answer, and none of its text is kept.
            pieces.put(fault_of(error))

    threading.Thread(target=work, daemon=True, name="language-model").start()
    written = 0
    try:
        while True:
            try:
                piece = pieces.get(timeout=max(0.0, deadline - clock()))
            except queue.Empty:
                raise ModelFault("timeout") from None
            if piece is _DONE:
                return
            if isinstance(piece, str):
                raise ModelFault(piece)  # type: ignore[arg-type]
            written += len(piece.text)
            if written > MAX_WRITTEN_CHARS:
                raise ModelFault("endless")
            if clock() >= deadline:
                raise ModelFault("timeout")
            yield piece
    finally:
        stop.set()


def fault_of(error: BaseException) -> Fault:
    """Return the kind of an error that a provider raised, by its status or its type's name."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        status = getattr(current, "status_code", None) or getattr(
            getattr(current, "response", None), "status_code", None
        )
        if isinstance(status, int):
            return _fault_of_status(status)
        name = type(current).__name__
        if "Timeout" in name:
            return "timeout"
        if "Auth" in name or "Permission" in name:
            return "bad_key"
        if "RateLimit" in name:
            return "rate_limited"
        if "Length" in name or "JSON" in name or "Parser" in name or "Validation" in name:
            return "bad_json"
        if "Connect" in name or "Protocol" in name or isinstance(current, ConnectionError):
            return "connection"
        current = current.__cause__ or current.__context__
    return "server_error" if "API" in type(error).__name__ else "bad_request"


def _fault_of_status(status: int) -> Fault:
    if status in (401, 403):
        return "bad_key"
    if status == 429:
        return "rate_limited"
    if status == 408:
        return "timeout"
    return "server_error" if status >= 500 else "bad_request"


def _chunk(message: Any) -> Chunk:
    calls = getattr(message, "tool_calls", None) or []
    invalid = getattr(message, "invalid_tool_calls", None) or []
    if calls:
        return Chunk(json.dumps(calls[0].get("args", {})), _tokens(message))
    if invalid and isinstance(invalid[0].get("args"), str):
        return Chunk(invalid[0]["args"], _tokens(message))
    return Chunk(_text(message), _tokens(message))


def _text(message: Any) -> str:
    content = getattr(message, "content", "")
    if isinstance(content, str):
        return content
    parts = (
        part if isinstance(part, str) else part.get("text", "") for part in content if isinstance(part, str | dict)
    )
    return "".join(part for part in parts if isinstance(part, str))


def _tokens(message: Any) -> Tokens:
    usage = getattr(message, "usage_metadata", None) or {}
    return Tokens(int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0)))
