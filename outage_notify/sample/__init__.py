"""Sample data for the demonstration and the tests: public networks and invented people."""
