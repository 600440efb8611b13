"""No test reaches the network, and every test has a cache folder of its own unless it runs the shipped weights."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest


class NetworkDeniedError(ConnectionError):
    """A test tried to reach something other than this machine."""


def _is_local(host: object) -> bool:
    return host is None or str(host) in {"", "localhost", "127.0.0.1", "::1", "0.0.0.0"}


@pytest.fixture(autouse=True)
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hosts that were asked for; a test that expects some clears the list, any other fails."""
    hosts: list[str] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(this, address):
        if this.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(address[0]):
            hosts.append(str(address[0]))
            raise NetworkDeniedError(f"tests may not connect to {address}")
        return connect(this, address)

    def guarded_look_up(host, *arguments, **options):
        if not _is_local(host):
            hosts.append(str(host))
            raise NetworkDeniedError(f"tests may not look up {host}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield hosts
    assert not hosts, f"the network was tried: {hosts}"


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fast tests start with an empty cache; those on real weights share the user's, where conversion is paid once."""
    if request.node.get_closest_marker("model") is None:
        monkeypatch.setenv("RAGKIT_CACHE", str(tmp_path / "ragkit-cache"))
