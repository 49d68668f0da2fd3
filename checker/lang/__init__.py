"""The front end: from text to an immutable syntax tree, and back to formatted text."""
