#!/usr/bin/env python3
"""Opens event streams and never reads them: stalled_clients.py HOST PORT PATH COUNT. Prints "open N", then waits.
SPDX-License-Identifier: MIT

Python, because node cannot make a socket's receive buffer small, and large ones would hide the stalled client."""
import socket
import sys

host, port, path, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
clients = []
for _ in range(count):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect((host, port))
    client.sendall(request)
    clients.append(client)
print(f"open {len(clients)}", flush=True)
sys.stdin.read()  # until the test closes its end
