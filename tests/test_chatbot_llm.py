"""Whatever a language model's service does, the reply is cited, in time, and holds no key."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from scripted import ScriptedModel, answer_json, generator, quotes_of, sources_of

from chatbot.answer.generate import Generated
from chatbot.answer.generate_faults import FAULT_NOTICES
from chatbot.answer.llm import FAULTS, ModelFault, banner, fault_of, host_of, open_model
from chatbot.answer.prompts import ANSWER_SYSTEM

KEY = "sk-canary-0123456789abcdef"
QUESTION = "What is baclofen started at?"
SOURCES = sources_of("In adults, baclofen is started at 5 mg three times a day. It may cause drowsiness.")
QUOTES = quotes_of(SOURCES)
GOOD = answer_json(("Baclofen may cause drowsiness.", [1]))
TIMEOUT_SECONDS = 1.0
# A thread must be started and a quote be returned; the rest is the model's time.
SLACK_SECONDS = 1.5


def _endless() -> Iterator[str]:
    while True:
        yield "and so on " * 50


def _slow() -> Iterator[str]:
    while True:
        time.sleep(0.2)
        yield " "


def _cut() -> Iterator[str]:
    yield '{"statements": [{"text": "Baclofen may cause drow'
    raise ConnectionResetError("peer went away")


# Everything that a model may write and that is no answer, with the fault that it is told as.
WRITTEN: list[tuple[object, str]] = [
    ("", "empty"),
    ("   \n\t ", "empty"),
    ("{", "bad_json"),
    ("{}", "bad_json"),
    ("[]", "bad_json"),
    ("null", "bad_json"),
    ('{"statements": []}', "bad_json"),
    ('{"statements": null}', "bad_json"),
    ('{"statements": [1, 2]}', "bad_json"),
    ('{"statements": "none"}', "bad_json"),
    ('{"statements": [{"text": 5, "citations": [1]}]}', "bad_json"),
    ('{"statements": [{"citations": [1]}]}', "bad_json"),
    ('{"answer": {"x": ["y"]}}', "bad_json"),
    ("<html><body>502</body></html>", "bad_json"),
    ("The answer is in the passage.", "bad_json"),
    ('{"statements": [{"text": "Baclofen may cause drow', "bad_json"),
    ("{" * 3000, "bad_json"),
    ('{"a":' * 3000, "bad_json"),
    ("I'm sorry, but I can't help with that.", "refusal"),
    ("I cannot answer medical questions.", "refusal"),
    ("As an AI language model I am unable to do this.", "refusal"),
    (answer_json(("I'm sorry, I cannot answer that.", [1])), "refusal"),
    (ANSWER_SYSTEM, "repeated_prompt"),
    (answer_json(("Keep every number with its unit, every condition.", [1])), "repeated_prompt"),
    (
        answer_json(
            ("Baclofène débute chez adulte avec cinq milligrammes trois fois par jour selon les recommandations", [1])
        ),
        "wrong_language",
    ),
    (
        answer_json(
            ("Баклофен начинают взрослым пациентам три раза день согласно рекомендациям врача каждый раз снова", [1])
        ),
        "wrong_language",
    ),
    (answer_json(("Baclofen cures cancer.", [1])), "nothing_kept"),
    (answer_json(("Baclofen may cause drowsiness.", [9])), "nothing_kept"),
    (answer_json(("Baclofen may cause drowsiness.", [])), "nothing_kept"),
    (answer_json(("Baclofen is started at 50 mg three times a day.", [1])), "nothing_kept"),
    ("x" * 30_000, "endless"),
    (_endless, "endless"),
    (_cut, "connection"),
    (TimeoutError("read"), "timeout"),
    (ConnectionRefusedError(f"key {KEY}"), "connection"),
    (ValueError(KEY), "bad_request"),
    (MemoryError(), "bad_request"),
    (RecursionError(), "bad_request"),
    (KeyError("choices"), "bad_request"),
    (StopIteration(), "bad_request"),
]


class _Misbehaving(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that does what the last part of the base URL says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test reads what the program logs."""

    def do_POST(self) -> None:
        how = self.path.split("/")[1]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if how.isdigit():
            self._send(int(how), "application/json", json.dumps({"error": {"message": f"no: {KEY}", "type": "x"}}))
        elif how == "hang":
            time.sleep(TIMEOUT_SECONDS + 1)
        elif how == "html":
            self._send(200, "text/html", "<html>gateway</html>")
        elif how == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b'{"choices": [')
            self.close_connection = True
        elif how == "drip":
            self._drip()
        elif how == "nothing":
            self._send(200, "application/json", "{}")
        else:
            self._answer(
                {"empty": "", "refusal": "I cannot help.", "good": GOOD, "prose": "Baclofen may cause drowsiness [1]."}[
                    how
                ],
                body,
            )

    def _answer(self, content: str, body: dict[str, object]) -> None:
        if body.get("stream"):
            delta = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            rows = [
                {**delta, "choices": [{"index": 0, "delta": {"content": part}, "finish_reason": None}]}
                for part in (content[:20], content[20:])
            ]
            rows.append({**delta, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self._send(
                200, "text/event-stream", "".join(f"data: {json.dumps(row)}\n\n" for row in rows) + "data: [DONE]\n\n"
            )
            return
        message = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        row = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
               "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
        self._send(200, "application/json", json.dumps(row))

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        delta = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        row = {**delta, "choices": [{"index": 0, "delta": {"content": " "}, "finish_reason": None}]}
        try:
            for _ in range(40):
                self.wfile.write(f"data: {json.dumps(row)}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass
        self.close_connection = True

    def _send(self, status: int, kind: str, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve misbehaviour on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Misbehaving)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def _ask(model: object, *, stream: bool) -> tuple[Generated, float]:
    started = time.monotonic()
    writes = generator(model, timeout_seconds=TIMEOUT_SECONDS)  # type: ignore[arg-type]
    if stream:
        *_, last = writes.stream(QUESTION, (), SOURCES, QUOTES, max_statements=4)
        assert isinstance(last, Generated)
    else:
        last = writes.compose(QUESTION, (), SOURCES, QUOTES, max_statements=4)
    return last, time.monotonic() - started


def _is_cited_extractive(reply: Generated) -> bool:
    return (
        reply.mode == "extractive"
        and reply.statements == QUOTES[0]
        and reply.passages == QUOTES[1]
        and all(statement.citations for statement in reply.statements)
        and [notice.code for notice in reply.notices] == ["language_model"]
    )


@pytest.mark.parametrize("stream", [False, True])
def test_eighty_faults_of_what_is_written_give_eighty_cited_quotes(
    stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Each fault, at once and streamed, ends in the quotes, with its own notice, in time, without a key in a log."""
    caplog.set_level(logging.DEBUG)
    assert len(WRITTEN) == 40
    for said, kind in WRITTEN:
        reply, seconds = _ask(ScriptedModel(said), stream=stream)  # type: ignore[arg-type]
        assert _is_cited_extractive(reply), said
        assert reply.verification["fault"] == kind, str(said)[:80]
        assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS
        assert KEY not in json.dumps(dict(reply.verification)) + reply.notices[0].text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("401", "bad_key"),
        ("403", "bad_key"),
        ("404", "bad_request"),
        ("400", "bad_request"),
        ("429", "rate_limited"),
        ("500", "server_error"),
        ("503", "server_error"),
        ("hang", "timeout"),
        ("empty", "empty"),
        ("refusal", "refusal"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_twenty_faults_of_a_real_client_give_twenty_cited_quotes(
    server: str, how: str, kind: str, stream: bool, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """LangChain's OpenAI client against a server that fails: the same reply, and no traceback."""
    pytest.importorskip("langchain_openai", reason="the extra [openai] is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    model = open_model("openai:m", base_url=f"{server}/{how}/v1", timeout_seconds=TIMEOUT_SECONDS, max_tokens=100)
    reply, seconds = _ask(model, stream=stream)
    assert _is_cited_extractive(reply)
    assert reply.verification["fault"] == kind
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err + caplog.text
    assert KEY not in out + err + caplog.text


@pytest.mark.parametrize("how", ["html", "cut", "nothing"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_broken_service_gives_quotes(server: str, how: str, stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no answer of a service at all is a fault of some kind, never an exception."""
    pytest.importorskip("langchain_openai", reason="the extra [openai] is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = open_model("openai:m", base_url=f"{server}/{how}/v1", timeout_seconds=TIMEOUT_SECONDS, max_tokens=100)
    assert _is_cited_extractive(_ask(model, stream=stream)[0])


def test_a_stream_that_drips_for_ever_ends_in_time(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that keep coming do not keep the reader waiting."""
    pytest.importorskip("langchain_openai", reason="the extra [openai] is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = open_model("openai:m", base_url=f"{server}/drip/v1", timeout_seconds=TIMEOUT_SECONDS, max_tokens=100)
    reply, seconds = _ask(model, stream=True)
    assert reply.verification["fault"] == "timeout"
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("how", ["good", "prose"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_service_that_works_is_used(server: str, how: str, stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON, or plain lines with citation marks, from a server without function calling is read and kept."""
    pytest.importorskip("langchain_openai", reason="the extra [openai] is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = open_model("openai:m", base_url=f"{server}/{how}/v1", timeout_seconds=5, max_tokens=100)
    reply, _ = _ask(model, stream=stream)
    assert reply.mode == "llm"
    assert [statement.text for statement in reply.statements] == ["Baclofen may cause drowsiness."]
    if not stream:
        assert reply.verification["tokens"] == {"read": 100, "written": 10}


def test_a_dripping_scripted_model_is_left_in_time() -> None:
    """A model that writes blanks for ever is a timeout."""
    reply, seconds = _ask(ScriptedModel(_slow), stream=True)
    assert reply.verification["fault"] == "timeout"
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS


def test_a_full_service_is_asked_again_and_a_refused_key_is_not() -> None:
    """Only faults that may pass are tried again, as often as was set."""

    class Full(Exception):
        status_code = 429

    class Refused(Exception):
        status_code = 401

    for error, left in ((Full(), 0), (Refused(), 1)):
        model = ScriptedModel(error, GOOD)
        generator(model, retries=1).compose(QUESTION, (), SOURCES, QUOTES, max_statements=4)
        assert len(model.queue) == left


def test_every_fault_has_words_for_the_reader() -> None:
    """No fault reaches a page unexplained, and every explanation says that the quotes stand in."""
    assert set(FAULT_NOTICES) == set(FAULTS)
    assert all("quotes" in text for text in FAULT_NOTICES.values())


def test_a_missing_package_or_key_is_a_fault_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that cannot be opened says so without the provider's words."""
    with pytest.raises(ModelFault, match="unavailable"):
        open_model("nobody:model", timeout_seconds=1, max_tokens=50)
    pytest.importorskip("langchain_openai", reason="the extra [openai] is not installed")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelFault, match="bad_key"):
        open_model("openai:m", timeout_seconds=1, max_tokens=50)


def test_a_cause_deep_inside_tells_the_kind() -> None:
    """Clients wrap what happened; the innermost type counts."""
    try:
        try:
            raise TimeoutError("read")
        except TimeoutError as inner:
            raise RuntimeError("wrapped") from inner
    except RuntimeError as outer:
        assert fault_of(outer) == "timeout"


@pytest.mark.parametrize(
    ("name", "base_url", "host"),
    [
        ("openai:gpt", None, "api.openai.com"),
        ("anthropic:x", None, "api.anthropic.com"),
        ("openai:x", "http://user:secret@10.0.0.5:8000/v1", "10.0.0.5:8000"),
        ("openai:x", "localhost:1234", "localhost:1234"),
        ("someone:x", None, "the service of someone"),
    ],
)
def test_the_banner_names_the_host(name: str, base_url: str | None, host: str) -> None:
    """Before a question leaves, its reader is told where to; no password of an address is shown."""
    assert host_of(name, base_url) == host
    assert host in banner(name, base_url) and "secret" not in banner(name, base_url)
