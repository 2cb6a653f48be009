"""Keys of customers' own: public parts, confirmed by the utility. Never deleted: it stays known who could sign when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.store.database import Base, Id, Instant
from outage_notify.store.people_tables import Customer


class OwnKey(Base):
    """One key. It signs while it is confirmed and not revoked."""

    __tablename__ = "own_keys"
    __table_args__ = (Index(None, "customer_ref"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    # "Ed25519", "P-256" or "passkey".
    kind: Mapped[str] = mapped_column(String(20))
    # Thumbprint of the public key.
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # Whose it is, in words.
    label: Mapped[str] = mapped_column(String(200))
    # A JWK; of a passkey the COSE key, base64url.
    public_key: Mapped[str] = mapped_column(Text)
    # Of a passkey: the credential's id and the counter of its last use.
    credential: Mapped[str] = mapped_column(Text, default="")
    counter: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(String(100))
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(String(100), default="")
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_by: Mapped[str] = mapped_column(String(100), default="")

    customer: Mapped[Customer] = relationship()

    @property
    def signs(self) -> bool:
        return self.confirmed_at is not None and self.revoked_at is None
