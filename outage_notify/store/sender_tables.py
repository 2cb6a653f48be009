"""The senders as all workers know them: what each may send now, and how it fares."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Float, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from channels.model import Channel
from outage_notify.store.database import Base, Instant, Word


class SenderState(Base):
    """A token bucket, spent in the claim's transaction, and the sender's health.

    A row without a channel is the bucket of a provider that several senders share.
    """

    __tablename__ = "sender_states"

    sender: Mapped[str] = mapped_column(String(60), primary_key=True)
    channel: Mapped[Channel | None] = mapped_column(Word(Channel))
    per_second: Mapped[float] = mapped_column(Float)
    burst: Mapped[float] = mapped_column(Float)
    tokens: Mapped[float] = mapped_column(Float)
    refilled_at: Mapped[datetime] = mapped_column(Instant)
    # The part of a row that lower tiers have been promised by the claims so far.
    rest_owed: Mapped[float] = mapped_column(Float, default=0.0)
    # Until then nothing is claimed: the provider said 429, or our configuration is at fault.
    held_until: Mapped[datetime | None] = mapped_column(Instant)
    held_reason: Mapped[str] = mapped_column(Text, default="")
    # Calls since the last proper answer that came back without one.
    troubles: Mapped[int] = mapped_column(Integer, default=0)
    # Since then another one stands in, if there is one.
    down_since: Mapped[datetime | None] = mapped_column(Instant)
    down_reason: Mapped[str] = mapped_column(Text, default="")
    # From then on its provider is asked whether it works again; if so, one message is the trial.
    probe_at: Mapped[datetime | None] = mapped_column(Instant)
    trial: Mapped[bool] = mapped_column(Boolean, default=False)
