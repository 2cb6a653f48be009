"""How the people of the story act: on the real pages, as a browser or a telephone would."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import requests

from outage_notify.demo.stage import Stage
from outage_notify.domain.errors import OutageNotifyError

TIMEOUT = 30


def ledger(stage: Stage) -> list[dict[str, Any]]:
    """What reached whom, as the simulated provider remembers it."""
    answer = requests.get(f"{stage.simulator}/simulator/ledger", timeout=TIMEOUT)
    answer.raise_for_status()
    found = answer.json()
    entries: list[dict[str, Any]] = found["entries"] if isinstance(found, dict) else found
    return entries


def script(stage: Stage, rules: list[dict[str, Any]], seed: int = 1) -> None:
    """Tell the simulator who behaves how."""
    answer = requests.post(
        f"{stage.simulator}/simulator/script", json={"seed": seed, "rules": rules}, timeout=TIMEOUT
    )
    if not answer.ok:
        raise OutageNotifyError(f"The simulator refused the script: {answer.text[:300]}")


def reply(stage: Stage, sender: str, text: str) -> None:
    """A customer answers a text message."""
    answer = requests.post(
        f"{stage.simulator}/simulator/reply",
        json={"from": sender, "to": stage.rt.settings.twilio_from, "body": text},
        timeout=TIMEOUT,
    )
    answer.raise_for_status()


def sign(link: str, name: str, role: str) -> None:
    """Open the link out of a message, read, fill in the form, send it."""
    with requests.Session() as browser:
        page = browser.get(link, timeout=TIMEOUT)
        page.raise_for_status()
        form = _form(page.text, 'value="sign"')
        form["fields"].update({"signer_name": name, "signer_role": role})
        address = requests.compat.urljoin(link, form["action"])
        answer = browser.post(address, data=form["fields"], headers={"Referer": link}, timeout=TIMEOUT)
        answer.raise_for_status()


def _form(page: str, mark: str) -> dict[str, Any]:
    """The form that holds `mark`: its address, its hidden fields and its button."""
    for body in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        if mark not in body:
            continue
        action = re.search(r'<form\b[^>]*\baction="([^"]*)"', body)
        hidden = re.findall(r'<input\b[^>]*type="hidden"[^>]*>', body)
        fields = {}
        for one in hidden:
            key, value = re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)
            if key:
                fields[key[1]] = unescape(value[1]) if value else ""
        buttons = re.findall(r'<button\b[^>]*name="([^"]*)"[^>]*value="([^"]*)"', body)
        fields.update({key: unescape(value) for key, value in buttons[:1]})
        return {"action": unescape(action[1]) if action else "", "fields": fields}
    raise OutageNotifyError(f"The page has no form with {mark}.")
