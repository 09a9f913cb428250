import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from chatbot.evaluation.measures import DEFINITIONS, rate
from chatbot.evaluation.plots import bar_plot, histogram, line_plot
from chatbot.evaluation.questions import Question
from chatbot.evaluation.report import report
from chatbot.evaluation.summary import summarise
from chatbot.evaluation.worst import worst_first

HOSTILE = '<img src="https://example.org/x.png" onerror="alert(1)"> [a](https://example.org) | `b`'


def reply(id_, **fields):
    return {
        "id": id_,
        "question": "x",
        "standalone_question": "x in full",
        "outcome": "answer",
        "statements": [{"text": "Stretch.", "citations": [1], "context": ["Treatment"]}],
        "passages": [{"number": 1, "document_id": "d1", "title": "Cramps", "section": ["S"], "text": "Do: Stretch."}],
        "disclaimer": "Not a doctor.",
        "notices": [{"code": "pending_review", "text": "Not reviewed."}],
        "confidence": 0.7,
        "timings_ms": {"total": 12.0},
        **fields,
    }


def make(questions, replies, run=None, **metrics):
    ratings = rate(questions, replies, run or {})
    summary = {
        "questions": len(questions),
        "mode": "ask",
        "index_version": "i1",
        "settings_fingerprint": "s1",
        "outcomes": {"answer": len(replies)},
        "seconds": 2.0,
        "questions_per_second": 0.5,
        "definitions": DEFINITIONS,
        **summarise(ratings),
        **metrics,
    }
    return report(summary, questions, ratings, replies)


class Reader(HTMLParser):
    """Collects ids, links, every tag and every attribute that could fetch something."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.tags, self.fetching = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)
            if name in ("src", "srcset", "data", "action", "xlink:href") or name.startswith("on"):
                self.fetching.append((tag, name, value))


def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


def test_worst_replies_are_linked():
    """Each listed question links to an article of the same page that shows what was understood and quoted."""
    question = Question("q1", "What dose?", answerable=False, history=(("user", "Cramps?"),), tags=("dose",))
    page, short = make([question], [reply("q1")])
    reader = read(page)
    assert reader.links == ["#reply-0"]
    assert "reply-0" in reader.ids
    for words in ("x in full", "Stretch.", "Do: Stretch.", "Not reviewed.", "Cramps?", "answered, though nothing"):
        assert words in page
    assert "- q1: What dose? – answered, though nothing in the index answers it" in short


def test_hostile_text_is_inert():
    """Text of questions, replies and tags makes no tag, no attribute and no Markdown link."""
    question = Question(HOSTILE, HOSTILE, answerable=False, tags=(HOSTILE,), history=(("user", HOSTILE),))
    statement = {"text": HOSTILE, "citations": [1], "context": [HOSTILE]}
    passage = {"number": 1, "document_id": HOSTILE, "title": HOSTILE, "section": [HOSTILE], "text": HOSTILE}
    answer = reply(HOSTILE, statements=[statement], passages=[passage], standalone_question=HOSTILE)
    answer["timings_ms"] = {HOSTILE: 1.0}
    page, short = make([question], [answer])
    reader = read(page)
    assert reader.fetching == []
    assert not reader.tags & {"img", "script", "iframe", "object", "base", "link"}
    assert "<img" not in short.replace("\\<", "")
    assert "[a](" not in short.replace("\\[a\\](", "")


def test_the_page_fetches_nothing():
    """A browser is told so, and there is no address but links within the page."""
    page, _ = make([Question("q1", "x", answerable=True)], [reply("q1")])
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page


def test_tables_hold_the_numbers():
    """The headline's value, its count and its definition stand in one row of the short form."""
    question = Question("q1", "x", relevant=(("d1", 1),), answerable=True, tags=("first",))
    _, short = make([question], [reply("q1")], {"q1": {"other": 2.0, "d1": 1.0}})
    assert f"| RR@10 | 0.5000 | 1 | {DEFINITIONS['RR@10']} |" in short
    assert "## By tag" in short
    assert "| total | 12.0 | 12.0 | 12.0 | 12.0 | 12.0 |" in short


def test_comparison_marks_what_misses_zero():
    """Fewer unanswerable questions answered is better, and an interval that holds zero is left plain."""
    row = {"ours": 0.1, "theirs": 0.3, "difference": -0.2, "low": -0.3, "high": -0.1, "n": 9}
    plain = {**row, "low": -0.3, "high": 0.1}
    measures = {"answered_unanswerable": row, "nDCG@10": row, "R@10": plain}
    page, short = make([Question("q1", "x")], [reply("q1")], compare={"measures": measures, "by_tag": {}})
    assert "| nDCG@10 | 0.1000 | 0.3000 | **-0.2000** | -0.3000 to -0.1000 | 9 |" in short
    assert "| R@10 | 0.1000 | 0.3000 | -0.2000 |" in short
    assert page.count("class='better'") == 1
    assert page.count("class='worse'") == 1


