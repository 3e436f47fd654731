"""Profiles: where a phase's time went, by operator, node, line or function; and what changed."""
