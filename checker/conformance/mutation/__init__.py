"""How strong are the tests? Specs, implementations and traces are broken on purpose, and what finds that is counted."""
