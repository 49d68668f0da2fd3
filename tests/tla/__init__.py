"""Tests of exported TLA+ modules, with a parser and a small model checker of their own."""
