"""Speaks AI2-THOR's FIFO protocol: messages of typed fields through two named pipes that the client has made.

A field is a header of one type byte and a big-endian length of four, and its body; an empty END field ends a message.
The player sends metadata (msgpack) and pictures (raw); the client sends one action (JSON) at a time.
"""

import errno
import fcntl
import json
import os
import select
import struct
import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

import msgpack

Metadata = dict[str, Any]
_HEADER = struct.Struct("!BI")
_PIPE_BYTES = 1 << 20
"""Larger than Linux's default of 64 KiB: a frame then costs a few switches to the client and back, not hundreds."""
_BUFFERS_A_WRITE = 512
"""Below IOV_MAX."""
_PARENT_CHECK_S = 1.0
_OPEN_POLL_S = 0.005


class Field(IntEnum):
    """Field types that this player sends or receives."""

    METADATA = 1
    ACTION = 2
    RGB = 4
    DEPTH = 5
    NORMALS = 6
    CLASSES = 8
    IDS = 9
    THIRD_PARTY_RGB = 10
    METADATA_PATCH = 11
    THIRD_PARTY_DEPTH = 12
    THIRD_PARTY_NORMALS = 13
    THIRD_PARTY_IDS = 14
    THIRD_PARTY_CLASSES = 15
    END = 255


Picture = tuple[Field, bytes | memoryview]
"""A field's type and its bytes."""


class ClientGone(Exception):
    """The client has closed its end or has ended: nobody is left to serve."""


class ProtocolError(Exception):
    """The client sent what is no message of this protocol; there is no way to find the next one."""


class Transport(Protocol):
    """A connection to one client."""

    def send(self, metadata: Metadata, pictures: Sequence[Picture]) -> None:
        """Send one message. Raises ClientGone."""
        ...

    def send_patch(self, patch: Metadata) -> None:
        """Send what changes of one agent's last metadata; its pictures stay. Raises ClientGone."""
        ...

    def receive(self) -> Metadata:
        """Wait for the next action: its name under "action", its arguments beside it. Raises ClientGone."""
        ...


class FifoTransport:
    """The player's ends of the two pipes. A client that dies, at any time, is noticed within about a second."""

    def __init__(self, server_pipe: Path, client_pipe: Path) -> None:
        """Wait until the client reads ``server_pipe``. Raises ClientGone, or OSError when there are no such pipes."""
        self._parent = os.getppid()
        # Opened first and without waiting, so that the client's own opening of it never has to wait either.
        self._input = os.open(client_pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._output = self._open_output(server_pipe)
        _enlarge(self._output)

    def send(self, metadata: Metadata, pictures: Sequence[Picture]) -> None:
        """Send one message. Raises ClientGone."""
        self._write((Field.METADATA, msgpack.packb(metadata, use_bin_type=True)), *pictures)

    def send_patch(self, patch: Metadata) -> None:
        """Send what changes of one agent's last metadata; its pictures stay. Raises ClientGone."""
        self._write((Field.METADATA_PATCH, msgpack.packb(patch, use_bin_type=True)))

    def _write(self, *fields: Picture) -> None:
        buffers: list[memoryview] = []
        for field, data in fields:
            view = memoryview(data).cast("B")
            buffers += [memoryview(_HEADER.pack(field, view.nbytes)), view]
        buffers.append(memoryview(_HEADER.pack(Field.END, 0)))
        try:
            write_all(self._output, buffers)
        except BrokenPipeError as error:
            raise ClientGone("the client stopped reading") from error

    def receive(self) -> Metadata:
        """Wait for the next action. Raises ClientGone, or ProtocolError for what is no message."""
        self._wait_for_input()
        action: Metadata | None = None
        while True:
            field, length = _HEADER.unpack(self._read(_HEADER.size))
            body = self._read(length)
            if field == Field.END:
                break
            if field != Field.ACTION:
                raise ProtocolError(f"expected an action, and got a field of type {field}")
            action = _parse(body)
        if action is None:
            raise ProtocolError("got a message without an action")
        return action

    def close(self) -> None:
        """Close both pipes."""
        os.close(self._input)
        os.close(self._output)

    def _open_output(self, path: Path) -> int:
        """Opening a pipe for writing waits for its reader for ever; this ends when the client does."""
        while True:
            try:
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except FileNotFoundError as error:
                raise ClientGone(f"the client's pipe {path} is gone") from error
            except OSError as error:
                if error.errno != errno.ENXIO:  # That is: nobody reads yet.
                    raise
                self._check_parent()
                time.sleep(_OPEN_POLL_S)
                continue
            os.set_blocking(pipe, True)
            return pipe

    def _wait_for_input(self) -> None:
        """A client's forked children can hold its pipe open after its death, so end of file alone does not tell."""
        poll = select.poll()
        poll.register(self._input, select.POLLIN)
        while not poll.poll(_PARENT_CHECK_S * 1000):
            self._check_parent()
        os.set_blocking(self._input, True)

    def _check_parent(self) -> None:
        if os.getppid() != self._parent:
            raise ClientGone("the client has ended")

    def _read(self, size: int) -> bytes:
        chunks: list[bytes] = []
        while size > 0:
            chunk = os.read(self._input, min(size, _PIPE_BYTES))
            if not chunk:
                raise ClientGone("the client closed its pipe")
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


def write_all(descriptor: int, buffers: Sequence[memoryview]) -> None:
    """Write all bytes of ``buffers`` (each of format "B"), however few the system takes at a time."""
    waiting = [buffer for buffer in buffers if buffer.nbytes]
    while waiting:
        written = os.writev(descriptor, waiting[:_BUFFERS_A_WRITE])
        while waiting and written >= waiting[0].nbytes:
            written -= waiting.pop(0).nbytes
        if written:
            waiting[0] = waiting[0][written:]


def _enlarge(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (AttributeError, OSError):
        return  # Not Linux, or above this user's limit: slower, and no worse.


def _parse(body: bytes) -> Metadata:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise ProtocolError(f"an action is no JSON: {error}") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"an action is no JSON object, but a {type(message).__name__}")
    return message
