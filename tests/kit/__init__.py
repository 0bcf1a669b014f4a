"""Instruments of the tests: servers, clocks, wires, browsers."""
