"""Passages: exact, whole, under one heading, and never away from what they must be read under."""

import itertools
import os
import random
import subprocess
import sys

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from corpus.builder import DocumentBuilder
from corpus.documents import Document
from index.passages import MAX_LIST_WORDS, MAX_WORDS, cut, points_back, unit_from_row, unit_to_row

SENTENCES = st.sampled_from(
    [
        "Rest the leg for two days.",
        "Give baclofen 5 mg, e.g. at night.",
        "It helps most people.",
        "However, do not exceed 80 mg a day.",
        "See Fig. 2 for 1.5 mg/kg doses vs. placebo.",
        "Quinine is no longer recommended [1, 2].",
        "Unless the patient is pregnant.",
        "Œdème µg ≥ 3 cm – naïve “quoted” text!",
        "Is it safe?",
        "A very long one " + "with many words in it " * 25 + "ends here.",
        "no full stop",
    ]
)
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=8).map(" ".join)
LEAD_INS = st.sampled_from(
    ["Do not prescribe:", "Avoid the following:", "Things to check first. Do not give:", "Call if"]
)
WORDS = st.sampled_from(["muscle relaxants [1]", "quinine", "more than 3 g a day of paracetamol", "calf " * 60, "x"])


@st.composite
def documents(draw):
    """Make a document of headings, paragraphs, nested lists and tables in any order."""
    builder = DocumentBuilder()
    for _ in range(draw(st.integers(1, 8))):
        match draw(st.sampled_from(["heading", "paragraph", "list", "table", "orphan"])):
            case "heading":
                builder.heading(
                    draw(st.sampled_from(["Treatment", "Doses", "Pitfalls"])), level=draw(st.integers(2, 4))
                )
            case "paragraph":
                builder.paragraph(draw(PARAGRAPHS))
            case "list":
                builder.paragraph(draw(LEAD_INS))
                for _ in range(draw(st.integers(1, 12))):
                    builder.item(draw(st.one_of(WORDS, PARAGRAPHS)), depth=draw(st.integers(0, 2)))
            case "orphan":
                builder.item(draw(WORDS))
            case "table":
                width = draw(st.integers(1, 3))
                row = st.lists(st.one_of(WORDS, st.just("")), min_size=width, max_size=width)
                builder.table(
                    draw(row),
                    draw(st.lists(row, min_size=1, max_size=30)),
                    caption=draw(st.sampled_from(["", "Table 1. Doses by age"])),
                    notes=draw(st.lists(st.just("max 8 weeks"), max_size=2)),
                )
    return builder.build(id="d", title="Calf cramp")


@given(documents())
def test_text_is_what_the_offsets_say(document: Document):
    """A passage's text is the document's between its offsets, and so is each of its units."""
    for passage in cut(document):
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() and passage.text
        for unit in passage.units:
            assert passage.start <= unit.start < unit.end <= passage.end


@given(documents())
def test_every_block_is_covered_once(document: Document):
    """Passages hold every visible character of every block, in order, none of them twice."""
    spans = [(passage.start, passage.end) for passage in cut(document)]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    for block in document.blocks:
        visible = {place for place in range(block.start, block.end) if not document.text[place].isspace()}
        assert visible <= covered


@given(documents())
def test_never_across_a_heading(document: Document):
    """All blocks of a passage stand in one section, the one that it names."""
    for passage in cut(document):
        inside = {block.section for block in document.blocks if passage.start <= block.start < passage.end}
        inside |= {block.section for block in document.blocks if block.start <= passage.start < block.end}
        (section,) = inside
        assert document.sections[section].path == passage.section


@given(documents())
def test_every_item_is_with_its_lead_ins(document: Document):
    """What an item or a row must be read under stands in its passage or beside it, and in each of its units."""
    for passage in cut(document):
        beside = " \n".join((*passage.lead_ins, passage.text))
        for block in document.blocks:
            if passage.start <= block.start < passage.end:
                assert all(document.text[start:end] in beside for start, end in block.lead_ins)
        for unit in passage.units:
            (block,) = [b for b in document.blocks if b.start <= unit.start and unit.end <= b.end]
            assert unit.lead_ins == block.lead_ins and unit.notes == block.notes


@given(documents())
def test_units_cover_what_can_be_quoted(document: Document):
    """Every sentence, item and row lies in exactly one unit; captions and notes are context, not quotes."""
    units = [unit for passage in cut(document) for unit in passage.units]
    for block in document.blocks:
        inside = [unit for unit in units if block.start <= unit.start < block.end]
        if block.kind in ("caption", "note"):
            assert inside == []
            continue
        covered = [place for unit in inside for place in range(unit.start, unit.end)]
        assert len(covered) == len(set(covered))
        missed = set(range(block.start, block.end)) - set(covered)
        assert all(document.text[place].isspace() for place in missed)


@given(documents())
def test_sizes(document: Document):
    """A passage is no longer than a list may be, except where one sentence or item alone is."""
    for passage in cut(document):
        longest = max((len(document.text[u.start : u.end].split()) for u in passage.units), default=0)
        assert len(passage.text.split()) <= max(MAX_LIST_WORDS, MAX_WORDS + longest)


