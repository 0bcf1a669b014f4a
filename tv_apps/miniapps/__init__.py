"""Mini-apps: scaffold, check, pack, sign, publish, review, and the pages on the television."""
