"""Real tables, mutated by Hypothesis, through every command that reads tables.

    python -m benchmarks.mutations --count 10000

`drawing` makes the mutations, `oracle` says with the csv module alone what a table holds, `trial`
sends one mutation through the commands and judges what comes of it.
"""
