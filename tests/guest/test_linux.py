"""Linux's own SCMI drivers agree with the served platform: what they show, set and hear."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.guest


@pytest.fixture(scope="module")
def probed(guests: Any) -> Any:
    """A guest that only probes and prints what it found."""
    return guests.boot()


def test_no_driver_has_an_error_to_tell(probed: Any) -> None:
    assert probed.completed
    assert probed.errors == []
