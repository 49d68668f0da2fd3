"""The editor of specs on pages: its sources in JavaScript, and what makes the files that a site serves of them."""
