"""Is the alarm ledger what was written? Hash chains read again, and signed checkpoints outside the database."""
