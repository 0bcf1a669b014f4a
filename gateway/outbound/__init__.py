"""What the platform tells its devices, from the outbox to the broker."""
