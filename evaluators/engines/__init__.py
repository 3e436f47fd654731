"""Adapters to engines, one file each; `table` says what is known of them without importing."""
