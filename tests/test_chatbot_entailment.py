"""A real CrossEncoder from a folder, as small as can be, that says what a source sentence entails."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import AlikeVectors, ScriptedModel, answer_json, quotes_of, sources_of

from chatbot.answer.entailment import EntailmentUnavailable, load_entailment
from chatbot.answer.generate import Generator

WORDS = "[PAD] [UNK] [CLS] [SEP] baclofen may cause drowsiness . the a an is"
SOURCES = sources_of("Baclofen may cause drowsiness. Do not stop it suddenly.")


def make_model(folder: Path, bias: tuple[float, float, float], labels: tuple[str, str, str]) -> Path:
    """Write a two-layer BERT for three labels whose answer is `bias`, and return its folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = {word: place for place, word in enumerate(WORDS.split())}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=64,
        num_labels=3,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
    torch.manual_seed(0)
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor(bias))
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


NLI = ("contradiction", "entailment", "neutral")


@pytest.mark.parametrize(("bias", "mode"), [((0.0, 5.0, 0.0), "llm"), ((5.0, 0.0, 0.0), "extractive")])
def test_a_statement_must_be_entailed_as_well(tmp_path: Path, bias: tuple[float, float, float], mode: str) -> None:
    """A real model that finds entailment lets what the gate keeps stand; one that does not leaves the quotes."""
    entails = load_entailment(make_model(tmp_path / "nli", bias, NLI))
    assert 0.0 <= entails("Baclofen may cause drowsiness.", "Baclofen may cause drowsiness.") <= 1.0
    model = ScriptedModel(answer_json(("Drowsiness may be caused by baclofen.", [1])))
    writes = Generator(model, AlikeVectors(), timeout_seconds=30.0, entailment=entails)  # type: ignore[arg-type]
    made = writes.compose("What may it cause?", (), SOURCES, quotes_of(SOURCES), max_statements=4)
    assert made.mode == mode
    if mode == "extractive":
        assert made.verification["decisions"][0]["check"] == "entailment"


def test_the_probability_is_that_of_the_label_that_says_entailment(tmp_path: Path) -> None:
    """Wherever the label stands, and whatever the sizes of the scores, its share by softmax counts."""
    entails = load_entailment(make_model(tmp_path / "nli", (0.0, 0.0, 3.0), ("neutral", "contradiction", "ENTAILMENT")))
    assert entails("a", "b") == pytest.approx(0.909, abs=0.01)


def test_a_model_for_something_else_is_refused(tmp_path: Path) -> None:
    """A sentiment model cannot be asked what follows from what."""
    folder = make_model(tmp_path / "mood", (0.0, 0.0, 0.0), ("good", "bad", "so-so"))
    with pytest.raises(EntailmentUnavailable, match="name no entailment"):
        load_entailment(folder)
