"""The whole life of a planned outage: real web server, worker, PostgreSQL, Redis and provider over HTTP.

Reads like the story that it plays; only the clock is turned by hand.
"""

from __future__ import annotations

import io
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from rich.console import Console

from outage_notify.demo import closing, people, story
from outage_notify.demo.book import APPROVER, PLANNER, Story
from outage_notify.demo.stage import stage
from outage_notify.domain.errors import NotPermitted, SettingsError, TooLate
from outage_notify.services import plan_outage
from outage_notify.services.approve_outage import approve
from outage_notify.services.explain import explain
from outage_notify.services.outage_views import outage_view
from outage_notify.services.reconcile import reconcile
from outage_notify.settings import Settings
from outage_notify.store import story_queries

pytestmark = pytest.mark.timeout(900)


def view_of(told: Story) -> dict:
    return outage_view(told.stage.rt, told.reference)


def answers(told: Story) -> Counter[str]:
    return Counter(one["state"] for one in view_of(told)["acknowledgements"])


def whats(told: Story, customer_id: str) -> list[str]:
    """What `explain` tells of a customer, as "what channel notice"."""
    entries = explain(told.stage.rt, told.reference, customer_id)
    return [" ".join(filter(None, (one["what"], one.get("channel"), one.get("notice")))) for one in entries]


def test_from_a_maintenance_window_to_supply_restored(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = Settings.load(
        {
            "OUTAGE_NOTIFY_SIMULATOR": "1",
            "OUTAGE_NOTIFY_TIMEZONE": "Europe/Berlin",
            "OUTAGE_NOTIFY_DATABASE_URL": postgres_url,
            "OUTAGE_NOTIFY_BROKER_URL": redis_url,
            "OUTAGE_NOTIFY_STATE_DIR": str(tmp_path),
        }
    )
    with stage(settings) as built:
        told = story.opening(built, Console(file=io.StringIO()))
        rt = built.rt
        story.prepare(told)

        # A dispatcher plans; too near a window is refused with the law's article and the earliest start.
        near = story.request_for(told, told.start - timedelta(days=12))
        hurried = plan_outage.plan(rt, PLANNER, near)
        with pytest.raises(TooLate, match=r"第二十八条.*earliest lawful start") as refusal:
            plan_outage.submit(rt, PLANNER, hurried)
        assert "+01:00" in str(refusal.value) or "+0100" in str(refusal.value)
        story.plan(told)
        tiers = view_of(told)["by_tier"]
        assert tiers["LOW_VOLTAGE"]["customers"] > 100
        assert tiers["FIRST"]["reduced"] == 1, "the clinic keeps its other feed"

        # Nobody approves what he planned himself.
        plan_outage.submit(rt, PLANNER, told.reference)
        with pytest.raises(NotPermitted):
            approve(rt, PLANNER, told.reference)
        plan_outage.send_back(rt, APPROVER, told.reference, "once more, please")
        story.submit_and_approve(told)
        assert people.ledger(built) == [], "nothing leaves before it is due"

        # Seven days ahead by text, call and e-mail; a dead number falls back to a call.
        story.seven_days_ahead(told)
        assert {"sms", "voice", "email"} <= {one["channel"] for one in people.ledger(built)}
        assert told.dead is not None
        tale = whats(told, told.dead.customer_id)
        assert tale.index("failed sms SEVEN_DAY") < tale.index("delivered voice SEVEN_DAY")

        # Most sign, one refuses before a witness, one is silent until a visit task stands.
        story.signatures(told)
        assert answers(told) == {"ACKNOWLEDGED": len(told.signers), "REFUSED": 1, "REQUESTED": 1}
        story.silence(told)
        assert answers(told)["ESCALATED"] == 1
        visits = [one for one in view_of(told)["tasks"] if one["kind"] == "visit"]
        assert [one["customer_id"] for one in visits] == [told.silent.customer_id if told.silent else ""]
        assert visits[0]["grid_manager"]

        # Moved: everybody told is told again, signatures of the old window are stale.
        story.moved(told)
        changed = [one for one in view_of(told)["notices"] if one["kind"] == "CHANGED"]
        assert sum(states.get("delivered", 0) for one in changed for states in [_counts(one)]) > 100
        assert answers(told)["ACKNOWLEDGED"] == len(told.signers)
        assert whats(told, told.signers[0].customer_id).count("signature") == 2

        story.day_ahead(told)
        report = reconcile(rt)
        assert report.holds, report.audit
        story.the_day(told)
        assert view_of(told)["state"] == "COMPLETED"

        # What customers and the public see at the end.
        assert requests.get(f"{built.web}/outages/{told.reference}", timeout=30).ok
        feed = requests.get(f"{built.web}/feeds/{_secret(told)}.ics", timeout=30)
        assert feed.ok
        assert told.reference in feed.text

        assert closing.closing(told), told.out.file.getvalue()  # type: ignore[attr-defined]


def test_a_database_with_data_of_its_own_is_refused(migrated_url: str, tmp_path: Path) -> None:
    settings = Settings.load(
        {
            "OUTAGE_NOTIFY_SIMULATOR": "1",
            "OUTAGE_NOTIFY_TIMEZONE": "Europe/Berlin",
            "OUTAGE_NOTIFY_DATABASE_URL": migrated_url,
            "OUTAGE_NOTIFY_STATE_DIR": str(tmp_path / "state"),
        }
    )
    with pytest.raises(SettingsError, match="holds data of its own"), stage(settings):
        pass


def _counts(notice: dict) -> Counter[str]:
    """How many deliveries of a notice are in which state, over all channels."""
    total: Counter[str] = Counter()
    for states in notice["channels"].values():
        total.update({state.lower(): count for state, count in states.items()})
    return total


def _secret(told: Story) -> str:
    with told.stage.rt.database.read() as session:
        return story_queries.feed_secret(session, told.signers[0].ref)
