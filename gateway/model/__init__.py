"""Nouns of the platform, from the standard library alone: ids, people, alarms, errors."""
