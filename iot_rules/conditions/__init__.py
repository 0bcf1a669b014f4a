"""Conditions: three-valued truth, what a trigger says about a value, windows of the day, CEL expressions."""
