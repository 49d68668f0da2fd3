"""Showing results: as text, JSON, drawings. Pure functions over data; nothing here explores, judges, or writes to a terminal."""
