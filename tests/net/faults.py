"""faults: how the server of the tests misbehaves. See server.py."""
import asyncio
import base64
import functools
import time
import zlib

import pages
from exchange import Coding, Done

WRAPPERS, PAGES = {}, {}


def wrapper(function):
    WRAPPERS[function.__name__.rstrip("_")] = function
    return function


def fault(function):
    PAGES[function.__name__.rstrip("_")] = function
    return function


# --- wrappers: how the answer of the page behind them travels ------------------------

@wrapper
async def pace(x):
    """ms: that many stand for a tenth of a second in the /delay/N behind it."""
    x.pace = x.number("ms", 100)


@wrapper
async def delay(x):
    """ms: waits before the answer. /delay/N is a page, after N tenths of a second."""
    tenths = 0
    if "ms" not in x.args and x.rest and x.rest[0].isdigit():
        tenths = int(x.rest[0])
        x.rest.insert(0, "ok")
    await asyncio.sleep((tenths * x.pace if tenths else x.number("ms", 100)) / 1000)


@wrapper
async def chunked(x):
    """size: chunked framing."""
    x.framing = "chunked"
    x.drop = x.number("size", x.drop)


@wrapper
async def close(x):
    """Framing by the end of the connection."""
    x.framing = "close"


@wrapper
async def coded(x):
    """coding, kind: a content coding, asked for or not. kind: ok, members, cut, tail, crc,
    junk, empty, false."""
    x.coding = Coding(x.text("coding", "gzip"), x.text("kind", "ok"))


@wrapper
async def gzip(x):
    """kind: Content-Encoding: gzip, asked for or not (see `coded`)."""
    x.coding = Coding("gzip", x.text("kind", "ok"))


@wrapper
async def polite(x):
    """Content-Encoding: gzip for those who accept it only."""
    if "gzip" in x.headers.get("accept-encoding", ""):
        x.coding = Coding("gzip")


@wrapper
async def cut(x):
    """at, how: the body ends after `at` bytes: close, reset or stall."""
    x.cut, x.cut_how = x.number("at"), x.text("how", "close")


@wrapper
async def drip(x):
    """size, ms: the body comes in drops of `size` bytes, one each `ms`."""
    x.drop, x.pause = x.number("size", 1), x.number("ms", 50) / 1000


@wrapper
async def header(x):
    """name, value: a header more. after=KIND: see `status`."""
    x.extra.append((x.text("name"), x.text("value")))


@wrapper
async def flaky(x):
    """times: the first `times` requests of this URL get the next segment's page, the others
    what stands behind it."""
    times = x.number("times", 1)
    instead = x.rest.pop(0)
    if x.server.count(("flaky", x.target)) < times:
        x.rest = [instead, *x.rest[-1:]]


@wrapper
async def except_(x):
    """match: if the last segment of the path (with its query) is `match`, the next segment's
    page, else what stands behind it."""
    last = x.target.rsplit("/", 1)[1]
    match = x.text("match")
    instead = x.rest.pop(0)
    if match in (last, last.partition("=")[2]):
        x.rest = [instead, last]


# --- statuses -------------------------------------------------------------------------

def retry_after(form):
    """The value of Retry-After: digits and nonsense as they are; DATE+SECONDS as a date in
    one of its three forms: imf+3, rfc850+3, asctime+3."""
    kind, plus, seconds = form.partition("+")
    if plus and kind in pages.DATES:
        return pages.DATES[kind](time.time() + float(seconds))
    return form


@fault
async def status(x):
    """code, after, skew, body: that status, with a body that is no answer; after: the value
    of Retry-After (text, or imf+N, rfc850+N, asctime+N); skew: the server's clock is that
    many seconds ahead."""
    code = x.number("code", 500)
    headers = []
    skew = x.number("skew")
    if x.text("date", "yes") == "yes":
        headers.append(("Date", pages.DATES["imf"](time.time() + skew)))
    if "after" in x.args:
        kind, plus, seconds = x.text("after").partition("+")
        after = f"{kind}+{float(seconds) + skew}" if plus else kind
        headers.append(("Retry-After", retry_after(after)))
    body = f"<html>ERROR PAGE of status {code}: 4 8 15 16 23 42</html>\n".encode()
    await x.answer(code, b"" if code in (204, 304) else body, headers)


@fault
async def auth(x):
    """user, password: 401 without them."""
    want = base64.b64encode(f"{x.text('user')}:{x.text('password')}".encode()).decode()
    if x.headers.get("authorization") == f"Basic {want}":
        await x.answer(200, b"welcome\n")
    else:
        await x.answer(401, b"ERROR PAGE: who are you?\n",
                       [("WWW-Authenticate", 'Basic realm="test"')])


@fault
async def cookie(x):
    """Sets a cookie, and says which one it got."""
    await x.answer(200, x.headers.get("cookie", "none").encode() + b"\n",
                   [("Set-Cookie", "crumb=abc; Path=/")])


