#!/usr/bin/env python3
"""selftest: does the server of the tests misbehave as it says? With plain sockets.

    selftest.py [NAME...]
"""
import gzip
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import pages

HERE = os.path.dirname(os.path.abspath(__file__))


def setUpModule():
    """One server for all tests; it ends with our end of its standard input."""
    global BOX, SERVER, PORTS
    BOX = tempfile.TemporaryDirectory(prefix="quern-server.")
    subprocess.run(["bash", os.path.join(HERE, "certs.sh"), BOX.name], check=True,
                   stderr=subprocess.DEVNULL)
    SERVER = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "server.py"), "--log", BOX.name + "/log",
         "--tls", BOX.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    PORTS = {name: int(port) for name, port in
             (word.split("=") for word in SERVER.stdout.readline().split())}


def tearDownModule():
    SERVER.stdin.close()
    SERVER.stdout.close()
    assert SERVER.wait(10) == 0
    BOX.cleanup()


def connect(port="http"):
    return socket.create_connection(("127.0.0.1", PORTS[port]), 5)


def request(path, *headers, method="GET"):
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *headers, "", ""]
    return "\r\n".join(lines).encode()


def fetch(path, *headers, method="GET", seconds=5.0, most=1 << 24):
    """Everything that comes within the time, and how it ended: eof, reset, open."""
    data, end = b"", time.monotonic() + seconds
    with connect() as one:
        one.sendall(request(path, "Connection: close", *headers, method=method))
        while len(data) < most:
            one.settimeout(max(0.01, end - time.monotonic()))
            try:
                piece = one.recv(65536)
            except socket.timeout:
                return data, "open"
            except ConnectionResetError:
                return data, "reset"
            if not piece:
                return data, "eof"
            data += piece
    return data, "more"


def everything(one):
    data = b""
    while piece := one.recv(4096):
        data += piece
    return data


