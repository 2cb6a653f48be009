"""Use cases, named with verbs. Each opens the transactions that it needs."""
