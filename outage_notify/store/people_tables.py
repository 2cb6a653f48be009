"""Customers as the utility knows them: sites, service points, contacts, grid managers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier, is_key
from outage_notify.store.database import Base, Id, Instant, Word


class GridManager(Base):
    """网格经理: responsible for an area, named in notices, gets the visit tasks."""

    __tablename__ = "grid_managers"
    __table_args__ = (UniqueConstraint("name", "phone"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(40), default="")
    # What the public is told to call: an office, never the person's own number. The serial rises with each change.
    office: Mapped[str] = mapped_column(String(200), default="", server_default="")
    office_phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    office_serial: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # Who stands in; while `away` is set, notices and tasks name the deputy.
    deputy_ref: Mapped[int | None] = mapped_column(BigInteger)
    away: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Set when she has left; history stays.
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    serial: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0"
    )  # rises with each change by hand

    deputy: Mapped[GridManager | None] = relationship(
        primaryjoin="foreign(GridManager.deputy_ref) == remote(GridManager.id)",
        lazy="joined",
        join_depth=1,
        viewonly=True,
    )

    @property
    def acting(self) -> GridManager:
        """Who is to be called now."""
        return self.deputy if self.away and self.deputy is not None else self


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # The identifier of the utility's own customer system.
    customer_id: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    # household, shop, hospital, water, telecom, bank, school, nursing_home, ...
    kind: Mapped[str] = mapped_column(String(60), default="")
    tier: Mapped[Tier] = mapped_column(Word(Tier))
    life_support: Mapped[bool] = mapped_column(Boolean, default=False)
    vulnerable: Mapped[bool] = mapped_column(Boolean, default=False)
    language: Mapped[Language] = mapped_column(Word(Language))
    # Secret part of the calendar feed's address; replaced to revoke it.
    feed_secret: Mapped[str] = mapped_column(String(64), unique=True)
    # Set when the customer is no longer in the newest import; history stays.
    gone_at: Mapped[datetime | None] = mapped_column(Instant)

    contacts: Mapped[list[ContactPoint]] = relationship(back_populates="customer", order_by="ContactPoint.id")
    service_points: Mapped[list[ServicePoint]] = relationship(
        back_populates="customer", order_by="ServicePoint.id"
    )

    @property
    def key(self) -> bool:
        return is_key(self.tier, self.life_support)


class Site(Base):
    """A place of one customer that one or several feeds supply."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("customer_ref", "site_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    site_id: Mapped[str] = mapped_column(String(100))


class ServicePoint(Base):
    """One feed of one site: where the network ends and the customer begins."""

    __tablename__ = "service_points"
    __table_args__ = (Index(None, "element"), Index(None, "customer_ref"), Index(None, "site_ref"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    service_point_id: Mapped[str] = mapped_column(String(100), unique=True)
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    site_ref: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    # The load of the network that it hangs on, such as load:7.
    element: Mapped[str] = mapped_column(String(100))
    # The place in words that people understand: street and number, never a pole number.
    place: Mapped[str] = mapped_column(String(300))
    grid_manager_ref: Mapped[int | None] = mapped_column(ForeignKey("grid_managers.id"))
    # The area by way of which it is that manager's; whom the customers' file names is kept beside then.
    area_ref: Mapped[int | None] = mapped_column(BigInteger)
    named_manager_ref: Mapped[int | None] = mapped_column(BigInteger)
    gone_at: Mapped[datetime | None] = mapped_column(Instant)

    customer: Mapped[Customer] = relationship(back_populates="service_points")
    site: Mapped[Site] = relationship()
    grid_manager: Mapped[GridManager | None] = relationship()


class ContactPoint(Base):
    """One address of one customer on one channel."""

    __tablename__ = "contact_points"
    __table_args__ = (
        UniqueConstraint("customer_ref", "channel", "address", "backup"),
        Index(None, "address"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    channel: Mapped[Channel] = mapped_column(Word(Channel))
    # E.164 for sms and voice; for letters the place in words.
    address: Mapped[str] = mapped_column(String(320))
    # The person behind it, where it is not the customer (backup contact).
    person: Mapped[str] = mapped_column(String(200), default="")
    backup: Mapped[bool] = mapped_column(Boolean, default=False)
    # Set by the provider's verdict: the number does not exist, or its owner said no.
    bad_at: Mapped[datetime | None] = mapped_column(Instant)
    bad_reason: Mapped[str] = mapped_column(String(200), default="")
    opted_out_at: Mapped[datetime | None] = mapped_column(Instant)
    position: Mapped[int] = mapped_column(Integer, default=0)
    # Of a mailbox: its notices come as calendar invitations.
    invitations: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    customer: Mapped[Customer] = relationship(back_populates="contacts")

    @property
    def usable(self) -> bool:
        return self.bad_at is None and self.opted_out_at is None
