"""How a message reaches a person: senders, texts, signatures. Knows no database, no web, no outage state."""
