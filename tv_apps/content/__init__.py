"""How content comes in: reading official documents, writing them as notices, the demo's own notices."""
