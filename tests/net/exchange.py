"""exchange: one request and its answer, as the server of the tests sees them.

An answer has three properties that wrappers of the path may change before it is sent: its
content coding, its framing (length, chunked, or the end of the connection), and how the
bytes of its body travel (cut off at some byte, in drops). See server.py.
"""
import asyncio
import socket
import struct
import zlib

REASONS = {200: "OK", 206: "Partial Content", 304: "Not Modified", 404: "Not Found",
           416: "Range Not Satisfiable", 429: "Too Many Requests"}
BLOCK = 1 << 16


class Done(Exception):
    """The exchange is over, and so is its connection."""


class Exchange:
    """`args` are those of the path's segment at work, `rest` the segments behind it."""

    def __init__(self, server, connection, method, target, headers):
        self.server, self.connection = server, connection
        self.method, self.target, self.headers = method, target, headers
        self.args, self.rest, self.query = {}, [], {}
        self.keep = headers.get("connection", "").lower() != "close"
        self.coding, self.framing = None, "length"
        self.cut, self.cut_how = None, "close"
        self.drop, self.pause = BLOCK, 0.0
        self.pace = 100        # milliseconds for a tenth of a second
        self.extra = []        # headers that wrappers add
        self.status = None     # for the log
        self.sent = 0          # bytes written to the connection, heads included

    # --- arguments

    def number(self, name, default=0):
        return int(self.args.get(name, self.query.get(name, default)))

    def text(self, name, default=""):
        return self.args.get(name, self.query.get(name, default))

    # --- bytes

    async def send(self, data):
        self.connection.writer.write(data)
        self.sent += len(data)
        await self.connection.writer.drain()

    async def head(self, status, headers=()):
        self.status = status
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}"]
        lines += [f"{name}: {value}" for name, value in (*headers, *self.extra)]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def answer(self, status, body=b"", headers=(), length=None):
        """`body`: bytes, or an iterator of pieces of `length` bytes in all (None: unknown)."""
        headers = list(headers)
        if isinstance(body, (bytes, bytearray)):
            length = len(body)
            body = iter([body])
        if self.coding:
            headers.append(("Content-Encoding", self.coding.name))
            whole = b"".join(self.coding.encode(body))
            length, body = len(whole), iter([whole])
        framing = self.framing
        if length is None and framing == "length":
            framing = "chunked"
        if framing == "length":
            headers.append(("Content-Length", length))
        elif framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        else:
            headers.append(("Connection", "close"))
            self.keep = False
        await self.head(status, headers)
        if self.method == "HEAD" or status in (204, 304):
            return
        await self.deliver(body, framing == "chunked")

    async def deliver(self, body, chunked=False):
        """Sends the pieces of a body, as the wrappers of the path want it."""
        at = 0
        for piece in body:
            for i in range(0, len(piece), self.drop):
                part = piece[i:i + self.drop]
                if self.cut is not None and at + len(part) > self.cut:
                    part = part[:self.cut - at]
                at += len(part)
                if part:
                    frame = b"%x\r\n%b\r\n" % (len(part), part) if chunked else part
                    await self.send(frame)
                if self.cut is not None and at >= self.cut:
                    await self.end(self.cut_how)
                if self.pause:
                    await asyncio.sleep(self.pause)
        if chunked:
            await self.send(b"0\r\n\r\n")

    async def end(self, how):
        """Ends the exchange in the middle: close, reset, or stall until the client goes."""
        if how == "stall":
            await self.connection.gone()
        elif how == "reset":
            await self.reset()
        raise Done(how)

    async def reset(self):
        """RST: what was sent before is read first, for it has a moment to arrive."""
        await asyncio.sleep(0.02)
        raw = self.connection.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.writer.transport.abort()
        raise Done("reset")


class Coding:
    """A content coding, sound or damaged. kind: ok, members, cut, crc, junk, empty, false."""

    def __init__(self, name, kind="ok"):
        self.name, self.kind = name, kind

    def encode(self, body):
        if self.kind == "empty":
            return
        if self.kind == "false":       # it says so, and is not
            yield from body
            return
        data = b"".join(body)
        bits = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(self.name, 31)
        if self.kind == "members":
            third = len(data) // 3
            for piece in (data[:third], data[third:2 * third], data[2 * third:]):
                yield pack(piece, bits)
            return
        packed = pack(data, bits)
        if self.kind == "cut":
            packed = packed[:len(packed) // 2]
        elif self.kind == "tail":      # all of the data, none of the checksum
            packed = packed[:-8]
        elif self.kind == "crc":
            packed = packed[:-8] + bytes(4) + packed[-4:]
        elif self.kind == "junk":
            packed += b"and then something that is not gzip"
        yield packed


def pack(data, bits):
    packer = zlib.compressobj(6, zlib.DEFLATED, bits)
    return packer.compress(data) + packer.flush()
