"""PDF files, written by the tests themselves: order, structure, numbers, what cannot be known, what is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from written_pdf import Page, pdf

from corpus.documents import Document, Rejected, UnreadableSource
from corpus.load import load
from corpus.readers import pdf as reader

PROSE = "Rest is enough for most people who have a cramp of the calf at night,\nand no drug is needed for it at all."
LEFT = "\n".join(f"The left column goes on with its line {n} of text" for n in range(12)) + "."
RIGHT = "\n".join(f"The right column has its own line {n} of text" for n in range(12)) + "."


def read(folder: Path, *pages: Page) -> Document:
    """Write and read one file, in this process."""
    path = folder / "a.pdf"
    path.write_bytes(pdf(*pages))
    (document,) = reader.read(path, name="a.pdf")
    assert isinstance(document, Document)
    return document


def shown(d: Document) -> list[Any]:
    """Return (section path, kind, words, lead-ins, page, uncertain) of every block."""
    return [
        (
            d.sections[b.section].path,
            b.kind,
            d.text[b.start : b.end],
            [d.text[s:e] for s, e in b.lead_ins],
            b.page,
            b.uncertain,
        )
        for b in d.blocks
    ]


def test_headings_paragraphs_and_lists(tmp_path: Path) -> None:
    """The title is the largest line, headings are larger or bold, items hang under their bullets."""
    page = Page().text(50, 760, "Leg cramp in adults", 20, "bold")
    y = page.lines(50, 730, PROSE)
    page.text(50, y - 10, "Drug treatment", 14)
    y = page.lines(50, y - 30, "Do not prescribe:")
    y = page.lines(60, y, "• quinine, which has caused bleeding in people who took it for cramp at")
    y = page.lines(68, y, "night")
    y = page.lines(60, y, "• relaxants")
    y = page.lines(50, y - 12, "Walking is fine.")
    d = read(tmp_path, page)
    item = "quinine, which has caused bleeding in people who took it for cramp at night"
    assert d.title == "Leg cramp in adults"
    assert shown(d) == [
        ((), "paragraph", PROSE.replace("\n", " "), [], 1, False),
        (("Drug treatment",), "paragraph", "Do not prescribe:", [], 1, False),
        (("Drug treatment",), "item", item, ["Do not prescribe:"], 1, False),
        (("Drug treatment",), "item", "relaxants", ["Do not prescribe:"], 1, False),
        (("Drug treatment",), "paragraph", "Walking is fine.", [], 1, False),
    ]


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    """Below a title across both; a heading across both parts them."""
    page = Page().text(50, 780, "A title that stands across both of the columns", 18)
    page.lines(50, 740, LEFT)
    page.lines(310, 740, RIGHT)
    page.text(50, 580, "A heading that stands across both of the columns of the page", 14)
    page.lines(50, 550, LEFT.replace("left", "lower left"))
    page.lines(310, 550, RIGHT.replace("right", "lower right"))
    words = [entry[2] for entry in shown(read(tmp_path, page))]
    assert words == [
        LEFT.replace("\n", " "),
        RIGHT.replace("\n", " "),
        LEFT.replace("left", "lower left").replace("\n", " "),
        RIGHT.replace("right", "lower right").replace("\n", " "),
    ]


def test_running_heads_and_page_numbers_are_dropped(tmp_path: Path) -> None:
    """A paragraph that goes on over the page comes together, on the page where it began."""
    pages = []
    for number in (1, 2, 3):
        page = Page().text(50, 815, f"Journal of Cramp 12 (2020) {number}", 8).text(290, 20, f"Page {number} of 3", 8)
        page.lines(50, 740, f"Text of page {number} stands here and fills its line quite well,\nand is")
        pages.append(page)
    texts = [(entry[2], entry[4]) for entry in shown(read(tmp_path, *pages))]
    line = "stands here and fills its line quite well, and is"
    assert [text for text, _ in texts] == [f"Text of page {n} {line}" for n in (1, 2, 3)]
    assert [page for _, page in texts] == [1, 2, 3]


def test_a_sentence_over_the_end_of_a_page_comes_together(tmp_path: Path) -> None:
    """It goes on with a small letter."""
    first = Page().text(50, 700, "The dose is raised every week until the")
    second = Page().text(50, 780, "cramp is gone.")
    assert [entry[2] for entry in shown(read(tmp_path, first, second))] == [
        "The dose is raised every week until the cramp is gone."
    ]


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (
            lambda p: p.text(50, 700, "Below 150 x 10").text(117.8, 704, "9", 6).text(121.5, 700, "/L"),
            "Below 150 x 10⁹/L",
        ),
        (lambda p: p.text(50, 700, "Take 2").text(79.5, 704, "1", 6).text(85.5, 700, "tablets"), "Take 2¹ tablets"),
        (lambda p: p.text(50, 700, "Take 2").text(79.5, 704, "1", 10).text(87.5, 700, "tablets"), "Take 2¹ tablets"),
        (lambda p: p.text(50, 700, "CO").text(65.2, 698, "2", 6).text(71.5, 700, "rises"), "CO₂ rises"),
        (
            lambda p: p.text(50, 700, "Give ").text(73.5, 700, "\xb3", font="symbol").text(82, 700, "5 mg"),
            "Give ≥ 5 mg",
        ),
        (lambda p: p.text(50, 700, "Give 5 µg or ½ tablet, 5–10 mg"), "Give 5 µg or ½ tablet, 5–10 mg"),
        (
            lambda p: p.lines(50, 700, "Adults take a dose of 5–\n10 mg at night."),
            "Adults take a dose of 5–10 mg at night.",
        ),
        (
            lambda p: p.lines(50, 700, "It is a treat-\nment. A treatment helps."),
            "It is a treatment. A treatment helps.",
        ),
        (lambda p: p.lines(50, 700, "A well-\nknown drug is known well."), "A well-known drug is known well."),
        (lambda p: p.text(50, 700, "Give 50 mg").text(50.3, 700, "Give 50 mg"), "Give 50 mg"),
    ],
)
def test_numbers_survive(tmp_path: Path, write: Any, text: str) -> None:
    """Powers, footnote marks, indices, symbols, ranges broken at a line's end, letters printed twice for boldness."""
    page = Page()
    write(page)
    assert [entry[2] for entry in shown(read(tmp_path, page))] == [text]


