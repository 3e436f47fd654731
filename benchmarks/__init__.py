"""Benchmarks of our own hot paths, and the hand-written floor."""
