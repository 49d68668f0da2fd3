"""Engines: what explores a machine. One obvious implementation that defines the meaning, and a fast one."""
