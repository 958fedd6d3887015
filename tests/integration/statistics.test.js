// Turnout over time, and what one may take away: the ballots of a final poll, for a recount, and the results as files.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { metricValue } from '../lib/check.js';
import { Instance, IS_SANITIZED } from '../lib/instance.js';
import { formulasOf, parseCsv } from '../lib/csv.js';
import { PROTOCOLS, patiently, request, requestJson } from '../lib/http.js';
import { encodeBatch } from '../lib/proto.js';
import { pick, seedOfRun, seeded } from '../lib/random.js';
import { runoff } from '../lib/runoff.js';
import { until, within } from '../lib/wait.js';

const random = seeded(seedOfRun());
const VOTERS = 80;
const TURNOUT_VOTERS = 60;
const ROWS = 30_000; // of the large file, a kilobyte each: more than the kernel keeps for a client that does not read

let instance;
before(async () => {
  // Nobody here gives a place up because time goes by.
  instance = await Instance.start({ workers: 2, env: { MAX_EXPORTS: '2', EXPORT_PATIENCE_MS: '600000' } });
});
after(() => instance?.stop());

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const get = (poll, name, headers = {}, protocol) =>
  request(instance.resultUrl, { path: `/v1/polls/${poll.id}/${name}`, headers }, protocol);
const from = (address) => ({ 'x-forwarded-for': address }); // this machine is a trusted proxy
const ballotsOf = (poll, protocol, headers = {}) => get(poll, 'ballots.csv', { ...bearer(poll.token), ...headers }, protocol);

const some = (options) => {
  const left = [...options];
  return Array.from({ length: 1 + Math.floor(random() * left.length) }, () => left.splice(Math.floor(random() * left.length), 1)[0]);
};
const marks = (header, row) => header.filter((_, i) => row[i] !== '');

/** How one votes at random by each method, and how a ballot is read from its line. */
const methods = {
  plurality: { select: (ids) => [pick(random, ids)], header: () => ['choice'], read: (header, [choice]) => choice },
  approval: { select: some, header: (ids) => ids, read: (header, row) => header.filter((_, i) => row[i] === '1') },
  ranked: { select: some, header: (ids) => ids.map((_, i) => `rank_${i + 1}`), read: (header, row) => row.slice(0, marks(header, row).length) },
  score: {
    select: (ids) => Object.fromEntries(some(ids).map((id) => [id, Math.floor(random() * 6)])),
    header: (ids) => ids,
    read: (header, row) => Object.fromEntries(marks(header, row).map((id) => [id, Number(row[header.indexOf(id)])])),
  },
};

/** The results as the ballots of the file give them. */
function recount(method, poll, ballots) {
  const count = (holds) => ballots.filter(holds).length;
  const rounds = method === 'ranked' ? runoff(poll.id, poll.options, ballots) : undefined;
  const results = poll.options.map((id) => {
    if (method === 'plurality') return { id, count: count((ballot) => ballot === id) };
    if (method === 'approval') return { id, count: count((ballot) => ballot.includes(id)) };
    if (method === 'ranked') return { id, count: count(([first]) => first === id) };
    const scores = ballots.map((ballot) => ballot[id]).filter((score) => score !== undefined);
    return { id, count: scores.length, sum: scores.reduce((a, b) => a + b, 0),
      distribution: [0, 1, 2, 3, 4, 5].map((score) => scores.filter((one) => one === score).length) };
  });
  return { results, runoff: rounds };
}

/** Ballots of a gateway's voters, some of them revised. */
async function cast(poll, select) {
  const ballots = Array.from({ length: VOTERS + 30 }, (_, i) => ({ voter: `person ${i % VOTERS}`, selection: select(poll.options) }));
  const answer = await requestJson(instance.voteUrl, 'POST', `/v1/polls/${poll.id}/ballots`, { ballots }, bearer(instance.apiKey));
  assert.equal(answer.status, 202, answer.text);
}

async function close(poll) {
  const answer = await patiently(() => requestJson(instance.voteUrl, 'PATCH', `/v1/polls/${poll.id}`, { state: 'closed' }, bearer(poll.token)));
  assert.equal(answer.status, 200, answer.text);
}

