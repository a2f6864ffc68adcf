"""A unified ticket read through Patchbay against nginx as a plain reverse proxy to the same upstream, keep-alive throughout."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import httpx

import latency
import process
from patchbay import Installation

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache"

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream tickets {{ server 127.0.0.1:{upstream}; keepalive 8; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://tickets; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def nginx_binary():
    """The machine's nginx; or the distribution's package unpacked into .cache, so that no service is installed or started."""
    for place in (shutil.which("nginx"), "/usr/sbin/nginx", str(CACHE / "nginx/usr/sbin/nginx")):
        if place and os.access(place, os.X_OK):
            return place
    unpacked = CACHE / "nginx"
    with tempfile.TemporaryDirectory() as folder:
        process.run(["apt-get", "download", "nginx"], cwd=folder)
        [package] = pathlib.Path(folder).glob("nginx_*.deb")
        process.run(["dpkg-deb", "-x", str(package), str(unpacked)])
    return str(unpacked / "usr/sbin/nginx")


def measure(delay, count):
    """Answers (through Patchbay, through nginx, straight to the upstream), medians in seconds."""
    upstream = subprocess.Popen(["node", str(HERE / "upstream.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "DELAY": str(delay)})
    upstream_port = int(upstream.stdout.readline())
    folder = tempfile.mkdtemp(prefix="patchbay-nginx-")
    port = process.free_port()
    configuration = pathlib.Path(folder) / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, upstream=upstream_port, port=port))
    nginx = subprocess.Popen([nginx_binary(), "-c", str(configuration), "-e", f"{folder}/error.log"], stdin=subprocess.DEVNULL, start_new_session=True)
    installation = Installation()
    token = installation.init("Bench")["organization"]["token"]["access"]["secret"]
    server = installation.serve()
    try:
        process.wait_until_it_answers(f"http://127.0.0.1:{port}/served", nginx, f"{folder}/error.log", 10)
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:
            account = client.post("/v1/accounts", json={"name": "bench"}).raise_for_status().json()["result"]["account"]["id"]
            made = client.post(f"/v1/integrations/{account}", json={"name": "tickets", "provider_config": {
                "type": "ticketing_redmine", "url": f"http://127.0.0.1:{upstream_port}", "credential": {"type": "token", "secret": "0" * 40}}}).raise_for_status().json()["result"]
            lasting = client.post(f"/v1/tokens/{account}/{made['integration']['id']}", json={"token_ttl": "2h"}).raise_for_status().json()["result"]["secret"]
        ours = latency.Connection(server.url, {"Authorization": f"Bearer {lasting}"})
        plain = latency.Connection(f"http://127.0.0.1:{port}")
        straight = latency.Connection(f"http://127.0.0.1:{upstream_port}")

        def through(connection, path):
            request = connection.request(path)

            def call():
                status, body = connection.exchange(request)
                assert status == 200, body[:500]
                return body

            return call

        patchbay = through(ours, "/v1/ticketing/tickets?limit=25")
        reference = through(plain, "/issues.json?limit=25")
        direct = through(straight, "/issues.json?limit=25")
        tickets = json.loads(patchbay())["result"]
        assert len(tickets) == 25 and tickets[0]["summary"].startswith("Printer 0"), tickets[:1]
        assert len(reference()) == 20 * 1024
        return latency.interleaved([patchbay, reference, direct], count)
    finally:
        server.stop()
        installation.close()
        process.end(nginx, folder)
        upstream.stdin.close()
        upstream.wait(10)
