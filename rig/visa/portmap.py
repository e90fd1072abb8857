"""The port mapper, version 2 (RFC 1833, chapter 3): where a program listens. Pure. It answers and takes no entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.visa.rpc import Procedure, Program, Reader, answer, words

PORT = 111
PROGRAM, VERSION = 100_000, 2
SET, UNSET, GET_PORT, DUMP = 1, 2, 3, 4
TCP = 6


def port_mapper(ports: Mapping[tuple[int, int], int]) -> Mapping[int, Program]:
    """ports: (program, version) -> TCP port."""

    def refuse(arguments: Reader, reply: Callable[[bytes], None]) -> None:
        for _ in range(4):
            arguments.word()
        reply(words(0))

    def get_port(arguments: Reader, reply: Callable[[bytes], None]) -> None:
        program, version, protocol, _ = (arguments.word() for _ in range(4))
        reply(words(ports.get((program, version), 0) if protocol == TCP else 0))

    def dump(_: Reader, reply: Callable[[bytes], None]) -> None:
        entries = b"".join(words(1, *key, TCP, port) for key, port in ports.items())
        reply(entries + words(0))

    procedures: Mapping[int, Procedure] = {SET: refuse, UNSET: refuse, GET_PORT: get_port, DUMP: dump}
    return {PROGRAM: Program(PROGRAM, VERSION, procedures)}


def datagram(programs: Mapping[int, Program]) -> Callable[[bytes], bytes | None]:
    """The mapper on UDP: a call a datagram, answered at once."""

    def serve(data: bytes) -> bytes | None:
        replies: list[bytes] = []
        answer(data, programs, replies.append)
        return replies[0] if replies else None

    return serve
