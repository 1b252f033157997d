#!/usr/bin/env python3
"""matrix: what `quern fetch` must make of everything that the server does to it.

    matrix.py GROUP        (see GROUPS below; ports and BASE come from net.sh)

A group is a set of rows that one run of quern fetches at once. What is checked, for each row
and for the run:

- one outcome for each URL, in the report and on stdout, and both agree;
- its class, status, tries and bytes are those that the row allows;
- a row that is ok has a file with exactly the right bytes, and their sha256 is reported;
- a row that is not has none: no error page, no half body under a final name; and part files
  stay only where a later run can go on with them;
- the run ends within its deadline and a second, with status 0 or 1 as it should;
- no byte of an error page anywhere, and memory within bounds.

Where the specification leaves a class open, a row names all that are right.
"""
import dataclasses
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.parse

import pages

SCALE = float(os.environ.get("TIME_SCALE", "1"))
SANITIZER = os.environ.get("SANITIZER", "")
BROKEN = {"connect", "truncated", "protocol"}  # it broke; where depends on who was faster
FIELDS = ("id url final_url status class error tries bytes seconds first_byte wait path "
          "sha256").split()
PORTS = ("http other closed full garble https selfsigned expired wronghost cuttls").split()


@dataclasses.dataclass
class Row:
    """`url` is a path of the server or a whole URL with {port} names."""
    url: str
    classes: object                 # one name or several
    status: object = None           # None: any
    tries: object = None
    body: bytes = None              # of a row that is ok
    part: bool = False              # a part file may stay
    name: str = ""

    def allowed(self):
        return {self.classes} if isinstance(self.classes, str) else set(self.classes)


def good(url, body, tries=1, status=200):
    return Row(url, "ok", status, tries, body)


def bad(url, classes, tries=None, status=None, part=False):
    return Row(url, classes, status, tries, part=part)


def to(target, code=302):
    """A redirect to there. The server fills in its {ports}."""
    return f"/redirect;code={code};to={urllib.parse.quote(target, safe='')}/x"


NUMBERS = pages.numbers_text(1, 2000)
PAGE = "/numbers;to=2000"
ONCE, TWICE = 1, 2                  # not retried; retried (the groups have --tries 2)


def statuses():
    ok = {*range(200, 210), 226} - {206}
    again = {408, 425, 500, 502, 503, 504, *range(520, 525)}
    for code in (*range(200, 210), 226, *range(300, 309), *range(400, 429), 431, 451,
                 *range(500, 512), *range(520, 531), 598, 599, 600, 999):
        url = f"/status;code={code}/s"
        page = f"<html>ERROR PAGE of status {code}: 4 8 15 16 23 42</html>\n".encode()
        if code in ok:
            body = b"" if code in (204, 205) else page
            if code != 205:  # its body is against the rules; it may count or not
                yield good(url, body, status=code)
        elif code == 206:    # nobody asked for a part
            yield bad(url, {"http", "protocol", "truncated"}, ONCE)
        else:
            yield bad(url, {"http", "redirect"} if 300 <= code < 309 else "http",
                      TWICE if code in again else ONCE, code)


def sound():
    """What is unusual, and right."""
    yield good(PAGE, NUMBERS)
    yield good("/chunked;size=7" + PAGE, NUMBERS)
    yield good("/close" + PAGE, NUMBERS)
    yield good("/polite" + PAGE, NUMBERS)
    yield good("/delay;ms=700/ok/late", b"ok late\n")
    yield good("/drip;size=3;ms=10/ok/drops", b"ok drops\n")
    yield good("/chunked;size=1/drip;size=1;ms=10/ok/drops", b"ok drops\n")
    yield good("/sized;size=3000000", (pages.content("sized", 65536) * 46)[:3000000])
    yield good("/numbers;from=2;to=1", b"")
    yield good("/interim;n=1;code=100/i", b"ok at last\n")
    yield good("/interim;n=5;code=103/i", b"ok at last\n")
    yield good("/flood;n=200;size=1000/f", b"ok\n")
    yield good("/longline;size=60000/l", b"ok\n")
    yield good("/badhead;kind=lf/h", b"ok\n")
    yield good("/badhead;kind=longer/h", b"ok\n")
    yield good("/badhead;kind=both/h", b"ok\n")
    yield good("/badhead;kind=body204/h", b"", status=204)
    yield good("/badchunk;kind=trailer/c", b"hello")
    yield good("http://127.0.0.1:{other}/ok/there", b"ok there\n")


