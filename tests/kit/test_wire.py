"""The wire itself: each fault is the fault that it says."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.kit.wire import Wire


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1000):
            writer.write(chunk)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_whole_wire_carries_both_ways(echo_port: int) -> None:
    """What is sent comes back."""
    async with Wire(echo_port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()


async def test_a_cut_wire_resets_and_refuses_until_it_is_mended(echo_port: int) -> None:
    """After a cut the open line breaks, a new one breaks too, and after mending one stands."""
    async with Wire(echo_port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"hello")
        await reader.readexactly(5)
        wire.cut()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        wire.mend()
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        writer.close()


async def test_a_black_hole_keeps_the_line_and_says_nothing(echo_port: int) -> None:
    """In a black hole nothing comes back and nothing breaks; mended, what was sent arrives."""
    async with Wire(echo_port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        wire.black_hole()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        wire.mend()
        assert await reader.readexactly(5) == b"hello"
        writer.close()


async def test_an_answer_breaks_off_after_so_many_bytes(echo_port: int) -> None:
    """`cut_after` resets the line when the server's answer grows over the limit."""
    async with Wire(echo_port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        wire.cut_after(4)
        writer.write(b"hello")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(5)
        writer.close()


async def test_an_answer_breaks_off_in_the_middle_of_a_chunk(echo_port: int) -> None:
    """What is before the cut still arrives: half a packet, and then the reset."""
    async with Wire(echo_port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        wire.cut_after(3)
        writer.write(b"hello")
        assert await reader.readexactly(3) == b"hel"
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


async def test_a_wire_that_drops_one_way_still_carries_the_other(echo_port: int) -> None:
    """The server hears us and we do not hear it, until the wire is mended."""
    async with Wire(echo_port) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        wire.drop(down=True)
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(5), 0.1)
        assert wire._up.bytes_passed == 5
        wire.mend()
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"hello"
        writer.close()


async def test_a_dripping_wire_brings_everything_in_pieces(echo_port: int) -> None:
    """Nothing is lost and nothing is turned round, only slow."""
    async with Wire(echo_port) as wire:
        wire.drip(2, 0.005)
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"hello world")
        assert len(await asyncio.wait_for(reader.read(100), 5)) == 2
        assert await asyncio.wait_for(reader.readexactly(9), 5) == b"llo world"
        writer.close()
