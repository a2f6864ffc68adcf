"""Launch and memory of the desktop application beside a blank Tauri window of the same crates, under Xvfb.

Time runs from the start of the process (as the kernel notes it) to the moment when the page says, by the same clock, that
what is waited for stands in its document. Memory is the proportional set size of the process and all its children.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import process
from patchbay import Installation

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
SETTLE = 3.0


class Driver:
    """WebKitWebDriver and one session of it; plain HTTP is enough."""

    def __init__(self, program, environment):
        self.port = process.free_port()
        self.child = subprocess.Popen(
            ["WebKitWebDriver", f"--port={self.port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**environment, "TAURI_WEBVIEW_AUTOMATION": "true"},
        )
        for _ in range(200):
            with contextlib.suppress(OSError, urllib.error.URLError):
                self.ask("GET", "/status")
                break
            time.sleep(0.02)
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": {"binary": program, "args": []}}}})
        self.session = f"/session/{answer['value']['sessionId']}"

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=json.dumps(body).encode() if body is not None else None, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def script(self, text):
        return self.ask("POST", f"{self.session}/execute/sync", {"script": text, "args": []})["value"]

    def close(self):
        with contextlib.suppress(OSError, urllib.error.URLError):
            self.ask("DELETE", self.session)
        process.end(self.child, tempfile.mkdtemp())


def descendants(root):
    """The process ids below `root`, itself included."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, open_ = [], [root]
    while open_:
        one = open_.pop()
        found.append(one)
        open_ += children.get(one, [])
    return found


def started(pid):
    """When the kernel started the process, in seconds since the epoch."""
    ticks = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    boot = next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime "))
    # btime is whole seconds; the uptime clock gives the rest.
    uptime = float(open("/proc/uptime").read().split()[0])
    boot = time.time() - uptime if abs(time.time() - uptime - boot) < 2 else boot
    return boot + ticks / CLOCK_TICKS


def memory(pid):
    """Proportional set size in bytes of the process and everything below it."""
    total = 0
    for one in descendants(pid):
        with contextlib.suppress(OSError):
            for line in open(f"/proc/{one}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def launch(program, environment, ready):
    """One start: (seconds until `ready` is true in the page, bytes once it has settled)."""
    driver = Driver(program, environment)
    try:
        name = os.path.basename(program)
        pid = next(one for one in descendants(driver.child.pid) if os.path.realpath(f"/proc/{one}/exe") == os.path.realpath(program))
        start = started(pid)
        deadline = time.monotonic() + 60
        while True:
            moment = driver.script(f"return ({ready}) ? Date.now() : 0")
            if moment:
                break
            assert time.monotonic() < deadline, f"{name}: {ready} did not come true; the page says: {driver.script('return document.body.innerText')[:500]}"
            time.sleep(0.005)
        time.sleep(SETTLE)
        return moment / 1000 - start, memory(pid)
    finally:
        driver.close()


@contextlib.contextmanager
def display():
    """An X server of its own."""
    read, write = os.pipe()
    child = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"], pass_fds=[write], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(write)
    number = os.read(read, 16).decode().strip()
    os.close(read)
    try:
        yield f":{number}"
    finally:
        process.end(child, tempfile.mkdtemp())


def measure(application, blank, rounds=5):
    """Medians: (seconds, bytes) of the application and of the blank window, started turn by turn."""
    installation = Installation()
    token = installation.init("Bench")["organization"]["token"]["access"]["secret"]
    server = installation.serve(private_networks=False)
    for number in range(25):
        request = urllib.request.Request(f"{server.url}/v1/accounts", method="POST", data=json.dumps({"name": f"customer-{number:02}"}).encode(),
                                         headers={"authorization": f"Bearer {token}", "content-type": "application/json"})
        urllib.request.urlopen(request).close()
    server.stop()
    home = tempfile.TemporaryDirectory(prefix="patchbay-bench-home-")
    config = pathlib.Path(home.name) / "config" / "dev.patchbay.desktop"
    config.mkdir(parents=True)
    (config / "stores.json").write_text(json.dumps([{"path": str(installation.path), "key_source": f"file:{installation.key}"}]))
    with display() as screen:
        environment = {
            **os.environ, "DISPLAY": screen, "NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11", "HOME": home.name, "XDG_CONFIG_HOME": f"{home.name}/config", "XDG_DATA_HOME": f"{home.name}/data",
            "XDG_CACHE_HOME": f"{home.name}/cache", "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
        }
        environment.pop("WAYLAND_DISPLAY", None)
        ours, theirs = [], []
        for round_ in range(rounds + 1):
            one = launch(application, environment, "document.body.innerText.includes('accounts.create')")
            two = launch(blank, environment, "!!document.getElementById('ready')")
            if round_ > 0:  # the first start warms the caches of both
                ours.append(one)
                theirs.append(two)
    home.cleanup()
    installation.close()
    median = lambda rows: tuple(statistics.median(column) for column in zip(*rows))
    return median(ours), median(theirs)
