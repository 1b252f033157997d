#!/usr/bin/env python3
"""browser.py: opens a page in headless Chromium and says what a person would see.

    browser.py [shots=PREFIX] FILE.html

At 390 and 1440 pixels, light and dark, and as printed on A4 (718 pixels between its margins).
Uses chromedriver, on a free port of loopback. Prints, for each of the five,

    WIDTH SCHEME: scroll S, figures F of G drawn, smallest P px, contrast C, tables T of U

S is how wide the page is (not more than WIDTH: nothing sticks out), F the figures that have
a size, P the height of the smallest letters in a figure on the screen, C the least contrast
of text with its ground (WCAG), T the tables that are not folded away. Then, once, "errors N" (of the console), "requests N" (beside
the file itself), "headings ...", "unnamed N" (figures, tables and regions that have no name
for a screen reader). With `shots` it leaves PREFIX-WIDTH-SCHEME.png.
"""
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"]

LOOK = r"""
const lum = c => { const v = c.match(/[\d.]+/g).slice(0, 3).map(x => x / 255)
    .map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
const ground = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!/rgba\(.*, 0\)|transparent/.test(c)) return c; } return 'rgb(255,255,255)'; };
let contrast = 21, smallest = 99;
for (const e of document.querySelectorAll('h1,h2,p,th,td,caption,figcaption,summary,dt,dd,code,svg text')) {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (!e.textContent.trim() || box.width === 0) continue;
    const a = lum(e.closest('svg') ? style.fill : style.color), b = lum(ground(e));
    contrast = Math.min(contrast, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
    if (e.closest('svg')) {
        const svg = e.closest('svg');
        smallest = Math.min(smallest, parseFloat(style.fontSize) *
            svg.getBoundingClientRect().width / svg.viewBox.baseVal.width);
    }
}
const svgs = [...document.querySelectorAll('svg')];
return {scroll: document.documentElement.scrollWidth, total: svgs.length,
    drawn: svgs.filter(s => s.getBoundingClientRect().height > 40 &&
        s.querySelectorAll('rect,polyline,path').length > 0).length,
    smallest, contrast, tables: document.querySelectorAll('table').length,
    hidden: [...document.querySelectorAll('table')].filter(
        t => !t.checkVisibility({contentVisibilityAuto: true})).length,
    headings: [...document.querySelectorAll('h1,h2,h3')].map(h => h.tagName).join(' '),
    unnamed: svgs.filter(s => !s.querySelector('title') || !s.querySelector('desc') ||
            s.getAttribute('role') !== 'img').length +
        [...document.querySelectorAll('table')].filter(t => !t.caption ||
            !t.querySelector('th[scope=col]')).length +
        [...document.querySelectorAll('[role=region]')].filter(
            r => !r.getAttribute('aria-label')).length,
    requests: performance.getEntriesByType('resource').filter(
        r => !r.name.startsWith('data:')).length};
"""


class Driver:
    def __init__(self, base, session):
        self.base = f"{base}/session/{session}"

    def call(self, path, **body):
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def cdp(self, command, **params):
        return self.call("/goog/cdp/execute", cmd=command, params=params)


def start(port, profile):
    base = f"http://127.0.0.1:{port}"
    want = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {
        "args": FLAGS + [f"--user-data-dir={profile}"]}, "goog:loggingPrefs": {"browser": "ALL"}}}}
    request = urllib.request.Request(base + "/session", json.dumps(want).encode(),
                                     {"Content-Type": "application/json"})
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                break
        except OSError:
            time.sleep(0.1)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return Driver(base, json.load(answer)["value"]["sessionId"])


def look(driver, shots, width, scheme):
    driver.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900,
               deviceScaleFactor=1, mobile=width < 500)
    driver.cdp("Emulation.setEmulatedMedia", media="print" if scheme == "print" else "",
               features=[{"name": "prefers-color-scheme", "value": scheme}])
    seen = driver.call("/execute/sync", script=LOOK, args=[])
    print(f"{width} {scheme}: scroll {seen['scroll']}, figures {seen['drawn']} of "
          f"{seen['total']} drawn, smallest {seen['smallest']:.1f} px, "
          f"contrast {seen['contrast']:.1f}, "
          f"tables {seen['tables'] - seen['hidden']} of {seen['tables']}")
    if shots:
        shot = driver.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(f"{shots}-{width}-{scheme}.png", "wb") as file:
            file.write(base64.b64decode(shot["data"]))
    return seen


def main():
    shots = next((a[6:] for a in sys.argv[1:-1] if a.startswith("shots=")), None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="quern-browser-")
    log = open(os.path.join(folder, "log"), "wb")
    server = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=log, stderr=log,
                              stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        driver = start(port, os.path.join(folder, "profile"))
        driver.call("/url", url="file://" + os.path.abspath(sys.argv[-1]))
        for width in 390, 1440:
            for scheme in "light", "dark":
                seen = look(driver, shots, width, scheme)
        look(driver, shots, 718, "print")
        logs = driver.call("/se/log", type="browser")
        print("errors", len(logs), *[entry["message"] for entry in logs])
        print("requests", seen["requests"])
        print("headings", seen["headings"])
        print("unnamed", seen["unnamed"])
        print("pages", len(base64.b64decode(driver.call("/print", background=True))) > 5000)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
        time.sleep(0.3)
        shutil.rmtree(folder, ignore_errors=True)


main()
