"""A load balancer as teams put one in front of several servers: it spreads requests in turn over those whose /readyz says 200.

It is made to show failures, not to hide them: a request is sent once, to one server, and what goes wrong there is the caller's
to see, as 502. Connections to servers are kept open as long as both sides like, and a server that is not ready is sent nothing
new; what it has is finished.
"""

import asyncio
import contextlib
import itertools
import threading

# Longest head of a request or answer.
HEAD = 256 * 1024
HOP = {"connection", "keep-alive", "proxy-connection", "te", "upgrade"}


class Head:
    """The first lines of a message, and what follows from them about its body."""

    def __init__(self, text):
        self.first, *lines = text.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def get(self, name):
        return next((value for known, value in self.headers if known == name), None)

    @property
    def closes(self):
        return (self.get("connection") or "").lower() == "close"

    def bytes(self, **extra):
        kept = [(name, value) for name, value in self.headers if name not in HOP and name.replace("-", "_") not in extra]
        lines = [self.first, *(f"{name}: {value}" for name, value in kept), *(f"{name.replace('_', '-')}: {value}" for name, value in extra.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Upstream:
    """One server."""

    def __init__(self, url):
        self.url = url
        self.host, port = url.rpartition("/")[2].rsplit(":", 1)
        self.port = int(port)
        self.ready = False
        self.idle = []
        self.requests = 0

    async def connect(self):
        """A connection that was kept, unless the other side has closed it, or a new one."""
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self.host, self.port, limit=HEAD)

    def drop(self):
        while self.idle:
            self.idle.pop()[1].close()


class Balancer:
    """Listens on a free loopback port in a thread of its own. `urls` are the servers; any of them may come and go."""

    def __init__(self, urls=(), look_every=0.05):
        self.look_every = look_every
        self.upstreams = []
        self.turns = itertools.count()
        # What could not be passed on, in words, for whoever reads a failure.
        self.failures = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self._run(asyncio.start_server(self._talk, "127.0.0.1", 0, limit=HEAD))
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.watch = asyncio.run_coroutine_threadsafe(self._watch(), self.loop)
        for url in urls:
            self.add(url)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def add(self, url):
        """Adds a server and waits until it is ready."""
        self._run(self._add(url))

    def remove(self, url):
        """Forgets a server that is gone."""
        async def forget():
            for upstream in [one for one in self.upstreams if one.url == url]:
                self.upstreams.remove(upstream)
                upstream.drop()
        self._run(forget())

    def requests(self):
        """How many requests each server has got, in the order in which they were added."""
        return [upstream.requests for upstream in self.upstreams]

    def close(self):
        async def end():
            self.server.close()
            for upstream in self.upstreams:
                upstream.drop()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        self._run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def _add(self, url):
        upstream = Upstream(url)
        self.upstreams.append(upstream)
        while not upstream.ready:
            await self._look(upstream)
            await asyncio.sleep(0.01)

    async def _watch(self):
        while True:
            await asyncio.gather(*(self._look(upstream) for upstream in list(self.upstreams)))
            await asyncio.sleep(self.look_every)

    async def _look(self, upstream):
        try:
            reader, writer = await asyncio.open_connection(upstream.host, upstream.port)
            writer.write(f"GET /readyz HTTP/1.1\r\nhost: {upstream.host}:{upstream.port}\r\nconnection: close\r\n\r\n".encode())
            line = await asyncio.wait_for(reader.readline(), 5)
            writer.close()
            upstream.ready = b" 200 " in line
        except (OSError, asyncio.TimeoutError):
            upstream.ready = False
        if not upstream.ready:
            upstream.drop()

    def _choose(self):
        ready = [upstream for upstream in self.upstreams if upstream.ready]
        return ready[next(self.turns) % len(ready)] if ready else None

    async def _talk(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader, writer):
        """One request and its answer; whether the connection goes on."""
        try:
            request = Head(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            return False
        body = b"".join([part async for part in pieces(reader, request)])
        upstream = self._choose()
        if upstream is None:
            return await self._fail(writer, request, "no server is ready", 503)
        upstream.requests += 1
        begun = False
        try:
            behind, before = await upstream.connect()
            length = {} if request.get("transfer-encoding") is None else {"transfer_encoding": "chunked"}
            before.write(request.bytes(**length, x_forwarded_for="127.0.0.1") + body)
            answer = Head(await behind.readuntil(b"\r\n\r\n"))
            endless = answer.get("content-length") is None and answer.get("transfer-encoding") is None and not bodiless(request, answer)
            closes = request.closes or endless
            writer.write(answer.bytes(**({"connection": "close"} if closes else {})))
            begun = True
            if not bodiless(request, answer):
                async for part in pieces(behind, answer, endless):
                    writer.write(part)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            what = f"{request.first} at {upstream.url}: {type(error).__name__} {error}"
            if begun:
                self.failures.append(what)
                raise ConnectionError(what) from error
            return await self._fail(writer, request, what, 502)
        if answer.closes or endless or not upstream.ready:
            before.close()
        else:
            upstream.idle.append((behind, before))
        await writer.drain()
        return not closes

    async def _fail(self, writer, request, what, status):
        self.failures.append(what)
        text = what.encode()
        writer.write(f"HTTP/1.1 {status} Balancer\r\ncontent-type: text/plain\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()
        return not request.closes


def bodiless(request, answer):
    """Answers that never have a body (RFC 9110 section 6.4.1)."""
    status = answer.first.split(" ")[1]
    return request.first.startswith("HEAD ") or status in ("204", "304")


async def pieces(reader, head, endless=False):
    """The bytes of a body as they come, its chunks' frames included."""
    if (head.get("transfer-encoding") or "").lower() == "chunked":
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            # The last chunk is followed by trailers and an empty line; ours have none.
            yield line + await reader.readexactly(size + 2)
            if size == 0:
                return
    elif endless:
        while part := await reader.read(65536):
            yield part
    else:
        left = int(head.get("content-length") or 0)
        while left:
            part = await reader.read(min(left, 65536))
            if not part:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(part)
            yield part
