"""Carries an article through its review: submitted, under review, approved, and back.

Is: the status in an article's front matter, bound to the text that it was given to, and a log of who decided
what and when. Is not: a review.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

from corpus.documents import REVIEW_STATUSES, Review, ReviewStatus, UnreadableSource
from corpus.front_matter import set_key, split_front_matter
from corpus.hidden import remove_hidden

# One log for the articles of a folder, JSON Lines; the suffix keeps it from being read as a source.
LOG_NAME = "reviews.log"
_SUFFIXES = (".md", ".markdown", ".mdown")


class ReviewError(Exception):
    """A decision that cannot be taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ReviewState:
    """Where one article stands. `status` is what holds today, `stated` what the file says.

    They differ if the article was edited after the decision, or approved without the review.
    """

    path: str
    id: str
    title: str
    status: ReviewStatus
    stated: str
    reviewer: str = ""
    decided_at: str | None = None

    @property
    def is_outdated(self) -> bool:
        """Say whether the stated status does not hold for the text as it is now."""
        return self.status != self.stated

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "is_outdated": self.is_outdated}


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the log. `previous` is the SHA-256 of the line before it, so that a changed line shows."""

    at: str
    article: str
    old: str
    new: str
    reviewer: str
    content_hash: str
    note: str = ""
    previous: str = ""


def content_hash(front: Mapping[str, Any], body: str) -> str:
    """Return the SHA-256 of what a reviewer reads: the body and the front matter, but for the review itself.

    Line ends do not count, so that a checkout on another system loses no approval.
    """
    facts = {key: value for key, value in front.items() if key not in ("review", "review_status")}
    written = json.dumps(facts, ensure_ascii=False, sort_keys=True, default=str)
    text = body.replace("\r\n", "\n").strip()
    return hashlib.sha256(f"{written}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def read_review(front: Mapping[str, Any], body: str) -> Review | None:
    """Return the review that a front matter states, as far as it still holds; None if it states none.

    A status holds for the text that it was given to: after an edit the article is `submitted` again. An approval
    without a content hash came about outside the review and does not hold either.

    Raises UnreadableSource if the status is none of ours.
    """
    stated = front.get("review", front.get("review_status"))
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        stated = {"status": stated}
    status = stated.get("status", "submitted")
    if status not in REVIEW_STATUSES:
        raise UnreadableSource(f"review status {status!r} is none of {', '.join(REVIEW_STATUSES)}")
    when = stated.get("decided_at")
    review = Review(
        status,
        str(stated.get("reviewer") or ""),
        when.isoformat() if isinstance(when, date) else str(when) if when else None,
        str(stated.get("content_hash") or ""),
    )
    if status == "submitted" or review.content_hash == content_hash(front, body):
        return review
    if status == "under_review" and not review.content_hash:
        return review
    return replace(review, status="submitted")


def states(sources: Sequence[Path]) -> Iterator[ReviewState]:
    """Yield where each Markdown article of files and folders stands, sorted by path; broken files are left out."""
    for source in sources:
        inside = sorted(path for path in source.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
        for path in inside if source.is_dir() else [source]:
            try:
                yield state(path)
            except UnreadableSource:
                # `index` and `audit` report it with its reason; it has no review to show.
                continue


def state(path: Path) -> ReviewState:
    """Return where one article stands. Raises UnreadableSource if its front matter cannot be read."""
    front, body = split_front_matter(_text(path))
    review = read_review(front, body) or Review()
    stated = front.get("review", front.get("review_status")) or {}
    return ReviewState(
        path=str(path),
        id=str(front.get("id") or path.stem),
        title=str(front.get("title") or path.stem),
        status=review.status,
        stated=str(stated.get("status", "submitted") if isinstance(stated, Mapping) else stated),
        reviewer=review.reviewer,
        decided_at=review.decided_at,
    )


def find(sources: Sequence[Path], article: str) -> Path:
    """Return the file of an article, given its path or its id. Raises ReviewError if there is none."""
    if Path(article).is_file():
        return Path(article)
    for candidate in states(sources):
        if candidate.id == article:
            return Path(candidate.path)
    raise ReviewError(f"{article}: no such article; `followup review list` shows their ids")


def set_status(
    path: Path, status: str, *, reviewer: str, now: datetime, note: str = "", log_folder: Path | None = None
) -> ReviewState:
    """Write a decision into the article's front matter and its log; return where the article now stands.

    The way is submitted, under_review, approved, one step at a time forward and any number back. `now` is aware
    of its time zone. The log stands beside the article, or in `log_folder`.

    Raises ReviewError for a decision that cannot be taken, UnreadableSource for a file that cannot be edited.
    """
    from filelock import FileLock

    if status not in get_args(ReviewStatus):
        raise ReviewError(f"{status!r} is no review status; it is one of {', '.join(REVIEW_STATUSES)}")
    reviewer = " ".join(remove_hidden(reviewer).split())
    if not reviewer:
        raise ReviewError("a decision needs a name: say who reviewed it")
    log = (log_folder or path.parent) / LOG_NAME
    with FileLock(f"{log}.lock", timeout=10):
        text = _text(path)
        front, body = split_front_matter(text)
        before = state(path)
        if REVIEW_STATUSES.index(status) > REVIEW_STATUSES.index(before.status) + 1:
            raise ReviewError(f"{before.id} is {before.status}: it has to be under_review before it can be {status}")
        digest = content_hash(front, body)
        at = now.astimezone(UTC).isoformat(timespec="seconds")
        if "review_status" in front and "review" not in front:
            raise ReviewError(f"{path.name}: replace `review_status` in its front matter by a `review:` entry first")
        decision = {"status": status, "reviewer": reviewer, "decided_at": at, "content_hash": digest}
        edited = set_key(text, "review", decision)
        # The log comes first: a decision without its trace must not take effect.
        _append(log, Decision(at, before.id, before.status, status, reviewer, digest, " ".join(note.split())))
        _replace(path, edited)
    return state(path)


def read_log(log: Path) -> tuple[Decision, ...]:
    """Return the decisions of a log in order, none if there is no log yet.

    Raises ReviewError with the line that does not follow from the one before: someone changed it.
    """
    decisions: list[Decision] = []
    previous = ""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            decision = Decision(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ReviewError(f"{log.name}, line {number}: damaged ({error})") from error
        if decision.previous != previous:
            raise ReviewError(f"{log.name}, line {number}: does not follow from the line before; the log was changed")
        previous = hashlib.sha256(line.encode()).hexdigest()
        decisions.append(decision)
    return tuple(decisions)


def _append(log: Path, decision: Decision) -> None:
    read_log(log)
    last = log.read_bytes().splitlines()[-1:] if log.exists() else []
    chained = replace(decision, previous=hashlib.sha256(last[0]).hexdigest() if last else "")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        file.write(json.dumps(asdict(chained), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str) -> None:
    """Put new content in a file's place at once: a crash leaves the old article or the new one."""
    mode = path.stat().st_mode
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o777)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _text(path: Path) -> str:
    """Return a file's text with its own line ends and byte-order mark. Raises UnreadableSource unless UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"not UTF-8 (byte {error.start})") from error
