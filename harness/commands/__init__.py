"""Subcommands, one class a file: what each takes, and what it does."""