def split(data):
    """The status, the header fields, the body."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name.lower()] = value
    return int(first.split(" ")[1]), fields, body


def get(path, *headers, **more):
    data, how = fetch(path, *headers, **more)
    if how != "eof":
        raise AssertionError(f"{path}: {how} after {data[:200]!r}")
    return split(data)


class Pages(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(get("/ok/a/b")[::2], (200, b"ok a/b\n"))
        self.assertEqual(get("/numbers;from=3;to=5")[2], b"3\n4\n5\n")
        self.assertEqual(get("/nothing")[0], 404)

    def test_head(self):
        status, fields, body = get("/ok/a", method="HEAD")
        self.assertEqual((status, fields["content-length"], body), (200, "5", b""))

    def test_keeps_connections(self):
        with connect() as one:
            one.sendall(request("/ok/1") + request("/ok/2"))
            time.sleep(0.1)
            self.assertEqual(one.recv(4096).count(b"ok "), 2)

    def test_page_waits(self):
        start = time.monotonic()
        _, _, body = get("/page?ms=100&size=77")
        self.assertEqual(len(body), 77)
        self.assertGreaterEqual(time.monotonic() - start, 0.1)

    def test_json(self):
        self.assertEqual(json.loads(get("/rates?base=USD")[2])["rates"]["USD"], 1.0)
        self.assertEqual(get("/rates?base=XXX")[0], 422)
        for path in ("/USD", "/rates/USD"):
            self.assertEqual(json.loads(get(path)[2])["base"], "USD")
        user = json.loads(get("/users/3")[2])
        self.assertEqual((user["id"], user["name"]), (3, "Edsger Hopper"))
        self.assertEqual(get("/users/1001")[0], 404)
        self.assertEqual(json.loads(get("/todos/7")[2])["id"], 7)

    def test_public_ones(self):
        """Pages that public sites have too, for the jobs."""
        self.assertEqual(len(get("/?page=3&size=500")[2]), 500)
        self.assertEqual(get("/delay/2")[2], b"ok 2\n")
        path = "/integers/?num=50&min=5&max=9&rnd=id.{}"
        body = get(path.format(1))[2]
        self.assertEqual({int(word) for word in body.split()}, {5, 6, 7, 8, 9})
        self.assertEqual(body, get(path.format(1))[2])
        self.assertNotEqual(body, get(path.format(2))[2])

    def test_echo_and_log(self):
        seen = json.loads(get("/echo", "X-Test: 7")[2])
        self.assertEqual(seen["headers"]["x-test"], "7")
        with open(BOX.name + "/log", encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
        mine = [line for line in lines if line.get("target") == "/echo"]
        self.assertEqual(mine[-1]["headers"]["x-test"], "7")
        ends = [line for line in lines if line["n"] == mine[-1]["n"]]
        self.assertEqual([line["event"] for line in ends], ["request", "end"])

    def test_limited(self):
        got = [get("/limited;key=t;rate=10;burst=5/x") for _ in range(8)]
        self.assertEqual([g[0] for g in got].count(200), 5)
        self.assertEqual(got[-1][1]["retry-after"], "1")
        time.sleep(0.35)
        got = [get("/limited;key=t;rate=10;burst=5;form=date/x")[0] for _ in range(5)]
        self.assertIn(got.count(200), (3, 4))

    def test_ranges(self):
        path = "/file;size=1000/f"
        status, fields, body = get(path)
        self.assertEqual((status, len(body), body), (200, 1000, pages.content("f", 1000)))
        tag = fields["etag"]
        part = get(path, "Range: bytes=900-", f"If-Range: {tag}")
        self.assertEqual((part[0], part[2]), (206, body[900:]))
        self.assertEqual(part[1]["content-range"], "bytes 900-999/1000")
        self.assertEqual(get(path, "Range: bytes=900-", 'If-Range: "x"')[0], 200)
        gone = get(path, "Range: bytes=1000-", f"If-Range: {tag}")
        self.assertEqual((gone[0], gone[1]["content-range"]), (416, "bytes */1000"))
        self.assertEqual(get(path, f"If-None-Match: {tag}")[::2], (304, b""))
        get("/bump/f")
        self.assertEqual(get(path, f"If-None-Match: {tag}")[0], 200)
        self.assertNotEqual(get(path)[2], body)

    def test_wrong_ranges(self):
        def part(mode):
            return get(f"/file;size=100;mode={mode}/w{mode}", "Range: bytes=50-")
        self.assertEqual(part("ignore")[0], 200)
        self.assertEqual(part("wrongstart")[1]["content-range"], "bytes 43-99/100")
        self.assertEqual(part("wrongtotal")[1]["content-range"], "bytes 50-99/105")
        self.assertEqual(part("unknowntotal")[1]["content-range"], "bytes 50-99/*")
        self.assertNotIn("content-range", part("nocontentrange")[1])
        self.assertIn("multipart", part("multipart")[1]["content-type"])
        self.assertEqual(part("always416")[0], 416)
        self.assertEqual(part("wrong416")[1]["content-range"], "bytes 50-99/100")
        self.assertEqual(part("short")[1]["content-length"], "26")

    def test_cut_then_whole(self):
        path = "/file;size=1000;cut=300;times=1/c"
        self.assertEqual(len(get(path)[2]), 300)
        self.assertEqual(len(get(path)[2]), 1000)

    def test_dates(self):
        status, fields, _ = get("/file;validator=date/d")
        self.assertEqual(status, 200)
        self.assertEqual(get("/file;validator=date/d",
                             f"If-Modified-Since: {fields['last-modified']}")[0], 304)
        self.assertTrue(get("/file;validator=weak/d")[1]["etag"].startswith('W/"'))


class Wrappers(unittest.TestCase):
    def test_framings(self):
        self.assertIn(b"\r\n5\r\n1\n2\n3\r\n", fetch("/chunked;size=5/numbers;to=5")[0])
        self.assertNotIn("content-length", get("/close/ok/a")[1])

    def test_codings(self):
        def coded(kind):
            return get(f"/gzip;kind={kind}/numbers;to=50")
        want = pages.numbers_text(1, 50)
        for kind in ("ok", "members"):
            self.assertEqual(gzip.decompress(coded(kind)[2]), want)
        for kind in ("cut", "tail", "crc", "junk", "false"):
            with self.assertRaises((EOFError, OSError)):
                gzip.decompress(coded(kind)[2])
        self.assertEqual(coded("empty")[2], b"")
        self.assertEqual(coded("cut")[1]["content-encoding"], "gzip")
        self.assertEqual(get("/polite/ok/a")[2], b"ok a\n")
        self.assertEqual(get("/polite/ok/a", "Accept-Encoding: gzip")[2][:2], b"\x1f\x8b")

    def test_cut(self):
        _, fields, body = get("/cut;at=10/numbers;to=100")
        self.assertEqual((len(body), fields["content-length"]), (10, "292"))
        data, how = fetch("/cut;at=10;how=reset/numbers;to=100")
        self.assertEqual((split(data)[2], how), (b"1\n2\n3\n4\n5\n", "reset"))
        data, how = fetch("/cut;at=10;how=stall/numbers;to=100", seconds=0.3)
        self.assertEqual((split(data)[2], how), (b"1\n2\n3\n4\n5\n", "open"))
        data, how = fetch("/chunked/cut;at=4/numbers;to=100")
        self.assertTrue(data.endswith(b"4\r\n1\n2\n\r\n") and how == "eof")

    def test_drip(self):
        data, how = fetch("/drip;size=1;ms=50/numbers;to=100", seconds=0.4)
        self.assertTrue(2 <= len(split(data)[2]) <= 9 and how == "open")

    def test_flaky(self):
        path = "/flaky;times=2/status;code=503/ok/fl"
        self.assertEqual([get(path)[0] for _ in range(4)], [503, 503, 200, 200])
        self.assertEqual(fetch("/flaky/empty/ok/f2"), (b"", "eof"))
        self.assertEqual(get("/flaky/empty/ok/f2")[0], 200)

    def test_except(self):
        path = "/except;match={}/status;code=500/users/{}"
        self.assertEqual(get(path.format(3, 3))[0], 500)
        self.assertEqual(get(path.format(3, 4))[0], 200)
        self.assertEqual(get("/except;match=USD/status/rates?base=USD")[0], 500)
        self.assertEqual(get("/except;match=USD/status/rates?base=EUR")[0], 200)


class Faults(unittest.TestCase):
    def test_every_status(self):
        for code in (*range(200, 206), *range(300, 309), *range(400, 452),
                     *range(500, 531), 599, 999):
            self.assertEqual(get(f"/status;code={code}")[0], code)

    def test_retry_after(self):
        self.assertEqual(get("/status;code=429;after=7")[1]["retry-after"], "7")
        self.assertEqual(get("/status;code=429;after=soon")[1]["retry-after"], "soon")
        forms = {"imf": r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
                 "rfc850": r"\w+day, \d\d-\w{3}-\d\d [\d:]{8} GMT",
                 "asctime": r"\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}"}
        for form, pattern in forms.items():
            value = get(f"/status;code=429;after={form}+5")[1]["retry-after"]
            self.assertTrue(re.fullmatch(pattern, value), value)

    def test_broken_connections(self):
        self.assertEqual(fetch("/reset"), (b"", "reset"))
        self.assertEqual(fetch("/empty"), (b"", "eof"))
        self.assertEqual(fetch("/silent", seconds=0.2), (b"", "open"))
        self.assertEqual(fetch("/halfhead")[1], "eof")
        self.assertEqual(fetch("/driphead", seconds=0.2)[1], "open")
        self.assertEqual(len(split(fetch("/half;size=1000;sent=500")[0])[2]), 500)

    def test_redirects(self):
        self.assertEqual(get("/redirect;to=file:%2f%2f%2fetc%2fpasswd")[1]["location"],
                         "file:///etc/passwd")
        there = get("/redirect;to=http:%2f%2f127.0.0.1:{other}%2fecho")[1]["location"]
        self.assertEqual(there, f"http://127.0.0.1:{PORTS['other']}/echo")
        self.assertEqual(get("/redirect;to=loop")[1]["location"], "/redirect;to=loop")
        at, hops = "/redirect;hops=3", 0
        while at.startswith("/redirect"):
            at, hops = get(at)[1]["location"], hops + 1
        self.assertEqual((at, hops), ("/ok/end", 4))
        self.assertNotIn("location", get("/redirect;to=missing")[1])

    def test_heads(self):
        self.assertEqual(len(split(fetch("/flood;n=5;size=10")[0])[1]), 6)
        self.assertEqual(fetch("/flood;n=0", most=1 << 20)[1], "more")
        self.assertEqual(fetch("/interim;n=3;code=100")[0].count(b"HTTP/1.1 100"), 3)
        self.assertEqual(len(get("/longline;size=5000")[1]["x-long"]), 5000)
        self.assertEqual(get("/auth;user=a;password=b")[0], 401)
        self.assertEqual(get("/auth;user=a;password=b", "Authorization: Basic YTpi")[0], 200)
        self.assertIn("set-cookie", get("/cookie")[1])

    def test_every_bad_kind(self):
        import faults
        for page, kinds in (("badchunk", faults.BAD_CHUNKS), ("badhead", faults.BAD_HEADS)):
            for kind, data in kinds.items():
                got, how = fetch(f"/{page};kind={kind}")
                self.assertTrue(got.endswith(data), kind)
                self.assertEqual(how, "eof", kind)

    def test_bombs(self):
        packed = get("/bomb;mb=4")[2]
        self.assertLess(len(packed), 10000)
        self.assertEqual(len(gzip.decompress(packed)), 4 << 20)

    def test_endless(self):
        self.assertEqual(fetch("/endless", most=5000000)[1], "more")
        self.assertEqual(len(get("/sized;size=70001")[2]), 70001)


class Ports(unittest.TestCase):
    def test_closed(self):
        with self.assertRaises(ConnectionRefusedError):
            connect("closed")

    def test_full(self):
        with self.assertRaises(socket.timeout):
            socket.create_connection(("127.0.0.1", PORTS["full"]), 0.3)

    def test_garble(self):
        with connect("garble") as one:
            self.assertIn(b"ESMTP", one.recv(100))

    def tls(self, port, name="127.0.0.1"):
        context = ssl.create_default_context(cafile=BOX.name + "/ca.pem")
        with connect(port) as raw, context.wrap_socket(raw, server_hostname=name) as one:
            one.sendall(request("/ok/tls", "Connection: close"))
            return everything(one)

    def test_tls(self):
        self.assertIn(b"ok tls\n", self.tls("https"))
        for bad in ("selfsigned", "expired", "wronghost"):
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.tls(bad)
        with self.assertRaises(OSError):
            self.tls("cuttls")

    def test_proxy(self):
        with connect() as one:
            one.sendall(request(f"127.0.0.1:{PORTS['other']}", method="CONNECT"))
            self.assertIn(b" 200 ", one.recv(4096))
            one.sendall(request("/ok/through", "Connection: close"))
            self.assertIn(b"ok through\n", everything(one))
        with connect() as one:
            one.sendall(request("http://elsewhere.example/ok/proxied", "Connection: close"))
            self.assertIn(b"ok proxied\n", everything(one))

    def test_a_thousand_at_once(self):
        start, got = time.monotonic(), []
        sockets = [connect() for _ in range(1000)]
        for one in sockets:
            one.sendall(request("/page?ms=200&size=10", "Connection: close"))

        def drain(some):
            for one in some:
                while one.recv(4096):
                    pass
                one.close()
                got.append(1)
        threads = [threading.Thread(target=drain, args=(sockets[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(got), 1000)
        self.assertLess(time.monotonic() - start, 10)


if __name__ == "__main__":
    unittest.main()
