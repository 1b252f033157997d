"""pages: what the server of the tests answers when it behaves. See server.py."""
import asyncio
import datetime
import email.utils
import hashlib
import json
import random
import re
import time

PAGES = {}
BLOCK = 1 << 16

# One unit of each in US dollars, made up; the matrix has all others divided by it.
DOLLARS = {"USD": 1.0, "EUR": 1.0965, "PLN": 0.25125, "NOK": 0.0948, "CZK": 0.044215,
           "GBP": 1.2731, "JPY": 0.0067}
FIRST = "Ada Grace Alan Edsger Donald Barbara Ken Dennis Leslie Niklaus".split()
LAST = "Lovelace Hopper Turing Dijkstra Knuth Liskov Thompson Ritchie Lamport Wirth".split()


def page(function):
    """Makes a function a page; its name is the function's, without a last '_'."""
    PAGES[function.__name__.rstrip("_")] = function
    return function


def content(name, size, version=1):
    """The bytes of a file: the same for the same name, size and version, anywhere."""
    block = random.Random(f"{name} {version}").randbytes(min(size, 1 << 20))
    return (block * (size // len(block) + 1))[:size] if size else b""


def numbers_text(first, last):
    return "".join(f"{n}\n" for n in range(first, last + 1)).encode()


def rates_of(base):
    return {name: round(DOLLARS[base] / value, 6) for name, value in DOLLARS.items()}


def user_of(number):
    first, last = FIRST[number % 10], LAST[number * 7 % 10]
    return {"id": number, "name": f"{first} {last}", "username": first.lower(),
            "email": f"{first}.{last}@example.org".lower(),
            "address": {"city": "Kraków", "zip": f"{30000 + number}"},
            "active": number % 2 == 0}


@page
async def ok(x):
    """/ok/NAME: the text 'ok NAME'."""
    await x.answer(200, f"ok {'/'.join(x.rest)}\n".encode())


@page
async def echo(x):
    """The request's headers, as JSON."""
    body = json.dumps({"method": x.method, "target": x.target, "headers": x.headers})
    await x.answer(200, body.encode(), [("Content-Type", "application/json")])


@page
async def numbers(x):
    """from, to: integers, one a line."""
    await x.answer(200, numbers_text(x.number("from", 1), x.number("to", 100)))


@page
async def text(x):
    """size, word, every: lines of text in which the word stands once in `every` lines."""
    size, every, word = x.number("size", 10000), x.number("every", 10), x.text("word", "error")
    line = "a line of text without anything of interest in it\n"
    lines = [line] * (every - 1) + [f"and here is an {word} that counts\n"]
    block = "".join(lines).encode()
    await x.answer(200, (block * (size // len(block) + 1))[:size])


@page
async def page_(x):
    """ms, size: a page of `size` bytes after `ms` milliseconds, as a slow site would."""
    await asyncio.sleep(x.number("ms", 100) / 1000)
    await x.answer(200, content("page", x.number("size", 1024)))


PAGES[""] = page_


@page
async def todos(x):
    """/todos/N: a small JSON object."""
    body = {"id": int(x.rest[0]), "title": f"task {x.rest[0]}", "completed": False}
    await x.answer(200, json.dumps(body).encode(), [("Content-Type", "application/json")])


@page
async def integers(x):
    """num, min, max, rnd: random integers, one a line, the same for the same `rnd`."""
    rng = random.Random(x.text("rnd"))
    low, high = x.number("min", 1), x.number("max", 1000000)
    body = "".join(f"{rng.randint(low, high)}\n" for _ in range(x.number("num", 10)))
    await x.answer(200, body.encode())


@page
async def json_(x):
    """body: that text, as JSON (it may be none)."""
    await x.answer(200, x.text("body", "{}").encode(),
                   [("Content-Type", "application/json")])


@page
async def rates(x):
    """base: exchange rates as JSON: {"base": "USD", "rates": {"EUR": 0.912, ...}}. So are
    /rates/USD, and /USD."""
    base = x.text("base", x.rest[-1] if x.rest else "EUR")
    if base not in DOLLARS:
        await x.answer(422, b'{"error": "unknown currency"}\n')
        return
    body = json.dumps({"base": base, "date": "2026-01-02", "rates": rates_of(base)})
    await x.answer(200, body.encode(), [("Content-Type", "application/json")])


def rates_at(base):
    async def one(x):
        """Its exchange rates: see `rates`."""
        x.rest = [base]
        await rates(x)
    return one


for currency in DOLLARS:
    PAGES[currency] = rates_at(currency)


@page
async def users(x):
    """/users/ID: a user as JSON: id, name, email and more. None above 1000."""
    number = int(x.rest[0]) if x.rest and x.rest[0].isdigit() else 0
    if not 1 <= number <= 1000:
        await x.answer(404, b'{"error": "no such user"}\n')
        return
    await x.answer(200, json.dumps(user_of(number), ensure_ascii=False).encode(),
                   [("Content-Type", "application/json; charset=utf-8")])


@page
async def sized(x):
    """size, length: `size` bytes; the pieces are made while they are sent."""
    size = x.number("size", 1 << 30)
    block = content("sized", BLOCK)

    def pieces():
        for at in range(0, size, BLOCK):
            yield block[:min(BLOCK, size - at)]
    await x.answer(200, pieces(), length=size)


@page
async def endless(x):
    """A body that never ends (chunked). lines=1: of lines."""
    block = b"12345678\n" * 7000 if x.number("lines") else content("endless", BLOCK)

    def pieces():
        while True:
            yield block
    await x.answer(200, pieces())


@page
async def limited(x):
    """rate, burst, key, form: an API with a limit: 429 and Retry-After (seconds, date or
    none) beyond `rate` requests a second with bursts of `burst`."""
    rate, burst = float(x.text("rate", "10")), float(x.text("burst", "5"))
    key, now = x.text("key"), time.monotonic()
    tokens, then = x.server.buckets.get(key, (burst, now))
    tokens = min(burst, tokens + (now - then) * rate)
    if tokens >= 1:
        x.server.buckets[key] = (tokens - 1, now)
        await x.answer(200, f"ok {'/'.join(x.rest)}\n".encode())
        return
    x.server.buckets[key] = (tokens, now)
    headers = []
    form = x.text("form", "seconds")
    if form == "seconds":
        headers = [("Retry-After", 1)]
    elif form == "date":
        when = time.time() + 1
        headers = [("Date", email.utils.formatdate(usegmt=True)),
                   ("Retry-After", email.utils.formatdate(when, usegmt=True))]
    await x.answer(429, b"slow down\n", headers)


@page
async def bump(x):
    """/bump/NAME: /file/NAME is another one from now on."""
    name = "/".join(x.rest)
    x.server.versions[name] = x.server.versions.get(name, 1) + 1
    await x.answer(200, b"bumped\n")


@page
async def mend(x):
    """/mend/NAME: /file/NAME is served without its faults from now on."""
    x.server.mended.add("/".join(x.rest))
    await x.answer(200, b"mended\n")


@page
async def forget(x):
    """All counters, buckets and versions begin anew."""
    x.server.mended.clear()
    for table in (x.server.counts, x.server.buckets, x.server.versions):
        table.clear()
    await x.answer(200, b"forgotten\n")


DATES = {  # the three forms that HTTP has for a date
    "imf": lambda t: email.utils.formatdate(t, usegmt=True),
    "rfc850": lambda t: datetime.datetime.utcfromtimestamp(t).strftime(
        "%A, %d-%b-%y %H:%M:%S GMT"),
    "asctime": lambda t: datetime.datetime.utcfromtimestamp(t).strftime(
        "%a %b %e %H:%M:%S %Y"),
}


@page
async def file_(x):
    """/file/NAME, size, validator, mode, cut, times: a file with ranges, If-Range and
    conditional requests. validator: etag, weak, date, none. mode, of an answer to a range:
    ok, ignore, wrongstart, wrongtotal, unknowntotal, nocontentrange, multipart, wrong416,
    always416, short, shortunknown. cut, times: the first `times` answers end after `cut` bytes;
    bumps=1: each request finds another version."""
    name, size = "/".join(x.rest), x.number("size", 100000)
    if x.number("bumps"):
        x.server.versions[name] = x.server.versions.get(name, 0) + 1
    version = x.server.versions.get(name, 1)
    mended = name in x.server.mended
    if not mended and x.text("cut") and x.server.count(("file", x.target)) < x.number("times", 1):
        x.cut = x.number("cut")
    headers = validators(x, name, version)
    tag = dict(headers).get("ETag")
    date = dict(headers).get("Last-Modified")
    body = content(name, size, version)
    if unchanged(x, tag, date):
        await x.answer(304, b"", headers)
        return
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", x.headers.get("range", ""))
    condition = x.headers.get("if-range")
    if condition is not None and (condition not in (tag, date) or condition == ""
                                  or condition.startswith("W/")):
        wanted = None
    mode = "ok" if mended else x.text("mode", "ok")
    if not wanted or mode == "ignore":
        await x.answer(200, body, headers + [("Accept-Ranges", "bytes")])
        return
    await part(x, mode, body, int(wanted[1]), headers)


def validators(x, name, version):
    kind = x.text("validator", "etag")
    tag = hashlib.sha256(f"{name} {version}".encode()).hexdigest()[:16]
    if kind == "etag":
        return [("ETag", f'"{tag}"')]
    if kind == "weak":
        return [("ETag", f'W/"{tag}"')]
    if kind == "date":
        return [("Last-Modified", DATES["imf"](1700000000 + 1000 * version))]
    return []


def unchanged(x, tag, date):
    """Does the client have this version already?"""
    matches, since = x.headers.get("if-none-match"), x.headers.get("if-modified-since")
    if matches is not None:
        return tag is not None and tag in [word.strip() for word in matches.split(",")]
    return since is not None and since == date


async def part(x, mode, body, start, headers):
    """The answer to a range, right or wrong."""
    size = len(body)
    if mode == "always416" or start >= size:
        total = size + 5 if mode == "wrong416" else size
        await x.answer(416, b"", headers + [("Content-Range", f"bytes */{total}")])
        return
    said, total, end = start, size, size - 1
    if mode == "wrongstart":
        start = said = max(0, start - 7)
    elif mode == "wrongtotal":
        total = size + 5
    elif mode == "unknowntotal":
        total = "*"
    elif mode in ("short", "shortunknown"):
        end = (start + size) // 2
        total = "*" if mode == "shortunknown" else size
    data = body[start:end + 1]
    if mode == "multipart":
        data = (b"--edge\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (start, end, size)
                + data + b"\r\n--edge--\r\n")
        headers = headers + [("Content-Type", "multipart/byteranges; boundary=edge")]
    elif mode != "nocontentrange":
        headers = headers + [("Content-Range", f"bytes {said}-{end}/{total}")]
    await x.answer(206, data, headers)
