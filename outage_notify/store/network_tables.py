"""The network as imported: one row per element and version; exactly one version is in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class NetworkVersion(Base):
    __tablename__ = "network_versions"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    imported_at: Mapped[datetime] = mapped_column(Instant)
    imported_by: Mapped[str] = mapped_column(String(100), default="")
    file_name: Mapped[str] = mapped_column(String(300))
    format: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    in_force: Mapped[bool] = mapped_column(Boolean, default=False)


class NetworkElement(Base):
    """A row of `geo.model.Network.to_rows()`; the columns are explained there."""

    __tablename__ = "network_elements"
    __table_args__ = (
        UniqueConstraint("version_ref", "kind", "source_id"),
        Index(None, "version_ref", "min_lon", "max_lon"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    version_ref: Mapped[int] = mapped_column(ForeignKey("network_versions.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200), default="")
    bus_a: Mapped[str | None] = mapped_column(String(100))
    bus_b: Mapped[str | None] = mapped_column(String(100))
    bus_c: Mapped[str | None] = mapped_column(String(100))
    on_element: Mapped[str | None] = mapped_column(String(120))
    at_bus: Mapped[str | None] = mapped_column(String(100))
    closed: Mapped[bool | None] = mapped_column(Boolean)
    in_service: Mapped[bool] = mapped_column(Boolean, default=True)
    phases: Mapped[str] = mapped_column(String(3), default="ABC")
    feeder: Mapped[str | None] = mapped_column(String(200))
    geometry: Mapped[bytes | None] = mapped_column(LargeBinary)
    min_lon: Mapped[float | None] = mapped_column(Float)
    min_lat: Mapped[float | None] = mapped_column(Float)
    max_lon: Mapped[float | None] = mapped_column(Float)
    max_lat: Mapped[float | None] = mapped_column(Float)
    attrs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
