"""Files made to break readers: each is refused or read, within limits, and the rest is read all the same."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from written_pdf import Page, pdf

ROOT = Path(__file__).resolve().parents[1]
MAX_BYTES = 512 * 1024 * 1024
MAX_SECONDS = 30

BILLION_LAUGHS = '<!DOCTYPE {root} [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">{more}]>'.replace(
    "{more}", "".join(f'<!ENTITY {chr(c)} "{f"&{chr(c - 1)};" * 10}">' for c in range(ord("c"), ord("l")))
)
JATS = '<article article-type="other"><front/><body><p>{}</p></body></article>'
MEDLINE = "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>{}</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
DOCX_BODY = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{}</w:body></w:document>'


def docx(body: str | bytes) -> Callable[[Path], None]:
    """Return a writer of a Word file with this document part."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("[Content_Types].xml", "<Types/>")
            package.writestr("word/document.xml", body)

    return write


def text(content: str) -> Callable[[Path], None]:
    """Return a writer of a text file."""
    return lambda path: path.write_text(content, encoding="utf-8") and None


def raw(content: bytes) -> Callable[[Path], None]:
    """Return a writer of a binary file."""
    return lambda path: path.write_bytes(content) and None


def gzip_bomb(path: Path) -> None:
    """Write 3 GB of blanks in 3 MB, as many members of one gzip file."""
    path.write_bytes(gzip.compress(b" " * 10_000_000) * 300)


def endless_records(path: Path) -> None:
    """Write one record that never ends, in a small file."""
    head = b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>"
    path.write_bytes(gzip.compress(head) + gzip.compress(b"a" * 10_000_000) * 100)


def pdf_objects(*objects: bytes) -> bytes:
    """Return a PDF of these objects, without a table of where they are; readers rebuild it."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, o) for n, o in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R >>\n%%EOF"


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FONT = b"/Resources << /Font << /f << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"


def flate_bomb() -> bytes:
    """Return a page whose content unpacks to a gigabyte."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b" " * 10_000_000) for _ in range(100)) + packer.flush()
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data)
    return pdf_objects(CATALOG, PAGES, b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 9 9] >>", stream)


def form_bomb() -> bytes:
    """Return a page whose forms draw each other ten times over, ten deep."""
    forms = []
    for level in range(10):
        content = b"/x Do " * 10 if level < 9 else b"BT /f 9 Tf (boom) Tj ET"
        target = 5 + level
        resources = b"/Resources << /XObject << /x %d 0 R >> >>" % target if level < 9 else FONT + b" >>"
        head = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] %s /Length %d >>" % (resources, len(content))
        forms.append(b"%s\nstream\n%s\nendstream" % (head, content))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents %d 0 R /Resources << /XObject << /x 4 0 R >> >> >>"
    )
    draw = b"<< /Length 5 >>\nstream\n/x Do\nendstream"
    return pdf_objects(CATALOG, PAGES, page % (4 + len(forms)), *forms, draw)


