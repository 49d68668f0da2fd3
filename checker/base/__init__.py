"""Files, spans and diagnostics: the words in which every other layer reports what is wrong."""
