"""Where facts rest: the only SQL and the only users of the PostgreSQL driver."""
