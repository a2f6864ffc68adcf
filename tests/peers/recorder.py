"""A small HTTP proxy that keeps every request and every answer that passes, as the bytes they were."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Exchange:
    def __init__(self, method, path, sent, answered, status):
        self.method, self.path, self.sent, self.answered, self.status = method, path, sent, answered, status

    def __repr__(self):
        return f"{self.method} {self.path} -> {self.status}"


class Recorder:
    """Listens on a loopback port of its own and passes everything on to `upstream`."""

    def __init__(self, upstream):
        self.exchanges = []
        target = urlsplit(upstream)
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("accept-encoding", "connection")}
                # The server must see the address it listens on, or its rules on Host and Origin would judge the proxy.
                headers["Host"] = target.netloc
                if "Origin" in headers:
                    headers["Origin"] = upstream
                connection.request(self.command, self.path, body=body or None, headers=headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                # The bearer token that authenticates a call is the one secret that every request carries.
                sent = "".join(f"{name}: {value}\n" for name, value in self.headers.items() if name.lower() not in ("authorization", "cookie"))
                got = "".join(f"{name}: {value}\n" for name, value in answer.getheaders())
                recorder.exchanges.append(Exchange(self.command, self.path, self.path.encode() + b"\n" + sent.encode() + body, got.encode() + content, answer.status))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = pass_on

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