const final = (poll) => until('the poll is final', async () => {
  const { json } = await get(poll, 'results');
  if (json.state === 'final') return json;
  throw new Error(JSON.stringify(json));
});

/** A poll with ROWS ballots that each take a kilobyte. */
async function makeLarge() {
  const options = Array.from({ length: 30 }, (_, i) => ({ label: `Option ${i}`, id: `${i}`.padStart(32, 'o') }));
  const poll = await instance.createPoll({ options, method: 'ranked' });
  await cast(poll, (ids) => [ids[0]]);
  await instance.settle();
  const rankings = [poll.options, [...poll.options].reverse()].map((ids) => ids.join('>'));
  await instance.sql(`INSERT INTO ballots SELECT p.key, gen_random_uuid(), g, now(), ($2::text[])[g % 2 + 1]
    FROM polls AS p, generate_series(1, ${ROWS}) AS g WHERE id = $1`, [poll.id, rankings]);
  for (const table of ['ledger', 'timeline']) { // what the worker would have written down
    await instance.sql(`UPDATE ${table} SET received = counted FROM polls WHERE poll = key AND id = $1 AND slot = 0`, [poll.id]);
  }
  return poll;
}

const polls = {};

test('before the end: no ballots, and the reason', async () => {
  const options = [['=1+1', '-a'], ['Dogs, "all"', 'dogs'], ['\u{1F408} @cats', 'c'], ['+33 1', '9']].map(([label, id]) => ({ id, label }));
  for (const method of Object.keys(methods)) {
    const poll = await instance.createPoll({ options, method });
    polls[method] = poll;
    await cast(poll, methods[method].select);
    const answer = await until('result-api knows the poll', async () => {
      const one = await ballotsOf(poll);
      return one.status !== 404 && one;
    });
    assert.deepEqual([answer.status, answer.json.type], [409, '/problems/poll-not-final'], answer.text);
    assert.match(answer.json.detail, /The poll is open/);
  }
  polls.large = await makeLarge();
  await Promise.all(Object.values(polls).map(close)); // they become final while the timelines are looked at
});

// --- turnout

const timelineOf = (poll, query = '', protocol = undefined, headers = {}) => get(poll, `timeline${query}`, headers, protocol);
const floorTo = (step, ms) => Math.floor(ms / (step * 1000)) * step * 1000;

/** Publishes ballots as vote-api would, but with the times at which they are to have been cast. */
async function publish(poll, ballots) {
  const js = (await instance.nats()).jetstream();
  for (let at = 0; at < ballots.length; at += 7) {
    await js.publish('ballots.batch', encodeBatch({
      ballots: ballots.slice(at, at + 7).map(({ voter, choices, castAt }) => ({
        poll: poll.id, voter: Buffer.alloc(16, voter), choices, castAt,
      })),
    }));
  }
}