def test_written_out_table():
    """The reference run has a table of ratios by tag and depth."""
    part = {"n": 4, "nDCG@10": {"asked": 0.9, "written_out": 0.95, "ratio": 0.947368}}
    reference = {"overall": part, "by_tag": {"shift": part}, "by_depth": {"1": part}}
    _, short = make([Question("q1", "x")], [reply("q1")], standalone_reference=reference)
    for group in ("all", "shift", "depth 1"):
        assert f"| {group} | 4 | 0.9000 | 0.9500 | 0.9474 |" in short


def test_a_search_run_shows_its_hits():
    """Without statements the article shows where the search looked and which hit was relevant."""
    hit = {"document_id": "d1", "score": 0.5, "title": "Cramps", "section": [], "text": "Stretch."}
    found = {"id": "q1", "standalone_question": "x", "hits": [hit], "timings_ms": {}}
    question = Question("q1", "x", relevant=(("d1", 1),))
    page, _ = make([question], [found], {"q1": {"d2": 2.0, "d1": 1.0}}, mode="search")
    assert "(d1, score 0.500, relevant)" in page
    assert "nDCG@10 is 0.631" in page


def test_nothing_wrong_and_nothing_known():
    """A run without judgements is a page as well."""
    page, short = make([Question("q1", "x")], [reply("q1")])
    assert "0 questions have a fault." in page
    assert "Worst" not in short


@pytest.mark.parametrize(
    "drawing",
    [
        line_plot([(0.5, 0.0), (1.0, 0.3)], x_label="a & b", y_label="<y>", mark=(0.7, 0.1)),
        line_plot([(1.0, 0.0)], x_label="x", y_label="y"),
        histogram({"a<b": [0.0, 0.5, 1.0, 1.2, -0.1], "c": [0.3]}, x_label="x"),
        bar_plot({"<total>": [("p50", 1.0), ("p95", 40.0)], "none": [("p50", 0.0), ("p95", 0.0)]}, unit="ms"),
    ],
)
def test_plots_are_well_formed(drawing):
    """Each plot is one SVG element, with every label escaped and every number finite."""
    assert ElementTree.fromstring(drawing).tag == "svg"
    assert "nan" not in drawing
    assert "inf" not in drawing


def test_histogram_bars_are_shares():
    """Three of four values in one bin: its bar says 75 %."""
    drawing = histogram({"a": [0.51, 0.52, 0.53, 0.99]}, x_label="x", bins=10)
    titles = [element.text for element in ElementTree.fromstring(drawing).iter("title")]
    assert titles == ["a: 75.0%", "a: 25.0%"]


@pytest.mark.parametrize(("largest", "top"), [(1.0, "1"), (0.3, "0.5"), (0.11, "0.2"), (37.0, "50"), (0.0, "1")])
def test_axes_end_at_a_round_number(largest, top):
    """The scale ends at the next 1, 2 or 5 × 10ⁿ."""
    drawing = line_plot([(1.0, largest)], x_label="x", y_label="y")
    assert [element.text for element in ElementTree.fromstring(drawing).iter("text")][9] == top


def test_worst_first_order():
    """Broken citations, then invented quotes, then answers to the unanswerable, then what was not found."""
    names = ("fine", "low", "unanswerable", "invented", "dangling")
    questions = [
        Question("fine", "x", answerable=True),
        Question("low", "x", relevant=(("d9", 1),)),
        Question("unanswerable", "x", answerable=False),
        Question("invented", "x"),
        Question("dangling", "x"),
    ]
    replies = {name: reply(name) for name in names}
    replies["low"]["statements"] = []
    replies["invented"]["statements"] = [{"text": "No source says so.", "citations": [1]}]
    replies["dangling"]["statements"] = [{"text": "Stretch.", "citations": [1, 7]}]
    ratings = rate(questions, replies.values(), {})
    assert [(row.id, fault) for row, fault in worst_first(questions, ratings)] == [
        ("dangling", "a citation leads nowhere"),
        ("invented", "a statement does not stand in its source"),
        ("unanswerable", "answered, though nothing in the index answers it"),
        ("low", "nDCG@10 is 0.000"),
    ]
