"""Dope sheets: a schedule as a table that people read and edit."""