def broken():
    """Connections that break or do nothing."""
    yield bad("/cut;at=999" + PAGE, "truncated", TWICE)
    yield bad("/cut;at=0" + PAGE, {"truncated", *BROKEN}, TWICE)
    yield bad("/chunked;size=100/cut;at=999" + PAGE, "truncated", TWICE)
    yield bad("/cut;at=999;how=reset" + PAGE, BROKEN, TWICE)
    yield bad("/chunked/cut;at=999;how=reset" + PAGE, BROKEN, TWICE)
    yield bad("/close/cut;at=999;how=reset" + PAGE, BROKEN, TWICE)
    yield bad("/cut;at=999;how=stall" + PAGE, "timeout", TWICE)
    yield bad("/chunked/cut;at=999;how=stall" + PAGE, "timeout", TWICE)
    yield bad("/close/cut;at=999;how=stall" + PAGE, "timeout", TWICE)
    yield bad("/reset/r", BROKEN, TWICE)
    yield bad("/empty/e", BROKEN, TWICE)
    yield bad("/silent/s", "timeout", TWICE)
    yield bad("/halfhead/h", BROKEN, None)
    yield bad("/halfhead;how=reset/h", BROKEN, None)
    yield bad("/halfhead;how=stall/h", "timeout", TWICE)
    yield bad("/driphead;ms=50/h", {"timeout", "protocol"})
    yield bad("/drip;size=1;ms=200" + PAGE, "timeout")       # never stalls, never ends
    yield bad("/interim;n=0;code=100/i", {"timeout", "protocol"})
    yield bad("http://127.0.0.1:{closed}/x", "connect", TWICE, 0)
    yield bad("http://127.0.0.1:{full}/x", {"connect", "timeout"}, TWICE, 0)
    yield bad("http://127.0.0.1:{garble}/x", "protocol")
    yield bad("http://no-such-host.invalid/x", {"dns", "timeout"}, None, 0)


def malformed():
    """Answers that are not HTTP, or not whole."""
    for kind in ("size", "negative", "overflow", "none"):
        yield bad(f"/badchunk;kind={kind}/c", {"protocol", "truncated"})
    yield Row("/badchunk;kind=longext/c", {"ok", "protocol"}, body=b"hello")
    for kind in ("huge", "nolast", "midchunk", "nocrlf"):
        yield bad(f"/badchunk;kind={kind}/c", {"protocol", "truncated"})
    for kind in ("garbage", "old", "version", "nostatus", "status99", "neglength",
                 "textlength"):
        yield bad(f"/badhead;kind={kind}/h", "protocol")
    yield bad("/badhead;kind=status9999/h", {"protocol", "http"})
    yield bad("/badhead;kind=biglength/h", {"protocol", "truncated", "toolarge"})
    yield bad("/badhead;kind=twolengths/h", {"protocol", "truncated"})
    yield bad("/badhead;kind=unknownte/h", "protocol")
    yield bad("/badhead;kind=upgrade/h", {"protocol", "http"})
    yield bad("/badhead;kind=range200/h", {"protocol", "truncated", "http"})
    for kind in ("nul", "nocolon"):
        yield Row(f"/badhead;kind={kind}/h", {"ok", "protocol"}, body=b"ok\n")
    yield bad("/flood;n=300;size=1000/f", "protocol")
    yield bad("/flood;n=0/f", "protocol")
    yield bad("/longline;size=200000/l", "protocol")


