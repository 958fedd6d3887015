// SIGKILL of everything in turn and at random, and a broker that is stopped, restarted or away, with load running.
// SPDX-License-Identifier: MIT
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Instance } from '../lib/instance.js';
import { acknowledges, underLoad } from '../lib/check.js';
import { request } from '../lib/http.js';
import { pick, seedOfRun, seeded } from '../lib/random.js';
import { until } from '../lib/wait.js';

const PROGRAMS = ['worker:worker_0', 'worker:worker_1', 'vote-api', 'result-api', 'nats', 'postgres'];
const RANDOM_KILLS = 16;

let instance;
const random = seeded(seedOfRun());
before(async () => {
  instance = await Instance.start({ workers: 2, env: { ACK_WAIT_MS: '3000' } });
});
after(() => instance?.stop());

test('SIGKILL in turn: worker, vote-api, result-api, nats-server, postgres', async () => {
  await underLoad(instance, 'killed in turn', async (load) => {
    for (const program of PROGRAMS) {
      assert.equal(await instance.deadlocks(), 0);
      await instance.killAndWait(program);
      await instance.ready();
      await acknowledges(load);
    }
  }, { random });
});

test('SIGKILL at random', async () => {
  await underLoad(instance, 'killed at random', async () => {
    const kills = [];
    while (kills.length < RANDOM_KILLS) {
      const program = pick(random, PROGRAMS);
      const pid = await instance.pid(program).catch(() => 0); // it may just be starting
      if (pid > 0) {
        try {
          process.kill(pid, 'SIGKILL');
          kills.push(program);
        } catch (error) {
          if (error.code !== 'ESRCH') throw error;
        }
      }
      await pause(random() * 1200); // the fault's own timing, not a wait for something
    }
    console.log(`# ${kills.length} kills: ${kills.join(' ')}`);
  }, { random });
});

test('first ballot final, SIGKILL of worker, nats-server and vote-api at once', async () => {
  await underLoad(instance, 'first is final, killed', async (load) => {
    await Promise.all(['worker:worker_0', 'nats', 'vote-api'].map((program) => instance.killAndWait(program)));
    await instance.ready();
    await acknowledges(load, 50);
  }, { revisable: false, random });
});

test('broker SIGSTOP 10 s: /livez at once, ballots 503 in time, then it resumes', async () => {
  await underLoad(instance, 'broker stopped', async (load) => {
    const [own] = await load.register(1, { idle: false });
    const nats = await instance.signal('nats', 'SIGSTOP');
    const answers = [];
    try {
      const end = performance.now() + 10_000;
      const waits = new Map(instance.urls().map((url) => [url, []]));
      const alive = Promise.all(instance.urls().map(async (url) => {
        while (performance.now() < end) {
          const began = performance.now();
          assert.equal((await request(url, { path: '/livez' })).status, 200);
          waits.get(url).push(performance.now() - began);
          await pause(50);
        }
      }));
      const voting = (async () => {
        while (performance.now() < end - 2500) {
          const began = performance.now();
          const answer = await request(instance.voteUrl, { method: 'PUT', path: load.path, body: '{"selection":["o1"]}',
            headers: { 'content-type': 'application/json', authorization: own.headers.authorization } });
          answers.push({ ms: performance.now() - began, answer });
        }
      })();
      await Promise.all([alive, voting]);
      // A loop that waits for the broker does so again and again, each time for the write deadline of 500 ms or longer. A
      // busy machine lets single answers wait too, so the time is counted that was spent on late ones.
      for (const [url, all] of waits) {
        const late = all.filter((ms) => ms > 200).reduce((sum, ms) => sum + ms, 0);
        console.log(`# ${url}: ${all.length} answers, the slowest after ${Math.max(...all).toFixed()} ms, ${late.toFixed()} ms spent on late ones`);
        assert.ok(late < 4000, `/livez of ${url} kept us waiting for ${late.toFixed()} ms of 10,000`);
      }
    } finally {
      process.kill(nats, 'SIGCONT');
    }
    assert.ok(answers.length >= 2);
    for (const { ms, answer } of answers) {
      assert.equal(answer.status, 503, answer.text);
      assert.ok(ms < 5000, `503 after ${ms.toFixed(0)} ms`); // promised after 2 s, where the machine is not busy
      assert.equal(answer.headers['retry-after'] > 0, true);
      assert.match(answer.json.type, /^\/problems\/(not-recorded|unavailable|overloaded)$/);
      // These ballots belong to the history too; they may be recorded once the broker runs again.
      own.ops.push({ selection: 'o1', fate: 'unknown', status: 503 });
    }
  }, { random });
});

test('broker away for 15 s under load', async () => {
  await underLoad(instance, 'broker away', async (load) => {
    const pids = await Promise.all(['vote-api', 'result-api', 'worker:worker_0', 'worker:worker_1'].map((name) => instance.pid(name)));
    await instance.script('ctl', 'stop', 'nats'); // as its operator would
    await until('readiness is gone', async () => (await Instance.readyStatus(instance.voteUrl)) === 503);
    await pause(15_000);
    await instance.script('ctl', 'start', 'nats');
    await instance.ready();
    await acknowledges(load);
    const later = await Promise.all(['vote-api', 'result-api', 'worker:worker_0', 'worker:worker_1'].map((name) => instance.pid(name)));
    assert.deepEqual(later, pids, 'the processes stayed');
  }, { random });
});

test('broker absent at start: processes stay, and work once it comes', async () => {
  const services = ['vote-api', 'result-api', 'worker:worker_0', 'worker:worker_1'];
  await instance.ctl('stop', ...services, 'nats');
  await instance.ctl('start', ...services);
  const pids = await Promise.all(services.map((name) => instance.pid(name)));
  for (const url of instance.urls()) {
    await until(`${url} lives`, async () => (await request(url, { path: '/livez' })).status === 200);
    const ready = await request(url, { path: '/readyz' });
    assert.equal(ready.status, 503);
    assert.match(ready.text, /nats|broker|bus/i);
  }
  const refused = await request(instance.voteUrl, { method: 'PUT', path: '/v1/polls/demo/ballot', body: '{"selection":["a"]}',
    headers: { 'content-type': 'application/json' } });
  assert.equal(refused.status, 503, refused.text);
  await instance.ctl('start', 'nats');
  await instance.ready();
  assert.deepEqual(await Promise.all(services.map((name) => instance.pid(name))), pids);
  await underLoad(instance, 'broker absent at start', async () => {}, { random });
});
