"""No test here depends on how fast the machine is."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None, max_examples=40)
settings.load_profile("unhurried")
