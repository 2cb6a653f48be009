"""The doorbell: Celery rings, services work. The database is the memory; no task carries data."""
