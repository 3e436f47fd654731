"""The scenarios: loops that build networks, and the catalogue of them (`scenarios.scenario`)."""
