"""The engine, pure: facts and time in, wishes out; its whole state is values that a database can hold."""