@pytest.mark.parametrize(
    "write",
    [
        lambda p: p.lines(50, 700, "The count was about 1\n000 in all of them."),
        lambda p: p.text(50, 700, "Take 2").text(79.1, 700, "1", 6).text(85.5, 700, "tablets"),
        lambda p: p.text(50, 700, "Give 5 mg").text(74.5, 700, "8"),
    ],
)
def test_numbers_that_could_be_two_things_are_marked(tmp_path: Path, write: Any) -> None:
    """A number over two lines, a small digit beside a digit, digits printed over each other."""
    page = Page()
    write(page)
    assert all(entry[5] for entry in shown(read(tmp_path, page)))


def test_tables_keep_values_under_their_heads_and_are_marked(tmp_path: Path) -> None:
    """An empty cell keeps its place; every row says that its numbers must be checked."""
    page = Page().text(50, 760, "Table 1. Doses by age")
    for y, row in ((740, ("Drug", "Adults", "Children")), (726, ("A", "", "5 mg")), (712, ("B", "10 mg", ""))):
        for x, cell in zip((50, 200, 350), row, strict=True):
            if cell:
                page.text(x, y, cell)
    page.lines(50, 680, PROSE)
    d = read(tmp_path, page)
    head = ["Table 1. Doses by age", "Drug | Adults | Children"]
    assert [entry[1:4] + entry[5:] for entry in shown(d)] == [
        ("caption", head[0], [], False),
        ("caption", head[1], [], False),
        ("row", "A | – | 5 mg", head, True),
        ("row", "B | 10 mg | –", head, True),
        ("paragraph", PROSE.replace("\n", " "), [], False),
    ]


def test_cells_between_drawn_lines_are_known(tmp_path: Path) -> None:
    """A grid of rules: centred cells, an empty one, a spanning one; nothing is left to doubt."""
    page = Page().text(50, 760, "Table 1. Doses by age")
    for y in (750, 730, 690, 650, 630):
        page.box(50, y, 300, 0.5)
    for x in (50, 150, 250, 349.5):
        page.box(x, 650, 0.5, 100)
    page.box(50, 630, 0.5, 20).box(349.5, 630, 0.5, 20)
    for x, y, words in (
        (55, 735, "Drug"), (155, 735, "Adults"), (255, 735, "Children"),
        (55, 707, "A"), (155, 714, "10 mg at night,"), (155, 700, "never more"),
        (55, 667, "B"), (255, 667, "5 mg"), (55, 635, "Not in pregnancy"),
    ):  # fmt: skip
        page.text(x, y, words)
    d = read(tmp_path, page)
    head = ["Table 1. Doses by age", "Drug | Adults | Children"]
    assert [entry[1:4] + entry[5:] for entry in shown(d)][2:] == [
        ("row", "A | 10 mg at night, never more | –", head, False),
        ("row", "B | – | 5 mg", head, False),
        ("row", "Not in pregnancy", head, False),
    ]


