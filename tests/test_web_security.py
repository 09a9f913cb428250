"""The guard: what passes, what is refused and in which words, and which headers every response has."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from http.cookies import SimpleCookie

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient

from chatbot.web.gate import allowed_names, check_host, check_origin, check_route
from chatbot.web.rates import Buckets, Rate
from chatbot.web.security import OWNER_COOKIE, Guard, Limits, owner_of, script_hashes, secure

PAGE = "<html><script>var a = 1;</script><script src='/x.js'></script><script type=module>\nb()</script></html>"
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def application(**settings):
    """Return a small application behind the guard; /page/ask tells the owner."""
    app, reached = FastAPI(), []

    @app.get("/")
    def page():
        return HTMLResponse(PAGE)

    async def ask(request: Request) -> Response:
        reached.append(await request.body())
        return PlainTextResponse(owner_of(request))

    async def upload(request: Request) -> Response:
        reached.append("upload")
        return PlainTextResponse("taken")

    @app.get("/page/stream")
    def stream():
        return StreamingResponse(iter(["a", "b"]), media_type="text/event-stream")

    @app.get("/page/odd")
    def odd():
        headers = {"access-control-allow-origin": "*", "content-security-policy": "default-src *", "server": "x"}
        return PlainTextResponse("odd", headers=headers)

    app.add_route("/page/ask", ask, methods=["POST"])
    app.add_route("/gradio_api/queue/join", ask, methods=["POST"])
    app.add_route("/gradio_api/upload", upload, methods=["POST", "PUT"])
    secure(app, host="127.0.0.1", port=7860, **settings)
    app.state.reached = reached
    return app


@pytest.fixture
def app():
    """Return the small application with the limits as shipped."""
    return application()


@pytest.fixture
def client(app):
    """Return a client without cookies that calls the server by its address."""
    return TestClient(app, base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize(
    ("header", "passes"),
    [
        ("localhost:7860", True),
        ("LOCALHOST", True),
        ("127.0.0.1:9999", True),
        ("[::1]:7860", True),
        ("192.168.1.20:7860", True),
        ("bot.example:443", True),
        ("bot.example.", True),
        ("evil.example:7860", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:7860", False),
        ("evil.example#@localhost", False),
        ("localhost, evil.example", False),
        ("user@localhost", False),
        ("localhost:port", False),
        ("", False),
        (None, False),
    ],
)
def test_only_this_servers_names_are_answered(header, passes):
    """A name that is made to point here (DNS rebinding) is refused; addresses cannot be made to point."""
    refusal = check_host(header, allowed_names("127.0.0.1", ["Bot.Example"]))
    assert (refusal is None) is passes


def test_listening_everywhere_allows_no_name_by_itself():
    """0.0.0.0 is no name; with it, names other than localhost come from the operator."""
    assert allowed_names("0.0.0.0", []) == {"localhost"}
    assert allowed_names("::", ["a.example"]) == {"localhost", "a.example"}


@pytest.mark.parametrize(
    ("method", "headers", "passes"),
    [
        ("POST", {"origin": "http://127.0.0.1:7860"}, True),
        ("POST", {"origin": "https://127.0.0.1:7860"}, True),  # a proxy in front may speak TLS
        ("POST", {}, True),  # a program, not a browser
        ("POST", {"origin": "http://127.0.0.1:8888"}, False),  # another program on this machine
        ("POST", {"origin": "http://evil.example"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"origin": ""}, False),
        ("POST", {"sec-fetch-site": "cross-site"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, False),
        ("GET", {"sec-fetch-site": "cross-site", **NAVIGATION}, True),  # a link
        ("POST", {"sec-fetch-site": "cross-site", **NAVIGATION}, False),  # a form
        ("GET", {"sec-fetch-site": "same-origin"}, True),
        ("GET", {"sec-fetch-site": "none", **NAVIGATION}, True),
    ],
)
def test_other_origins_may_link_and_nothing_else(method, headers, passes):
    """No page elsewhere can ask, embed or read."""
    refusal = check_origin(method, {"host": "127.0.0.1:7860", **headers})
    assert (refusal is None) is passes


def test_another_origin_reaches_nothing(app, client):
    """The refusal is in words, and the application never sees the request."""
    response = client.post("/page/ask", headers={"origin": "http://evil.example"})
    assert (response.status_code, response.json()["detail"]) == (403, "Requests from other sites are refused.")
    assert client.post("/page/ask", headers={"origin": "http://127.0.0.1:7860"}).status_code == 200
    assert len(app.state.reached) == 1


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("POST", "/gradio_api/upload", False),
        ("POST", "/gradio_api/upload/", False),
        ("POST", "/upload", False),
        ("POST", "/gradio_api//upload", False),
        ("PUT", "/gradio_api/upload", False),
        ("GET", "/gradio_api/upload_progress", False),
        ("GET", "/gradio_api/file=/etc/passwd", False),
        ("GET", "/gradio_api/file/etc/passwd", False),
        ("GET", "/file=/etc/passwd", False),
        ("GET", "/gradio_api/proxy=http://evil.example", False),
        ("HEAD", "/gradio_api/proxy=http://evil.example", False),
        ("POST", "/gradio_api/run-history/connect", False),
        ("GET", "/gradio_api/deep_link", False),
        ("GET", "/monitoring", False),
        ("GET", "/gradio_api/monitoring/summary", False),
        ("POST", "/gradio_api/process_recording", False),
        ("POST", "/gradio_api/vibe-edit", False),
        ("GET", "/gradio_api/profiling/traces", False),
        ("POST", "/gradio_api/stream/x", False),
        ("POST", "/login", False),
        ("DELETE", "/page/conversations/a", False),
        ("OPTIONS", "/page/ask", False),
        ("GET", "/", True),
        ("GET", "/config", True),
        ("GET", "/assets/index.js", True),
        ("GET", "/theme.css", True),
        ("GET", "/gradio_api/info", True),
        ("GET", "/gradio_api/queue/data", True),
        ("GET", "/gradio_api/heartbeat/abc", True),
        ("POST", "/gradio_api/queue/join", True),
        ("POST", "/gradio_api/call/ask", True),
        ("GET", "/gradio_api/call/ask/0f3a", True),
        ("POST", "/page/ask", True),
        ("POST", "/page/conversations/0f3a/delete", True),
    ],
)
def test_only_what_the_page_needs_is_open(method, path, passes):
    """Uploads, files, proxies and Gradio's workshop are closed."""
    assert (check_route(method, path) is None) is passes