HOSTILE: dict[str, Callable[[Path], None]] = {
    "laughs.xml": text(BILLION_LAUGHS.replace("{root}", "article") + JATS.format("&k;")),
    "laughs-medline.xml": text(BILLION_LAUGHS.replace("{root}", "PubmedArticleSet") + MEDLINE.format("&k;")),
    "laughs.docx": docx(BILLION_LAUGHS.replace("{root}", "w:document") + DOCX_BODY.format("&k;")),
    "laughs.html": text(BILLION_LAUGHS.replace("{root}", "html") + "<html><body><p>&k;</p></body></html>"),
    "laughs.md": text("---\na: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n---\nRest."),
    "external.xml": text('<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + JATS.format("&x;")),
    "external-dtd.xml": text('<!DOCTYPE article SYSTEM "http://192.0.2.1/x.dtd">' + JATS.format("Rest.")),
    "parameter.xml": text('<!DOCTYPE article [<!ENTITY % x SYSTEM "http://192.0.2.1/x"> %x;]>' + JATS.format("Rest.")),
    "include.xml": text(JATS.format('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>')),
    "external.html": text('<html><body><p>Rest.</p><img src="http://192.0.2.1/a.png"><iframe src="file:///etc/passwd"></iframe></body></html>'),
    "bomb.jsonl.gz": gzip_bomb,
    "bomb.xml.gz": endless_records,
    "bomb.docx": docx(b" " * 200_000_000),
    "deep.html": text("<html><body>" + "<div>" * 100_000 + "x"),
    "deep-unknown.html": text("<html><body>" + "<x-y>" * 100_000 + "x"),
    "deep.xml": text(JATS.format("<sec>" * 100_000)),
    "deep-medline.xml": text(MEDLINE.format("<i>" * 100_000)),
    "deep.docx": docx(DOCX_BODY.format("<w:sdt>" * 100_000)),
    "deep.md": text(">" * 100_000 + " Rest."),
    "deep-list.md": text("\n".join("  " * n + "- a" for n in range(1000))),
    "links.md": text("[" * 20_000 + "a" + "](b)" * 20_000),
    "stars.md": text("*a_ " * 20_000),
    "deep.jsonl": text('{"_id": "deep", "text": "x", "metadata": ' + "[" * 200_000 + "]" * 200_000 + "}"),
    "long-line.jsonl": text('{"_id": "long", "text": "' + "x" * 18_000_000 + '"}'),
    "columns.html": text("<html><body><p>Rest.</p><table>" + "<tr><td colspan=9999999 rowspan=9999999>a<td>b" * 500 + "</table>"),
    "hyphens.txt": text(" - a b" * 40_000),
    "stops.txt": text(". " * 500_000 + "x"),
    "numbers.txt": text("1. a\n" * 40_000),
    "flate.pdf": raw(flate_bomb()),
    "forms.pdf": raw(form_bomb()),
    "cycle.pdf": raw(pdf_objects(CATALOG, b"<< /Type /Pages /Kids [2 0 R] /Count 9 /Parent 2 0 R >>")),
    "cycle-content.pdf": raw(pdf_objects(CATALOG, PAGES, b"<< /Type /Page /Parent 2 0 R /Contents [3 0 R 3 0 R] >>")),
    "count.pdf": raw(pdf_objects(CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>", b"<< /Type /Page >>")),
    "outline.pdf": raw(
        pdf_objects(
            b"<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>", PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
            b"<< /First 5 0 R /Last 5 0 R >>", b"<< /Title (x) /Next 5 0 R /Parent 4 0 R /First 5 0 R >>",
        )
    ),
    "huge-page.pdf": raw(pdf(Page().text(50, 700, "x" * 100, colour="1 1 1")).replace(b"595 842", b"9e9 9e9")),
    "many-letters.pdf": raw(pdf(*[Page().text(5, 5, "x" * 30_000, 3)] * 4)),
    "encrypted.docx": raw(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000)),
    "empty.pdf": raw(b""),
    "empty.md": raw(b""),
    "empty.xml": raw(b""),
    "empty.jsonl.gz": raw(gzip.compress(b"")),
    "cut.jsonl.gz": raw(gzip.compress(b'{"_id": "1", "text": "x"}' * 5000)[:60]),
    "wrong.md": raw("≥ 5 mg".encode() + b"\xff\xfe\xfa"),
    "wrong.txt": raw("Give ≥ 5 mg.".encode("utf-16-le")),
    "picture.pdf": raw(b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "page.docx": text("<!DOCTYPE html><html><body><p>A page that is called a Word file.</p></body></html>"),
    "article.txt": text(JATS.format("An article that is called a text.")),
    "null.txt": raw(bytes(100_000)),
    "surrogate.jsonl": text('{"_id": "s", "text": "a \\ud800 b"}'),
}  # fmt: skip

PROGRAM = """
import json, resource, socket, sys, time
from pathlib import Path
def refuse(*a, **k): raise SystemExit("a network connection was tried")
socket.socket.connect = refuse
from corpus.documents import Document
from corpus.load import load
times, last = {}, [None, time.monotonic()]
def tick(name, done, total):
    if last[0] is not None:
        times[last[0]] = time.monotonic() - last[1]
    last[:] = [name, time.monotonic()]
found = {}
for entry in load([Path(sys.argv[1])], on_progress=tick):
    text = f"read: {entry.text[:200]}" if isinstance(entry, Document) else f"refused: {entry.reason}"
    found.setdefault(entry.path.rsplit(":", 1)[0], []).append(text)
# What getrusage says of this process itself includes the one that started it.
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(json.dumps({"found": found, "times": times, "peak_bytes": peak * 1024}))
"""


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Read all hostile files, between two sound ones, in one process that may not use the network."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, write in HOSTILE.items():
        write(folder / name)
    (folder / "a-sound.md").write_text("The first sound article.")
    (folder / "z-sound.md").write_text("The last sound article.")
    os.symlink("/etc/passwd", folder / "passwd.txt")
    os.symlink("/etc", folder / "etc")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        capture_output=True, text=True, timeout=400, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_each_file_is_read_or_refused_in_time(outcome: dict[str, dict[str, object]], name: str) -> None:
    """Something is said about every file, and soon."""
    assert outcome["found"].get(name), name
    assert outcome["times"][name] < MAX_SECONDS


def test_memory_stays_bounded(outcome: dict[str, int]) -> None:
    """In the process itself and in those that it started."""
    assert outcome["peak_bytes"] < MAX_BYTES


def test_the_rest_is_read(outcome: dict[str, dict[str, list[str]]]) -> None:
    """Before and after."""
    assert outcome["found"]["a-sound.md"] == ["read: The first sound article."]
    assert outcome["found"]["z-sound.md"] == ["read: The last sound article."]


def test_no_file_outside_is_quoted(outcome: dict[str, dict[str, list[str]]]) -> None:
    """Neither through links nor through entities nor through includes."""
    assert not any("root:" in text for texts in outcome["found"].values() for text in texts)
    assert outcome["found"]["passwd.txt"] == ["refused: a symbolic link that leads out of its folder"]
    assert outcome["found"]["etc"] == ["refused: a symbolic link that leads out of its folder"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("laughs.xml", "refused: declares XML entities of its own, which are not expanded"),
        ("laughs-medline.xml", "refused: declares XML entities of its own, which are not expanded"),
        ("laughs.docx", "refused: declares XML entities of its own, which are not expanded"),
        ("external.xml", "refused: declares XML entities of its own, which are not expanded"),
        ("laughs.md", "refused: front matter, line 3: YAML aliases are not read"),
        ("external-dtd.xml", "read: Rest."),
        ("include.xml", "refused: holds no text that can be quoted"),
        ("deep.xml", "refused: elements nested more than 256 deep"),
        ("deep-medline.xml", "refused: after 0 records: elements nested more than 256 deep"),
        ("bomb.xml.gz", "refused: after 0 records: more text in one element than any article has"),
        ("empty.jsonl.gz", "refused: holds no documents"),
        ("bomb.docx", "refused: unpacks to more than 20 MiB"),
        ("deep.html", "refused: elements nested more than 250 deep"),
        ("encrypted.docx", "refused: encrypted, or an old .doc file: save it as .docx without a password"),
        ("empty.md", "refused: empty file"),
        ("empty.pdf", "refused: empty file"),
        ("wrong.md", "refused: broken UTF-8 in line 1"),
        ("wrong.txt", "refused: holds NUL bytes: not a text file, or UTF-16 without a byte-order mark"),
        ("page.docx", "read: A page that is called a Word file."),
        ("article.txt", "read: An article that is called a text."),
        ("surrogate.jsonl", "read: a  b"),
    ],
)
def test_reasons_are_plain(outcome: dict[str, dict[str, list[str]]], name: str, said: str) -> None:
    """What was wrong, in words for the person who brought the file."""
    assert outcome["found"][name] == [said]
