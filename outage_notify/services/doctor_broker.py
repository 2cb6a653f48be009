"""Does the broker answer? Asked through kombu, which Celery speaks through too."""

from __future__ import annotations

from kombu.connection import Connection

PATIENCE = 5.0  # seconds


def ask_broker(url: str) -> str:
    """Empty if the broker at `url` takes a connection, else why not, without the password."""
    try:
        with Connection(url, connect_timeout=PATIENCE) as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE, reraise_as_library_errors=False)
            if connection.transport.driver_type == "redis":
                connection.default_channel.client.ping()
    except Exception as error:  # Each driver raises its own; all of them mean that it does not answer.
        scheme, _, rest = url.partition("://")
        host = rest.rpartition("@")[2].partition("/")[0]
        return f"The broker at {scheme}://{host} does not answer ({type(error).__name__})."
    return ""
