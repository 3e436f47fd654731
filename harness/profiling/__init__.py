"""Profiling: launches that say where time goes, and the readings that come of them."""
