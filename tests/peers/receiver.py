"""A receiver of webhooks: it keeps every request as it came and answers as it is told."""

import contextlib
import http.server
import threading
import types


class Receiver:
    def __init__(self):
        self.requests = []
        self.status = 200
        # A test that wants a request to be under way clears it; nothing is answered until it is set again.
        self.answers = threading.Event()
        self.answers.set()
        self.headers = {}
        self._arrived = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with receiver._arrived:
                    receiver.requests.append(types.SimpleNamespace(path=self.path, headers={name.lower(): value for name, value in self.headers.items()}, body=body))
                    receiver._arrived.notify_all()
                receiver.answers.wait(60)
                # Whoever sent it may be gone.
                with contextlib.suppress(ConnectionError):
                    self.send_response(receiver.status)
                    for name, value in receiver.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, number, seconds=20):
        """The first `number` requests, waited for."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= number, seconds):
                raise AssertionError(f"{len(self.requests)} of {number} requests arrived within {seconds} s")
            return self.requests[:number]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
