"""Schema changes, in order. Each goes up and down on SQLite and PostgreSQL."""