def redirects():
    for code in (301, 302, 303, 307, 308):
        yield good(to("/ok/x", code), b"ok x\n")
    yield good("/redirect;hops=9/x", b"ok end\n")             # ten of them
    for code in (301, 307):                                   # a page nobody reads
        yield good(f"/redirect;code={code};size=3000000/x", b"ok end\n")
    yield bad("/redirect;hops=10/x", "redirect", ONCE)        # eleven
    yield bad("/redirect;to=loop/x", "redirect", ONCE)
    yield bad("/redirect;to=pingpong/x", "redirect", ONCE)
    yield bad("/redirect;to=missing/x", {"redirect", "http"}, ONCE)
    for target in ("file:///etc/passwd", "ftp://127.0.0.1:{http}/x", "dict://127.0.0.1/x",
                   "gopher://127.0.0.1:{http}/x", "javascript:alert(1)", "data:,hello",
                   "FILE:///etc/passwd", "scp://127.0.0.1/etc/passwd"):
        yield bad(to(target), {"redirect", "protocol"}, ONCE)
    yield bad(to("http://"), {"redirect", "protocol", "usage"}, ONCE)
    yield bad(to("/status;code=404/x"), "http", ONCE, 404)
    yield good(to("http://127.0.0.1:{other}/ok/far"), b"ok far\n")
    yield good(to("//127.0.0.1:{other}/ok/far"), b"ok far\n")
    yield good(to("../ok/up"), b"ok up\n")
    yield bad(to("http://127.0.0.1:{closed}/x"), "connect", TWICE)


def urls():
    """URLs that are none: they are outcomes too."""
    for url in ("http://", "http://[::1/x", "http://127.0.0.1:99999/x", "ftp://127.0.0.1/x",
                "file:///etc/passwd", "http://a b/x"):
        yield bad(url, {"usage", "protocol"}, {0, 1}, 0)


def tls():
    yield good("https://127.0.0.1:{https}/ok/tls", b"ok tls\n")
    yield good("https://localhost:{https}/chunked" + PAGE, NUMBERS)
    for name in ("selfsigned", "expired", "wronghost"):
        yield bad(f"https://127.0.0.1:{{{name}}}/ok/x", "tls", ONCE, 0)
    yield bad("https://127.0.0.1:{cuttls}/x", {"tls", "connect"}, TWICE, 0)
    yield bad("https://127.0.0.1:{http}/x", {"tls", "connect", "timeout"}, None, 0)
    yield bad("https://127.0.0.1:{closed}/x", "connect", TWICE, 0)
    yield bad("http://127.0.0.1:{https}/x", BROKEN)           # plain words to a TLS port
    yield bad("https://127.0.0.1:{https}" + to("http://127.0.0.1:{http}/ok/down"),
              {"redirect", "protocol"}, ONCE)                 # no downgrade
    yield good(to("https://127.0.0.1:{https}/ok/up"), b"ok up\n")
    yield bad(to("https://127.0.0.1:{expired}/ok/up"), "tls", ONCE)
    yield bad("https://127.0.0.1:{https}/cut;at=999" + PAGE, "truncated", TWICE)
    yield bad("https://127.0.0.1:{https}/cut;at=999;how=reset" + PAGE, BROKEN, TWICE)
    yield good("https://127.0.0.1:{https}/close" + PAGE, NUMBERS)


def compressed():
    """With --compressed."""
    for wrap in ("/polite", "/gzip", "/gzip/chunked;size=50", "/gzip/close",
                 "/gzip;kind=members", "/coded;coding=x-gzip"):
        yield good(wrap + PAGE, NUMBERS)
    for kind in ("cut", "tail", "crc", "false"):
        for frame in ("", "/chunked", "/close"):
            yield bad(f"/gzip;kind={kind}{frame}" + PAGE, {"truncated", "protocol"})
    yield Row("/coded;coding=deflate" + PAGE, {"ok", "protocol"}, body=NUMBERS)
    yield Row("/gzip;kind=junk" + PAGE, {"ok", "protocol"}, body=NUMBERS)
    yield Row("/gzip;kind=empty" + PAGE, {"ok", "truncated", "protocol"}, body=b"")
    yield bad("/coded;coding=br;kind=false" + PAGE, "protocol")
    yield bad("/coded;coding=nonsense;kind=false" + PAGE, "protocol")
    yield bad("/bomb;mb=16/b", {"toolarge", "protocol"}, ONCE)
    yield bad("/bomb;mb=16;layers=2/b", {"toolarge", "protocol"})
    yield bad("/gzip/cut;at=999" + PAGE, "truncated", TWICE)
    yield bad("/status;code=404/s", "http", ONCE, 404)


def capped():
    """With --max-bytes 1M (and --compressed)."""
    yield good(PAGE, NUMBERS)
    yield good("/sized;size=1048576", (pages.content("sized", 65536) * 16))
    for wrap in ("", "/chunked", "/close", "/gzip"):
        yield bad(wrap + "/sized;size=1048577", "toolarge", ONCE)
    yield bad("/endless/e", "toolarge", ONCE)
    yield bad("/bomb;mb=8/b", {"toolarge", "protocol"}, ONCE)
    yield bad("/close/endless/e", "toolarge", ONCE)


