"""The wire: topics, payloads, frame headers and their limits; the only part of us that devices know."""
