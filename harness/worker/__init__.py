"""The measured side: what runs in a fresh process, under any interpreter.

Nothing here imports anything but the standard library, numpy, `networks`, `evaluators` and
`scenarios`. Message types are named tuples rather than dataclasses: making a slotted dataclass
costs 0.5–0.7 ms of every worker's start, a named tuple 0.04–0.10 ms (decision 1).
"""
