"""Write follow-ups of the medquad conversations out in full: what they would ask if they were asked first.

    python tests/benchmarks/write_out.py DATA_FOLDER > written_out.jsonl

Adds `standalone` to each question, by its tag and the title of its relevant documents, so that `followup eval`
reports what a follow-up loses against the same question written out.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

# One plain way to ask for each kind of section; none is taken from the conversations.
_ASKS = {
    "information": "What is {}?",
    "symptoms": "What are the symptoms of {}?",
    "treatment": "How is {} treated?",
    "causes": "What causes {}?",
    "exams and tests": "How is {} diagnosed?",
    "outlook": "What is the outlook for {}?",
    "susceptibility": "Who is at risk for {}?",
    "prevention": "How can {} be prevented?",
    "research": "What research is being done on {}?",
    "complications": "What are the complications of {}?",
    "frequency": "How common is {}?",
    "considerations": "What should be considered when living with {}?",
}


def main() -> None:
    folder = Path(sys.argv[1]) / "medquad"
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        titles = {row["_id"]: row["title"] for row in map(json.loads, file)}
    for line in (folder / "conversations.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        title = titles[next(iter(row["relevant"]))]
        ask = next((_ASKS[tag] for tag in row["tags"] if tag in _ASKS), None)
        if ask and title:
            row["standalone"] = ask.format(title)
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
