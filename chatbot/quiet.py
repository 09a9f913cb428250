"""Switches libraries to their silent, offline selves before any of them is imported.

Is: environment variables that libraries read at import. Is not: a firewall; the tests hold a socket trap.
"""

from __future__ import annotations

import os

_QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}


def quiet_libraries() -> None:
    """Set what libraries read at import. The model hub is asked only for a model that is named with its commit."""
    offline = "@" not in os.environ.get("FOLLOWUP_MODEL", "")
    wanted = {**_QUIET, **({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"} if offline else {})}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
