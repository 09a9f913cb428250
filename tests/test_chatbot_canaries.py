"""Personal data that is asked with goes nowhere: 200 messages through every channel at once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml
from conftest import TinyEmbedder, count_safety
from scripted import ScriptedModel

from chatbot.answer.compose import UnitVectors
from chatbot.answer.wording import Wording
from chatbot.replies import Turn
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from chatbot.web.export import FORMATS
from index.build import build

_ROWS = yaml.safe_load((Path(__file__).parent / "safety" / "privacy.yaml").read_text(encoding="utf-8"))
_ALL = [(text, secrets) for half in _ROWS.values() for text, secrets in half["masked"]]
# Two hundred of them, from every part of the file.
CANARIES = [_ALL[place * len(_ALL) // 200] for place in range(200)]
# A question that these articles answer goes with each message, so that a whole reply is made and kept.
ASKED = "What is the maximum dose of baclofen? "

# A server whose every logger writes to a file at the lowest level, and that breaks on one word.
LAUNCHER = """
import logging, sys, warnings
from pathlib import Path
folder, port = Path(sys.argv[1]), int(sys.argv[2])
logging.basicConfig(filename=folder / "debug.log", level=logging.DEBUG)
logging.captureWarnings(True)
from conftest import TinyEmbedder
from chatbot.conversations import ConversationStore
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from chatbot.web import observe, serve

class Breaking(Chatbot):
    def _reply(self, question, *rest):
        if "crashnow" in question:
            raise RuntimeError(f"cannot answer {question!r}")
        return super()._reply(question, *rest)