def flaky():
    """What comes right at the third try; the default number of tries, 5."""
    for fault in (*(f"status;code={code}" for code in (408, 425, 500, 502, 503, 504, 520,
                                                       521, 522, 523, 524)),
                  "reset", "empty", "half;size=1000;sent=500", "half;sent=300;how=reset",
                  "badchunk;kind=nolast"):
        # The first request without an answer costs no try.
        tries = 2 if fault in ("reset", "empty") else 3
        yield good(f"/flaky;times=2/{fault}/ok/third", b"ok third\n", tries)
    yield good("/flaky;times=4/status;code=503/ok/fifth", b"ok fifth\n", 5)
    yield bad("/flaky;times=5/status;code=503/ok/sixth", "http", 5, 503)
    yield bad("/flaky;times=1/status;code=404/ok/second", "http", 1, 404)
    yield bad("/flaky;times=1/status;code=501/ok/second", "http", 1, 501)
    yield bad("/flaky;times=1/status;code=505/ok/second", "http", 1, 505)
    yield good("/flaky;times=1/half;how=stall/ok/second", b"ok second\n", 2)
    yield good("/flaky;times=1/silent/ok/second", b"ok second\n", 2)


def ratelimited():
    """429 and 503 with a Retry-After that nobody waits for: given up at once. They gate their
    origin, so nothing else is fetched beside them."""
    for code in (429, 503):
        for after in ("1000", "99999999999999999999999", "imf+1000", "rfc850+1000",
                      "asctime+1000"):
            yield bad(f"/status;code={code};after={after}/x", "ratelimited", {0, 1})


PATIENT = ("--stall-timeout 1 --connect-timeout 1 --timeout 4 --deadline 6 --tries 2 "
           "--workers 64")
# Rows, options, the deadline (which the run may pass by a second).
GROUPS = {
    "statuses": (statuses, PATIENT, 6),
    "sound": (sound, PATIENT, 6),
    "broken": (broken, PATIENT, 6),
    "malformed": (malformed, PATIENT, 6),
    "redirects": (redirects, PATIENT, 6),
    "urls": (urls, PATIENT + " --globoff", 6),
    "tls": (tls, PATIENT + " --cacert {CA}", 6),
    "compressed": (compressed, PATIENT + " --compressed", 6),
    "capped": (capped, PATIENT + " --compressed --max-bytes 1M", 6),
    "flaky": (flaky, "--stall-timeout 1 --deadline 14 --workers 32", 14),
    "ratelimited": (ratelimited, "--deadline 20", 3),
}