def test_an_upload_is_refused_without_reading_it(app):
    """A body of any length costs nothing: nobody asks for its first byte."""

    async def receive():
        raise AssertionError("the body was read")

    sent = asyncio.run(call(app, "POST", "/gradio_api/upload", receive, [(b"content-length", b"60000000")]))
    assert sent[0]["status"] == 403
    assert app.state.reached == []


async def call(app, method, path, receive, headers=(), client=("127.0.0.1", 5)):
    """Send one request straight into an application and return what it sends."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": client,
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
        "server": ("127.0.0.1", 7860),
    }
    await app(scope, receive, send)
    return sent


def test_every_response_has_the_headers(client):
    """Pages, refusals, streams and what is not found; a header of ours cannot be overruled from within."""
    responses = [
        client.get("/"),
        client.get("/page/stream"),
        client.get("/page/odd"),
        client.get("/nothing-here"),
        client.get("/", headers={"host": "evil.example"}),
        client.post("/gradio_api/upload", content=b"x"),
    ]
    assert [response.status_code for response in responses] == [200, 200, 200, 404, 400, 403]
    for response in responses:
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert "*" not in policy and "http" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cache-control"] == "no-store"
        assert "camera=()" in response.headers["permissions-policy"]
        assert not {"access-control-allow-origin", "server"} & set(response.headers)


def test_the_pages_own_inline_scripts_run_and_no_other(client):
    """The policy of a page names the hash of each of its inline scripts."""
    sources = re.findall(r"'sha256-([^']+)'", client.get("/").headers["content-security-policy"])
    wanted = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"var a = 1;", b"\nb()")]
    assert sources == wanted
    assert "sha256" not in client.get("/page/odd").headers["content-security-policy"]


def test_scripts_that_the_page_adds_later_can_be_named():
    """`scripts` are allowed on every page, by hash."""
    policy = (
        TestClient(application(scripts=["later()"]), base_url="http://localhost")
        .get("/")
        .headers["content-security-policy"]
    )
    assert script_hashes(b"<script>later()</script>").strip() in policy


def test_a_browser_keeps_its_owner_and_another_has_another(app):
    """The cookie is out of reach of scripts and other sites, and the owner is not the cookie."""
    first, second = (TestClient(app, base_url="http://localhost") for _ in range(2))
    header = SimpleCookie(first.get("/").headers["set-cookie"])[OWNER_COOKIE]
    assert (header["httponly"], header["samesite"], header["path"]) == (True, "Strict", "/")
    owner = first.post("/page/ask").text
    assert owner == first.post("/page/ask").text != second.post("/page/ask").text
    assert header.value not in owner


@pytest.mark.parametrize("forged", ["", "x", "../../etc", "a" * 33, "é" * 32, "' OR 1=1 --"])
def test_a_cookie_that_was_never_given_out_gets_a_new_owner(client, forged):
    """Only the shape that we give out is taken."""
    response = client.post("/page/ask", headers={"cookie": f"{OWNER_COOKIE}={forged}".encode()})
    assert re.fullmatch(r"browser-[0-9a-f]{32}", response.text)
    assert OWNER_COOKIE in response.headers["set-cookie"]


def test_cookies_of_other_programs_on_this_machine_do_not_hide_ours(client):
    """Cookies know no ports; a neighbour's odd one must not cost anybody their conversations."""
    client.get("/")
    mine = client.cookies[OWNER_COOKIE]
    owner = client.post("/page/ask").text
    client.cookies.clear()
    odd = f'_xsrf=2|a|"b"; odd name=\x7f{{}}; {OWNER_COOKIE}={mine}; =; z'
    assert client.post("/page/ask", headers={"cookie": odd.encode()}).text == owner


