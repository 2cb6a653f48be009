"""Planned power outages: find everybody affected, tell them in time, prove it."""
