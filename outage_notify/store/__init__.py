"""Facts: tables and the queries that answer named questions. The only package that knows SQL."""
