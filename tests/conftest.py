"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A test fails for what is wrong, never because the machine is busy.
settings.register_profile("tuistream", deadline=None)
settings.load_profile("tuistream")
