"""Carries an article through its review: submitted, under review, approved, and back.

Is: the status in an article's front matter, bound to the text that it was given to. Is not: a review.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from corpus.bibliography import clean_date
from corpus.documents import REVIEW_STATUSES, Review, UnreadableSource


def content_hash(front: Mapping[str, Any], body: str) -> str:
    """Return the SHA-256 of what a reviewer reads: the body and the front matter, but for `review` itself."""
    facts = {key: value for key, value in front.items() if key != "review"}
    written = json.dumps(facts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(f"{written}\n{body.strip()}".encode()).hexdigest()


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
    review = Review(
        status,
        str(stated.get("reviewer") or ""),
        clean_date(stated.get("decided_at")),
        str(stated.get("content_hash") or ""),
    )
    if status == "submitted" or review.content_hash == content_hash(front, body):
        return review
    if status == "under_review" and not review.content_hash:
        return review
    return replace(review, status="submitted")
