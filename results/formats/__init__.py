"""The forms a comparison is told in: each a function of the comparison."""
