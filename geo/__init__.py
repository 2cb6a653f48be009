"""How the network loses supply and where that is. Knows no customer, no database, no web."""
