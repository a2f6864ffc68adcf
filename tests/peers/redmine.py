#!/usr/bin/env python3
"""A private Redmine 5, made from Debian's package without touching its files or its configuration.

    tests/peers/redmine.py [--stdin]

Prints one JSON line when it answers, stays in the foreground, and removes everything when it gets SIGTERM (or, with
--stdin, when its standard input closes). The seeded database is kept in .cache/peers of the checkout, so only the first
start on a machine pays for the migrations; every start gets a copy of its own, with API keys of its own.

Needs: redmine redmine-sqlite ruby-sqlite3 puma (Debian 12).
"""

import hashlib
import json
import os
import pathlib
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import process

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = pathlib.Path("/usr/share/redmine")
SEED = HERE / "redmine_seed.rb"
CACHE = HERE.parent.parent / ".cache" / "peers"


def package_version():
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "redmine"], capture_output=True, text=True)
    if found.returncode != 0 or not PACKAGE.is_dir():
        raise SystemExit("Redmine is not installed: apt-get install redmine redmine-sqlite ruby-sqlite3 puma")
    return found.stdout


def environment(root):
    """Only what Ruby needs, so that settings of the caller (BUNDLE_*, RUBYOPT) cannot reach it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "LANG": "C.UTF-8",
        "RAILS_ENV": "production",
        "BUNDLE_GEMFILE": str(root / "Gemfile"),
        "REDMINE_LANG": "en",
        "RAILS_LOG_LEVEL": "warn",
    }


def lay_out(root):
    """The package's tree with a configuration of its own: the default instance lives inside `root`."""
    shutil.copytree(PACKAGE, root, symlinks=True, ignore=shutil.ignore_patterns("instances", "Gemfile.lock", "database.yml"))
    instance = root / "instances" / "default"
    for folder in ("config", "log", "files", "tmp", "public/plugin_assets"):
        (instance / folder).mkdir(parents=True)
    settings = "production:\n  adapter: sqlite3\n  timeout: 10000\n  database: " + str(instance / "redmine.sqlite3") + "\n"
    (instance / "config" / "database.yml").write_text(settings)
    (root / "config" / "database.yml").write_text(settings)
    (instance / "config" / "secret_key.txt").write_text(secrets.token_hex(64))
    gemfile = root / "Gemfile"
    gemfile.write_text(gemfile.read_text().replace(str(PACKAGE) + "/", str(root) + "/"))
    (root / "Gemfile.local").write_text("gem 'puma'\n")
    return instance


def seeded_template():
    """The migrated and filled database with its facts; made once per package version and seed."""
    digest = hashlib.sha256(SEED.read_bytes() + pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
    template = CACHE / f"redmine-{package_version()}-{digest}"
    if template.is_dir():
        return template
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        root = pathlib.Path(work) / "redmine"
        instance = lay_out(root)
        settings = {"cwd": root, "env": environment(root)}
        process.run(["bundle", "install", "--local"], **settings)
        process.run(["bundle", "exec", "rake", "db:migrate"], **settings)
        process.run(["bundle", "exec", "rake", "redmine:load_default_data"], **settings)
        facts = process.run(["bundle", "exec", "rails", "runner", str(SEED)], **settings)
        made = pathlib.Path(work) / "template"
        made.mkdir()
        shutil.copy(instance / "redmine.sqlite3", made)
        shutil.copytree(instance / "files", made / "files")
        shutil.copy(root / "Gemfile.lock", made)
        (made / "facts.json").write_text(facts.strip().splitlines()[-1])
        try:
            made.rename(template)
        except OSError:
            if not template.is_dir():  # another run may have been first
                raise
    return template


def fresh_keys(database, logins):
    """API keys that exist in this instance only."""
    keys = {login: secrets.token_hex(20) for login in logins}
    with sqlite3.connect(database) as store:
        for login, key in keys.items():
            changed = store.execute(
                "UPDATE tokens SET value = ? WHERE action = 'api' AND user_id = (SELECT id FROM users WHERE login = ?)", (key, login)
            ).rowcount
            if changed != 1:
                raise SystemExit(f"the seeded Redmine has {changed} API keys for {login} instead of 1: remove .cache/peers and try again")
    store.close()
    return keys


def main():
    template = seeded_template()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="patchbay-redmine-"))
    root = folder / "redmine"
    instance = lay_out(root)
    shutil.copy(template / "Gemfile.lock", root)
    shutil.copy(template / "redmine.sqlite3", instance)
    shutil.rmtree(instance / "files")
    shutil.copytree(template / "files", instance / "files")
    facts = json.loads((template / "facts.json").read_text())
    keys = fresh_keys(instance / "redmine.sqlite3", [user["login"] for user in facts["users"]])
    for user in facts["users"]:
        user["api_key"] = keys[user["login"]]
    port = process.free_port()
    url = f"http://127.0.0.1:{port}"
    log = instance / "log" / "puma.log"
    with open(log, "wb") as output:
        child = subprocess.Popen(
            ["bundle", "exec", "puma", "--bind", f"tcp://127.0.0.1:{port}", "--threads", "2:4", "--workers", "0", "config.ru"],
            cwd=root, env=environment(root), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )
    try:
        process.wait_until_it_answers(f"{url}/projects.json", child, log, 120)
        print(json.dumps({"url": url, "pid": child.pid, "log": str(log), **facts}), flush=True)
        process.stay_until_told(child, "--stdin" in sys.argv)
    finally:
        process.end(child, folder)


if __name__ == "__main__":
    main()
