"""The pipes: framing, partial writes, big messages, and every way a client can leave."""

import json
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saom_player.protocol import ClientGone, Field, FifoTransport, ProtocolError, write_all

END = struct.pack("!BI", 255, 0)


def framed(kind: int, body: bytes) -> bytes:
    return struct.pack("!BI", kind, len(body)) + body


def action(**message: object) -> bytes:
    return framed(2, json.dumps(message).encode()) + END


class Client:
    """The other ends of a transport's pipes."""

    def __init__(self, folder: Path) -> None:
        self.paths = folder / "server.pipe", folder / "client.pipe"
        for path in self.paths:
            os.mkfifo(path)
        # A named pipe opened for reading and writing waits for nobody.
        self.reader = os.open(self.paths[0], os.O_RDONLY | os.O_NONBLOCK)
        self.transport = FifoTransport(*self.paths)
        self.writer = os.open(self.paths[1], os.O_WRONLY)
        os.set_blocking(self.reader, True)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = os.read(self.reader, size - len(data))
            assert chunk, "the player's pipe ended"
            data += chunk
        return data

    def fields(self) -> list[tuple[int, bytes]]:
        """One whole message."""
        found = []
        while True:
            kind, length = struct.unpack("!BI", self.read(5))
            if kind == 255:
                return found
            found.append((kind, self.read(length)))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    client = Client(tmp_path)
    yield client
    client.transport.close()
    for pipe in (client.reader, client.writer):
        try:
            os.close(pipe)
        except OSError:
            continue


def test_a_message_is_metadata_then_pictures_then_the_end(client: Client) -> None:
    ids = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    client.transport.send({"sequenceId": 7, "agents": []}, [(Field.RGB, b"abc"), (Field.IDS, ids.data)])
    (kind, body), *pictures = client.fields()
    assert kind == 1
    assert msgpack.unpackb(body) == {"sequenceId": 7, "agents": []}
    assert pictures == [(4, b"abc"), (9, ids.tobytes())]


def test_messages_larger_than_the_pipe_arrive_whole(client: Client) -> None:
    big = np.random.default_rng(0).integers(0, 256, 3_000_001, np.uint8)
    sender = threading.Thread(target=client.transport.send, args=({"sequenceId": 1}, [(Field.RGB, big.data)] * 2))
    sender.start()
    fields = client.fields()
    sender.join(10)
    assert [kind for kind, _ in fields] == [1, 4, 4]
    assert fields[1][1] == fields[2][1] == big.tobytes()


def test_more_pictures_than_the_system_takes_at_once(client: Client) -> None:
    client.transport.send({}, [(Field.THIRD_PARTY_RGB, b"x")] * 1500)
    assert len(client.fields()) == 1501


def test_actions_are_parsed_in_order(client: Client) -> None:
    os.write(client.writer, action(action="Pass", sequenceId=1) + action(action="Done", sequenceId=2, x=[1.5, None]))
    assert client.transport.receive() == {"action": "Pass", "sequenceId": 1}
    assert client.transport.receive() == {"action": "Done", "sequenceId": 2, "x": [1.5, None]}


def test_an_action_that_comes_in_pieces(client: Client) -> None:
    message = action(action="CreateHouse", house={"rooms": ["é" * 100_000]})

    def dribble() -> None:
        for start in range(0, len(message), 9_999):
            os.write(client.writer, message[start : start + 9_999])

    writer = threading.Thread(target=dribble)
    writer.start()
    assert client.transport.receive()["house"] == {"rooms": ["é" * 100_000]}
    writer.join(10)


def test_a_client_that_closes_its_pipe_is_gone(client: Client) -> None:
    os.close(client.writer)
    with pytest.raises(ClientGone):
        client.transport.receive()


def test_a_client_that_leaves_in_the_middle_of_an_action_is_gone(client: Client) -> None:
    os.write(client.writer, action(action="Pass")[:-7])
    os.close(client.writer)
    with pytest.raises(ClientGone):
        client.transport.receive()


def test_a_client_that_stops_reading_is_gone(client: Client) -> None:
    os.close(client.reader)
    with pytest.raises(ClientGone):
        client.transport.send({}, [(Field.RGB, bytes(100))])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (framed(2, b"{no json") + END, "no JSON"),
        (framed(2, b"[1]") + END, "no JSON object"),
        (framed(2, b"\xff\xfe\xfd\x00") + END, "no JSON"),
        (framed(77, b"") + END, "type 77"),
        (END, "without an action"),
    ],
)
def test_what_is_no_action_is_refused(client: Client, message: bytes, reason: str) -> None:
    os.write(client.writer, message)
    with pytest.raises(ProtocolError, match=reason):
        client.transport.receive()


def test_waiting_for_a_reader_ends_when_the_clients_pipe_goes(tmp_path: Path) -> None:
    server, client = tmp_path / "server", tmp_path / "client"
    os.mkfifo(client)
    with pytest.raises(ClientGone):
        FifoTransport(server, client)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=12), st.lists(st.integers(1, 60), min_size=1))
def test_partial_writes_lose_and_repeat_nothing(buffers: list[bytes], portions: list[int]) -> None:
    taken = bytearray()
    sizes = iter(portions * 200)

    def stingy(descriptor: int, waiting: list[memoryview]) -> int:
        portion = b"".join(waiting)[: next(sizes)]
        taken.extend(portion)
        return len(portion)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "writev", stingy)
        write_all(0, [memoryview(b) for b in buffers])
    assert bytes(taken) == b"".join(buffers)
