"""Exit codes of the command line; a contract with outside programs."""

OK = 0
WORSE = 1
"""A regression, a new leak, a new failure or a worse order of growth."""
UNUSABLE = 2
"""Input or arguments cannot be used."""
NOTHING = 3
"""Nothing was compared, or less than was asked."""
INCONCLUSIVE = 4
"""Only with `--fail-on inconclusive`."""
INTERRUPTED = 130