def test_a_link_from_another_site_does_not_replace_the_cookie(client):
    """The browser holds back its strict cookie then; the visitor is sent once around and arrives with it."""
    response = client.get("/?q=1", headers={"sec-fetch-site": "cross-site", **NAVIGATION})
    assert "set-cookie" not in response.headers
    assert 'content="0;url=?q=1&amp;from-link=1"' in response.text
    again = client.get("/?q=1&from-link=1", headers={"sec-fetch-site": "same-origin", **NAVIGATION})
    assert again.text == PAGE


def test_the_page_for_links_repeats_no_markup_of_the_address(client):
    """What stands in the address is not written into the page unless it is harmless."""
    response = client.get('/?q="><script>x</script>', headers={"sec-fetch-site": "cross-site", **NAVIGATION})
    assert "<script" not in response.text and "?from-link=1" in response.text


def test_without_the_guard_nobody_owns_anything():
    """An application that forgot the guard fails closed."""
    app = FastAPI()

    @app.get("/")
    def who(request: Request):
        return owner_of(request)

    with pytest.raises(PermissionError, match="secure"):
        TestClient(app).get("/")


def test_a_long_body_is_refused_by_its_length_and_while_it_comes(app, client):
    """413 in words, whether the length is told, hidden, or a lie in the other direction."""
    most = Limits().body_bytes
    assert client.post("/page/ask", content=b"x" * most).status_code == 200
    told = client.post("/page/ask", content=b"x" * (most + 1))
    hidden = client.post("/page/ask", content=iter([b"x" * 300_000] * 3))
    assert told.status_code == hidden.status_code == 413
    assert told.json()["detail"] == "The message is too long: a request has at most 512 KiB."
    assert client.post("/page/ask", headers={"content-length": "-5"}).status_code == 400
    assert len(app.state.reached) == 1


def test_a_body_that_never_ends_is_given_up():
    """A client that sends a byte and waits does not hold a place for ever."""
    app = application(limits=Limits(body_seconds=0.05))
    parts = iter([{"type": "http.request", "body": b"x", "more_body": True}])

    async def receive():
        for part in parts:
            return part
        await asyncio.sleep(60)

    assert asyncio.run(call(app, "POST", "/page/ask", receive))[0]["status"] == 408


