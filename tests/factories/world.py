"""The whole product in one process, for tests that tell a story: real database, web server, senders, provider.

The provider is the simulator, over real HTTP and SMTP; its callbacks come to the real web
application. Time is the hand-turned clock, put at ten o'clock of the coming Monday; the
network is `small_networks.street`. Nothing sleeps: `work` and `reconcile` do once what the
worker does at each ring of the bell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from sqlalchemy import select
from werkzeug.serving import make_server

from channels.model import Channel, Language
from channels.simulator import Simulator
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.services import approve_outage, plan_outage, reconcile, send_batch
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.reconcile import ReconcileReport
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import network_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager
from outage_notify.store.user_tables import Role, User
from outage_notify.store.work_queries import open_tasks
from outage_notify.web import create_app
from tests.factories.people import add_contact, add_customer, add_grid_manager, add_service_point
from tests.factories.small_networks import street
from tests.servers.process import free_port

ZONE = ZoneInfo("Asia/Shanghai")
WHY = {"zh-CN": "线路检修", "en": "line maintenance"}
_number = count(1)


class World:
    """One utility, one network, one provider."""

    def __init__(self, url: str, folder: Path, **more: str) -> None:
        web, http, smtp = free_port(), free_port(), free_port()
        environ = {
            "SIMULATOR": "1",
            "STATE_DIR": str(folder),
            "DATABASE_URL": url,
            "TIMEZONE": ZONE.key,
            "BASE_URL": f"http://127.0.0.1:{web}",
            "TWILIO_API_BASE": f"http://127.0.0.1:{http}",
            "SMTP_URL": f"smtp://127.0.0.1:{smtp}",
            "PROVIDER_TIMEOUT": "5",
            "SMS_PER_SECOND": "500",
            "VOICE_PER_SECOND": "500",
            "EMAIL_PER_SECOND": "500",
            **more,
        }
        settings = Settings.load({f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()})
        self.rt = Runtime.build(settings)
        self.simulator = Simulator(
            http,
            smtp,
            folder / "simulator",
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            now=self.now,
            webhook_inbound_url=f"{settings.base_url}/webhooks/twilio/inbound",
            webhook_call_url=f"{settings.base_url}/webhooks/twilio/inbound-call",
        )
        self.simulator.start()
        self._serve(web)
        self._settle_facts()

    def _serve(self, port: int) -> None:
        try:
            self._web = make_server("127.0.0.1", port, create_app(self.rt), threaded=True)
        except SystemExit as taken:
            # So says werkzeug that the port is taken; what ends a program would end every test that follows.
            raise OSError(f"port {port} was taken meanwhile") from taken
        threading.Thread(target=self._web.serve_forever, args=(0.02,), daemon=True).start()

    @contextmanager
    def web_away(self) -> Iterator[None]:
        """The web server is down: no callback is taken, no call finds its words."""
        port = self._web.server_port
        self._web.shutdown()
        self._web.server_close()
        try:
            yield
        finally:
            self._serve(port)

    def _settle_facts(self) -> None:
        with self.rt.database.write() as session:
            network_queries.insert_version(
                session,
                street().to_rows(),
                imported_at=self.rt.now(session),
                imported_by="test",
                file_name="street",
                format="auto",
                sha256="0" * 64,
            )
            for name, roles in (("petra", [Role.PLANNER]), ("anton", [Role.APPROVER]), ("paul", list(Role))):
                session.add(User(username=name, name=name, password_hash="-", roles=[str(r) for r in roles]))
            self.manager = add_grid_manager(session).id
        today = self.now().astimezone(ZONE)
        monday = today.date() + timedelta(days=7 - today.weekday())
        self.monday = datetime(monday.year, monday.month, monday.day, 10, tzinfo=ZONE)
        self.turn_to(self.monday)

    def close(self) -> None:
        self.simulator.stop()
        self._web.shutdown()
        self._web.server_close()
        self.rt.database.close()

    # Time

    def now(self) -> datetime:
        with self.rt.database.read() as session:
            return self.rt.now(session)

    def turn_to(self, instant: datetime) -> None:
        with self.rt.database.write() as session:
            self.rt.clock.turn_to(session, instant)

    def pass_time(self, **span: float) -> None:
        self.turn_to(self.now() + timedelta(**span))

    # People

    def customer(
        self,
        load: str = "load:2",
        *,
        sms: str | None = "",
        voice: str | None = "",
        email: str | None = "",
        tier: Tier = Tier.LOW_VOLTAGE,
        backup: str = "",
        places: Sequence[str] = ("1 River Road",),
        name: str = "",
        **more: Any,
    ) -> str:
        """A customer on a load, with a number of its own per channel; None: without that channel."""
        number = next(_number)
        own = {
            Channel.SMS: f"+86139{number:08d}" if sms == "" else sms,
            Channel.VOICE: f"+8621{number:08d}" if voice == "" else voice,
            Channel.EMAIL: f"c{number}@example.com" if email == "" else email,
        }
        more.setdefault("language", Language.EN)
        with self.rt.database.write() as session:
            customer = add_customer(
                session, tier=tier, channels=(), backup=False, places=(), name=name or f"N{number}", **more
            )
            for position, (channel, address) in enumerate(own.items()):
                if address is not None:
                    add_contact(session, customer, channel, address, position=position)
            for channel in (Channel.SMS, Channel.VOICE) if backup else ():
                add_contact(session, customer, channel, backup, backup=True)
            manager = session.get_one(GridManager, self.manager)
            for index, place in enumerate(places):
                add_service_point(
                    session, customer, place, element=load, site_id=f"S{index}", grid_manager=manager
                )
            return customer.customer_id

    def add_point(self, customer_id: str, load: str, site: str) -> None:
        with self.rt.database.write() as session:
            customer = session.scalars(select(Customer).where(Customer.customer_id == customer_id)).one()
            add_service_point(session, customer, "2 River Road", element=load, site_id=site)

    def address(self, customer_id: str, channel: Channel, backup: bool = False) -> str:
        return self.contact(customer_id, channel, backup).address

    def contact(self, customer_id: str, channel: Channel, backup: bool = False) -> ContactPoint:
        with self.rt.database.read() as session:
            return session.scalars(
                select(ContactPoint)
                .join(Customer)
                .where(
                    Customer.customer_id == customer_id,
                    ContactPoint.channel == channel,
                    ContactPoint.backup.is_(backup),
                )
            ).one()

    # Work

    def request(
        self, days: float = 10, hours: float = 4, kind: OutageKind = OutageKind.PLANNED, **more: Any
    ) -> PlanRequest:
        """Work on line:2 (dark: load:2) that starts `days` after the Monday, at the same clock time."""
        start = self.monday + timedelta(days=days)
        more.setdefault("work", ("line:2",))
        return PlanRequest(kind, start, start + timedelta(hours=hours), WHY, "Riverside", "Line 2", **more)

    def submitted(self, **more: Any) -> str:
        reason = more.pop("exception_reason", "")
        reference = plan_outage.plan(self.rt, "petra", self.request(**more))
        plan_outage.submit(self.rt, "petra", reference, reason)
        return reference

    def approved(self, **more: Any) -> str:
        reference = self.submitted(**more)
        approve_outage.approve(self.rt, "anton", reference)
        return reference

    def revised(self, reference: str, **more: Any) -> int:
        """Revise, submit and approve."""
        number = plan_outage.revise(self.rt, "petra", reference, self.request(**more))
        plan_outage.submit(self.rt, "petra", reference)
        approve_outage.approve(self.rt, "anton", reference)
        return number

    def work(self) -> int:
        """What one ring of the bell does, until nothing is due; callbacks included."""
        sent = 0
        while more := send_batch.send_due(self.rt):
            sent += more
        assert self.simulator.settle()
        return sent

    def reconcile(self) -> ReconcileReport:
        found = reconcile.reconcile(self.rt)
        assert self.simulator.settle()
        return found

    def first_wave(self) -> int:
        """The seven-day notices of a start ten days ahead: a day before their deadline."""
        self.turn_to(self.monday + timedelta(days=2, minutes=1))
        return self.work()

    # The provider

    def script(self, *rules: dict[str, Any]) -> None:
        self.simulator.load_script({"seed": 1, "rules": list(rules)})

    def ledger(self, to: str = "", channel: str = "") -> list[dict[str, Any]]:
        assert self.simulator.settle()
        return self.simulator.ledger.entries(channel, to)

    def reached(self) -> list[tuple[str, str]]:
        """Whom the provider reached, in order: (channel, address)."""
        return [(one["channel"], one["to"]) for one in self.ledger()]

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        return requests.post(f"{self.rt.settings.base_url}{path}", data=form, timeout=10)

    # What stands in the database

    def deliveries(self, customer_id: str = "", kind: NoticeKind | None = None) -> list[Delivery]:
        """Deliveries in the order in which they were made, with notice and recipients."""
        statement = select(Delivery).join(Notice, Delivery.notice_ref == Notice.id).order_by(Delivery.id)
        if customer_id:
            statement = (
                statement.join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
                .join(Customer, DeliveryRecipient.customer_ref == Customer.id)
                .where(Customer.customer_id == customer_id)
            )
        if kind:
            statement = statement.where(Notice.kind == kind)
        with self.rt.database.read() as session:
            found = list(session.scalars(statement))
            for one in found:
                _ = one.notice, [each.customer for each in one.recipients]
            return found

    def story(self, customer_id: str) -> list[tuple[str, str, str]]:
        """(kind, channel, state) of each delivery of a customer."""
        return [(one.notice.kind, one.channel, one.state) for one in self.deliveries(customer_id)]

    def states(self) -> dict[DeliveryState, int]:
        found: dict[DeliveryState, int] = {}
        for one in self.deliveries():
            found[one.state] = found.get(one.state, 0) + 1
        return found

    def change(self, kind: type, id: int, act: Callable[[Any], None]) -> None:
        with self.rt.database.write() as session:
            act(session.get_one(kind, id))

    def tasks(self) -> list[tuple[str, str]]:
        """(kind, customer) of each open task."""
        with self.rt.database.read() as session:
            return [
                (one.kind.value, one.customer.customer_id if one.customer else "")
                for one in open_tasks(session)
            ]

    def signatures(self, customer_id: str) -> list[str]:
        """States of the requests to sign, in order of revision."""
        with self.rt.database.read() as session:
            return [
                one.state.value
                for one in session.scalars(
                    select(Acknowledgement)
                    .join(Customer, Acknowledgement.customer_ref == Customer.id)
                    .where(Customer.customer_id == customer_id)
                    .order_by(Acknowledgement.revision)
                )
            ]


@contextmanager
def world(url: str, folder: Path, **more: str) -> Iterator[World]:
    made = World(url, folder, **more)
    try:
        yield made
    finally:
        made.close()
