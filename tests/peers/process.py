"""What the peers share: free ports, readiness, and an end that leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request


def free_port():
    """A port of the loopback interface that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url, child, log, seconds):
    """Waits until `url` gives any HTTP answer; a dead child or the time limit is an error that quotes the log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise SystemExit(f"{url}: the server ended with status {child.returncode}\n{tail(log)}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url}: no answer within {seconds} s\n{tail(log)}")


def tail(log):
    try:
        with open(log, encoding="utf-8", errors="replace") as lines:
            return "".join(lines.readlines()[-30:])
    except OSError:
        return ""


def run(command, **settings):
    """Runs one step of the preparation; its output is shown only when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **settings)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}\n{done.stdout[:3000]}")
    return done.stdout


def stay_until_told(child, with_stdin):
    """Blocks until SIGTERM, SIGINT, the child's end or, `with_stdin`, the end of standard input (so that a
    killed test run takes its peers with it)."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, lambda *_: told.set())
    if with_stdin:
        def until_closed():
            while sys.stdin.buffer.read(4096):
                pass
            told.set()
        threading.Thread(target=until_closed, daemon=True).start()
    while not told.wait(0.2):
        if child.poll() is not None:
            return


def end(child, folder):
    """Ends the child's whole process group (started with start_new_session) and removes its folder."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, how)
        except ProcessLookupError:
            break
        try:
            child.wait(10)
            break
        except subprocess.TimeoutExpired:
            continue
    shutil.rmtree(folder, ignore_errors=True)
