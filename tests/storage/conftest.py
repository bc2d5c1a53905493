"""What the storage tests share beside the rest: a PostgreSQL server, for those that need one."""

from tests.postgres import postgresql_server

__all__ = ["postgresql_server"]
