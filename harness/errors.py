"""The error that a user of the command line can do something about."""


class UsageError(Exception):
    """Arguments or input cannot be used: what was found, what was expected, what to do."""
