"""Settings: from the environment and from arguments, checked, and a fingerprint of what changes replies."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chatbot.quiet import quiet_libraries
from chatbot.settings import Settings


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Take away what the one who runs the tests has set."""
    for name in ("INDEX", "CACHE", "MODEL", "ENGINE", "THRESHOLD", "MAX_STATEMENTS", "LOCALE"):
        monkeypatch.delenv(f"FOLLOWUP_{name}", raising=False)


def test_defaults_need_nothing(monkeypatch):
    """Without any setting the default model runs and nothing leaves the machine."""
    settings = Settings()
    assert (settings.model, settings.engine, settings.audience) == ("all-MiniLM-L6-v2", "auto", "physician")
    assert settings.index.is_absolute() and settings.cache.is_absolute()


def test_environment_is_read(monkeypatch):
    """Each setting can be given as FOLLOWUP_<NAME>."""
    monkeypatch.setenv("FOLLOWUP_INDEX", "/somewhere")
    monkeypatch.setenv("FOLLOWUP_MAX_STATEMENTS", "3")
    assert Settings().index == Path("/somewhere") and Settings().max_statements == 3


def test_arguments_win(monkeypatch):
    """What is given as an argument wins over the environment."""
    monkeypatch.setenv("FOLLOWUP_INDEX", "/somewhere")
    assert Settings(index=Path("/elsewhere")).index == Path("/elsewhere")


@pytest.mark.parametrize(
    "wrong", [{"threshold": 2}, {"max_statements": 0}, {"max_statements": 9}, {"engine": "steam"}, {"nonsense": 1}]
)
def test_what_cannot_be_is_refused(wrong):
    """A value out of its range, or a name that there is not, is refused."""
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_fingerprint_tells_what_changes_replies():
    """Where files lie does not count; what changes replies does."""
    first = Settings().fingerprint
    assert Settings(index=Path("/a"), cache=Path("/b")).fingerprint == first
    assert len({first, Settings(threshold=0.5).fingerprint, Settings(max_statements=3).fingerprint}) == 3


@pytest.mark.parametrize(("model", "offline"), [(None, "1"), ("all-MiniLM-L6-v2", "1"), ("a/b@" + "0" * 40, None)])
def test_hub_is_off_unless_a_pinned_model_is_set(monkeypatch, model, offline):
    """The model hub can be asked only where a model of it is named with its commit."""
    import os

    monkeypatch.setattr(os, "environ", {"FOLLOWUP_MODEL": model} if model else {})
    quiet_libraries()
    assert os.environ.get("HF_HUB_OFFLINE") == offline
    assert os.environ["ANONYMIZED_TELEMETRY"] == "False" and os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
