"""Evaluators: what turns a network into functions of (weights, data).

Everything here runs in the measured process, maybe under a foreign interpreter with an old NumPy,
so it imports the standard library, NumPy and `networks` alone; an adapter imports its own engine
when it is asked for.
"""

VERSION = "0.1.0"
"""The version of our own evaluators: the distribution's. A constant, since the measured process
holds our packages without the distribution's metadata."""