@fault
async def redirect(x):
    """to, code, hops, size: to a URL ({http}, {other}, {https} are ports), to itself
    (to=loop), or through `hops` more of these to /ok/end."""
    to, hops, code = x.text("to"), x.number("hops"), x.number("code", 302)
    if to == "loop":
        to = x.target
    elif to == "pingpong":
        to = "/redirect;to=" + ("/redirect%3Bto%3Dpingpong" if hops else "pingpong")
    elif to == "missing":
        await x.answer(code, b"ERROR PAGE: gone, but where?\n")
        return
    elif not to:
        to = f"/redirect;code={code};hops={hops - 1}/x" if hops > 0 else "/ok/end"
    for name, port in x.server.ports.items():
        to = to.replace("{" + name + "}", str(port))
    page = b"ERROR PAGE: it is elsewhere\n"
    await x.answer(code, page * (1 + x.number("size") // len(page)), [("Location", to)])


# --- connections that break, or do nothing -----------------------------------------------

@fault
async def reset(x):
    """RST instead of an answer."""
    await x.reset()


@fault
async def empty(x):
    """The connection is closed without an answer."""
    raise Done("empty")


@fault
async def silent(x):
    """Never an answer."""
    await x.end("stall")


@fault
async def halfhead(x):
    """how: half a head, then close, reset or stall."""
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")
    await x.end(x.text("how", "close"))


@fault
async def driphead(x):
    """ms: an endless head, one byte each `ms`."""
    await x.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        await x.send(b"a")
        await asyncio.sleep(x.number("ms", 50) / 1000)


@fault
async def half(x):
    """size, sent, how: a head that promises `size` bytes, of which `sent` come."""
    x.cut, x.cut_how = x.number("sent", 500), x.text("how", "close")
    await x.answer(200, pages.numbers_text(1, x.number("size", 1000) // 4))


# --- heads and framings that are wrong --------------------------------------------------

@fault
async def flood(x):
    """n, size: n header fields of size bytes each (n=0: endless)."""
    n, size, i = x.number("n", 100), x.number("size", 1000), 0
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n")
    while n == 0 or i < n:
        await x.send(b"X-Flood-%d: %b\r\n" % (i, b"f" * size))
        i += 1
    await x.send(b"\r\nok\n")


@fault
async def interim(x):
    """n, code: n interim answers (1xx) before the real one (n=0: endless)."""
    n, i = x.number("n", 1), 0
    while n == 0 or i < n:
        await x.send(b"HTTP/1.1 %d Wait\r\nX-Interim: %d\r\nRetry-After: 7\r\n\r\n"
                     % (x.number("code", 103), i))
        i += 1
        if n == 0:
            await asyncio.sleep(0.001)
    await x.answer(200, b"ok at last\n")


BAD_CHUNKS = {
    "size": b"zz\r\nhello\r\n0\r\n\r\n",
    "negative": b"-5\r\nhello\r\n0\r\n\r\n",
    "overflow": b"ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
    "huge": b"7fffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "nocrlf": b"5\r\nhelloXX0\r\n\r\n",
    "none": b"\r\n\r\n",
    "nolast": b"5\r\nhello\r\n",
    "midchunk": b"50\r\nhello\r\n",
    "longext": b"5;" + b"x" * 200000 + b"\r\nhello\r\n0\r\n\r\n",
    "trailer": b"5\r\nhello\r\n0\r\nX-Late: yes\r\n\r\n",
}


@fault
async def badchunk(x):
    """kind: a chunked body that is wrong: size, negative, overflow, huge, nocrlf, none,
    nolast, midchunk, longext (and trailer, which is right)."""
    kind = x.text("kind", "size")
    await x.head(200, [("Transfer-Encoding", "chunked")])
    await x.send(BAD_CHUNKS[kind])
    await asyncio.sleep(0.02)
    if kind != "trailer":
        raise Done("bad chunk")


BAD_HEADS = {
    "garbage": b"\x00\x01\x02 this is no answer at all\r\n\r\n",
    "old": b"just a body, as HTTP/0.9 had it\n",
    "version": b"HTTP/7.3 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
    "nostatus": b"HTTP/1.1 OK\r\nContent-Length: 3\r\n\r\nok\n",
    "status99": b"HTTP/1.1 99 Low\r\nContent-Length: 3\r\n\r\nok\n",
    "status9999": b"HTTP/1.1 9999 High\r\nContent-Length: 3\r\n\r\nok\n",
    "nul": b"HTTP/1.1 200 OK\r\nX-Nul: a\x00b\r\nContent-Length: 3\r\n\r\nok\n",
    "nocolon": b"HTTP/1.1 200 OK\r\nthis is no field\r\nContent-Length: 3\r\n\r\nok\n",
    "lf": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nok\n",
    "twolengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\nok\n",
    "neglength": b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nok\n",
    "textlength": b"HTTP/1.1 200 OK\r\nContent-Length: three\r\n\r\nok\n",
    "biglength": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok\n",
    "longer": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
              b"ok\nand more than was promised\n",
    "both": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nok\n\r\n0\r\n\r\n",
    "unknownte": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\nbx\n",
    "body204": b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nok\n",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nok\n",
    "range200": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/100\r\n"
                b"Content-Length: 3\r\n\r\nok\n",
}


@fault
async def badhead(x):
    """kind: an answer that is not quite HTTP: garbage, old, version, nostatus, status99,
    status9999, nul, nocolon, lf, twolengths, neglength, textlength, biglength, longer, both,
    unknownte, body204, upgrade, range200."""
    await x.send(BAD_HEADS[x.text("kind", "garbage")])
    await asyncio.sleep(0.02)
    raise Done("bad head")


@fault
async def longline(x):
    """size: one header line of that many bytes."""
    await x.answer(200, b"ok\n", [("X-Long", "l" * x.number("size", 200000))])


@functools.lru_cache
def zeros(mib):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    mebibyte = bytes(1 << 20)
    packed = b"".join(packer.compress(mebibyte) for _ in range(mib))
    return packed + packer.flush()


@fault
async def bomb(x):
    """mb: that many MiB of zeros, packed to a thousandth (layers=2: and once more)."""
    packed, coding = zeros(x.number("mb", 16)), "gzip"
    if x.number("layers", 1) == 2:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(packed) + packer.flush()
        coding = "gzip, gzip"
    await x.answer(200, packed, [("Content-Encoding", coding)])
