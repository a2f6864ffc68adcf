// A line to a server on this machine that can be cut, and that remembers what passed.

import { createServer, connect } from "node:net";

/** Connections break when it is cut, and new ones are refused until it is mended. */
export async function lineTo(port) {
  const open = new Set();
  const passed = [];
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const end of [near, far]) {
      open.add(end);
      end.on("error", () => {}).on("close", () => open.delete(end));
      end.on("data", (part) => passed.push(part));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const own = server.address().port;
  return {
    url: `http://127.0.0.1:${own}`,
    /** Everything that went over it, in both directions. */
    passed: () => Buffer.concat(passed).toString("latin1"),
    cut() {
      server.close();
      for (const end of open) end.destroy();
    },
    mend: () => new Promise((done) => server.listen(own, "127.0.0.1", done)),
  };
}
