#!/usr/bin/env python3
"""pages.py: serves pages on loopback, each after a wait, while a command runs.

    pages.py [SECONDS] -- COMMAND...

In the command PORT is the server's, in the environment. A page is 200 integers of 30 digits
that its path decides; one whose path has "fail" is a 404, one with "slow" takes 3 s. Ends
with the command's status.
"""
import http.server
import os
import random
import subprocess
import sys
import threading
import time

WAIT = float(sys.argv[1]) if sys.argv[1] != "--" else 0


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(3 if "slow" in self.path else WAIT)
        rng = random.Random(self.path)
        numbers = [f"{rng.randrange(10**29, 10**30)}\n" for _ in range(200)]
        body = "".join(numbers).encode()
        self.send_response(404 if "fail" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


server = Server(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["PORT"] = str(server.server_address[1])
sys.exit(subprocess.call(sys.argv[sys.argv.index("--") + 1:]))
