"""The message plane: one client library, durable sessions with acknowledgement after the work is done."""
