"""The demo: the whole life of a planned outage, played on the sample network with the real parts.

Nothing here is a shortcut: web server, worker and provider simulator are processes of
their own, customers sign on the real pages, and what is proved is counted from the
simulator's ledger. Only the clock is turned by hand.
"""
