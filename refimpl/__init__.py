"""Reference implementations, one module for each protocol, grouped in families as the specs are.

They are written by hand as a product would be, and import nothing from `checker`. What links one of them to its spec is
an adapter in `refimpl.adapters`, the only place that knows both sides.
"""
