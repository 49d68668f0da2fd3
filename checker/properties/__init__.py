"""Judging: from what an engine found to verdicts against what the author expects."""
