"""The default model without torch: exported once to ONNX, int8, and kept in the user's cache.

Is: a faster twin of one model (same tokens, same pooling, cosine ≥ .99 to it) that reads one text at a time.
Is not: a converter for other models, which run on torch as they are.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.weights import ModelFiles, find_model, sha256_of

if TYPE_CHECKING:
    import onnxruntime

# Changes when the export below does, so that an older cached file is not taken for a new one.
EXPORT_VERSION = 3
_MODEL_FILE = "model.int8.onnx"
_STAMP_FILE = "made-from.json"


def exported_model(model: ModelFiles, cache: Path) -> Path:
    """Return the int8 ONNX file of `model`, made now if the cache has none that fits.

    The cache entry names the weights, the export and the libraries that it was made by; the file's own hash is
    checked each time. Making it takes some 20 s and torch; finding it takes milliseconds.
    """
    folder = cache / f"onnx-{model.digest[:16]}-v{EXPORT_VERSION}"
    if _is_sound(folder, model):
        return folder / _MODEL_FILE
    cache.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=cache, prefix="making-"))
    try:
        _export(model, made)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            os.rename(made, folder)
        except OSError:
            # Another process made it in the meantime; a sound twin is as good as ours.
            if not _is_sound(folder, model):
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder / _MODEL_FILE


def open_session(path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    """Return an ONNX Runtime session that runs on `threads` cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # ONNX Runtime's fused form of adding and normalising takes four times as long on a CPU as the two steps it replaces:
    # an eighth of the whole run.
    return onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


def _is_sound(folder: Path, model: ModelFiles) -> bool:
    try:
        stamp = json.loads((folder / _STAMP_FILE).read_text())
    except (OSError, ValueError):
        return False
    path = folder / _MODEL_FILE
    fits = isinstance(stamp, dict) and {**stamp, **_origin(model)} == stamp
    return fits and path.is_file() and sha256_of(path) == stamp.get("sha256")


def _origin(model: ModelFiles) -> dict[str, str | int]:
    """Return what decides how an export turns out: one that was made from anything else is made again."""
    return {
        "weights": model.digest,
        "export_version": EXPORT_VERSION,
        "torch": version("torch"),
        # It gives the parts of the model that the export calls.
        "transformers": version("transformers"),
        "onnx": version("onnx"),
        "onnxruntime": version("onnxruntime"),
    }


def _export(model: ModelFiles, folder: Path) -> None:
    find_model(model.name)  # hashes the weights and refuses any but the right ones
    import contextlib
    import io
    import logging
    import warnings

    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    reference = SentenceTransformer(
        str(model.folder),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True, "attn_implementation": "eager"},
    ).eval()
    encoder: Any = reference[0].auto_model

    class Pooled(torch.nn.Module):
        """Mean over the tokens, then length 1: what the model's own pipeline does for one text; and the tokens
        themselves, for the vectors of a text's parts. Without padding there is nothing to mask."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            read = self.encoder.embeddings(input_ids=input_ids, token_type_ids=torch.zeros_like(input_ids))
            tokens = self.encoder.encoder(read).last_hidden_state
            return torch.nn.functional.normalize(tokens.mean(1), dim=-1), tokens

    example = torch.ones((1, 8), dtype=torch.long)
    full = folder / "full.onnx"
    quiet = logging.getLogger("root")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Pooled().eval(),
                (example,),
                str(full),
                input_names=["input_ids"],
                output_names=["embedding", "tokens"],
                dynamic_axes={"input_ids": {1: "tokens"}, "tokens": {1: "tokens"}},
                opset_version=17,
                dynamo=False,
            )
            # reduce_range: without it, processors that lack VNNI saturate int8 products and lose accuracy;
            # with it, the mean cosine to the reference is .994 instead of .995 on those that have it.
            quantize_dynamic(
                full, folder / _MODEL_FILE, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
            )
    finally:
        quiet.setLevel(level)
    full.unlink()
    stamp = {**_origin(model), "sha256": sha256_of(folder / _MODEL_FILE)}
    (folder / _STAMP_FILE).write_text(json.dumps(stamp, indent=1))
