"""The `linli` command: starts, watches and stops the programs, the embedded broker and the embedded database."""