/** The buckets that a timeline must have. */
function bucketsOf(step, ballots, { revisable }) {
  const standing = new Map();
  const buckets = new Map();
  const bucket = (castAt) => {
    const at = floorTo(step, castAt);
    if (!buckets.has(at)) buckets.set(at, { at: new Date(at).toISOString(), received: 0, counted: 0 });
    return buckets.get(at);
  };
  for (const ballot of ballots) {
    bucket(ballot.castAt).received++;
    if (revisable || !standing.has(ballot.voter)) standing.set(ballot.voter, ballot);
  }
  for (const { castAt } of standing.values()) bucket(castAt).counted++;
  const times = [...buckets.keys()];
  for (let at = Math.min(...times); at <= Math.max(...times); at += step * 1000) bucket(at);
  return [...buckets.entries()].sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** Random ballots of some voters over a span, in the order of casting. */
function drawBallots(n, spanMs) {
  const from = Date.now() - spanMs;
  return Array.from({ length: n }, () => ({ castAt: from + Math.floor(random() * spanMs) }))
    .sort((a, b) => a.castAt - b.castAt)
    .map(({ castAt }) => ({ castAt, voter: Math.floor(random() * TURNOUT_VOTERS), choices: pick(random, ['o0', 'o1', 'o2']) }));
}

const received = (poll, n, query) => until('all is received', async () => {
  const answer = await timelineOf(poll, query);
  const sum = answer.json.buckets.reduce((all, bucket) => all + bucket.received, 0);
  if (sum === n) return answer.json;
  throw new Error(answer.text);
});

for (const revisable of [true, false]) {
  test(`a timeline is what a count gives, ${revisable ? 'revisable' : 'first ballot final'}`, async () => {
    const poll = await instance.createPoll({ n: 3, revisable });
    const ballots = drawBallots(500, 20 * 60_000);
    await publish(poll, ballots);
    const all = await received(poll, ballots.length);
    assert.equal(all.poll, poll.id);
    assert.equal(all.step_s, 5);
    assert.deepEqual(all.buckets, bucketsOf(5, ballots, { revisable }));
    const voters = new Set(ballots.map(({ voter }) => voter)).size;
    assert.equal(all.revisions, revisable ? ballots.length - voters : 0);
    const peak = Math.max(...all.buckets.map((bucket) => bucket.received));
    assert.deepEqual(all.peak, { at: all.buckets.find((bucket) => bucket.received === peak).at, per_second: peak / 5 });
    for (const step of [15, 60, 95, 3600]) {
      const { json } = await timelineOf(poll, `?step=${step}`);
      assert.equal(json.step_s, step);
      assert.deepEqual(json.buckets, bucketsOf(step, ballots, { revisable }));
      assert.deepEqual(json.peak, all.peak, 'the peak does not depend on the step');
    }
    const { code, report } = await instance.audit(['--poll', poll.id]); // another test writes rows that the stream does not have
    assert.equal(code, 0, JSON.stringify(report));
  });
}

test('the timeline of a long poll gets bigger steps, and few buckets', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const ballots = drawBallots(60, 30 * 86_400_000);
  await publish(poll, ballots);
  const all = await received(poll, ballots.length);
  assert.ok(all.buckets.length <= 360 && all.buckets.length > 100, `${all.buckets.length}`);
  assert.deepEqual(all.buckets, bucketsOf(all.step_s, ballots, { revisable: true }));
  const { json } = await timelineOf(poll, '?step=5');
  assert.ok(json.step_s > 5 && json.step_s < all.step_s && json.buckets.length <= 2000, `${json.step_s}, ${json.buckets.length}`);
  assert.deepEqual(json.buckets, bucketsOf(json.step_s, ballots, { revisable: true }));
});

test('a timeline as CSV', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const ballots = drawBallots(50, 60_000);
  await publish(poll, ballots);
  const { buckets } = await received(poll, ballots.length, '?step=10');
  const answer = await get(poll, 'timeline.csv?step=10');
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present');
  assert.equal(answer.headers['content-disposition'], `attachment; filename="${poll.id}-timeline.csv"`);
  assert.equal(answer.text, ['at,received,counted', ...buckets.map(({ at, ...n }) => `${at},${n.received},${n.counted}`), ''].join('\r\n'));
});

test('a timeline without ballots, and refusals', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const { json } = await until('result-api knows it', async () => {
    const answer = await timelineOf(poll);
    return answer.status === 200 && answer;
  });
  assert.deepEqual(json, { poll: poll.id, step_s: 5, buckets: [], peak: null, revisions: 0 });
  for (const step of ['', '0', '-5', '7', '5.0', 'x', '31536005', '99999999999999999999']) {
    const answer = await timelineOf(poll, `?step=${step}`);
    assert.deepEqual([answer.status, answer.json.type, answer.json.pointer], [400, '/problems/invalid-parameter', 'step'], step);
  }
  assert.equal((await timelineOf({ id: 'nowhere' })).json.type, '/problems/poll-not-found');
});

const metric = async (name) => metricValue((await request(instance.resultUrl, { path: '/metrics' })).text, name);

