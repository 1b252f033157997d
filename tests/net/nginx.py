#!/usr/bin/env python3
"""nginx: starts nginx in a private directory, for speed, TLS and HTTP/2.

    nginx.py DIR [--mb N]

Writes NAME=PORT words to DIR/nginx.ports when it answers: nginx (HTTP), and, when DIR/certs
has been made by certs.sh, nginxs (TLS) and nginx2 (TLS and HTTP/2). Runs until it is
terminated, or its nginx ends. All of them serve

    /k1/ANYTHING     1,024 bytes
    /big/ANYTHING    N MiB (64)
    /files/NAME      what is in DIR/files
"""
import argparse
import os
import signal
import socket
import subprocess
import sys
import time

CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 4096; }}
worker_rlimit_nofile 8192;
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    keepalive_timeout 60;
    default_type application/octet-stream;
    client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp;
    fastcgi_temp_path {dir}/tmp; uwsgi_temp_path {dir}/tmp; scgi_temp_path {dir}/tmp;
    {certificate}
    server {{
        {listen}
        root {dir}/files;
        location /k1/ {{ try_files /1k =404; }}
        location /big/ {{ try_files /big =404; }}
        location /files/ {{ alias {dir}/files/; }}
    }}
}}
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def configure(folder):
    """Writes DIR/nginx.conf for free ports: {name: port}."""
    tls = os.path.join(folder, "certs", "good.pem")
    names = ["nginx"] + (["nginxs", "nginx2"] if os.path.exists(tls) else [])
    ports = dict(zip(names, free_ports(len(names))))
    words = {"nginx": "", "nginxs": " ssl", "nginx2": " ssl http2"}
    listen = " ".join(f"listen 127.0.0.1:{port}{words[name]} backlog=2048;"
                      for name, port in ports.items())
    certificate = f"ssl_certificate {tls}; ssl_certificate_key {tls};" if len(names) > 1 \
        else ""
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(
            dir=folder, listen=listen, certificate=certificate,
            user="user root;" if os.geteuid() == 0 else ""))
    return ports


def answers(port, process):
    """Waits until the port does; False if nginx ends instead (a port was taken)."""
    for _ in range(200):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def start(folder):
    for _ in range(5):
        ports = configure(folder)
        process = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", folder, "-e", os.path.join(folder, "nginx.log"),
             "-c", os.path.join(folder, "nginx.conf")], stdin=subprocess.DEVNULL)
        if answers(ports["nginx"], process):
            return ports, process
        process.kill()
        process.wait()
    raise SystemExit("nginx does not start")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("--mb", type=int, default=64)
    options = parser.parse_args()
    folder = os.path.abspath(options.dir)
    for name in ("files", "tmp"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    for name, size in (("1k", 1024), ("big", options.mb << 20)):
        with open(os.path.join(folder, "files", name), "wb") as file:
            file.write((bytes(range(32, 127)) * 11100)[:1 << 20][:size]
                       if size < 1 << 20 else b"")
            for _ in range(size >> 20):
                file.write(bytes(range(256)) * 4096)
    ports, process = start(folder)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    with open(os.path.join(folder, "nginx.ports.new"), "w", encoding="ascii") as file:
        file.write(" ".join(f"{name}={port}" for name, port in ports.items()) + "\n")
    os.rename(file.name, os.path.join(folder, "nginx.ports"))
    while True:
        try:
            return 0 if process.wait() <= 0 else 1
        except InterruptedError:
            pass


if __name__ == "__main__":
    sys.exit(main())
