"""The plain pipeline that `followup bench --against` compares with: LangChain, Chroma, sentence-transformers.

    followup bench CORPUS --against tests/benchmarks/plain_pipeline.py --out OUT

What the introductions of these libraries show, and nothing else: RecursiveCharacterTextSplitter at 1,500 characters
with 150 of overlap; the same embedding model on torch in fp32 with its default batch of 32; langchain_chroma's store
with its defaults, cosine space, on disk; `similarity_search_with_score` with k = 10. Each document is split with its
title in front, since a passage without it is rarely found. `ask` retrieves 4 passages and prints them under the
question: no language model, no rewriting of follow-ups, no decision whether they answer. A question with turns before it is
searched together with the user's last question. See chatbot/bench/side.py for the three steps.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

WORDS = (
    "RecursiveCharacterTextSplitter (1,500 characters, 150 of overlap, title in front), sentence-transformers on torch in "
    "fp32 (batch 32), Chroma through langchain-chroma; ask prints the 4 nearest passages, without a language model"
)
# As many pieces as our side cuts of MedQuAD (8,137 and 8,189), so that pieces a second can be compared.
_CHUNK_CHARS = 1_500
_OVERLAP_CHARS = 150
_BATCH = 32
# Chroma refuses more than 5,461 at once.
_ADDED_AT_ONCE = 4_000
_HITS = 10
_QUOTED = 4
# So many chunks hold ten distinct documents.
_RANKED_CHUNKS = 60
_RANKED = 10
_WARM_UP = 5


def main() -> None:
    """Run one step and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("index", "search", "ask"), nargs="?")
    parser.add_argument("--version", action="store_true", help="print what this pipeline is made of")
    for name in ("--model", "--store", "--corpus", "--questions"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--question")
    given = parser.parse_args()
    if given.version:
        print(WORDS)
        return
    os.environ |= {"ANONYMIZED_TELEMETRY": "False", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error"}
    if given.step == "index":
        found = index(given.corpus, open_store(given.model, given.store))
    elif given.step == "search":
        rows = [json.loads(line) for line in given.questions.read_text("utf-8").splitlines()]
        found = search(rows, open_store(given.model, given.store))
    else:
        print(answer(open_store(given.model, given.store), given.question))
        return
    sys.stdout.write(json.dumps(found) + "\n")


def open_store(model: Path, folder: Path) -> Any:
    """Return the vector store in `folder`."""
    from chromadb.config import Settings
    from langchain_chroma import Chroma

    return Chroma(
        collection_name="plain",
        embedding_function=embeddings(model),
        persist_directory=str(folder),
        collection_metadata={"hnsw:space": "cosine"},
        client_settings=Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(folder)),
    )


def embeddings(folder: Path) -> Any:
    """Return the model as LangChain's `Embeddings`, as langchain-huggingface does it."""
    from langchain_core.embeddings import Embeddings
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    class SentenceTransformerEmbeddings(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return model.encode(texts, batch_size=_BATCH, show_progress_bar=False).tolist()

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    return SentenceTransformerEmbeddings()


def index(corpus: Path, store: Any) -> dict[str, Any]:
    """Split, embed and store every document."""
    from langchain_core.documents import Document
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    started = time.perf_counter()
    splitter = RecursiveCharacterTextSplitter(chunk_size=_CHUNK_CHARS, chunk_overlap=_OVERLAP_CHARS)
    documents = passages = 0
    batch: list[Document] = []
    for row in _rows(corpus):
        text = f"{row['title']}\n\n{row['text']}" if row["title"] else row["text"]
        documents += 1
        metadata = {"id": row["_id"], "title": row["title"]}
        batch += splitter.split_documents([Document(page_content=text, metadata=metadata)])
        if len(batch) >= _ADDED_AT_ONCE // 2:
            passages += _add(store, batch)
            batch = []
    passages += _add(store, batch)
    return {"passages": passages, "documents": documents, "seconds": time.perf_counter() - started}


def _add(store: Any, batch: Sequence[Any]) -> int:
    for start in range(0, len(batch), _ADDED_AT_ONCE):
        store.add_documents(list(batch[start : start + _ADDED_AT_ONCE]))
    return len(batch)


def _rows(corpus: Path) -> Iterator[dict[str, Any]]:
    with corpus.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def search(rows: Sequence[dict[str, Any]], store: Any) -> dict[str, Any]:
    """Time retrieval and answers, and rank documents."""
    timed = [asked(row) for row in rows if row["timed"]]
    for question in timed[:_WARM_UP]:
        answer(store, question)
    search_ms, ask_ms = [], []
    for question in timed:
        started = time.perf_counter()
        store.similarity_search_with_score(question, k=_HITS)
        search_ms.append(1000 * (time.perf_counter() - started))
    for question in timed:
        started = time.perf_counter()
        answer(store, question)
        ask_ms.append(1000 * (time.perf_counter() - started))
    ranking = {}
    for row in rows:
        if row["judged"]:
            best: dict[str, float] = {}
            for document, distance in store.similarity_search_with_score(asked(row), k=_RANKED_CHUNKS):
                best.setdefault(document.metadata["id"], 1 - distance)
            ranking[row["id"]] = list(best.items())[:_RANKED]
    return {"search_ms": search_ms, "ask_ms": ask_ms, "ranking": ranking}


def asked(row: dict[str, Any]) -> str:
    """Return what is searched: the question, after the user's last one if there is one."""
    before = [turn["content"] for turn in row["history"] if turn["role"] == "user"][-1:]
    return " ".join([*before, row["question"]])


def answer(store: Any, question: str) -> str:
    """Return the nearest passages as an answer."""
    found = store.similarity_search_with_score(question, k=_QUOTED)
    quotes = [
        f"“{document.page_content}” ({document.metadata['title']}, {1 - distance:.2f})" for document, distance in found
    ]
    return "\n\n".join([question, *quotes])


if __name__ == "__main__":
    main()
