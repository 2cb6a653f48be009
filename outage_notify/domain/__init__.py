"""Nouns, states and policy. Pure: no clock, no database, no network, no files."""
