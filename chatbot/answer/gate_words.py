"""Reads a sentence into clauses: what each names, whether it denies, how strongly it speaks, under what condition.

Is: word lists (`gate_words.yaml`) and the joints of English clauses; pure. Is not: a parser, nor a judgement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from chatbot.answer.gate_quantities import Quantity, find_quantities, with_digits
from chatbot.present.drugs import find_drugs
from corpus.citations import strip_markers
from index.lexical import terms_of

_TABLE = Path(__file__).with_name("gate_words.yaml")
_GENERAL = Path(__file__).with_name("gate_general.yaml")
_LAY_TERMS = Path(__file__).parents[1] / "understand" / "lay_terms.yaml"

ClauseKind = Literal["main", "condition", "reason", "relative"]

# How strongly a clause speaks. Source: NICE, Developing NICE guidelines: the manual, chapter 9 (must; should and
# offer; consider); below them what is only possible.
MUST, SHOULD, CONSIDER, MAY = 4, 3, 2, 1

_WORD = re.compile(r"§\d+|[^\W_]+(?:['’-][^\W_]+)*")
_AUXILIARY = r"(?:is|are|was|were|be|been|has|have|had|do|does|did|should|must|may|might|can|could|will|would|shall|cannot|need|needs)"
_IMPERATIVE = (
    r"(?:avoid|use|give|offer|take|start|stop|check|refer|consider|repeat|withhold|continue|reduce|increase|treat|apply|"
    r"monitor|arrange|add|prescribe|seek|send|measure|review|aim|ensure|lower|raise|cure|cause|help|last|never|always|not)s?"
)
_SUBORDINATE = (
    r"(?:only\s+(?:if|when|after|once|where)|even\s+if|if|when|whenever|unless|until|except|provided|(?<!\bat\s)once(?!\s+(?:an?|per|each|every|daily|weekly)\b)|whereas|while|although|"
    r"though|because|since|so\s+that|rather\s+than|instead\s+of|in\s+case|as\s+long\s+as|where|after|before|during|but)"
)
# "…, or larger than 2% in children": another case of the same claim, which a statement may leave to itself.
_ALTERNATIVE = r"(?:larger|smaller|more|less|to|for|in|with|by|at|over|under)\b"
_OTHER_CASE = re.compile(rf"(?:and|or)\s+{_ALTERNATIVE}", re.IGNORECASE)
_JOINT = re.compile(
    rf"(?<=[a-z\])][.!?])\s+(?=[A-Z])|\s*[;:]\s+|\s+[—–-]\s+|\s*—\s*|[()]\s*"
    rf"|,\s+(?=(?:but|yet|as|with|without|not|even|in|for)\s)"
    rf"|,\s+(?=(?:and|or)\s+{_ALTERNATIVE})|,\s+(?=(?:and\s+)?(?:then|followed\s+by)\s)|,\s+(?=(?:and|or|so)\s+(?:\S+\s+){{0,5}}?(?:{_AUXILIARY}|{_IMPERATIVE})\b)"
    rf"|,?(?<!\bonly)(?<!\beven)\s+(?=\b{_SUBORDINATE}\b)|,\s+(?=(?:which|who|whose)\b)"
    rf"|\s+(?=and\s+(?:{_AUXILIARY}|{_IMPERATIVE}|it|they|this|then)\b)|\s+(?=or\s+{_AUXILIARY}\b)"
    rf"|\s+(?=and\s+(?:an?|the|no|this|these)\s+(?:\S+\s+){{1,3}}{_AUXILIARY}\b)"
    rf"|\s+(?=and\s+(?:\w+ly\s+)?\w+ed\b(?!\s+(?:\w+\s+)?{_AUXILIARY}))",
    re.IGNORECASE,
)
_OPENS_CONDITION = re.compile(
    r"(?:and\s+|but\s+|or\s+)?(?:(?:only\s+)?(?:if|when|whenever|unless|until|except|provided|once|where|after|before|during|in\s+case|"
    r"as\s+long\s+as|in|for|with|without|among|from|at|under|within|to|on|over)|even\s+if)\b",
    re.IGNORECASE,
)
_OPENS_REASON = re.compile(
    r"(?:because|since|as|so\s+that|although|though|even\s+though|whereas|while|owing|due)\b(?!\s+(?:well|soon))",
    re.IGNORECASE,
)
_OPENS_RELATIVE = re.compile(r"(?:which|who|whose|that)\b", re.IGNORECASE)
_GOES_ON = re.compile(r"and\s+(?:is|are|was|were|has|have|had|does|do|did|cannot)\b", re.IGNORECASE)
_NO_SUBJECT = re.compile(
    rf"(?:and|or|but|then|so)\s+(?:{_AUXILIARY}|{_IMPERATIVE}|(?:\w+ly\s+)?\w+ed|not|it|they|this)\b", re.IGNORECASE
)
_VERB = re.compile(rf"\b{_AUXILIARY}\b", re.IGNORECASE)
# A leading "In adults with spasticity," ends at its comma.
_LEADING = re.compile(
    r"^\s*(?:only\s+)?(?:if|when|whenever|unless|until|once|where|after|before|during|in|for|with|without|among|from|at|under|within|"
    r"to|because|since|as|although|on|over|following|by)\b[^,;:]*,(?=\s)",
    re.IGNORECASE,
)
# What a bound says about a number denies nothing: it is read with the number.
_BOUND = re.compile(
    r"\b(?:no|not|never|n['’]t)\s+(?:\w+\s+){0,2}?(?=(?:more|less|fewer|longer|faster|later|greater|higher|lower|older)\s+than\b|"
    r"(?:exceed\w*|go\s+above|above|over|below|under)\s+\d)|\bno\s+later\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|no|never|cannot|without|neither|nor|none|nothing|avoid(?:s|ed|ing)?|contra-?indicated|contra-?indications?|refrain\w*|"
    r"forbidden|prohibited|unable|absent|absence|against|rather\s+than|instead\s+of|free\s+of|un(?:needed|necessary|proven)|"
    r"in(?:effective|sufficient)|poorly|left\s+alone|leave\s+(?:\w+\s+)?alone|isn['’]?t)\b|n['’]t\b",
    re.IGNORECASE,
)
# Two denials that undo each other, and one that is said in two words.
_CANCELLED = re.compile(
    r"(?:\bnot|\bnever|\bno|n['’]t|\bcannot)\s+(?:be\s+|an?\s+|to\s+)?(?:avoid\w*|contra-?indicat\w+|unnecessary|without)\b|\bnor\b"
    r"|\b(?:vaccin\w+|immuni[sz]\w+|protect\w*|prophyla\w+|guard\w*|cover\w*|active)\s+against\b",
    re.IGNORECASE,
)
# Words of denial are compared as denial, not as things that are named.
_DENIAL_WORDS = frozenset(
    "not no never cannot without neither nor none nothing avoid avoids avoided avoiding contraindicated contraindication "
    "contraindications refrain forbidden prohibited unable absent absence against rather instead longer".split()
)
_MAY = re.compile(
    r"\b(?:may|might|can(?!['’]?t|not)|could|(?<!soon as )(?<!far as )(?<!where )possibl[ey]|perhaps|an?\s+option|options|optionally|appears?\s+to|seems?\s+to)\b",
    re.IGNORECASE,
)
_CONSIDER = re.compile(r"\b(?:alternatives?|consider(?:ed|ing)?|suggest(?:s|ed)?|worth\s+trying)\b", re.IGNORECASE)
_MUST = re.compile(
    r"\b(?:must|have\s+to|has\s+to|mandatory|obligatory|essential|vital|never|always|contra-?indicated|forbidden|prohibited|"
    r"under\s+no\s+circumstances)\b",
    re.IGNORECASE,
)
_QUALIFIER = re.compile(
    r"\b(?:in(?!\s+(?:place|stead|addition|case|total|all)\b)|for|with|without|under|among|during|after|before|within|at(?!\s+(?:first|least|most|once|all)\b)|near|over|from|unless|if|when)\s+(?P<what>[^,;:.()]+?)"
    r"(?=\s+(?:in|for|with|without|by|on|to|during|after|before|within|at|from|and|or|unless|if|when|is|are|was|were|has|have|"
    r"should|must|may|might|can|could|will|does|do|needs?|warrants?)\b|[,;:.()]|$)",
    re.IGNORECASE,
)
# What bounds a number is compared with the number (`Quantity.direction`), not as words.
_BOUNDING = re.compile(
    r"\b(?:above|over|below|under|(?:more|less|fewer|greater|higher|lower|older|younger|longer|shorter|faster|later|larger|smaller|bigger|heavier|wider)\s+than|at\s+least|"
    r"at\s+most|up\s+to|within|exceed(?:s|ed|ing)?|go(?:es|ing)?\s+above|(?:minimum|maximum)(?:\s+of)?|beyond|"
    r"(?:from|until|to|up\s+to|at|by)\s+(?:the\s+)?ages?(?:\s+of)?|between|from|in|during|aged?|every(?:\s+at\s+least)?|at\s+least\s+every)\s+(?:an?\s+|the\s+)?(?:(?:last|past|first|next)\s+)?(?:half\s+)?(?=[\d.])"
    r"|(?<=\d)\s+(?:or|and)\s+(?:more|less|fewer|over|above|under|below|older|younger|higher|lower|greater)\b"
    r"|(?<=[\d\w%])\s+or\s+(?:more|less|fewer|lower|higher|older|younger|over|above|below)\b",
    re.IGNORECASE,
)
_ONCE = re.compile(r"\b1 times (?:an?|per|each) (?:day|week|month|year)\b", re.IGNORECASE)
# What is said with more words than it needs.
_SAID_SHORTER: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), written)
    for pattern, written in (
        # "Not any faster" and "best avoided" make nothing of more than it is.
        (r"\bany\s+(more|less|further|\w+er)\b", r"\1"),
        (r"\b(before|without|than|if|after|no|not)\s+any\s+", r"\1 "),
        (r"\b(?:each|every)\s+(morning|evening|night|time)\b", r"in the \1"),
        (r"\bbest\s+(?=avoided|not|left|to\s+avoid)", ""),
        (
            r"\b(before|after|prior\s+to)\s+(?:start|begin|tak|us|giv|hav|receiv|apply)(?:n|t)?ing\s+(?!when|if|and|or)",
            r"\1 ",
        ),
        (r"\b(before|after)\s+(?:start|begin)(?:n)?ing(?=\s+(?:and|or)\b|[.,;]|$)", r"\1 treatment"),
        (
            r"\b(?:has|have|had)(?:\s+not|n't)\s+(?:yet\s+)?(?:worked|helped|responded|succeeded)\b|\bhas\s+been\s+no\s+(?:success|benefit)\b",
            "failed",
        ),
        (r"\b(works?|working|functions?|functioning|breathes?|eats?|drinks?)\s+normally\b", r"\1 normal"),
        (r"\bstops?\s+(.{3,40}?)\s+from\s+(?:happening|occurring|developing|recurring)\b", r"prevent \1"),
    )
)
_TEMPORAL = frozenset("daily weekly monthly nightly hourly twice thrice time times".split())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`same` maps a stem to the name of its row; `phrases` finds those of several words.

    `general` are keys that name nothing of medicine: a statement may word what its source says with a few of them.
    `against` maps a key to the keys of its opposites.
    """

    same: Mapping[str, str]
    phrases: re.Pattern[str]
    phrase_rows: Mapping[str, str]
    opposite: tuple[tuple[str, str], ...]
    frame: frozenset[str]
    hedges: Mapping[str, int]
    raisers: frozenset[str]
    general: frozenset[str]
    against: Mapping[str, frozenset[str]]
    light: frozenset[str]
    things: frozenset[str]
    combined: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as compared. `names` are keys of content words; `segment` counts its sentence's claims, `denials`
    the words of denial that no other undoes.

    `subject` is what it speaks of, taken from the clause before where it names none. `leading` says that it opens the sentence and rules all of it.
    """

    text: str
    kind: ClauseKind
    segment: int
    leading: bool
    denials: int
    strength: int
    names: frozenset[str]
    subject: frozenset[str]
    hedges: frozenset[int]
    qualifiers: tuple[frozenset[str], ...]
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence as compared; `drugs` are substances with the offset where each is named in `text`."""

    text: str
    clauses: tuple[Clause, ...]
    names: frozenset[str]
    quantities: tuple[Quantity, ...]
    drugs: tuple[tuple[str, int], ...]
    raised: frozenset[str]

    @property
    def substances(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.drugs)


