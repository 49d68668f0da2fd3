"""One module for each command. What is heavy is imported when a command runs, so that each starts quickly."""