class Run:
    """One run of quern fetch on the rows of a group."""

    def __init__(self, name, rows, options, deadline):
        self.rows, self.problems = rows, []
        self.folder = os.path.abspath(f"out.{name}")
        self.report = os.path.abspath(f"report.{name}")
        self.list = os.path.abspath(f"urls.{name}")
        names = {port: os.environ.get(port, "0") for port in PORTS}
        base = os.environ["BASE"]
        with open(self.list, "w", encoding="utf-8") as file:
            for i, row in enumerate(rows):
                row.name = f"row{i:03}"
                for port, number in names.items():
                    row.url = row.url.replace("{" + port + "}", number)
                if row.url.startswith("/"):
                    row.url = base + row.url
                file.write(f"{row.url}\t{row.name}\n")
        self.command = [*shlex.split(os.environ["QUERN"]), "fetch", "-O", self.folder,
                        "--report", self.report,
                        *shlex.split(options.replace("{CA}", os.environ.get("CA", ""))),
                        "@" + self.list]
        self.limit = (deadline + 1) * SCALE

    def wrong(self, row, text):
        self.problems.append(f"{row.url}\n      {text}" if row else text)

    def go(self):
        os.makedirs(self.folder)
        start = time.monotonic()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            out, err = process.communicate(timeout=self.limit + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.wrong(None, f"it hangs: killed after {self.limit + 10:.0f} s")
        took = time.monotonic() - start
        if took > self.limit:
            self.wrong(None, f"it took {took:.1f} s, at most {self.limit:.1f}")
        print(f"# {len(self.rows)} URLs in {took:.1f} s")
        self.out, self.err = out.decode(), err.decode(errors="replace")
        self.status = process.returncode
        sys.stderr.write(self.err)

    def outcomes(self):
        """The lines of the report by row; a row without one is reported."""
        found = {}
        try:
            with open(self.report, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
        except (OSError, ValueError) as problem:
            self.wrong(None, f"the report: {problem}")
            return found
        if len(lines) != len(self.rows):
            self.wrong(None, f"{len(lines)} lines in the report, {len(self.rows)} URLs")
        for line, row in zip(lines, self.rows):
            if list(line) != FIELDS:
                self.wrong(row, f"fields {' '.join(line)}")
            elif line["url"] != row.url:
                self.wrong(row, f"its line in the report is about {line['url']}")
            else:
                found[row.name] = line
        return found

    def check_row(self, row, line):
        kind, tries = line["class"], row.tries
        if kind not in row.allowed():
            self.wrong(row, f"class {kind} ({line['status']}, {line['error']}), expected "
                            f"{' or '.join(sorted(row.allowed()))}")
            return
        if row.status is not None and int(line["status"]) != row.status:
            self.wrong(row, f"status {line['status']}, expected {row.status}")
        if tries is not None:
            tries = tries if isinstance(tries, set) else {tries}
            if int(line["tries"]) not in tries:
                self.wrong(row, f"{line['tries']} tries, expected {tries}: {line['error']}")
        if float(line["seconds"]) > self.limit:
            self.wrong(row, f"took {line['seconds']} s")
        path = os.path.join(self.folder, row.name)
        if kind != "ok":
            if not line["error"]:
                self.wrong(row, f"class {kind}, but no error is told")
            if os.path.exists(path):
                self.wrong(row, f"class {kind}, but there is a file")
            return
        if line["error"]:
            self.wrong(row, f"ok, with error: {line['error']}")
        self.check_body(row, line, path)

    def check_body(self, row, line, path):
        try:
            with open(path, "rb") as file:
                body = file.read()
        except OSError as problem:
            self.wrong(row, f"ok, but {problem}")
            return
        if body != row.body:
            self.wrong(row, f"{len(body)} bytes {body[:40]!r}, expected {len(row.body)}")
        if int(line["bytes"]) != len(row.body):
            self.wrong(row, f"{line['bytes']} bytes reported, {len(row.body)} sent")
        if line["sha256"] not in ("", None, hashlib.sha256(row.body).hexdigest()):
            self.wrong(row, "another sha256 is reported")

    def check_stdout(self, found):
        lines = self.out.splitlines()
        if len(lines) != len(self.rows):
            self.wrong(None, f"{len(lines)} lines on stdout, {len(self.rows)} URLs")
        for text, row in zip(lines, self.rows):
            words, line = text.split("\t"), found.get(row.name)
            if len(words) != 6:
                self.wrong(row, f"on stdout: {text}")
            elif line and (words[0], words[5]) != (line["class"], line["url"]):
                self.wrong(row, f"on stdout: {text}; in the report: {line['class']}")

    def check_folder(self, found):
        expected = {row.name for row in self.rows
                    if found.get(row.name, {}).get("class") == "ok"}
        parts = any(row.part for row in self.rows)
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("."):
                if not parts:
                    self.wrong(None, f"{name} is left over")
            elif name not in expected:
                self.wrong(None, f"a file that nobody asked for: {name}")
        for row in self.rows:
            path = os.path.join(self.folder, row.name)
            if row.body is None and os.path.exists(path):
                with open(path, "rb") as file:
                    if b"ERROR PAGE" in file.read():
                        self.wrong(row, "an error page is its file")

    def check(self):
        found = self.outcomes()
        for row in self.rows:
            if row.name in found:
                self.check_row(row, found[row.name])
        self.check_stdout(found)
        self.check_folder(found)
        want = 1 if any(line["class"] != "ok" for line in found.values()) else 0
        if self.status != want:
            self.wrong(None, f"status {self.status}, expected {want}")
        return self.problems


def main(args):
    rows, options, deadline = GROUPS[args[0]]
    run = Run(args[0], list(rows()), options, deadline)
    run.go()
    problems = run.check()
    for problem in problems:
        print(f"- {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
