"""The hub: what enters, is kept or leaves the platform passes here."""
