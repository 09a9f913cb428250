"""Writes small PDF files for the tests: text at a place, in a size, a font, a colour, a render mode.

Is: a page description of our own. Is not: a library; it knows four standard fonts.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

_FONTS = {"plain": "Helvetica", "bold": "Helvetica-Bold", "symbol": "Symbol", "mono": "Courier"}
WIDTH, HEIGHT = 595, 842


@dataclass(slots=True)
class Page:
    """One page; `y` counts upwards from its lower edge, as PDF does."""

    content: list[bytes] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 10,
        font: str = "plain",
        *,
        colour: str = "0 0 0",
        mode: int = 0,
        matrix: str = "",
    ) -> Page:
        """Put words at a place; characters are those of Windows-1252."""
        raw = words.encode("cp1252") if font != "symbol" else words.encode("latin-1")
        escaped = raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        place = matrix or f"1 0 0 1 {x} {y}"
        head = f"BT /{font} {size} Tf {colour} rg {mode} Tr {place} Tm (".encode()
        self.content.append(head + escaped + b") Tj ET")
        return self

    def lines(self, x: float, y: float, words: str, size: float = 10, pitch: float = 12, font: str = "plain") -> float:
        """Put lines below each other; return the y of the line after the last."""
        for line in words.split("\n"):
            self.text(x, y, line, size, font)
            y -= pitch
        return y

    def box(self, x: float, y: float, width: float, height: float, colour: str = "0 0 0.4") -> Page:
        """Fill a rectangle."""
        self.content.append(f"{colour} rg {x} {y} {width} {height} re f".encode())
        return self


def pdf(*pages: Page, extra: str = "") -> bytes:
    """Return a whole file; `extra` goes into its trailer."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    fonts = ""
    for name, base in _FONTS.items():
        encoding = "" if name == "symbol" else "/Encoding /WinAnsiEncoding"
        objects.append(f"<< /Type /Font /Subtype /Type1 /BaseFont /{base} {encoding} >>".encode())
        fonts += f"/{name} {len(objects)} 0 R "
    kids = []
    for page in pages:
        stream = zlib.compress(b"\n".join(page.content))
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream))
        body = f"/MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {len(objects)} 0 R /Resources << /Font << {fonts} >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R {body} >>".encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    out = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R {extra} >>\nstartxref\n{start}\n%%EOF\n".encode()
