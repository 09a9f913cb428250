"""What the page shows of a reply: everything it says, escaped, with quotes marked where they stand."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.web.render import likelihood, statement, turn, turn_end, turn_shell
from chatbot.web.sources import emphasised, facts, passages, quote_place, reference

TEXT = "Do not prescribe:\nquinine as first treatment [3]\nStretch the calf for 30 seconds. [1]"
PASSAGE: dict[str, Any] = {
    "number": 1,
    "passage_id": "p1",
    "document_id": "cramps",
    "title": "How are cramps treated?",
    "kind": "guideline",
    "year": 2025,
    "section": ["Treatment", "Medicines"],
    "text": TEXT,
    "start": 100,
    "end": 100 + len(TEXT),
    "page": 4,
    "url": "https://example.org/cramps",
    "review_status": "under_review",
    "references": [
        {
            "number": 3,
            "kind": "research",
            "title": "Quinine for cramps",
            "source": "Journal",
            "year": 2012,
            "url": "https://doi.org/10.1/x",
            "authors": ["Allen RE", "Kirby KA"],
        }
    ],
    "flags": [],
}
REPLY: dict[str, Any] = {
    "question": "and quinine?",
    "standalone_question": "Is quinine used for cramps?",
    "outcome": "answer",
    "statements": [
        {
            "text": "quinine as first treatment [3]",
            "citations": [1],
            "context": ["Medicines", "Do not prescribe:"],
            "start": 118,
            "end": 148,
            "polarity": "against",
            "badges": ["not recommended"],
            "cautions": ["Check this dose in its source."],
        }
    ],
    "passages": [PASSAGE],
    "notices": [
        {"code": "pending_review", "text": "No clinician has yet approved it."},
        {"code": "retracted", "text": "Source [1] has been withdrawn."},
        {"code": "conflict_dose", "text": "The sources differ."},
    ],
    "related_questions": ["What helps cramps at night?"],
    "disclaimer": "This is software.",
    "mode": "extractive",
    "confidence": 0.934,
    "index_version": "v1",
    "timings_ms": {},
    "also_retrieved": [{**PASSAGE, "number": 2, "passage_id": "p2", "title": "What causes cramps?"}],
    "understood": {},
}


class Reader(HTMLParser):
    """Reads HTML back: visible text, tags with attributes, and whether tags close in order."""

    VOID = frozenset({"input", "br", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.open: list[str] = []
        self.balanced = True
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.balanced = self.balanced and bool(self.open) and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def of_class(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.tags if name in attributes.get("class", "").split()]


def shown(reply: dict[str, Any], audience: str = "physician", version: str = "v1") -> Reader:
    return Reader(turn(reply, reply["question"], 7, audience, current_version=version, copied="copied text"))


def test_turn_shows_everything_a_reader_must_see() -> None:
    """Question, understanding, context, quote, caution, badge, notices, sources and related questions are there."""
    words = shown(REPLY).words
    for part in (
        "and quinine?",
        "Is quinine used for cramps?",
        "Do not prescribe:",
        "quinine as first treatment [3]",
        "Check this dose in its source.",
        "not recommended",
        "No clinician has yet approved it.",
        "has been withdrawn",
        "How are cramps treated?",
        "What causes cramps?",
        "What helps cramps at night?",
        "Very likely",
        "0.93",
    ):
        assert part in words


def test_pieces_make_the_same_turn() -> None:
    """A turn that arrives in pieces is the turn that a reload shows."""
    head, tail = str(turn_shell(REPLY, REPLY["question"], 7)).split("</ol>")
    end = turn_end(REPLY, 7, current_version="v1", copied="copied text")
    pieced = f"{head}{statement(REPLY, 0, 'nurse')}</ol>{end}{tail}"
    assert pieced == turn(REPLY, REPLY["question"], 7, "nurse", current_version="v1", copied="copied text")


def test_grave_notices_stand_above_the_quotes() -> None:
    """A withdrawn source and a conflict are announced before the words; a pending review after them."""
    html = str(turn(REPLY, "q", 1, "nurse", current_version="v1"))
    grave = max(html.index("has been withdrawn"), html.index("The sources differ"))
    assert grave < html.index("statement-text") < html.index("yet approved it")


def test_citation_names_its_passage() -> None:
    """A number is a button that holds the passage id, and the card with that id exists."""
    page = shown(REPLY)
    assert [entry["data-passage"] for entry in page.of_class("citation")] == ["p1"]
    assert [entry["data-passage"] for entry in page.of_class("passage")] == ["p1"]


def test_only_cited_sources_are_listed() -> None:
    """What was found but not quoted stands in the fold, not among the sources."""
    page = shown(REPLY)
    assert [entry["data-passage"] for entry in page.of_class("source")] == ["p1"]
    assert [tag for tag, attributes in page.tags if attributes.get("class") == "also"] == ["details"]


def test_repeated_context_is_kept_for_screen_readers() -> None:
    """The second quote under the same headings hides the line from the eye only."""
    second = {**REPLY["statements"][0], "text": "Stretch the calf for 30 seconds. [1]", "start": 149}
    page = shown({**REPLY, "statements": [REPLY["statements"][0], second]})
    assert [entry["class"] for entry in page.of_class("context")] == ["context", "context visually-hidden"]


def test_understood_is_left_out_when_nothing_was_rewritten() -> None:
    """A question that stood alone is not repeated."""
    assert not shown({**REPLY, "standalone_question": "and  quinine?"}).of_class("understood")


def test_turn_of_another_index_says_so() -> None:
    """A kept answer names the index that it was made with, when another is open now."""
    assert "Answered with index of v1" in shown(REPLY, version="v2").words
    assert "Answered with index" not in shown(REPLY, version="v1").words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"outcome": "abstention", "reason": "Nothing was found."}, "Nothing was found."),
        ({"outcome": "clarification", "clarifying_question": "Which one?", "choices": ["Child?"]}, "Child?"),
        (
            {
                "outcome": "emergency",
                "emergency": {"title": "Get help", "text": "Call now.", "actions": ["Sit down."], "sticky": True},
            },
            "Sit down.",
        ),
    ],
)
def test_every_outcome_has_its_words(more: dict[str, Any], words: str) -> None:
    """No outcome reaches the page without being shown, and none shows sources that it has not."""
    page = shown({**REPLY, "statements": [], "passages": [], "notices": [], **more})
    assert words in page.words
    assert not page.of_class("sources") and not page.of_class("confidence")


def test_emergency_card_comes_before_quotes() -> None:
    """The card is the first thing below the question."""
    card = {"title": "Get help", "text": "Call now.", "actions": [], "sticky": False}
    html = str(turn({**REPLY, "outcome": "emergency", "emergency": card}, "q", 1, "nurse", current_version="v1"))
    assert html.index("Call now.") < html.index("has been withdrawn") < html.index("statement-text")


def test_terms_are_explained_to_patients_once() -> None:
    """A patient reads what a term means beside its first quote; a physician does not."""
    rows = [{**REPLY["statements"][0], "text": f"Claudication was {word}."} for word in ("common", "rare")]
    reply = {**REPLY, "statements": rows}
    assert len(shown(reply, "patient").of_class("explained")) == 1
    assert not shown(reply, "physician").of_class("explained")


def test_quote_is_marked_where_it_stands() -> None:
    """The marked words are the statement's, and the passage's text is whole around them."""
    html = str(passages(REPLY, 1))
    marked = re.search(r'<mark class="quote" data-statement="0">(.*?)</mark>', html)
    assert marked and Reader(marked[1]).words == "quinine as first treatment [3]"
    body = re.search(r'<div class="passage-text">(.*?)</div>', html, re.DOTALL)
    assert body and Reader(body[1]).words == TEXT.replace("\n", "")


def test_quote_over_two_lines_is_marked_on_both() -> None:
    """A quote that crosses a line end is marked in each line."""
    row = {**REPLY["statements"][0], "text": TEXT[:30], "start": 100}
    html = str(passages({**REPLY, "statements": [row]}, 1))
    assert html.count('<mark class="quote"') == 2


@pytest.mark.parametrize(
    ("start", "text", "place"),
    [
        (118, "quinine", (18, 25)),
        (0, "Stretch", (49, 56)),  # no offsets, as when a language model quoted: the words are looked for
        (101, "Stretch", (49, 56)),  # offsets that point elsewhere do not count
        (118, "ibuprofen", None),
        (118, "", None),
    ],
)
def test_quote_place_trusts_words_over_offsets(start: int, text: str, place: tuple[int, int] | None) -> None:
    """A mark stands only where the very words stand."""
    assert quote_place({"text": text, "start": start}, PASSAGE) == place


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Do not use it.", ["not"]),
        ("Avoid quinine unless nothing else helps.", ["Avoid", "unless"]),
        ("It doesn’t help, and can't harm.", ["doesn’t", "can't"]),
        ("Give only if pain lasts.", ["only if"]),
        ("Another nodule was noted.", []),
    ],
)
def test_negations_are_emphasised(text: str, marked: list[str]) -> None:
    """Words that turn a sentence around stand out; words that only contain them do not."""
    html = str(emphasised(text))
    assert [Reader(words).words for words in re.findall(r'<em class="negation">(.*?)</em>', html)] == marked


@given(st.text(alphabet=st.sampled_from("<>&\"'[]1, -notunles{}\n é"), max_size=60))
def test_emphasis_changes_no_character(text: str) -> None:
    """Without its tags, an emphasised text is the text that was given."""
    assert Reader(f"<p>{emphasised(text)}</p>").words == text


@given(st.text(max_size=40))
def test_anything_in_a_reply_stays_text(evil: str) -> None:
    """Whatever a question, title or quote holds, no tag or attribute comes of it that was not there before."""
    harmless = shown(_with("x"), "patient", "other")
    page = shown(_with(evil), "patient", "other")
    assert page.balanced and not page.open
    names = {(tag, *sorted(attributes)) for tag, attributes in page.tags if tag != "a"}
    assert names <= {(tag, *sorted(attributes)) for tag, attributes in harmless.tags} | {
        ("mark", "class", "data-statement"),
        ("em", "class"),
        ("span", "class", "data-cites", "title"),
        *((tag, "class") for tag in ("p", "ul", "section")),
        *((tag,) for tag in ("dl", "dt", "dd", "div")),
        ("dl", "aria-label", "class"),
    }


EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg onload=alert(1)>"


def test_markup_in_a_reply_is_shown_as_text() -> None:
    """Tags in every field arrive as letters."""
    page = shown(_with(EVIL), "patient", "other")
    assert not {tag for tag, _ in page.tags} & {"script", "img", "svg", "iframe", "object", "link", "style", "base"}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.words.count("<script>alert(1)</script>") > 10


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,<script>", "//evil.example", "file:///etc", ""])
def test_only_web_addresses_become_links(url: str) -> None:
    """A reference or passage with any other address has no link at all."""
    entry = {**PASSAGE["references"][0], "url": url}
    assert "<a " not in reference(entry)
    assert "<a " not in passages({**REPLY, "passages": [{**PASSAGE, "url": url, "references": []}]}, 1)


def test_facts_name_kind_year_page_and_status() -> None:
    """A source's marks say what it is, how old, which page and how far reviewed."""
    assert Reader(facts(PASSAGE)).words == "Guideline · 2025 · page 4 · Under review"


