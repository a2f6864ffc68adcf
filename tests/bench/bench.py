#!/usr/bin/env python3
"""Every figure beside its reference in the same run, as one table:  tests/bench/bench.py [volume] [proxying] [windows] [stores]

PROFILE says which build is measured (release; `make bench` builds it). BENCH_CREDENTIALS (100000) and BENCH_SECONDS (20) bound the
measurements of stores. Status 1 when an aim is missed.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))

import patchbay  # noqa: E402


def main(parts):
    rows = []
    add = lambda what, ours, reference, aim, unit, scale: rows.append((what, f"{ours * scale:.2f} {unit}", f"{reference * scale:.2f} {unit}", ours / reference, aim))
    if "volume" in parts:
        import volume

        million = volume.Volume()
        for what, ours, bare in volume.lists(million):
            add(f"list: {what}, API / bare SQL", ours, bare, 3.0, "ms", 1e3)
        for what, ours, bare in volume.creates(million):
            add(f"create: {what}, API / bare insert", ours, bare, 3.0, "ms", 1e3)
        million.close()
        ours, bare, told = volume.imports()
        add("import of 100,000 integrations / bare inserts of its rows", ours, bare, None, "s", 1)
        print(f"(progress of the import, half-way: {told})", file=sys.stderr)
    if "proxying" in parts:
        import proxying

        for delay, count, aim in ((5, 400, 1.5), (0, 1000, None)):
            ours, nginx, direct = proxying.measure(delay, count)
            add(f"ticket page, upstream {delay} ms, Patchbay / nginx", ours, nginx, aim, "ms", 1e3)
            print(f"(straight to the upstream of {delay} ms: {direct * 1e3:.2f} ms)", file=sys.stderr)
    if "windows" in parts:
        import windows

        (ours, our_memory), (blank, blank_memory) = windows.measure(patchbay.binary("patchbay-desktop"), patchbay.binary("examples/blank-window"))
        add("launch to first usable list / blank window", ours, blank, 1.3, "s", 1)
        add("memory (PSS) / blank window", our_memory, blank_memory, 1.3, "MB", 1e-6)
    least = []
    if "stores" in parts:
        import stores

        credentials, seconds = int(os.environ.get("BENCH_CREDENTIALS", 100_000)), int(os.environ.get("BENCH_SECONDS", 20))
        two, one, share = stores.two_against_one(seconds)
        least.append(("answers a second, two servers of a quarter core / one", f"{two:.0f} /s", f"{one:.0f} /s", two / one, 1.7))
        print(f"(most that a server used: {share:.2f} of a core)", file=sys.stderr)
        for what, ours, bare in stores.costs(credentials, max(1, seconds // 2)):
            add(what, ours, bare, None, "ms", 1e3)
        for backend in ("sqlite", "postgres"):
            ours, verify = stores.rotation(credentials, backend)
            add(f"rotation of {credentials:,} credentials, {backend} / verify", ours, verify, None, "s", 1)
    print(f"{'':60} {'Patchbay':>12} {'reference':>12} {'ratio':>7} {'aim':>7}")
    for what, ours, reference, ratio, aim in rows:
        verdict = "" if aim is None else "  met" if ratio <= aim else "  MISSED"
        print(f"{what:60} {ours:>12} {reference:>12} {ratio:>7.2f} {f'<= {aim}' if aim else '':>7}{verdict}")
    for what, ours, reference, ratio, aim in least:
        print(f"{what:60} {ours:>12} {reference:>12} {ratio:>7.2f} {f'>= {aim}':>7}{'  met' if ratio >= aim else '  MISSED'}")
    return int(any(aim is not None and ratio > aim for *_, ratio, aim in rows) or any(ratio < aim for *_, ratio, aim in least))


if __name__ == "__main__":
    os.environ.setdefault("PROFILE", "release")
    raise SystemExit(main(sys.argv[1:] or ["volume", "proxying", "windows", "stores"]))
