"""Rules over devices: read from files, decided without I/O, carried out once, remembered through restarts."""
