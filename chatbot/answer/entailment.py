"""Asks a sentence-transformers CrossEncoder whether a source sentence entails a statement.

Is: an optional check on top of the gate; it can only refuse more. Is not: a download; the model is a folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chatbot.answer.verify import Entailment


class EntailmentUnavailable(ValueError):
    """The folder holds no model that tells entailment; the message says what is missing."""


def load_entailment(folder: Path) -> Entailment:
    """Return a function (premise, hypothesis) -> probability of entailment.

    Raises:
        EntailmentUnavailable: there is no such folder, or its labels name no entailment.
    """
    if not (folder / "config.json").is_file():
        raise EntailmentUnavailable(f"no model in {folder}: nli_model must be the folder of a CrossEncoder")
    from sentence_transformers import CrossEncoder

    model: Any = CrossEncoder(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)
    return entailment_of(lambda pair: model.predict([pair])[0], model.config.id2label)


def entailment_of(scores: Callable[[tuple[str, str]], Any], labels: Mapping[int, str]) -> Entailment:
    """Return the check for a model that gives one score a label.

    Raises:
        EntailmentUnavailable: the labels name no entailment.
    """
    place = next((number for number, label in labels.items() if str(label).lower().startswith("entail")), None)
    if place is None:
        raise EntailmentUnavailable(f"labels {sorted(labels.values())} name no entailment: use a model trained for NLI")

    def entails(premise: str, hypothesis: str) -> float:
        row = [float(value) for value in scores((premise, hypothesis))]
        powers = [math.exp(value - max(row)) for value in row]
        return powers[int(place)] / sum(powers)

    return entails
