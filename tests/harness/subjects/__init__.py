"""Subjects for tests: plugin files that workers load."""
