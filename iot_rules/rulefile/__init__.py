"""Rule files: TOML that a caretaker can read, checked as a whole, every problem with its line and its cure."""