@cache
def load_words() -> Lexicon:
    """Read the word lists. Raises OSError or yaml.YAMLError when they cannot be read."""
    import yaml

    rows = yaml.load(_TABLE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    lay = yaml.load(_LAY_TERMS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    same: dict[str, str] = {}
    phrase_rows: dict[str, str] = {}
    for number, row in enumerate((*rows["same"], *lay)):
        for member in row:
            if " " in member:
                phrase_rows.setdefault(member.lower(), f"§{number}")
            else:
                for stem in terms_of(member)[-1:]:
                    same.setdefault(stem, f"§{number}")
    for number, row in enumerate((*rows["same"], *lay)):
        # A row whose one-word member stands in an earlier row joins it.
        target = next((same[s] for m in row if " " not in m for s in terms_of(m)[-1:] if s in same), f"§{number}")
        for member in row:
            if phrase_rows.get(member.lower()) == f"§{number}":
                phrase_rows[member.lower()] = target
    hedges: dict[str, int] = {}
    for number, row in enumerate(rows["hedges"]):
        hedges |= dict.fromkeys((word.lower() for word in row), number)
    hedges["only"] = len(rows["hedges"])
    longest = sorted(phrase_rows, key=len, reverse=True)
    return Lexicon(
        same,
        re.compile(r"\b(?P<phrase>" + "|".join(map(_plural, longest)) + r")\b", re.IGNORECASE),
        phrase_rows,
        tuple((one, other) for one, other in rows["opposite"]),
        frozenset(rows["frame"].split()),
        hedges,
        frozenset(rows["raisers"].split()),
        *_general(same, rows["firm"], rows["light"]),
        {name: tuple(parts) for name, parts in rows["combined"].items()},
    )


def _general(
    same: Mapping[str, str], firm: str, light: str
) -> tuple[frozenset[str], Mapping[str, frozenset[str]], frozenset[str], frozenset[str]]:
    """Return general keys, but for those that carry a claim; key -> keys of its opposites; light keys; words of things."""
    import yaml

    listed = yaml.load(_GENERAL.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    stems = frozenset(listed["general"].split())
    rows: dict[str, list[str]] = {}
    for stem, row in same.items():
        rows.setdefault(row, []).append(stem)
    carrying = {same.get(stem, stem) for word in firm.split() for stem in terms_of(word)[-1:]}
    bare = {same.get(stem, stem) for word in light.split() for stem in terms_of(word)[-1:]}
    general = {stem for stem in stems if stem not in same}
    general |= {row for row, members in rows.items() if stems.issuperset(members)}
    against: dict[str, set[str]] = {}
    for pair in listed["opposite"].split():
        one, other = (same.get(stem, stem) for stem in pair.split("/"))
        if one != other:
            against.setdefault(one, set()).add(other)
            against.setdefault(other, set()).add(one)
    return (
        frozenset((general - carrying) | bare),
        {key: frozenset(others) for key, others in against.items()},
        frozenset(bare),
        frozenset(listed["things"].split()),
    )


def names_in(text: str) -> frozenset[str]:
    """Return the keys of what a text names: stems, or the row of words that stand for each other.

    Example:
        >>> names_in("Renal disease") == names_in("kidney disease")
        True
    """
    return _names(with_digits(text))


def _blank(plain: str) -> str:
    """Return a text with its numbers, their units and bounds as spaces: they are compared by themselves."""
    plain = _ONCE.sub(lambda match: " " * len(match.group()), plain)
    blanked = list(_BOUNDING.sub(lambda match: " " * len(match.group()), plain))
    for quantity in find_quantities(plain):
        blanked[quantity.start : quantity.end] = " " * (quantity.end - quantity.start)
    return "".join(blanked)


def _plural(phrase: str) -> str:
    # The name of a thing in three words or more has no other meaning in the plural.
    return re.escape(phrase) + ("s?" if phrase.count(" ") > 1 else "")


def _row_of(phrase: str, lexicon: Lexicon) -> str:
    return lexicon.phrase_rows.get(phrase) or lexicon.phrase_rows[phrase.removesuffix("s")]


@lru_cache(8192)
def _names(plain: str) -> frozenset[str]:
    lexicon = load_words()
    blanked = list(_blank(plain))
    drugs = find_drugs(plain)
    for _, start, end in drugs:
        blanked[start:end] = " " * (end - start)
    replaced = lexicon.phrases.sub(lambda match: f" {_row_of(match['phrase'].lower(), lexicon)} ", "".join(blanked))
    found = set()
    for word in _WORD.findall(replaced):
        if word.startswith("§"):
            found.add(word)
            continue
        lowered = word.lower().replace("’", "'").removesuffix("'s")
        if lowered.endswith("n't") or lowered in _DENIAL_WORDS or lowered in _TEMPORAL:
            continue
        if lowered in lexicon.frame and lowered not in lexicon.raisers:
            continue
        parts = [lowered] if "-" not in lowered else [lowered.replace("-", ""), *lowered.split("-")]
        keys = [lexicon.same.get(stem, stem) for part in parts for stem in terms_of(part)]
        if lowered in lexicon.things or lowered.removesuffix("s") in lexicon.things:
            # "Stockings" are worn; "stock" is held.
            keys = [lexicon.same.get(lowered, lowered.removesuffix("s"))]
        whole = keys[0] if keys else ""
        if len(parts) > 1 and whole not in lexicon.same.values():
            keys = [
                k
                for p in parts[1:]
                if p not in lexicon.frame and not p.isdigit()
                for s in terms_of(p)
                for k in (lexicon.same.get(s, s),)
            ]
        else:
            keys = keys[:1]
        found.update(key for key in keys if not key.isdigit() and len(key) > 1)
    found.update(f"drug:{name}" for name, _, _ in drugs)
    return frozenset(found)


@lru_cache(8192)
def read(text: str) -> Reading:
    """Read one sentence, or one list item with its lead-in, into clauses."""
    plain = " ".join(with_digits(strip_markers(text)).replace("’", "'").split())
    for pattern, written in _SAID_SHORTER:
        plain = pattern.sub(written, plain)
    clauses: list[Clause] = []
    segment, opened, subject = 0, False, frozenset[str]()
    pieces = _split(plain)
    for place, piece in enumerate(pieces):
        kind = _kind(piece)
        if clauses and kind == "main" and piece.lower().startswith("or "):
            # An alternative belongs to what it is an alternative of.
            kind = clauses[-1].kind
        elif kind == "condition" and clauses and clauses[-1].kind == "relative" and _OTHER_CASE.match(clauses[-1].text):
            # "…, and for moderate pain when other drugs have been tried": the condition of the other case.
            kind = "relative"
        elif kind == "main" and clauses and clauses[-1].kind == "condition" and _GOES_ON.match(piece):
            # "… when pain comes from the joint and has not responded"
            kind = "condition"
        leading = place == 0 and kind in ("condition", "reason") and len(pieces) > 1
        if kind == "main":
            if opened and not piece.lower().startswith("or "):
                segment += 1
            opened = True
            if not _NO_SUBJECT.match(piece):
                verb = _VERB.search(piece)
                subject = _names(piece[: verb.start()]) if verb else frozenset()
        clauses.append(_clause(piece, kind, segment, leading, subject if kind == "main" else frozenset()))
    drugs = tuple((name, start) for name, start, _ in find_drugs(plain))
    raised = frozenset(
        key for word in _WORD.findall(plain.lower()) if word in load_words().raisers for key in _names(word)
    )
    return Reading(plain, tuple(clauses), _names(plain), find_quantities(plain), drugs, raised)


def adapted(reading: Reading, pool: frozenset[str]) -> Reading:
    """Return a reading in the words of its sources: "symptomatic" becomes their "symptom".

    A stem is another form of one in `pool` when one begins the other and what is left is a short ending.
    """
    forms = {name: form for name in reading.names - pool if (form := _form_in(name, pool))}
    if not forms:
        return reading

    def inner(names: frozenset[str]) -> frozenset[str]:
        return frozenset(forms.get(name, name) for name in names)

    clauses = tuple(
        replace(
            clause,
            names=inner(clause.names),
            subject=inner(clause.subject),
            qualifiers=tuple(inner(names) for names in clause.qualifiers),
        )
        for clause in reading.clauses
    )
    return replace(reading, clauses=clauses, names=inner(reading.names))


# Shorter stems begin words of other meaning; longer endings make them.
_LEAST_STEM_CHARS = 5
_LONGEST_ENDING_CHARS = 4
# Words that begin alike for so long, and for so much of the longer one, are forms of one word.
_LEAST_BEGINNING_CHARS = 6
_BEGINNING_SHARE = 0.7
# Endings that make a disease of an organ: thyroid and thyroiditis are two things.
_OTHER_THING = ("it", "os", "om", "ect", "ot", "em")


def _form_in(name: str, pool: frozenset[str]) -> str:
    if name.startswith(("§", "drug:")):
        return ""
    for other in sorted(pool):
        if other.startswith(("§", "drug:")):
            continue
        short, long = sorted((name, other), key=len)
        ending = long[len(short) :]
        if (
            len(short) >= _LEAST_STEM_CHARS
            and long.startswith(short)
            and len(ending) <= _LONGEST_ENDING_CHARS
            and not ending.startswith(_OTHER_THING)
        ):
            return other
        # "Infectious" and "infectivity": both bend one long beginning.
        begun = next((at for at, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
        if begun >= _LEAST_BEGINNING_CHARS and begun >= _BEGINNING_SHARE * len(long):
            return other
    return ""


def _split(plain: str) -> list[str]:
    rest = plain.rstrip(" .!?")
    pieces = []
    if leading := _LEADING.match(rest):
        pieces.append(leading.group().rstrip(", "))
        rest = rest[leading.end() :]
    pieces += [piece.strip(" ,") for piece in _JOINT.split(rest)]
    return [piece for piece in pieces if piece]


def _kind(piece: str) -> ClauseKind:
    bare = re.sub(r"^(?:and|but|or|so|then|yet)\s+", "", piece, flags=re.IGNORECASE)
    if _OTHER_CASE.match(piece):
        return "relative"
    if _OPENS_CONDITION.match(piece):
        return "condition"
    if _OPENS_REASON.match(piece):
        return "reason"
    return "relative" if _OPENS_RELATIVE.match(bare) else "main"


def _clause(piece: str, kind: ClauseKind, segment: int, leading: bool, subject: frozenset[str]) -> Clause:
    lexicon = load_words()
    unbound = _BOUND.sub(" ", piece)
    denials = len(_DENIES.findall(_CANCELLED.sub(" ", unbound)))
    words = [word.lower() for word in _WORD.findall(piece)]
    lowered = piece.lower()
    if "as possible" in lowered and "possible" in words:
        words.remove("possible")
    hedges = {lexicon.hedges[word] for word in words if word in lexicon.hedges}
    hedges |= {number for phrase, number in lexicon.hedges.items() if " " in phrase and phrase in lowered}
    # Bounds and numbers are compared as such: "within the past 30 days" qualifies by its number alone.
    qualifiers = tuple(names for alternatives in qualifiers_of(piece) for names in alternatives)
    return Clause(
        piece,
        kind,
        segment,
        leading,
        denials,
        _strength(unbound),
        _names(piece),
        subject,
        frozenset(hedges),
        qualifiers,
        find_quantities(piece),
    )


# "In pregnancy or after loss of consciousness": either will do.
_OR_QUALIFIER = re.compile(r"\s+or\s+(?=(?:in|for|with|after|before|during|at|under|among)\s)", re.IGNORECASE)


@lru_cache(8192)
def qualifiers_of(piece: str) -> tuple[tuple[frozenset[str], ...], ...]:
    """Return what qualifies a clause, each as its alternatives: "in A or after B" is one of two."""
    found: list[tuple[frozenset[str], ...]] = []
    for place, part in enumerate(_OR_QUALIFIER.split(_blank(piece))):
        for nth, match in enumerate(_QUALIFIER.finditer(part)):
            if not (names := _names(_qualified(match))):
                continue
            if place and not nth and found:
                found[-1] = (*found[-1], names)
            else:
                found.append((names,))
    return tuple(found)


def _qualified(match: re.Match[str]) -> str:
    """Return what a qualifier names; "without symptoms" is one thing."""
    return match.group() if match.group().lower().startswith("without") else match["what"]


def _strength(piece: str) -> int:
    if _MAY.search(piece):
        return MAY
    if _CONSIDER.search(piece):
        return CONSIDER
    return MUST if _MUST.search(piece) else SHOULD
