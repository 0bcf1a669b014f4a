"""The television: pages for a remote control, content, key profiles, and the store of mini-apps."""
