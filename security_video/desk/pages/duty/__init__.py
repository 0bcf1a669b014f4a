"""The roster: who is on duty now, the week, and drills; supervisors change it, operators read it."""
