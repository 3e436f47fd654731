"""How well graphgauge and its peers decide between two versions.

Real extra work is planted (`planting`), measured independently (`truth`), and every tool is asked
about it through its own command line, at equal wall time, in random order (`trial`). What the
recorded pairs would have said of other budgets and of suites is replayed (`replay`), and `table`
prints what was found, as in docs/verdict.md:

    python -m benchmarks.verdict.truth
    python -m benchmarks.verdict.trial
    python -m benchmarks.verdict.table
    python -m benchmarks.verdict.real

Everything is kept under `runs/verdict/`; a run that was stopped goes on where it was.
"""
