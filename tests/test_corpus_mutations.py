"""Damaged copies of files of every format: reading never crashes, and what it yields is sound.

Run `FOLLOWUP_MUTATIONS=1000 pytest tests/test_corpus_mutations.py` for the long run; the data folder beside the
project, where it is at hand, adds real files to those made here.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from test_corpus_captured import PAGE
from test_corpus_jats import ARTICLE as JATS
from test_corpus_markdown import ARTICLE as MARKDOWN
from test_corpus_medline import HEAD, record
from test_corpus_plain import TEXT
from written_pdf import Page, pdf

from corpus.audit import findings_for
from corpus.documents import Document, Rejected, check_document
from corpus.load import load
from corpus.readers.limits import UNFORESEEN

COUNT = int(os.environ.get("FOLLOWUP_MUTATIONS", "60"))
SHARED = Path(__file__).resolve().parents[2] / "shared"
HTML = """<!DOCTYPE html><html><head><title>Cramp</title></head><body><nav>x</nav><h1>Cramp</h1><p>Rest.<sup>1</sup></p>
<ul><li>a<ul><li>b</li></ul></li></ul><table><tr><th rowspan=2>A</th><th>B</th></tr><tr><td>1</td></tr></table>
<h2>References</h2><ol><li id=r1>Ito K. Rest. J Rest. 2001;1:2.</li></ol></body></html>"""
JSONL = '{"_id": "1", "title": "Cramp", "text": "Call if - A fever - A pain. Rest."}\n{"_id": "2", "text": "AIM: To rest."}\n'
LINKS = "".join(f'<xref ref-type="bibr" rid="r{n}">[{n}]</xref>' for n in (1, 2, 3))
TABLE = '<table-wrap><table><tr><th colspan="2">A</th></tr><tr><td rowspan="2">1</td><td/></tr></table></table-wrap>'


def samples(folder: Path) -> list[Path]:
    """Return sound files of every format."""
    import docx

    word = docx.Document()
    word.add_heading("Cramp", 0)
    word.add_paragraph("Avoid:")
    word.add_paragraph("quinine", style="List Bullet")
    word.add_table(2, 2).cell(0, 0).text = "Drug"
    word.save(str(folder / "a.docx"))
    page = Page().text(50, 760, "Leg cramp", 20, "bold").text(50, 700, "Take 2").text(80, 704, "1", 6)
    page.lines(50, 680, "Do not prescribe:\n• quinine\n• relaxants")
    contents = {
        "a.pdf": pdf(page),
        "a.nxml": JATS.format(body=f"<sec><title>T</title><p>Rest {LINKS}.</p>{TABLE}</sec>", kind="other", related=""),
        "a.xml": f"{HEAD}<PubmedArticleSet>{record(1)}{record(2)}</PubmedArticleSet>",
        "a.html": HTML,
        "a.md": MARKDOWN,
        "a.jsonl": JSONL,
        "page.txt": PAGE,
        "a.txt": TEXT,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    real = [SHARED / "seed/article-page.txt", *sorted((SHARED / "data/jats").glob("*0020124.xml"))]
    return [*sorted(folder.iterdir()), *(path for path in real if path.exists())]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return data with one to eight faults: bytes flipped, cut out, doubled, moved, put in; or the end lost."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at, size = chance.randrange(len(changed) or 1), chance.choice([1, 1, 2, 8, 64, 512])
        match chance.randrange(6):
            case 0:
                for place in range(at, min(at + size, len(changed))):
                    changed[place] = chance.randrange(256)
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size] * chance.choice([1, 3, 50])
            case 3:
                changed[at:at] = chance.choice(
                    [b"<", b">", b"</", b"&", b"\0", b"\xff", b'"', b"-", b"99999999", b"]]>"]
                )
            case 4:
                other = chance.randrange(len(changed) or 1)
                changed[at : at + size], changed[other : other + size] = (
                    changed[other : other + size],
                    changed[at : at + size],
                )
            case 5:
                del changed[max(at, len(changed) // 2) :]
    return bytes(changed)


def mutants(folder: Path, count: int) -> Iterator[Path]:
    """Yield damaged files one after another, the same ones at every run."""
    chance = random.Random(20261123)
    sources = samples(folder / "sound")
    for number in range(count):
        source = sources[number % len(sources)]
        path = folder / f"m{number}{source.suffix}"
        path.write_bytes(damaged(source.read_bytes(), chance))
        yield path
        path.unlink()


def test_damaged_files_never_crash_the_run(tmp_path: Path) -> None:
    """Each yields sound documents or reasons, at least one of them, and the audit reads what was read."""
    (tmp_path / "sound").mkdir()
    read = refused = 0
    for path in mutants(tmp_path, COUNT):
        entries = list(load([path]))
        assert entries, path.name
        for entry in entries:
            if isinstance(entry, Document):
                check_document(entry)
                findings_for(entry)
                assert Document.from_dict(entry.to_dict()) == entry
                read += 1
            else:
                assert isinstance(entry, Rejected) and entry.reason
                # A damage that no reader foresaw is a fault of that reader, though the run goes on.
                assert UNFORESEEN not in entry.reason, (path.name, entry)
                refused += 1
    assert read > 0 and refused > 0


def test_sound_samples_are_read(tmp_path: Path) -> None:
    """What is damaged above is sound before."""
    for path in samples(tmp_path):
        assert all(isinstance(entry, Document) for entry in load([path])), path.name
