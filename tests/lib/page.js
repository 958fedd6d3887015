// An additional nginx of a page, with its own limits, next to the supervised ones of an instance.
// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { BUILD_DIR, NGINX_USER, ROOT, freePorts, runProgram } from './instance.js';
import { until } from './wait.js';

const host = (url) => new URL(url).host;

/** Makes a certificate for this machine in a folder. Gives the settings that name it. */
export async function makeCertificate(folder) {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key,
    '-out', cert, '-days', '1', '-subj', '/CN=localhost'], { PATH: process.env.PATH });
  return { PAGE_TLS_CERT_FILE: cert, PAGE_TLS_KEY_FILE: key };
}

export class Page {
  /** Starts an nginx in the folder of an instance. `api` has the URLs of vote-api and result-api, `env` has more settings. */
  static async start(instance, name, { api = {}, tls = false, ...env } = {}) {
    const page = new Page();
    page.folder = join(instance.folder, name);
    mkdirSync(page.folder, { mode: 0o700 });
    page.port = await freePorts(1);
    page.url = `http${tls ? 's' : ''}://127.0.0.1:${page.port}`;
    const certificate = tls ? await makeCertificate(page.folder) : {};
    const log = openSync(page.logFile = join(page.folder, 'log'), 'a');
    const PATH = `${process.env.PATH}:/usr/sbin`;
    await runProgram(join(ROOT, 'web/nginx/configure'), [page.folder], { PATH, PAGE: 'vote-ui', ROOT: join(BUILD_DIR, 'pages/vote-ui'),
      LISTEN: `127.0.0.1:${page.port}`, ACCESS_LOG: page.logFile, VOTE_API: host(api.vote ?? instance.voteUrl),
      RESULT_API: host(api.result ?? instance.resultUrl), NGINX_USER, ...certificate, ...env });
    page.child = spawn(join(ROOT, 'web/nginx/start'), [page.folder], { stdio: ['ignore', log, log], env: { PATH } });
    page.ended = new Promise((done) => page.child.on('close', done));
    await until(`the page ${name} listens`, () => new Promise((done, failed) => {
      if (page.child.exitCode !== null) failed(new Error(page.log()));
      const socket = connect(page.port, '127.0.0.1', () => done(socket.destroy() && true)).on('error', failed);
    }));
    return page;
  }

  log() {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}
