"""The questions of an evaluation, read from JSON Lines.

Is: one frozen record a line, checked, every fault named by file and line. Is not: tolerant of a line that may
mean something else than it says (a misspelt outcome, a history without roles).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from chatbot.replies import Outcome, Role

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_ROLES: tuple[Role, ...] = get_args(Role)
# More faults than this are counted, not listed: one line on a terminal has to hold them.
_LISTED_FAULTS = 3


class EvaluationFault(Exception):
    """An evaluation cannot be run or read as asked; the message is one line with the cause and the remedy."""


class _BadLine(Exception):
    """What is wrong with one line, without where it stands."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what is known about its right answer.

    `history` holds (role, content), oldest first. `relevant` holds (document id, grade); a grade of 0 is a
    document judged not relevant. `answerable` is None where the file does not say. `standalone` is the
    question as a person would write it out without the history, for the reference run.
    """

    id: str
    question: str
    history: tuple[tuple[Role, str], ...] = ()
    relevant: tuple[tuple[str, int], ...] = ()
    answerable: bool | None = None
    reference_answers: tuple[str, ...] = ()
    must_have: tuple[str, ...] = ()
    expect: Outcome | None = None
    tags: tuple[str, ...] = ()
    standalone: str = ""

    @property
    def depth(self) -> int:
        """Return how many questions the user had asked before this one."""
        return sum(role == "user" for role, _ in self.history)

    @property
    def relevant_ids(self) -> frozenset[str]:
        """Return the documents with a grade of at least 1."""
        return frozenset(document_id for document_id, grade in self.relevant if grade > 0)

    def history_rows(self) -> list[dict[str, str]]:
        """Return the history in its JSON form."""
        return [{"role": role, "content": content} for role, content in self.history]


def read_questions(paths: Iterable[Path | str]) -> tuple[Question, ...]:
    """Read questions from JSON Lines files (`.gz` too), in order.

    Only `id` and `question` are required; unknown fields are ignored, null means absent, blank lines are
    skipped.

    Raises:
        EvaluationFault: a file cannot be read, a line is wrong, an id stands twice, or there is no question.
    """
    questions: list[Question] = []
    faults: list[str] = []
    places: dict[str, str] = {}
    files = [Path(path) for path in paths]
    for path in files:
        for number, line in enumerate(_read_lines(path), start=1):
            place = f"{path}:{number}"
            if not line.strip():
                continue
            try:
                question = _read_line(line)
            except _BadLine as fault:
                faults.append(f"{place}: {fault}")
                continue
            if question.id in places:
                faults.append(f"{place}: id {question.id!r} stands already at {places[question.id]}")
                continue
            places[question.id] = place
            questions.append(question)
    if faults:
        more = len(faults) - _LISTED_FAULTS
        listed = "; ".join(faults[:_LISTED_FAULTS])
        raise EvaluationFault(listed + (f"; and {more} more" if more > 0 else ""))
    if not questions:
        raise EvaluationFault(f"no question in {', '.join(map(str, files)) or 'no file'}: one JSON object a line")
    return tuple(questions)


def fingerprint(questions: Sequence[Question]) -> str:
    """Return a hash of everything that was read, in order: the same questions have the same fingerprint."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(json.dumps(asdict(question), sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _read_lines(path: Path) -> list[bytes]:
    # Bytes, cut at \n alone: a text may hold U+2028 and other characters that str.splitlines cuts at.
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError:
        raise EvaluationFault(f"{path}: no such file; give a JSON Lines file of questions") from None
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EvaluationFault(f"{path}: cannot be read ({reason}); give a JSON Lines file") from None
    return content.removeprefix(b"\xef\xbb\xbf").split(b"\n")


def _read_line(line: bytes) -> Question:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise _BadLine("not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _BadLine(f"not JSON ({error})") from None
    if not isinstance(row, dict):
        raise _BadLine(f"a JSON object is needed, not {type(row).__name__}")
    row = {name: value for name, value in row.items() if value is not None}
    if type(row.get("id")) is int:  # PubMed ids are often written as numbers
        row["id"] = str(row["id"])
    for name in ("id", "question"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise _BadLine(f"`{name}` must be a text that is not empty")
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise _BadLine("holds half of a surrogate pair, which is no character") from None
    return Question(
        id=row["id"],
        question=row["question"],
        history=_read_history(row.get("history", [])),
        relevant=_read_relevant(row.get("relevant", {})),
        answerable=_read_flag(row.get("answerable")),
        reference_answers=_read_texts(row, "reference_answer"),
        must_have=_read_texts(row, "must_have"),
        expect=_read_outcome(row.get("expect")),
        tags=_read_texts(row, "tags"),
        standalone=_read_text(row.get("standalone", "")),
    )


def _read_history(value: Any) -> tuple[tuple[Role, str], ...]:
    if not isinstance(value, list):
        raise _BadLine('`history` must be a list of {"role", "content"}')
    turns: list[tuple[Role, str]] = []
    for turn in value:
        if not isinstance(turn, dict) or not isinstance(turn.get("content"), str):
            raise _BadLine('`history` must be a list of {"role", "content"}, both texts')
        if turn.get("role") not in _ROLES:
            raise _BadLine(f"`history` has the role {turn.get('role')!r}; known are {', '.join(_ROLES)}")
        turns.append((turn["role"], turn["content"]))
    return tuple(turns)


def _read_relevant(value: Any) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, dict):
        raise _BadLine("`relevant` must be an object of document ids and grades")
    for document_id, grade in value.items():
        if not isinstance(grade, int | float) or grade != grade // 1:
            raise _BadLine(f"`relevant` gives {document_id!r} the grade {grade!r}; a whole number is needed")
    # TREC collections mark spam with grades below 0; for every measure here that is "not relevant".
    return tuple((document_id, max(0, int(grade))) for document_id, grade in value.items())


def _read_flag(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise _BadLine(f"`answerable` must be true or false, not {value!r}")
    return value


def _read_outcome(value: Any) -> Outcome | None:
    if value is not None and value not in OUTCOMES:
        raise _BadLine(f"`expect` is {value!r}; known are {', '.join(OUTCOMES)}")
    return value


def _read_texts(row: dict[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _BadLine(f"`{name}` must be a list of texts")
    return tuple(text for text in texts if text.strip())


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise _BadLine("`standalone` must be a text")
    return value.strip()
