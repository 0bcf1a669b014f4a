"""What devices say becomes rows: recognised, stored once, acknowledged afterwards; the rest is counted and kept."""
