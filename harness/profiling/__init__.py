"""Profiling on the controller's side: how launches are taken through it, and what they tell."""
