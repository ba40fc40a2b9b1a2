"""A served platform: a real server on a real socket, in a thread of the test's own process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that serves a board and returns the socket's path."""
    from scmictl.device.server import Server
    from scmictl.platform import Platform

    running: list[tuple[Server, threading.Thread, int]] = []

    def start(board: str = "demo", *, agents: tuple[str | None, ...] = (None,)) -> str:
        platform = Platform.from_board(board)
        server = Server(platform)
        paths = [str(tmp_path / f"scmi{len(running)}-{n}.sock") for n in range(len(agents))]
        for path, agent in zip(paths, agents, strict=True):
            server.listen(path, agent=agent)
        read, write = os.pipe()
        thread = threading.Thread(target=server.run, args=(read,), daemon=True)
        thread.start()
        running.append((server, thread, write))
        os.set_inheritable(read, False)
        return paths[0] if len(paths) == 1 else ",".join(paths)

    yield start
    for server, thread, write in running:
        os.write(write, b"!")
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
        server.close()
        os.close(write)
