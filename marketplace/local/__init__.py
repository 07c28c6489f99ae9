"""Running Earnest on one machine: its own PostgreSQL and Valkey, its processes, and `up`.

Nothing here is used in production, where `DATABASE_URL` and `REDIS_URL` name real servers and
the machine's own supervisor runs the web, worker and beat processes.
"""