start = observe.start_logging
def at_every_level(*args):
    handler = start(*args)
    for name in ("followup", "uvicorn"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    return handler
observe.start_logging = at_every_level

bot = Breaking(Settings(index=folder / "index", threshold=0.0), TinyEmbedder())
app = serve.create_app(bot, ConversationStore(f"sqlite:///{folder / 'kept.sqlite'}"), host="127.0.0.1", port=port, mcp=True)
serve._run(app, serve._listen("127.0.0.1", port), "127.0.0.1", port)
"""


@pytest.fixture
def folder(articles, tmp_path):
    """Return a folder with an index of three small articles."""
    build([articles], tmp_path / "index", TinyEmbedder(), model="tiny")
    return tmp_path


@pytest.fixture
def server(folder, environment):
    """Return the address of a running server; all that it may write lies in `folder`."""
    (folder / "tmp").mkdir()
    (folder / "home").mkdir()
    (folder / "launch.py").write_text(LAUNCHER, encoding="utf-8")
    port = _free_port()
    moved = {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home")}
    with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, str(folder / "launch.py"), str(folder), str(port)],
            env={**environment, **moved}, cwd=folder, stdout=out, stderr=err,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1800):
            try:
                if httpx.get(f"{address}/healthz", timeout=1).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def leaks(data: bytes, known: bytes) -> list[str]:
    """Return the secrets of all canaries that stand in `data` as words of their own, but not in `known` anyway.

    What is written as JSON may be escaped, so both forms are looked for.
    """
    found = []
    for secret in {secret for _, secrets in CANARIES for secret in secrets}:
        for form in {secret, json.dumps(secret)[1:-1]}:
            raw = form.encode()
            word = rb"(?<![\w-])" + re.escape(raw) + rb"(?![\w-])"
            if raw in data and re.search(word, data) and not re.search(word, known):
                found.append(secret)
    return found


@pytest.mark.safety
def test_no_canary_is_left_by_the_page_server(server, folder, articles):
    """No log at any level, crash report, temporary file, database, write-ahead log, export or meter holds one."""
    seen: dict[str, bytes] = {}
    # A connection each: after a crash the server closes the one that it came by, whoever writes into it meanwhile.
    with httpx.Client(base_url=server, timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        client.get("/")
        kept = None
        for number, (text, _) in enumerate(CANARIES):
            asked = {"question": ASKED + text, "conversation": kept, "audience": ("patient", "physician")[number % 2]}
            response = _patiently(client, "/page/ask", asked)
            assert response.status_code == 200, response.text
            first = json.loads(response.text.splitlines()[0])
            kept, path = first["conversation"], f"/page/conversations/{first['conversation']}"
            said = {"position": first["position"], "kind": "helpful", "comment": text}
            assert _patiently(client, f"{path}/feedback", said).status_code == 200
            client.get("/page/conversations", params={"find": text})
            if number % 20 == 0:
                _patiently(client, f"{path}/title", {"title": text})
                broken = _patiently(client, "/page/ask", {"question": f"crashnow {text}"})
                assert broken.status_code >= 500
                seen[f"crash answer {number}"] = broken.content
                call = {"name": "ask", "arguments": {"question": ASKED + text}}
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
                accept = {"accept": "application/json, text/event-stream"}
                failing = {**call, "arguments": {"question": f"crashnow {text}"}}
                _patiently(client, "/mcp", {**message, "params": failing}, accept)
                assert _patiently(client, "/mcp", message, accept).status_code == 200
                _patiently(client, "/gradio_api/call/ask", {"data": [f"crashnow {text}", [], None, "patient"]})
                _patiently(client, "/gradio_api/call/ask", {"data": [ASKED + text, [], None, "patient"]})
            if number % 20 == 19 or number == len(CANARIES) - 1:
                for form in FORMATS:
                    exported = client.get(f"{path}/export", params={"format": form})
                    seen[f"export {number} {form}"] = (
                        exported.content + exported.headers["content-disposition"].encode()
                    )
                kept = None
        seen["metrics"] = client.get("/metrics").content
        # While the server still runs: its write-ahead log is not emptied yet.
        seen |= {f"running {path.name}": path.read_bytes() for path in folder.glob("kept.sqlite*")}
    ours = {folder / "articles", folder / "index", folder / "launch.py"}
    for path in folder.rglob("*"):
        if path.is_file() and not ours & {path, *path.parents}:
            seen[str(path.relative_to(folder))] = path.read_bytes()
    known = b"".join(path.read_bytes() for path in [*articles.iterdir(), folder / "launch.py"])
    found = {name: bad for name, data in seen.items() if (bad := leaks(data, known))}
    assert {"debug.log", "err.txt", "kept.sqlite", "running kept.sqlite-wal", "metrics"} <= set(seen)
    # The crashes did happen, and were reported.
    assert b"RuntimeError" in seen["err.txt"]
    print(
        f"\nprivacy, page server: {len(CANARIES)} messages, {len(seen)} files and answers, {len(found)} with a canary"
    )
    print(*found.items(), sep="\n")
    count_safety("privacy: files and answers of the page server without a canary", len(seen) - len(found), len(seen))
    assert found == {}


def _patiently(client: httpx.Client, path: str, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
    """Post, and wait where the server says that it was too much."""
    for _ in range(50):
        response = client.post(path, json=body, headers=headers)
        if response.status_code != 429:
            break
        time.sleep(float(response.headers.get("retry-after", 1)))
    return response


@pytest.mark.safety
def test_no_canary_reaches_a_language_model(folder, articles):
    """Neither a first question nor a follow-up that comes back to it sends one; the rewritten question neither."""
    settings = Settings(index=folder / "index", threshold=0.0, llm="fake:model")
    embedder = TinyEmbedder()
    bot = Chatbot(Settings(index=folder / "index", threshold=0.0), embedder)
    # Never an answer that stands: what is sent is what matters.
    model = ScriptedModel(*["{}"] * 20 * len(CANARIES))
    bot.wording = Wording(settings, UnitVectors(embedder), model)
    sent, leaked = 0, []
    for text, secrets in CANARIES:
        model.asked.clear()
        bot.reply(ASKED + text)
        turns = (Turn("user", ASKED + text), Turn("assistant", f"About {secrets[0]}: baclofen."))
        bot.reply(f"and the dose for {secrets[0]}?", turns)
        bot.wording._pool.submit(lambda: None).result()
        prompts = "\n".join(f"{prompt.system}\n{prompt.user}" for prompt in model.asked).encode()
        sent += len(model.asked)
        known = b"".join(path.read_bytes() for path in articles.iterdir())
        leaked += [(text, bad) for bad in leaks(prompts, known) if bad in secrets]
    print(f"\nprivacy, language model: {len(CANARIES)} messages, {sent} prompts, {len(leaked)} with a canary")
    print(*leaked, sep="\n")
    count_safety("privacy: prompts to a language model without a canary", sent - len(leaked), sent)
    assert sent >= len(CANARIES)
    assert leaked == []


@pytest.mark.safety
def test_no_canary_is_in_a_crash_of_the_command_line(folder, environment):
    """A fault of ours shows its traceback, without what the question held."""
    code = (
        "import sys, chatbot.reply as r\n"
        "def broken(self, question, *rest): raise RuntimeError(f'cannot answer {question!r}')\n"
        "r.Chatbot._reply = broken\n"
        "import index.embedding; from conftest import TinyEmbedder\n"
        "index.embedding.load_embedder = lambda *a, **k: TinyEmbedder()\n"
        "from chatbot.cli import main\n"
        "sys.argv = ['followup', 'ask', sys.argv[1], '--index', sys.argv[2]]\n"
        "main()\n"
    )
    shown = []
    for text, secrets in CANARIES[:: len(CANARIES) // 6]:
        done = subprocess.run(
            [sys.executable, "-c", code, text, str(folder / "index")],
            env={**environment, "PYTHONUTF8": "1"}, capture_output=True, cwd=os.getcwd(), check=False,
        )  # fmt: skip
        assert done.returncode == 1 and b"RuntimeError" in done.stderr
        shown += [(text, bad) for bad in leaks(done.stdout + done.stderr, b"") if bad in secrets]
    print(f"\nprivacy, crash of the command line: {len(shown)} canaries shown")
    assert shown == []
