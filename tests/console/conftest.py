"""What the console tests share: an environment of streams that are read back."""

from __future__ import annotations

import io

import pytest

from scmictl.console.environment import Environment


@pytest.fixture
def environment() -> Environment:
    """Streams in memory that are no terminal, and no variables."""
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
