"""Adapters: each drives one reference implementation step by step and reads its state as its spec names it."""
