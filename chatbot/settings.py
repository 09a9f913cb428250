"""Every setting, from the environment (FOLLOWUP_…) and from arguments; the one module that reads either.

Is: names, types, defaults and what they mean. Is not: a place for constants that nobody would change.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.embedding import Engine
from index.stores import LOCAL
from index.weights import DEFAULT_MODEL

APP = "followup"


class Settings(BaseSettings):
    """What the one who runs it may set; each can be given as FOLLOWUP_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FOLLOWUP_", extra="forbid", frozen=True)

    index: Path = Field(
        default_factory=lambda: platformdirs.user_data_path(APP) / "index",
        description="Folder of the index.",
    )
    store: str = Field(
        LOCAL,
        description="Where vectors and words are kept: 'local', or a database's URI, postgresql://user@host/name.",
    )
    cache: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path(APP), description="Folder of the exported model."
    )
    model: str = Field(
        DEFAULT_MODEL,
        description="Embedding model: its name, a folder, or 'owner/model@<commit>' of the hub.",
    )
    engine: Engine = Field("auto", description="What runs the model: auto, onnx or torch.")
    threshold: float | None = Field(
        None, ge=0.0, le=1.0, description="Probability below which it abstains (default: as fitted)."
    )
    max_statements: int = Field(6, ge=2, le=8, description="Statements in one answer, at most.")
    require_approved: bool = Field(False, description="Answer only from articles with status 'approved'.")
    max_age_years: int = Field(10, ge=1, le=100, description="Sources older than this are marked as old.")
    locale: str | None = Field(None, description="Country whose emergency and crisis lines are shown, e.g. GB.")
    reranker: str | None = Field(None, description="A sentence-transformers CrossEncoder folder that re-ranks.")
    audience: Literal["patient", "student", "nurse", "physician"] = "physician"
    conversations: str = Field(
        default_factory=lambda: f"sqlite:///{platformdirs.user_data_path(APP) / 'conversations.sqlite'}",
        description="Database URI of the page's conversations.",
    )
    passwords: Path | None = Field(None, description="File of hashed passwords; with it, the page asks for a login.")
    secret: Path | None = Field(
        None,
        description="File with the secret that signs logins, shared by processes that serve one page; made if missing.",
    )
    hosts: tuple[str, ...] = Field((), description='Host names the page is reached by, as JSON: ["bot.example"].')

    llm: str | None = Field(
        None,
        description="Chat model that words answers, provider:model; none: quotes only, nothing leaves the machine.",
    )
    llm_base_url: str | None = Field(None, description="Address of an OpenAI-compatible server.")
    llm_timeout_seconds: float = Field(20.0, gt=0, le=300, description="After this an answer is given in quotes.")
    llm_retries: int = Field(1, ge=0, le=3, description="Further tries after a full, failing or unreachable service.")
    llm_passages: int = Field(6, ge=1, le=8, description="Passages that the model is shown, at most.")
    llm_max_tokens: int = Field(900, ge=50, le=8_000, description="Tokens that the model may write for one answer.")
    llm_price_read: float = Field(0.0, ge=0, description="Price of a million tokens read, for the cost in a reply.")
    llm_price_written: float = Field(0.0, ge=0, description="Price of a million tokens written.")
    nli_model: Path | None = Field(
        None, description="Folder of a sentence-transformers CrossEncoder that must find each statement entailed."
    )

    @property
    def fingerprint(self) -> str:
        """Return a hash of what changes replies; where files lie and who may ask does not."""
        values = self.model_dump(
            mode="json", exclude={"index", "store", "cache", "conversations", "passwords", "secret", "hosts"}
        )
        return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:12]