def test_bullets_that_are_drawn_and_lists_without_any(tmp_path: Path) -> None:
    """Both keep their lead-in; the next column does not stand under it."""
    page = Page()
    y = page.lines(50, 740, "\n".join(["The left column goes on with a line of text"] * 4) + ".")
    y = page.lines(50, y - 6, "Do not prescribe:")
    page.box(58, y + 2, 3, 3)
    y = page.lines(70, y, "quinine for cramp at any time")
    page.box(58, y + 2, 3, 3)
    y = page.lines(70, y, "relaxants")
    y = page.lines(50, y - 6, "Avoid in addition:")
    page.lines(70, y, "alcohol")
    page.lines(310, 740, RIGHT)
    assert [(entry[1], entry[2][:17], entry[3]) for entry in shown(read(tmp_path, page))][1:] == [
        ("paragraph", "Do not prescribe:", []),
        ("item", "quinine for cramp", ["Do not prescribe:"]),
        ("item", "relaxants", ["Do not prescribe:"]),
        ("paragraph", "Avoid in addition", []),
        ("item", "alcohol", ["Avoid in addition:"]),
        ("paragraph", "The right column ", []),
    ]


@pytest.mark.parametrize(
    "hide",
    [
        lambda p: p.text(50, 600, "Secret.", mode=3),
        lambda p: p.text(50, 600, "Secret.", colour="1 1 1"),
        lambda p: p.text(50, 600, "Secret.", size=1),
        lambda p: p.text(-300, 600, "Secret."),
        lambda p: p.text(0, 0, "Secret.", matrix="0 1 -1 0 300 300"),
        lambda p: p.box(40, 590, 200, 30, "0.95 0.95 0.95").text(50, 600, "Secret.", colour="0.95 0.95 0.95"),
    ],
)
def test_hidden_text_is_never_quoted(tmp_path: Path, hide: Any) -> None:
    """Invisible, white, tiny, off the page, a watermark at an angle, grey on the same grey."""
    page = Page().text(50, 700, "Rest helps.")
    hide(page)
    assert read(tmp_path, page).text == "Rest helps."


def test_white_text_on_a_dark_box_is_seen(tmp_path: Path) -> None:
    """Many headings are printed so."""
    page = Page().text(50, 700, "Rest helps.").box(40, 590, 300, 30)
    page.text(50, 600, "Ice helps too, as people say.", colour="1 1 1")
    assert "Ice helps too, as people say." in read(tmp_path, page).text


def test_the_reference_list_is_cited(tmp_path: Path) -> None:
    """Entries over two lines; raised numbers after a full stop cite, a power does not."""
    page = (
        Page()
        .text(50, 760, "Rest helps.")
        .text(103, 764, "1,2", 6)
        .text(115, 760, "Counts of 10")
        .text(171.7, 764, "2", 6)
    )
    page.text(177.5, 760, "fell.")
    page.text(50, 700, "References", 14, "bold")
    page.lines(
        50,
        680,
        "1. Ito K. Rest in older adults and in others. J Rest. 2001;\n   1:2.\n2. Lund P. Ice. J Ice. 2002;1:2.",
    )
    d = read(tmp_path, page)
    assert (d.text, [m.numbers for m in d.markers]) == ("Rest helps. [1,2] Counts of 10² fell.", [(1, 2)])
    assert [(r.number, r.title, r.year) for r in d.references] == [
        (1, "Rest in older adults and in others", 2001), (2, "Ice", 2002),
    ]  # fmt: skip


def test_a_scan_with_text_behind_it_is_marked(tmp_path: Path) -> None:
    """A machine read it; nobody proved it."""
    d = read(tmp_path, Page().box(0, 0, 595, 842, "0.9 0.9 0.9").text(50, 700, "Give 5 mg at night.", mode=3))
    assert [(entry[2], entry[5]) for entry in shown(d)] == [("Give 5 mg at night.", True)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf(Page()), "no text in this PDF: its pages are pictures"),
        (pdf(Page().text(50, 700, "x"), extra="/Encrypt << /Filter /Standard /V 1 /R 2 /O (" + "o" * 32 + ") /U ("
             + "u" * 32 + ") /P -44 >> /ID [<00><00>]"), "encrypted: no password was given"),
        (b"%PDF-1.7\nnonsense", "damaged PDF"),
        (pdf(Page().text(50, 700, "x"))[:600], "damaged PDF"),
    ],
)  # fmt: skip
def test_unreadable_files_say_why(tmp_path: Path, data: bytes, reason: str) -> None:
    """Pictures, passwords, nonsense, half a file."""
    (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(UnreadableSource, match=reason):
        list(reader.read(tmp_path / "a.pdf", name="a.pdf"))


def test_the_loader_reads_a_pdf_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Whatever its suffix; a reason comes back as well as a document does."""
    (tmp_path / "a.txt").write_bytes(pdf(Page().text(50, 700, "Rest helps.")))
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7\nnonsense")
    first, second = load([tmp_path])
    assert isinstance(first, Document) and first.text == "Rest helps."
    assert isinstance(second, Rejected) and second.reason.startswith("damaged PDF")
