"""What shelters a press while the database is away: a spool on disk, and the way back into the ledger."""