def test_undated_source_says_so() -> None:
    """No date is a fact, not a gap."""
    assert "No date" in Reader(facts({**PASSAGE, "year": None, "page": None, "review_status": None})).words


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.99, "Very likely"), (0.7, "Likely"), (0.5, "About as likely as not"), (0.0, "Unlikely")],
)
def test_likelihood_words(probability: float, words: str) -> None:
    """Words follow the IPCC's calibrated language (Mastrandrea et al. 2010, table 1)."""
    assert likelihood(probability) == words


def _with(evil: str) -> dict[str, Any]:
    """Return the reply with `evil` in every field that comes from a user or a document."""
    entry = {**PASSAGE["references"][0], "title": evil, "source": evil, "url": evil, "authors": [evil], "kind": evil}
    passage = {
        **PASSAGE,
        "passage_id": evil,
        "document_id": evil,
        "title": evil,
        "section": [evil],
        "text": evil,
        "url": evil,
        "kind": evil,
        "review_status": evil,
        "flags": [evil],
        "references": [entry],
        "end": 100 + len(evil),
    }
    row = {
        **REPLY["statements"][0],
        "text": evil,
        "start": 100,
        "context": [evil],
        "badges": [evil],
        "cautions": [evil],
    }
    return {
        **REPLY,
        "question": evil,
        "standalone_question": evil + "?",
        "statements": [{**row, "polarity": evil}],
        "passages": [passage],
        "notices": [{"code": evil, "text": evil}],
        "related_questions": [evil],
        "also_retrieved": [{**passage, "number": 2}],
        "index_version": evil,
        "outcome": "clarification",
        "clarifying_question": evil,
        "choices": [evil],
        "emergency": {"title": evil, "text": evil, "actions": [evil], "sticky": False},
    }


def test_the_page_says_what_leaves_the_machine_before_the_first_question() -> None:
    """With a language model set, its host is named above the box; without one, nothing is."""
    from chatbot.web.page import frame

    assert 'id="leaves"' not in frame()
    assert "sent to model.example &amp; co" in frame("Questions are sent to model.example & co.")