@given(documents())
def test_ids_are_unique_and_follow_from_the_content(document: Document):
    """No two passages of a document share an id; the same document gives the same ids."""
    passages = list(cut(document))
    ids = [passage.id for passage in passages]
    assert len(set(ids)) == len(ids)
    assert ids == [passage.id for passage in cut(document)] == [passage.expected_id() for passage in passages]


@given(documents())
def test_unit_rows_are_read_back(document: Document):
    """A unit survives the trip through its stored form."""
    for passage in cut(document):
        assert [unit_from_row(unit_to_row(unit)) for unit in passage.units] == list(passage.units)


def lists_and_tables(seed):
    """Make a document of one long random list or table; return it with the words that all its entries stand under."""
    noise = random.Random(seed)
    builder = DocumentBuilder()
    builder.heading("Pitfalls", level=2)
    builder.paragraph("Some words before. " * noise.randrange(1, 20))
    entries = noise.randrange(1, 60)
    if seed % 2:
        lead_in = noise.choice(["Do not prescribe:", "Avoid, unless a specialist agrees:", "Never give"])
        builder.paragraph(lead_in)
        for number in range(entries):
            text = (
                f"item {number} "
                + "word " * noise.randrange(0, 50)
                + noise.choice(["", "1.5 mg. Then stop.", "e.g. this."])
            )
            builder.item(text, depth=noise.randrange(0, 3) if number else 0)
    else:
        lead_in = "Drug | Adult | Child"
        rows = [[f"drug {number}", f"{number} mg " + "x " * noise.randrange(0, 20), ""] for number in range(entries)]
        builder.table(["Drug", "Adult", "Child"], rows, caption="Table 2. Doses", notes=["max 8 weeks"])
    builder.paragraph("Words after the list.")
    return builder.build(id="d", title="T"), lead_in


def test_500_lists_and_tables_lose_no_lead_in():
    """In 500 random lists and tables every entry can be quoted, and only under its lead-in."""
    entries = lost = 0
    for seed in range(500):
        document, lead_in = lists_and_tables(seed)
        for passage in cut(document):
            for unit in passage.units:
                if unit.kind in ("item", "row"):
                    entries += 1
                    above = [document.text[start:end] for start, end in unit.lead_ins]
                    lost += lead_in not in above
                    lost += unit.kind == "row" and "max 8 weeks" not in [document.text[a:b] for a, b in unit.notes]
        quotable = sum(block.kind in ("item", "row") for block in document.blocks)
        assert len({u.start for p in cut(document) for u in p.units if u.kind in ("item", "row")}) >= quotable
    assert entries > 10_000 and lost == 0


def test_ids_are_equal_in_another_process():
    """An id depends on nothing but the content: another process with another hash seed finds the same."""
    code = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[1] + '/tests']\n"
        "from test_index_passages import lists_and_tables, cut\n"
        "print(*[p.id for seed in range(6) for p in cut(lists_and_tables(seed)[0])])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(ROOT)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1",)
    }
    assert outputs == {" ".join(p.id for seed in range(6) for p in cut(lists_and_tables(seed)[0])) + "\n"}


def test_embedded_text_holds_title_section_and_lead_ins():
    """What is embedded is title, section path and lead-ins, then the text; what is quoted is the text."""
    builder = DocumentBuilder()
    builder.heading("Treatment", level=2)
    builder.heading("Drugs", level=3)
    builder.paragraph("Do not prescribe:")
    for number in range(40):
        builder.item(f"item {number} " + "with some words " * 3)
    passages = list(cut(builder.build(id="d", title="Calf cramp")))
    assert len(passages) > 1
    assert passages[0].embedded_text.startswith("Calf cramp\nTreatment › Drugs\nDo not prescribe:\nitem 0")
    assert passages[-1].embedded_text.startswith("Calf cramp\nTreatment › Drugs\nDo not prescribe:\nitem ")
    assert passages[-1].text.startswith("item ")


def test_crumbs_join_their_neighbours():
    """A sentence or two under one heading become one passage, not several."""
    builder = DocumentBuilder()
    builder.heading("Treatment", level=2)
    builder.paragraph("Rest the leg.")
    builder.paragraph("Stretch it slowly.")
    (passage,) = cut(builder.build(id="d", title="T"))
    assert passage.text == "Rest the leg.\nStretch it slowly."


def test_sentence_that_takes_back_is_quoted_with_what_it_takes_back():
    """ "However, …" is never lost from the sentence before it, nor that one quoted without it."""
    builder = DocumentBuilder()
    builder.paragraph("Quinine is effective. However, it is no longer recommended. Rest helps.")
    document = builder.build(id="d", title="T")
    (passage,) = cut(document)
    texts = [document.text[unit.start : unit.end] for unit in passage.units]
    assert texts == ["Quinine is effective. However, it is no longer recommended.", "Rest helps."]


@pytest.mark.parametrize(
    ("sentence", "leans"),
    [
        ("It lasts for minutes.", True),
        ("This should be avoided.", True),
        ("They may recur.", True),
        ("For example, it can be given at night.", True),
        ("It is important to stretch.", False),
        ("This guideline covers adults.", False),
        ("Those with renal failure need less.", False),
        ("Both quinine and quinidine are unsafe.", False),
        ("Stretching helps.", False),
        ("Itching is common.", False),
        ("Theophylline interacts.", False),
    ],
)
def test_points_back(sentence, leans):
    """A sentence that opens with a word for something before it is told from one that only looks so."""
    assert points_back(sentence) is leans
