"""The console of mini-app developers and of the officials who review their work."""
