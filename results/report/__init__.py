"""A comparison as one page to look at, and its plots as pictures."""
