"""Takes the visible characters of a PDF page, each with its place, size and look.

Is: the only module that talks to PDFium's text functions. Is not: aware of lines or words.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

# Smaller print is there to be found by machines, not read (footnotes are set in 6 points or more).
_LEAST_POINTS = 2.5
# Watermarks and side notes run at an angle; scans are up to a degree or two off.
_MOST_RADIANS = 0.1
# Text is invisible if its area of the page, drawn, holds no two pixels that differ by this much of 255.
_LEAST_CONTRAST = 24
# Lighter colours than this are looked at on the drawn page; darker text shows on any background but its own.
_LIGHT = 200
_INVISIBLE_MODE = 3
_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|demi|,b\b|-b\b", re.I)
_FORCE_BOLD = 1 << 18
_BOLD_WEIGHT = 600
# In points: what is drawn thinner than this is a line, and shorter ones are parts of pictures. Curves have more points
# than a box has.
_MOST_RULE_WIDTH, _LEAST_RULE, _MAX_RULE_POINTS, _MAX_PATHS = 2.5, 8.0, 6, 4000
# A drawn bullet.
_LEAST_DOT, _MOST_DOT = 1.5, 7.0
# No page in print holds more; a page of a million characters is made to break readers.
MAX_GLYPHS = 60_000


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character. Points from the lower left corner; `base` is the line that it stands on."""

    char: str
    x0: float
    x1: float
    base: float
    size: float
    is_bold: bool = False
    is_certain: bool = True
    is_hyphen: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A drawn line or the edge of a box, in points from the lower left corner."""

    x0: float
    x1: float
    y0: float
    y1: float

    @property
    def is_level(self) -> bool:
        """Say whether it runs across the page rather than down."""
        return self.x1 - self.x0 >= self.y1 - self.y0


@dataclass(frozen=True, slots=True)
class PageGlyphs:
    """A page's visible characters in the order of its content, and the lines drawn on it.

    `is_scan` says that the characters lie behind a picture. `dots` are small drawn shapes (right edge, middle): some
    programs draw the bullets of a list.
    """

    glyphs: tuple[Glyph, ...]
    width: float
    height: float
    is_scan: bool = False
    rules: tuple[Rule, ...] = ()
    dots: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """What all characters of one text object share."""

    is_bold: bool
    is_invisible: bool
    is_light: bool


def read_page(page: Any) -> PageGlyphs:
    """Return the visible characters of a pypdfium2 page.

    Raises ValueError if the page holds more than any page in print.
    """
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    text_page = page.get_textpage()
    raw = text_page.raw
    count = pdfium.FPDFText_CountChars(raw)
    if count > MAX_GLYPHS:
        raise ValueError(f"a page of {count} characters")
    looks: dict[int, _Look] = {}
    found: list[tuple[Glyph, _Look]] = []
    box, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    x, y = ctypes.c_double(), ctypes.c_double()
    for position in range(max(0, count)):
        if pdfium.FPDFText_IsGenerated(raw, position) == 1:
            continue
        code = pdfium.FPDFText_GetUnicode(raw, position)
        pdfium.FPDFText_GetLooseCharBox(raw, position, box)
        pdfium.FPDFText_GetCharOrigin(raw, position, x, y)
        pdfium.FPDFText_GetMatrix(raw, position, matrix)
        angle = math.atan2(matrix.b, matrix.a)
        size = pdfium.FPDFText_GetFontSize(raw, position) * math.hypot(matrix.c, matrix.d)
        is_outside = box.right < 0 or box.left > width or y.value < 0 or y.value > height
        if abs(angle) > _MOST_RADIANS or size < _LEAST_POINTS or is_outside:
            continue
        owner = pdfium.FPDFText_GetTextObject(raw, position)
        key = ctypes.cast(owner, ctypes.c_void_p).value or 0
        if key not in looks:
            looks[key] = _look(pdfium, raw, position, owner)
        is_hyphen = pdfium.FPDFText_IsHyphen(raw, position) == 1 or code in (0x02, 0xAD)
        char = "-" if is_hyphen else chr(code) if 0 < code < 0x110000 else "\ufffd"
        # A private code is whatever its font draws; nobody can know it from the file's text.
        is_certain = not (pdfium.FPDFText_HasUnicodeMapError(raw, position) == 1 or 0xE000 <= ord(char) <= 0xF8FF)
        if 0xE000 <= ord(char) <= 0xF8FF or ord(char) < 0x20:
            char = "•" if ord(char) in (0xF0B7, 0xF0A7) else "\ufffd" if ord(char) >= 0x20 else " "
            is_certain = char in "• "
        look = looks[key]
        glyph = Glyph(
            char, box.left, box.right, y.value, size, look.is_bold, is_certain and char != "\ufffd", is_hyphen
        )
        found.append((glyph, look))
    visible = [(glyph, look) for glyph, look in found if not look.is_invisible]
    if any(glyph.char.isalnum() for glyph, _ in visible):
        shown = _without_unseen(page, visible)
        drawn = list(_drawn(page, pdfium))
        rules = tuple(shape for shape in drawn if isinstance(shape, Rule))
        dots = tuple(shape for shape in drawn if not isinstance(shape, Rule))
        return PageGlyphs(tuple(shown), width, height, rules=rules, dots=dots)
    # Text behind the picture of a scanned page: what a machine read, unproved.
    return PageGlyphs(tuple(glyph for glyph, _ in found), width, height, is_scan=True)


def _drawn(page: Any, pdfium: Any) -> Iterator[Rule | tuple[float, float]]:
    """Yield the thin boxes and lines of a page, the edges of its larger boxes, and its dots."""
    paths = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=3)
    for path in islice(paths, _MAX_PATHS):
        left, bottom, right, top = path.get_bounds()
        width, height = right - left, top - bottom
        if _LEAST_DOT <= min(width, height) <= max(width, height) <= _MOST_DOT:
            yield right, (bottom + top) / 2
        elif max(width, height) < _LEAST_RULE or pdfium.FPDFPath_CountSegments(path.raw) > _MAX_RULE_POINTS:
            continue
        elif min(width, height) <= _MOST_RULE_WIDTH:
            yield Rule(left, right, bottom, top)
        else:
            yield from (Rule(left, right, y, y) for y in (bottom, top))
            yield from (Rule(x, x, bottom, top) for x in (left, right))


def _look(pdfium: Any, raw: Any, position: int, owner: Any) -> _Look:
    name = ctypes.create_string_buffer(200)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(raw, position, name, 200, flags)
    font = name.value.decode("latin-1")
    weight = pdfium.FPDFText_GetFontWeight(raw, position)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    has_colour = pdfium.FPDFText_GetFillColor(raw, position, red, green, blue, alpha)
    mode = pdfium.FPDFTextObj_GetTextRenderMode(owner) if owner else 0
    is_bold = (
        bool(_BOLD_NAME.search(font)) or weight >= _BOLD_WEIGHT or bool(flags.value > 0 and flags.value & _FORCE_BOLD)
    )
    is_transparent = bool(has_colour) and alpha.value == 0
    is_light = bool(has_colour) and min(red.value, green.value, blue.value) >= _LIGHT
    return _Look(is_bold, mode == _INVISIBLE_MODE or is_transparent, is_light)


def _without_unseen(page: Any, visible: Sequence[tuple[Glyph, _Look]]) -> list[Glyph]:
    """Return the characters less those in a light colour that do not show on the drawn page."""
    if not any(look.is_light for _, look in visible):
        return [glyph for glyph, _ in visible]
    drawn = page.render(scale=1, grayscale=True).to_numpy()
    rows, columns = drawn.shape[0], drawn.shape[1]
    shown = []
    for glyph, look in visible:
        if look.is_light and not glyph.char.isspace():
            top, bottom = rows - int(glyph.base + glyph.size * 0.8) - 1, rows - int(glyph.base) + 1
            left, right = int(glyph.x0), int(glyph.x1) + 1
            area = drawn[max(0, top) : max(1, min(rows, bottom)), max(0, left) : max(1, min(columns, right))]
            if area.size == 0 or int(area.max()) - int(area.min()) < _LEAST_CONTRAST:
                continue
        shown.append(glyph)
    return shown
