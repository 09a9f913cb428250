"""Reads how strongly a quote recommends: must, should, consider, may; GRADE, class and level.

Is: short marks in the source's own terms, shown beside the quote. Is not: a grading of evidence by this program.
"""

from __future__ import annotations

import re

# Words first: the wording of a recommendation is its strength where no grade is printed.
# Source: NICE, Developing NICE guidelines: the manual, chapter 9 (must, should/offer, consider).
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (badge, re.compile(pattern, re.IGNORECASE))
    for badge, pattern in (
        ("must not", r"\bmust\s+(?:not|never)\b|\bmustn['’]t\b"),
        ("must", r"\bmust\b(?!\s+(?:not|never)|n['’]t)"),
        ("not recommended", r"\b(?:not|no\s+longer|never)\s+(?:\w+\s+)?recommended\b|\brecommends?\s+against\b"),
        ("should not", r"\bshould\s+(?:not|never)\b|\bshouldn['’]t\b"),
        ("should", r"(?<!^)(?<![.!?]\s)\bshould\b(?!\s+(?:not|never|(?:only\s+)?be\s+considered)\b|n['’]t)"),
        (
            "recommended",
            r"(?<!not )(?<!longer )(?<!never )(?<!routinely )\b(?:is|are|be|we|strongly)\s+recommend(?:ed)?\b"
            r"(?!\s+against)",
        ),
        ("suggested", r"\bwe\s+suggest\b|\b(?:is|are)\s+suggested\b(?!\s+(?:that|to\s+(?:play|cause)))"),
        (
            "consider",
            r"(?:(?:^|[.:;]\s+|\bor\s+|\band\s+)do\s+not\s+consider\b)|(?:^|[.:;,]\s+|\bor\s+|\band\s+)consider\b(?!ed\b|able)"
            r"|\b(?:should|can|could|may|might)\s+(?:also\s+|only\s+)?be\s+considered\b",
        ),
        (
            "may",
            r"\b(?:may|might)\s+(?:be\s+(?:used|offered|given|tried|prescribed|helpful|useful|reasonable|appropriate|beneficial)|help|"
            r"benefit|reduce|relieve|improve)\b",
        ),
        (
            "insufficient evidence",
            r"\b(?:insufficient|inadequate|limited|lack\s+of|no\s+(?:good|reliable|high-quality|convincing|clear))\s+"
            r"(?:\w+\s+)?evidence\b|\bevidence\s+(?:is|was|remains)\s+(?:insufficient|inadequate|lacking|limited|uncertain|unclear)\b",
        ),
    )
)
_STRONG_OR_NOT = re.compile(
    r"\b(?P<how>strong|conditional|weak|discretionary|qualified)\s+(?:GRADE\s+)?recommendation\b(?P<against>\s+against)?"
    r"|\((?P<paren>strong|conditional|weak)(?:\s+recommendation)?\s*[;,)]",
    re.IGNORECASE,
)
_CERTAINTY = re.compile(
    r"\b(?P<level>very[\s-]low|low|moderate|high)[\s-]+(?:certainty|quality)(?:[\s-]+of)?[\s-]+evidence\b"
    r"|\b(?:certainty|quality)\s+of\s+(?:the\s+)?evidence\s*(?:is|was|:)?\s*(?P<after>very[\s-]low|low|moderate|high)\b",
    re.IGNORECASE,
)
# "Grade C oesophagitis" grades a disease: a lone letter needs a capital, brackets or the word beside it.
_GRADE = re.compile(
    r"\b(?:GRADE|Grade|grade)\s*:?\s*(?P<named>[12]\s?[A-D][+-]?)\b|[\[(](?P<bare>[12][A-D])[\])]"
    r"|(?:[\[(](?:[Gg]rade|GRADE)\s+(?P<bracketed>[A-D])[\])])"
    r"|\b(?:[Gg]rade|GRADE)\s+(?P<letter>[A-D])(?=\s+(?:recommendation|evidence))"
)
_CLASS = re.compile(
    r"(?<!NYHA )(?<!WHO )(?<!Killip )(?<!Child-Pugh )(?<!CCS )(?<!functional )(?<!ASA )(?<!drug )"
    r"\b(?:(?:Class|class|CLASS|COR)(?:\s+of\s+[Rr]ecommendation)?\s*:?\s*)(?P<class>I{1,3}|IV|1|2|3|2a|2b)(?P<sub>[ab])?\b"
    r"(?P<tail>\s*(?:recommendation|[,;:/(]?\s*\(?(?:level|Level|LEVEL|LOE)|[,;/]\s*[ABC]\b|\)))?"
)
_LEVEL = re.compile(
    r"\b(?:[Ll]evel(?:\s+of\s+[Ee]vidence)?|LEVEL|LOE|[Ee]vidence\s+level)\s*:?\s*(?P<level>A|B-?N?R?|C-?(?:LD|EO)?|[1-5][abc]?|I{1,3}|IV)\b"
    r"(?!\s*(?:trauma|hospital|cent|neonat|NICU|nurser|ICU|unit))"
)


def strength_badges(text: str, context: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the marks of strength in a quote, each once: words first, then grades, then class and level.

    `context` holds the lead-ins that it stands under: "Do not prescribe:" is no grade, "Consider:" is.

    Example:
        >>> strength_badges("Aspirin should be given (Class IIa, Level B).")
        ('should', 'class IIa', 'level B')
    """
    whole = "\n".join((*context, text))
    badges = [badge for badge, pattern in _WORDS if pattern.search(whole)]
    for match in _STRONG_OR_NOT.finditer(whole):
        how = (match["how"] or match["paren"]).lower()
        badges.append(f"{how} recommendation{' against' if match['against'] else ''}")
    for match in _CERTAINTY.finditer(whole):
        level = re.sub(r"[\s-]+", " ", match["level"] or match["after"]).lower()
        badges.append(f"{level} certainty evidence")
    badges += [f"GRADE {next(filter(None, m.groups())).replace(' ', '')}" for m in _GRADE.finditer(whole)]
    # A bare "class I" names a drug class or a heart's state; a recommendation's class stands beside its level.
    badges += [f"class {m['class']}{m['sub'] or ''}" for m in _CLASS.finditer(whole) if m["tail"] or "COR" in m.group()]
    badges += [f"level {m['level']}" for m in _LEVEL.finditer(whole)]
    return tuple(dict.fromkeys(badges))
