"""The stacks that a drill runs on, and how their servers are lost and brought back."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer

SQLITE = "SQLite, embedded bell"
REDIS = "PostgreSQL, Redis"
RABBITMQ = "PostgreSQL, RabbitMQ"
STACKS = (SQLITE, REDIS, RABBITMQ)


@dataclass(frozen=True)
class Stack:
    """Where a drill's data and bells are. Without servers: SQLite, and a bell in each worker."""

    name: str
    database_url: str
    broker_url: str = ""
    postgres: PostgresServer | None = None
    broker: RedisServer | RabbitServer | None = None

    @property
    def embedded(self) -> bool:
        return self.broker is None
