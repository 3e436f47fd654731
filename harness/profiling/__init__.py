"""Profiling on the controller's side: who samples, and how launches are taken through it."""
