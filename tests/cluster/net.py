"""net: measures the network of hosts.sh, to see that it is what was asked for.

    net.py serve             answers on port 7000 until it is ended
    net.py delay HOST        round trip in microseconds, the least of many
    net.py rate HOST MB      megabits a second while sending MB megabytes
    net.py ping HOST SECONDS status 0 if an answer comes within SECONDS
"""
import socket
import sys
import time

PORT = 7000


def serve():
    with socket.create_server(("", PORT)) as server:
        while True:
            peer, _ = server.accept()
            with peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while data := peer.recv(1 << 20):
                    # One byte asks for an answer; all else is only taken.
                    if data.endswith(b"?"):
                        peer.sendall(b"!")


def connect(host, seconds=20):
    peer = socket.create_connection((host, PORT), timeout=seconds)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def ask(peer):
    began = time.perf_counter()
    peer.sendall(b"?")
    if peer.recv(1) != b"!":
        raise ConnectionError("no answer")
    return time.perf_counter() - began


def rate(peer, megabytes):
    ask(peer)
    began = time.perf_counter()
    block = bytes(1 << 20)
    for _ in range(megabytes):
        peer.sendall(block)
    ask(peer)
    return megabytes * (1 << 20) * 8 / 1e6 / (time.perf_counter() - began)


def main(args):
    if args[0] == "serve":
        serve()
    elif args[0] == "delay":
        with connect(args[1]) as peer:
            print(round(min(ask(peer) for _ in range(200)) * 1e6))
    elif args[0] == "rate":
        with connect(args[1]) as peer:
            print(round(rate(peer, int(args[2]))))
    else:
        with connect(args[1], float(args[2])) as peer:
            ask(peer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
