"""Latencies of requests over one kept connection, measured with as little as possible between the clock and the socket."""

import socket
import statistics
import time
from urllib.parse import urlsplit


class Connection:
    """One HTTP/1.1 connection that stays open."""

    def __init__(self, url, headers=None):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = parts.netloc
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())

    def request(self, path):
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: */*\r\n{self.headers}\r\n".encode()

    def post(self, path, body):
        return f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{self.headers}\r\n".encode() + body

    def exchange(self, request):
        """Sends the bytes, reads one whole answer; answers its status and body."""
        self.socket.sendall(request)
        got = self.socket.recv(65536)
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, body = got.split(b"\r\n\r\n", 1)
        status = int(head[9:12])
        fields = head.lower()
        if b"\r\ncontent-length:" in fields:
            length = int(fields.split(b"\r\ncontent-length:", 1)[1].split(b"\r\n", 1)[0])
            while len(body) < length:
                body += self._more()
        elif b"transfer-encoding: chunked" in fields:
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
        return status, body

    def _more(self):
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError("the server closed the connection")
        return more

    def close(self):
        self.socket.close()


def interleaved(subjects, count, warm=50):
    """Medians in seconds of calling each subject `count` times, turn by turn, so that all see the same weather."""
    taken = [[] for _ in subjects]
    for _ in range(warm):
        for subject in subjects:
            subject()
    for _ in range(count):
        for subject, times in zip(subjects, taken):
            start = time.perf_counter()
            subject()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]
