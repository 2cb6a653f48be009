"""The small client of the documentation draws next week's outages in a stranger's page, from the open data alone."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.factories.people import START

CLIENT = Path(__file__).parents[2] / "docs" / "next-week.html"
EXAMPLE = "https://outages.example.com"


def test_ten_lines_draw_next_week(chromium: Browser, rt: Runtime, served: str) -> None:
    near = town.approved(rt)
    town.approved(rt, START + timedelta(days=20))
    text = CLIENT.read_text(encoding="utf-8")
    lines = text.partition('<script type="module">\n')[2].partition("</script>")[0].splitlines()
    assert len(lines) <= 10 and text.count(EXAMPLE) == 1
    context = chromium.new_context()
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.clock.set_fixed_time(START - timedelta(days=2))
    stranger = Flask("stranger")
    stranger.add_url_rule("/", view_func=lambda: text.replace(EXAMPLE, served))
    server = make_server("127.0.0.1", 0, stranger, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page.goto(f"http://localhost:{server.server_port}/")
        expect(page.locator("#map path")).to_have_count(1)
        assert page.locator("#map path title").text_content() == near
        box = page.locator("#map path").bounding_box()
        assert box is not None and box["width"] > 50 and box["height"] > 50
        assert faults == []
    finally:
        context.close()
        server.shutdown()
