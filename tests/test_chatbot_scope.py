"""Nothing that is quoted loses what it stands under: cases that a clinician can read, and 500 generated articles."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
import yaml
from conftest import TinyEmbedder, count_safety, write_articles
from written_lists import FORMATS, Written, make, write

from chatbot.reply import Chatbot
from chatbot.settings import Settings
from index.build import build

CASES = yaml.safe_load((Path(__file__).parent / "safety" / "scope.yaml").read_text(encoding="utf-8"))
ARTICLES = 500


def words(text: str) -> str:
    """Return a text as its words, so that marks and separators do not count."""
    return " " + " ".join(re.findall(r"[^\W_]+", text.lower())) + " "


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Return 500 articles by their ids, and a chatbot on their files: five formats, half of four with tables."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "files").mkdir()
    made: dict[str, Written] = {}
    for number in range(ARTICLES):
        form = FORMATS[number % len(FORMATS)]
        # Plain text has no tables.
        written = make(number, with_table=form != "plain" and number % 10 >= len(FORMATS))
        write(written, form, folder / "files" / f"d{number}", Random(number))
        made[f"d{number}"] = written
    embedder = TinyEmbedder()
    result = build([folder / "files"], folder / "index", embedder, model="tiny")
    assert result.documents == ARTICLES and not result.rejected
    return made, Chatbot(Settings(index=folder / "index", threshold=0.0), embedder)


@pytest.mark.safety
def test_no_generated_list_or_table_loses_what_it_stands_under(generated):
    """Each item and row that can be quoted has its lead-ins, captions, header, group and notes beside it."""
    from chatbot.answer.compose import unit_context
    from index.passages import cut

    made, bot = generated
    counted, lost = 0, []
    for name, written in made.items():
        document = bot.opened.records.document(name)
        found: set[str] = set()
        missing: list[tuple[str, list[str]]] = []
        for passage in cut(document):
            for unit in passage.units:
                text = document.text[unit.start : unit.end]
                read = words(" ".join((*unit_context(document, passage, unit), text)))
                own = [key for key in written.under if words(key) in words(text)]
                found |= set(own)
                missing += [
                    (key, gone) for key in own if (gone := [x for x in written.under[key] if words(x) not in read])
                ]
        counted += len(found)
        if missing or found != set(written.under):
            lost.append((name, missing[:2], sorted(set(written.under) - found)[:2]))
    print(f"\nscope, generated articles: {len(made) - len(lost)} of {len(made)} whole ({counted} items and rows)")
    print(*lost, sep="\n")
    count_safety("scope: generated lists and tables whole", len(made) - len(lost), len(made))
    assert lost == []


@pytest.mark.safety
def test_no_reply_loses_what_its_quotes_stand_under(generated):
    """Asked for one item or row of each article, the reply shows it under all that it stands under."""
    made, bot = generated
    quoted, lost = 0, []
    for number, (name, written) in enumerate(made.items()):
        key = Random(number).choice(list(written.under))
        reply = bot.reply(f"Is {key} given?", article=name)
        for statement in getattr(reply, "statements", ()):
            read = words(" ".join((*statement.context, statement.text)))
            if words(statement.text) == words(written.lead):
                lost.append((name, "a lead-in without its list"))
            for own in (key for key in written.under if words(key) in words(statement.text)):
                quoted += 1
                if gone := [line for line in written.under[own] if words(line) not in read]:
                    lost.append((name, own, gone))
    print(f"\nscope, quotes in replies on generated articles: {quoted - len(lost)} of {quoted} whole")
    print(*lost, sep="\n")
    count_safety("scope: quotes of these in replies", quoted - len(lost), quoted)
    assert quoted >= ARTICLES
    assert lost == []


@pytest.fixture(scope="module")
def case_bot(tmp_path_factory, minilm):
    """Return a chatbot on the articles of the case file."""
    folder = tmp_path_factory.mktemp("scope")
    rows = [case for half in CASES.values() for case in half]
    texts = {
        f"case{number}": f"---\nid: case{number}\ntitle: {case['title']}\nyear: 2024\n---\n\n{case['body']}"
        for number, case in enumerate(rows)
    }
    write_articles(folder / "articles", texts)
    build([folder / "articles"], folder / "index", minilm, model="all-MiniLM-L6-v2")
    bot = Chatbot(Settings(index=folder / "index", threshold=0.0), minilm)
    return bot, {case["name"]: f"case{number}" for number, case in enumerate(rows)}


@pytest.mark.safety
@pytest.mark.parametrize("half", CASES)
def test_quotes_keep_their_scope(half, case_bot):
    """Headings, lead-ins, conditions, exceptions, table headers and footnotes stand with each quote."""
    bot, ids = case_bot
    misses = []
    for case in CASES[half]:
        reply = bot.reply(case["ask"], article=ids[case["name"]])
        own = {p.number for p in getattr(reply, "passages", ()) if p.document_id == ids[case["name"]]}
        quotes = [s for s in getattr(reply, "statements", ()) if own & set(s.citations)]
        shown = [s for s in quotes if case["quote"].lower() in s.text.lower()]
        read = [" ¦ ".join((*s.context, s.text)).lower() for s in shown]
        gone = [line for line in case["with"] if any(line.lower() not in text for text in read)]
        # A quote that is not shown cannot mislead; it only counts where the case says that it must be found.
        if gone or (not shown and not case.get("may_be_left_out")):
            misses.append((case["name"], gone or "not quoted"))
    print(f"\nscope, {half}: {len(CASES[half]) - len(misses)} of {len(CASES[half])} right")
    print(*misses, sep="\n")
    count_safety("scope: cases", len(CASES[half]) - len(misses), len(CASES[half]))
    assert misses == []
