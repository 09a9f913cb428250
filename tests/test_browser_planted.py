"""What somebody plants in a question or an article: the browser fetches nothing of it and runs nothing of it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Browser, chromium, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="Chromium or its driver is not installed"),
]

KINDS_OF_RESOURCE = {
    "image": '<img src="{}">',
    "markdown image": "![x]({})",
    "reference image": "![x][r]\n\n[r]: {}",
    "srcset": '<img srcset="{} 2x">',
    "picture": '<picture><source srcset="{}"><img></picture>',
    "css": "<style>body {{ background: url({}) }}</style>",
    "style attribute": '<p style="background-image: url({})">x</p>',
    "style sheet": '<link rel="stylesheet" href="{}">',
    "import": "<style>@import '{}';</style>",
    "svg": '<svg><image href="{}"/></svg>',
    "svg use": '<svg><use href="{}#x"/></svg>',
    "audio": '<audio src="{}" autoplay></audio>',
    "video": '<video poster="{}" src="{}"></video>',
    "frame": '<iframe src="{}"></iframe>',
    "object": '<object data="{}"></object><embed src="{}">',
    "script": '<script src="{}"></script><img src=x onerror="fetch(\'{}\')">',
    "prefetch": '<link rel="prefetch" href="{}"><link rel="preload" as="image" href="{}">',
    "refresh": '<meta http-equiv="refresh" content="0;url={}">',
}


class _Beacon(http.server.BaseHTTPRequestHandler):
    hits: list[str]

    def do_GET(self) -> None:
        self.hits.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def beacon() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a host that counts who fetches from it, and its count."""
    hits: list[str] = []
    handler = type("Beacon", (_Beacon,), {"hits": hits})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", hits
        server.shutdown()


def test_planted_resources_are_never_fetched(
    beacon: tuple[str, list[str]], environment: dict[str, str], minilm: Any, tmp_path: Path
) -> None:
    """Nothing in a question, title, text, section, source or link makes the browser fetch or run anything."""
    from index.build import build

    host, hits = beacon
    planted = {
        name: text.replace("{}", f"{host}/{place}").replace("{{", "{").replace("}}", "}")
        for place, (name, text) in enumerate(KINDS_OF_RESOURCE.items())
    }
    rows = [
        {
            "_id": f"d{place}",
            "title": f"Zebra fever {name} {evil}",
            "text": f"Zebra fever with {name} is treated with rest {evil} and fluids. Zebra fever {name} is mild.",
            "metadata": {
                "kind": "guideline",
                "year": 2024,
                "section": f"Care {evil}",
                "source": evil,
                "url": f"{host}/{place}",
            },
        }
        for place, (name, evil) in enumerate(planted.items())
    ]
    corpus = tmp_path / "planted.jsonl"
    corpus.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    build([corpus], tmp_path / "index", minilm, model="all-MiniLM-L6-v2")
    with serving(environment, tmp_path / "index", tmp_path / "served") as served:
        page = Browser(served)
        try:
            page.fresh()
            page.js("window.alert = () => { window.ran = true; }")
            assert len(page.all("#titles .title")) == len(planted)
            for place in range(len(planted)):
                page.click(f'#titles [data-document="d{place}"]')
                page.one("#article h2")
                page.click("#back")
            kinds = list(planted)
            for turns, some in enumerate((kinds[:9], kinds[9:])):
                evil = " ".join(planted[name] for name in some)
                page.js("arguments[0].value = arguments[1]", page.one("#question"), f"Zebra fever with rest? {evil}")
                page.click("#send")
                page.answered(turns)
            assert page.all(".statement")
            page.click(".citation", -1)
            page.one("#passages .passage")
            page.click("#passages .open-article")
            page.one("#article h2")
            page.click('[data-tab="conversations"]')
            page.one(".kept li")
            page.reload()
            assert len(page.all(".turn")) == 2
            tags = "img picture source audio video iframe object embed script link style meta image use".split()
            script = "return document.querySelectorAll(`#followup :is(${arguments[0].join()})`).length"
            assert page.js(script, tags) == 0
            assert not page.js("return window.ran")
            asked = [url for url in page.requested() if url.startswith(host)]
            blocked = [fault for fault in page.faults() if "Content Security Policy" in fault]
            assert (hits, asked, blocked) == ([], [], [])
        finally:
            page.quit()
