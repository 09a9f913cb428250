"""The web page: `python app.py` is the same as `followup serve`, and takes the same options.

Is: the door to `chatbot/web`. Is not: logic.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatbot.settings import Settings


def serve(settings: Settings, host: str, port: int, *, mcp: bool = False) -> None:
    """Serve the page until stopped; see `chatbot.web.serve.serve`."""
    from chatbot.quiet import quiet_libraries

    quiet_libraries()
    from chatbot.web.serve import serve as serve_page

    serve_page(settings, host, port, mcp=mcp)


if __name__ == "__main__":
    from chatbot.cli import main

    sys.argv.insert(1, "serve")
    main()
