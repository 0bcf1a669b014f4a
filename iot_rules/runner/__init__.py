"""The runner: hears devices, writes each decision before it is acknowledged, then carries out what was wished."""
