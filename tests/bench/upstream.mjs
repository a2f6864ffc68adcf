// The upstream stand-in: a page of tickets in Redmine's shape, 20 KB, after DELAY milliseconds; prints its port.
import { createServer } from 'node:http';

const issues = Array.from({ length: 25 }, (_, index) => ({
  id: 1000 + index,
  project: { id: 1, name: 'Support' },
  tracker: { id: 1, name: 'Bug' },
  status: { id: 1, name: 'New', is_closed: false },
  priority: { id: 2, name: 'Normal' },
  author: { id: 5, name: 'Ada Lovelace' },
  assigned_to: { id: 6, name: 'Zoë Ångström' },
  subject: `Printer ${index} on the third floor prints blank pages`,
  description: 'What I did: nothing special. What happened: see above. '.repeat(3),
  start_date: null,
  due_date: index % 2 ? '2027-01-15' : null,
  done_ratio: 10,
  is_private: false,
  estimated_hours: null,
  custom_fields: [{ id: 1, name: 'Customer reference', value: `REF-${index}` }],
  created_on: '2026-10-02T14:00:00Z',
  updated_on: '2026-10-02T14:02:00Z',
  closed_on: null,
}));
const body = JSON.stringify({ issues, total_count: 2500, offset: 0, limit: 25 });
const page = Buffer.alloc(20 * 1024, ' ');
page.write(body);
const delay = Number(process.env.DELAY ?? 0);
let served = 0;

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  served += 1;
  const answer = () => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': page.length });
    response.end(page);
  };
  if (request.url === '/served') {
    response.end(String(served - 1));
  } else if (delay > 0) setTimeout(answer, delay);
  else answer();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
