"""Several `serve` processes on one store, behind a balancer; and a listener that follows /events from one to the next."""

import json
import threading

import httpx

from balancer import Balancer


class Fleet:
    """`count` servers; `url` is the balancer's. `drain` is how long, in seconds, each says that it leaves before it does."""

    def __init__(self, installation, count=2, *arguments, drain=0, environment=None):
        self.installation = installation
        self.count = count
        self.balancer = Balancer()
        self.url = self.balancer.url
        self.arguments = ["--public-url", self.url, "--trusted-proxy", "127.0.0.1", *arguments]
        self.drain = drain
        self.environment = environment
        # Lines of all servers, those that are gone too.
        self.gone = []
        self.servers = []
        try:
            for _ in range(count):
                self.servers.append(self._start())
        except BaseException:
            self.stop()
            raise

    def _start(self):
        server = self.installation.serve(*self.arguments, drain=self.drain, environment=self.environment)
        self.balancer.add(server.url)
        return server

    @property
    def log(self):
        return [line for server in [*self.gone, *self.servers] for line in server.log]

    def restart(self, index):
        """Ends one server in good order and starts another in its place; gives the exit status of the first."""
        server = self.servers[index]
        status = server.stop()
        self._forget(server)
        self.servers[index] = self._start()
        return status

    def kill(self, index):
        """kill -9, and another one in its place."""
        server = self.servers[index]
        server.kill()
        self._forget(server)
        self.servers[index] = self._start()

    def _forget(self, server):
        self.balancer.remove(server.url)
        self.gone.append(server)

    def stop(self):
        """Ends all; 0 when each did so in good order."""
        self.requests = self.balancer.requests()
        statuses = [server.stop() for server in self.servers]
        self.balancer.close()
        return max(statuses, default=0)


class Listener:
    """A browser's window as far as /events goes: signs in once, comes back with the last id that it was told, as often as it is
    sent away, and keeps what it is told."""

    def __init__(self, url, token):
        self.client = httpx.Client(base_url=url, timeout=30)
        self.client.post("/session", json={"token": token}).raise_for_status()
        self.last = None
        self.changes = []
        self.gaps = 0
        self.connections = 0
        self.ended = False
        self.news = threading.Condition()
        self.connected = threading.Event()
        # Set by a test that cuts the connection by itself.
        self.cut = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.connected.wait(30), "the listener could not connect"

    def _run(self):
        while not self.ended:
            try:
                self._listen()
            except httpx.HTTPError:
                # As a browser does, it comes back.
                pass

    def _listen(self):
        headers = {} if self.last is None else {"last-event-id": self.last}
        with self.client.stream("GET", "/events", headers=headers) as answer:
            if answer.status_code != 200:
                return
            self.connections += 1
            event, data = "message", []
            for line in answer.iter_lines():
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "id":
                    self.last = value
                    self.connected.set()
                elif field == "event":
                    event = value
                elif field == "data":
                    data.append(value)
                elif not line:
                    with self.news:
                        if event == "change":
                            self.changes.append(json.loads("\n".join(data)))
                        self.gaps += event == "gap"
                        self.news.notify_all()
                    event, data = "message", []
                if self.ended:
                    return
                if self.cut.is_set() and not line:
                    self.cut.clear()
                    return

    def until(self, seen, seconds=60):
        """Waits until what was told satisfies `seen`, a function of the changes."""
        with self.news:
            return self.news.wait_for(lambda: seen(self.changes), seconds)

    def close(self):
        """Takes in no more. The thread ends with the stream, at the next sign of life at the latest; nobody waits for it."""
        self.ended = True
