"""Process plumbing that all programs share: settings, logs, clock, services, metrics, command line."""
