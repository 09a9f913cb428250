"""The login in a real browser, which sends headers that no test client would."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import Browser, chromium, serving, until

from chatbot.web.passwords import set_password

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="Chromium or its driver is not installed"),
]


def test_login_opens_the_page_and_sign_out_closes_it(
    environment: dict[str, str], shipped_index: Path, tmp_path: Path
) -> None:
    """The page asks for a name and password, opens with the right ones, and is closed again by "Sign out"."""
    passwords = tmp_path / "passwords"
    set_password(passwords, "nurse.b", "a long enough secret")
    with serving(environment, shipped_index, tmp_path / "served", "--passwords", str(passwords)) as served:
        page = Browser(served)
        try:
            page.driver.get(served)
            assert page.driver.current_url.endswith("/sign-in")
            for secret in ("not the right secret", "a long enough secret"):
                page.one("input[name=user]").send_keys("nurse.b")
                page.one("input[name=password]").send_keys(secret)
                page.click("button")
            page.ready()
            page.ask("How is low potassium treated?")
            assert page.all(".statement")
            page.click("#sign-out")
            until(lambda: page.driver.current_url.endswith("/sign-in"), 10, "signed out")
            page.driver.get(served)
            assert page.driver.current_url.endswith("/sign-in")
        finally:
            page.quit()