test('somebody who asks for timelines with ever new steps keeps nobody else waiting, and costs no look at the database each', async () => {
  const poll = await instance.createPoll({ n: 3 });
  const ballots = drawBallots(200, 20 * 60_000);
  await publish(poll, ballots);
  await instance.settle();
  await until('result-api knows it', async () => (await get(poll, 'results')).status === 200);
  const looked = await metric('result_timelines_read_total');
  const seen = { 200: 0, 503: 0 };
  const sessions = Array.from({ length: 15 }, () => http2.connect(instance.resultUrl)); // each takes 100 requests at once
  const floods = [];
  let step = 0;
  const flood = (session) => floods.push(...Array.from({ length: 100 }, () => new Promise((done, failed) => {
    const stream = session.request({ ':path': `/v1/polls/${poll.id}/timeline?step=${step += 5}`, ...from('192.0.2.1') });
    stream.on('response', (fields) => { seen[fields[':status']]++; });
    stream.on('end', done).on('error', failed).resume();
  })));
  const lock = await instance.db.connect();
  let honest;
  try {
    await lock.query('BEGIN; LOCK TABLE timeline'); // the first look waits, and all behind it
    sessions.slice(1).forEach(flood);
    const PLACES = 1000;
    await until('the flood has most of the places', () => seen[503] >= 1400 - PLACES - 1);
    flood(sessions[0]);
    await until('the flood has all the places that it gets', () => seen[503] >= 1500 - PLACES - 1);
    honest = timelineOf(poll, '?step=10', 'HTTP/1.1', from('192.0.2.2'));
    await until('the other one is in line, or was sent away', async () => {
      const waiting = await metric('http_requests_waiting');
      return waiting + seen[503] + seen[200] > floods.length || (await Promise.race([honest, 'waits'])) !== 'waits';
    });
  } finally {
    await lock.query('ROLLBACK');
    lock.release();
  }
  const answer = await honest;
  assert.notEqual(answer.json.type, '/problems/overloaded');
  await Promise.all(floods);
  for (const session of sessions) session.close();
  assert.deepEqual((await timelineOf(poll, '?step=10')).json.buckets, bucketsOf(10, ballots, { revisable: true }));
  const reads = await metric('result_timelines_read_total') - looked;
  assert.ok(reads >= 1 && reads < 100, `${reads} looks for ${seen[200]} answers`);
});

// --- ballots and results

test('the ballots are for who manages the poll', async () => {
  const poll = polls.plurality;
  const refused = async (headers, status, type) => {
    const answer = await get(poll, 'ballots.csv', headers);
    assert.deepEqual([answer.status, answer.json.type], [status, `/problems/${type}`], answer.text);
  };
  await final(poll);
  await refused({}, 401, 'unauthorized');
  await refused(bearer(polls.approval.token), 403, 'forbidden');
  await refused(bearer(instance.apiKey), 403, 'forbidden');
  assert.equal((await ballotsOf({ id: 'nowhere', token: poll.token })).status, 404);
});

