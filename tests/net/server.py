#!/usr/bin/env python3
"""server: an HTTP server that misbehaves in every way that the tests ask for.

    server.py [--log FILE] [--ports FILE] [--tls DIR] [--seconds N]
    server.py --list

Listens on free ports of 127.0.0.1 and prints one line of NAME=PORT words, which FILE of
--ports gets as well when everything listens:

    http, other   the server, twice: two origins
    closed        a port where nobody listens: refused
    full          a port whose queue is full: a connection is never made
    garble        says something that is not HTTP, at once
    https         the server under TLS, with DIR/good.pem (see certs.sh); also
    selfsigned, expired, wronghost   under certificates that nobody should accept
    cuttls        closes when it has read the beginning of a TLS handshake

It ends with its standard input's end when that is a pipe, on TERM, or after --seconds.

THE PATH SAYS WHAT HAPPENS. Its segments are NAME;key=value;key=value. Wrappers come first
and change how the answer of the last one, a page, travels:

    /gzip;kind=cut/chunked/numbers;to=100       numbers 1 to 100, in half a gzip stream
    /flaky;times=2/status;code=503/ok/a         twice 503, then the page /ok/a
    /except;match=3/reset/users/3               users 3 is answered by a reset, others are not

`server.py --list` prints all of them. FILE of --log gets a line of JSON for each request
and for each end of one: n, t (CLOCK_MONOTONIC), connection, port, method, target, headers;
n, t, status, sent, how.
"""
import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import ssl
import stat
import sys
import time
import urllib.parse

import faults
import pages
from exchange import Done, Exchange

HOST = "127.0.0.1"
WRAPPERS = faults.WRAPPERS
PAGES = {**pages.PAGES, **faults.PAGES}


class Connection:
    """One connection: its number, its port, and its two directions."""

    def __init__(self, number, reader, writer):
        self.number, self.reader, self.writer = number, reader, writer
        self.port = writer.get_extra_info("sockname")[1]

    async def gone(self):
        """Waits until the client closes the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except OSError:
            pass


class Server:
    """All listeners, and what they share: the log, counters, buckets, versions."""

    def __init__(self, log):
        self.log_file = log
        self.connections = self.requests = 0
        self.counts, self.buckets, self.versions = {}, {}, {}
        self.mended, self.ports, self.held = set(), {}, []

    def log(self, **fields):
        if self.log_file:
            self.log_file.write(json.dumps({"t": round(time.monotonic(), 6), **fields}))
            self.log_file.write("\n")
            self.log_file.flush()

    def count(self, key):
        """How often this was called with this key before."""
        before = self.counts.get(key, 0)
        self.counts[key] = before + 1
        return before

    # --- connections and requests

    async def connected(self, reader, writer):
        self.connections += 1
        connection = Connection(self.connections, reader, writer)
        try:
            while await self.serve(connection):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                UnicodeDecodeError, ValueError):
            pass
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def serve(self, connection):
        """One request; whether another may follow."""
        x = await self.request(connection)
        self.requests += 1
        number = self.requests
        self.log(n=number, event="request", connection=connection.number,
                 port=connection.port, method=x.method, target=x.target,
                 headers=x.headers)
        how = "done"
        try:
            await self.dispatch(x)
        except Done as end:
            how, x.keep = str(end), False
        except OSError as problem:
            how, x.keep = f"lost: {problem}", False
        finally:
            self.log(n=number, event="end", status=x.status, sent=x.sent, how=how)
        return x.keep

    async def request(self, connection):
        """Reads a request. A proxy's (http://host/path) is answered like any other."""
        head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _version = first.split(" ")
        headers = {}
        for line in lines:
            if line:
                name, value = line.split(":", 1)
                headers[name.lower()] = value.strip()
        await connection.reader.readexactly(int(headers.get("content-length", 0)))
        return Exchange(self, connection, method, target, headers)

    async def dispatch(self, x):
        if x.method == "CONNECT":
            await tunnel(x)
        parts = urllib.parse.urlsplit(x.target)
        x.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        x.rest = parts.path.split("/")[1:]
        await self.perform(x)

    async def perform(self, x):
        """Does what the rest of the path says: wrappers, then one page."""
        while True:
            segment = x.rest.pop(0) if x.rest else ""
            name, *args = segment.split(";")
            x.args = {}
            for arg in args:
                key, _, value = arg.partition("=")
                x.args[key] = urllib.parse.unquote(value)
            if name in WRAPPERS:
                await WRAPPERS[name](x)
            elif name in PAGES:
                await PAGES[name](x)
                return
            else:
                await x.answer(404, f"no page is called '{name}'\n".encode())
                return

    # --- listeners

    async def listen(self, name, serve, context=None):
        server = await asyncio.start_server(serve, HOST, 0, limit=1 << 20, backlog=2048,
                                            ssl=context, ssl_handshake_timeout=None)
        self.ports[name] = server.sockets[0].getsockname()[1]

    def hold(self, name, full):
        """A bound port that answers nobody: closed, or its queue is full."""
        held = socket.socket()
        held.bind((HOST, 0))
        self.held.append(held)
        self.ports[name] = held.getsockname()[1]
        if full:
            held.listen(0)
            for _ in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(held.getsockname())
                self.held.append(client)

    async def start(self, tls):
        await self.listen("http", self.connected)
        await self.listen("other", self.connected)
        self.hold("closed", False)
        self.hold("full", True)
        await self.listen("garble", garble)
        if tls:
            for name, file in (("https", "good"), ("selfsigned", "selfsigned"),
                               ("expired", "expired"), ("wronghost", "wronghost")):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(os.path.join(tls, file + ".pem"))
                await self.listen(name, self.connected, context)
            await self.listen("cuttls", cut_handshake)


async def garble(_reader, writer):
    writer.write(b"220 mail.example ESMTP ready\r\n" * 3)
    await writer.drain()
    writer.close()


async def cut_handshake(reader, writer):
    await reader.read(100)
    writer.close()


async def tunnel(x):
    """A proxy's CONNECT, to ports of this machine only."""
    host, _, port = x.target.rpartition(":")
    if host not in (HOST, "localhost"):
        await x.answer(403, b"not through this proxy\n")
        raise Done("refused")
    reader, writer = await asyncio.open_connection(HOST, int(port))
    await x.head(200)

    async def copy(source, sink):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()
    await asyncio.gather(copy(x.connection.reader, writer),
                         copy(reader, x.connection.writer), return_exceptions=True)
    raise Done("tunnel")


def print_list():
    for title, table in (("wrappers", WRAPPERS), ("pages", PAGES)):
        print(f"{title}:")
        for name, function in sorted(table.items()):
            words = " ".join(function.__doc__.split())
            print(f"  {name or '(none)':10} {words}")


async def run(options):
    log = open(options.log, "a", encoding="utf-8") if options.log else None
    server = Server(log)
    await server.start(options.tls)
    line = " ".join(f"{name}={port}" for name, port in server.ports.items())
    if options.ports:
        with open(options.ports + ".new", "w", encoding="ascii") as file:
            file.write(line + "\n")
        os.rename(options.ports + ".new", options.ports)
    print(line, flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stop.set())
    try:
        await asyncio.wait_for(stop.wait(), options.seconds)
    except asyncio.TimeoutError:
        pass
    os._exit(0)  # without waiting for the exchanges that never end


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log")
    parser.add_argument("--ports")
    parser.add_argument("--tls")
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print_list()
        return 0
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