def test_who_asks_too_often_is_told_to_wait_and_others_are_not():
    """429 with plain words and the seconds, for one browser; the next one is served; after the wait, both."""
    now = [0.0]
    app = application(limits=Limits(client=Rate(burst=3, per_second=0.5)), clock=lambda: now[0])
    first, second = (TestClient(app, base_url="http://localhost") for _ in range(2))
    first.get("/"), second.get("/")
    assert [first.post("/page/ask").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = first.post("/page/ask")
    assert refused.json()["detail"] == "Too many questions in a short time. Please wait 2 seconds and ask again."
    assert refused.headers["retry-after"] == "2"
    assert second.post("/page/ask").status_code == 200
    assert first.get("/").status_code == 200
    now[0] = 2.0
    assert first.post("/page/ask").status_code == 200


def test_throwing_cookies_away_does_not_lift_the_limit():
    """Whoever comes without a cookie is known by the address; new cookies for each request share its limit."""
    limits = Limits(client=Rate(burst=2, per_second=0.1), address=Rate(burst=4, per_second=0.1))
    app = application(limits=limits, clock=lambda: 0.0)
    bare = [asyncio.run(call(app, "POST", "/page/ask", nothing))[0]["status"] for _ in range(3)]
    assert bare == [200, 200, 429]
    fresh = [
        asyncio.run(call(app, "POST", "/page/ask", nothing, [(b"cookie", f"{OWNER_COOKIE}={n:032}".encode())]))
        for n in range(2)
    ]
    assert [sent[0]["status"] for sent in fresh] == [200, 429]


def test_programs_without_cookies_are_told_apart_by_their_session():
    """Gradio's own client sends a session and no cookie; 64 of them on one machine are 64."""
    app = application(limits=Limits(client=Rate(burst=1, per_second=0.1)), clock=lambda: 0.0)

    def status(session):
        client = TestClient(app, base_url="http://localhost")
        return client.post("/gradio_api/queue/join", json={"data": [], "session_hash": session}).status_code

    assert [status("a1"), status("b2"), status("a1")] == [200, 200, 429]


def test_one_ipv6_network_is_one_client():
    """A machine has 2⁶⁴ addresses to itself; they count as one."""
    app = application(limits=Limits(address=Rate(burst=1, per_second=0.1)), clock=lambda: 0.0)
    statuses = [
        asyncio.run(call(app, "POST", "/page/ask", nothing, client=(address, 1)))[0]["status"]
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:1::1")
    ]
    assert statuses == [200, 429, 200]


async def nothing():
    """Receive an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def test_a_busy_server_says_so():
    """With as many questions in the works as it can take, the next is told to come again soon."""

    async def scenario():
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow(scope, receive, send):
            entered.set()
            await leave.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        guard = Guard(slow, names={"localhost"}, login=None, limits=Limits(at_once=1), hashes="", clock=lambda: 0.0)
        first = asyncio.create_task(call(guard, "POST", "/page/ask", nothing))
        await entered.wait()
        refused = await call(guard, "POST", "/page/ask", nothing)
        leave.set()
        return refused, await first, await call(guard, "POST", "/page/ask", nothing)

    refused, first, after = asyncio.run(scenario())
    assert (refused[0]["status"], first[0]["status"], after[0]["status"]) == (503, 200, 200)
    assert b"busy with other questions" in refused[1]["body"]


def test_a_failed_request_leaves_its_place():
    """An error inside does not use up the server, request by request."""

    async def scenario():
        async def broken(scope, receive, send):
            raise RuntimeError("broken")

        guard = Guard(broken, names={"localhost"}, login=None, limits=Limits(at_once=1), hashes="", clock=lambda: 0.0)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await call(guard, "POST", "/page/ask", nothing)

    asyncio.run(scenario())


def test_web_sockets_are_refused(app):
    """The page needs none, and none would pass the checks."""
    sent = []

    async def scenario():
        async def send(message):
            sent.append(message)

        await app({"type": "websocket", "path": "/", "headers": []}, nothing, send)

    asyncio.run(scenario())
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_buckets_refill_and_forget_the_silent():
    """Tokens come back with time up to the burst; the number of clients is bounded."""
    now = [0.0]
    buckets = Buckets(Rate(burst=2, per_second=0.5), lambda: now[0], max_clients=2)
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 2.0]
    now[0] = 1.0
    assert buckets.take("a") == 1.0
    now[0] = 2.0
    assert buckets.take("a") == 0.0
    buckets.take("b"), buckets.take("c")
    assert list(buckets._left) == ["b", "c"]


def test_what_is_compressed_inside_reaches_the_page_readable():
    """The page is asked for uncompressed, so that the policy can name its scripts."""
    from starlette.middleware.gzip import GZipMiddleware

    app = FastAPI()

    @app.get("/")
    def page():
        return HTMLResponse(PAGE + " " * 5000)

    app.add_middleware(GZipMiddleware)
    secure(app, host="127.0.0.1", port=7860)
    response = TestClient(app, base_url="http://localhost").get("/", headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in response.headers
    assert "sha256-" in response.headers["content-security-policy"]
