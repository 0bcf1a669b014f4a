"""The alarm promise: states as a table, the ledger as the only writer, the HTTPS road in."""