for (const [method, { header, read }] of Object.entries(methods)) {
  test(`${method}: the ballots of the file give the result`, async () => {
    const poll = polls[method];
    const json = await final(poll);
    const answer = await ballotsOf(poll);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present');
    assert.equal(answer.headers['content-disposition'], `attachment; filename="${poll.id}-ballots.csv"`);
    assert.equal(answer.headers['cache-control'], 'private, no-store');
    const [head, ...rows] = parseCsv(answer.text);
    assert.deepEqual(head, header(poll.options));
    assert.equal(rows.length, VOTERS);
    assert.ok(rows.every((row) => row.length === head.length));
    const found = recount(method, poll, rows.map((row) => read(head, row)));
    for (const [i, expected] of found.results.entries()) {
      for (const [field, value] of Object.entries(expected)) assert.deepEqual(json.results[i][field], value, `${field} of ${expected.id}`);
    }
    assert.deepEqual(json.runoff, found.runoff);
    assert.equal(json.total, rows.length);
    assert.doesNotMatch(answer.text, /(^|,|\n)"?[=+\-@]/, 'nothing that a spreadsheet would calculate');

    const stored = await instance.sql('SELECT choices FROM ballots JOIN polls ON key = poll WHERE id = $1 ORDER BY choices', [poll.id]);
    assert.equal(stored.length, rows.length);
    assert.equal((await ballotsOf(poll, 'HTTP/2')).text, answer.text, 'the order is that of the choices, each time the same');
  });

  test(`${method}: results.csv and results.json say what the results say`, async () => {
    const poll = polls[method];
    const json = await final(poll);
    const file = await get(poll, 'results.json');
    assert.deepEqual(file.json, json);
    assert.equal(file.headers['content-disposition'], `attachment; filename="${poll.id}-results.json"`);
    const csv = await get(poll, 'results.csv');
    assert.equal(csv.headers['content-disposition'], `attachment; filename="${poll.id}-results.csv"`);
    const [head, ...rows] = parseCsv(csv.text);
    assert.deepEqual(rows.map((row) => row.slice(0, 3)), json.results.map(({ id, label, count }) => [id, label, String(count)]));
    assert.doesNotMatch(csv.text, /(^|,|\n)"?[=+\-@]/, 'nothing that a spreadsheet would calculate');
    const column = (name) => rows.map((row) => row[head.indexOf(name)]);
    if (method === 'score') {
      assert.deepEqual(column('sum'), json.results.map(({ sum }) => String(sum)));
      assert.deepEqual(column('mean').map(Number), json.results.map(({ mean }) => mean ?? 0));
      for (const score of [0, 1, 2, 3, 4, 5]) {
        assert.deepEqual(column(`score_${score}`), json.results.map(({ distribution }) => String(distribution[score])));
      }
    }
    if (method === 'ranked') {
      json.runoff.rounds.forEach(({ counts }, i) =>
        assert.deepEqual(column(`round_${i + 1}`), json.results.map(({ id }) => String(counts[id] ?? ''))));
      assert.deepEqual(column('winner'), json.results.map(({ id }) => String(id === json.runoff.winner)));
    }
  });
}

const FORMULAS = [';=1+1;', 'a;=2*3', '";=1+1;"', '; =1+1', ';＝1+1;', '+1;-1;@SUM(1)', ',=1+1,', "';=1+1", '=1+1'];

test('no spreadsheet calculates anything of a file, whichever separator it opens it with', async () => {
  const poll = await instance.createPoll({ options: FORMULAS.map((label, i) => ({ id: `-${i}`, label })) });
  await cast(poll, (ids) => [pick(random, ids)]);
  await close(poll);
  await final(poll);
  const results = (await get(poll, 'results.csv')).text;
  assert.deepEqual(parseCsv(results).slice(1).map(([id, label]) => [id, label]), FORMULAS.map((label, i) => [`-${i}`, label]));
  const files = { results, ballots: (await ballotsOf(poll)).text, timeline: (await get(poll, 'timeline.csv')).text,
    unguarded: '"a",";=1+1;",5\r\n=2+2\r\n' };
  for (const separator of [';', ',', '\t']) {
    const { unguarded, ...ours } = await formulasOf(files, separator);
    assert.notDeepEqual(unguarded, [], `LibreOffice calculates where it can, with ${JSON.stringify(separator)}`);
    assert.deepEqual(ours, { results: [], ballots: [], timeline: [] }, JSON.stringify(separator));
  }
});

// --- a large file

/** Asks for the file and reads none of it but the headers. `read` goes on and gives the number of bytes, or why it broke off. */
async function beginToRead(poll, protocol, { url = instance.resultUrl, address = '192.0.2.1' } = {}) {
  const path = `/v1/polls/${poll.id}/ballots.csv`;
  const client = protocol === 'HTTP/2' ? http2.connect(url) : undefined;
  client?.on('error', () => {});
  const stream = await new Promise((resolve, reject) => {
    const headers = { ...bearer(poll.token), ...from(address) };
    const asked = client ? client.request({ ':path': path, ...headers }) : http.get(new URL(path, url), { headers, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const status = client ? response[':status'] : response.statusCode;
      if (status === 200) resolve(client ? asked : response);
      else reject(new Error(`${path}: ${status}`));
    });
  });
  stream.pause();
  const leave = () => (client ?? stream).destroy();
  let size = 0;
  const ended = new Promise((resolve) => {
    stream.on('end', () => (resolve(stream.rstCode ? `reset ${stream.rstCode}` : size), leave())); // cut off, it may end too
    stream.on('error', (error) => resolve(error.code ?? error.message));
    stream.on('close', () => (leave(), resolve('closed')));
  });
  const read = () => {
    stream.on('data', (chunk) => (size += chunk.length)).resume();
    return within(60_000, 'the file ends', ended);
  };
  return { read, leave };
}

const rssOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

test('a large file: in little memory, whole or broken off, and for a few at a time', async (t) => {
  const poll = polls.large;
  await final(poll);
  const pid = await instance.pid('result-api');
  const size = (await ballotsOf(poll)).body.length;
  const before = rssOf(pid);
  assert.ok(size > ROWS * 990);

  await t.test('as many as MAX_EXPORTS; who leaves makes room; memory does not grow with the file', async () => {
    const readers = [await beginToRead(poll, 'HTTP/1.1')];
    const another = await ballotsOf(poll, 'HTTP/2', from('192.0.2.1'));
    assert.deepEqual([another.status, another.json.type], [503, '/problems/overloaded']);
    assert.match(another.json.detail, /This address/, 'half of the places at most');
    readers.push(await beginToRead(poll, 'HTTP/2', { address: '2001:db8:1::1' }));
    const refused = await ballotsOf(poll);
    assert.deepEqual([refused.status, refused.json.type, refused.headers['retry-after']], [503, '/problems/overloaded', '600']);
    assert.equal((await get(poll, 'results')).status, 200, 'the results go on');
    const [first, second] = readers.map(({ read }) => read());
    assert.equal(await first, size);
    assert.equal(await second, size);
    for (const [i, protocol] of PROTOCOLS.entries()) (await beginToRead(poll, protocol, { address: `192.0.2.${3 + i}` })).leave();
    await until('there is room again', async () => (await ballotsOf(poll)).status === 200);
    const grown = rssOf(pid) - before;
    assert.ok(IS_SANITIZED || grown < size / 1024 / 1024 / 3, `${grown} MiB for a file of ${size / 1024 / 1024}`);
  });

  for (const protocol of PROTOCOLS) {
    await t.test(`a lost database breaks the file off over ${protocol}`, async () => {
      const reader = await beginToRead(poll, protocol);
      await instance.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'result-api ballots'");
      const end = await reader.read();
      assert.notEqual(typeof end, 'number', 'not as if it were whole');
      await until('the next one is whole', async () => (await ballotsOf(poll)).body.length === size);
    });
  }

  const ofOthers = (await instance.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'result-api ballots'")).map(({ pid: of }) => of);
  const { url } = await instance.spawn('result-api', { DEADLINE_MS: '1000' });
  await until('it knows that the poll is final', async () =>
    (await request(url, { path: `/v1/polls/${poll.id}/results` })).json.state === 'final');
  for (const protocol of PROTOCOLS) {
    await t.test(`a client that does not read is cut off over ${protocol}`, async () => {
      const reader = await beginToRead(poll, protocol, { url });
      await until('its cursor is closed', async () => (await instance.sql(`SELECT 1 FROM pg_stat_activity
        WHERE application_name = 'result-api ballots' AND pid <> ALL ($1) AND query LIKE 'CLOSE ballots%'`, [ofOthers])).length === 1);
      assert.notEqual(typeof await reader.read(), 'number');
    });
  }

  await t.test('files that nobody reads make room for those who wait', async () => {
    const { url: eager } = await instance.spawn('result-api', { DEADLINE_MS: '600000', EXPORT_PATIENCE_MS: '100', MAX_EXPORTS: '4' });
    await until('it knows that the poll is final', async () =>
      (await request(eager, { path: `/v1/polls/${poll.id}/results` })).json.state === 'final');
    const held = [];
    for (let i = 0; i < 4; i++) held.push(await beginToRead(poll, PROTOCOLS[i % 2], { url: eager, address: `2001:db8:${i}::1` }));
    await until('an honest manager has his file', async () => {
      const answer = await request(eager, { path: `/v1/polls/${polls.plurality.id}/ballots.csv`,
        headers: { ...bearer(polls.plurality.token), ...from('192.0.2.9') } });
      return answer.status === 200 && parseCsv(answer.text).length === VOTERS + 1;
    }, { timeout: 30_000 });
    const ends = await Promise.all(held.map(({ read }) => read()));
    assert.ok(ends.filter((end) => end === size).length >= 2, `they lost no more places than were wanted: ${ends}`);
  });
});
