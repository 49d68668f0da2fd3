"""The documentation site: pages made from specs and from what checking them gave."""
