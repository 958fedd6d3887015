// Does what scripts/ctl does, but talks to supervisord directly. That is faster, because it needs no shell and no Python.
// SPDX-License-Identifier: MIT
import http from 'node:http';
import net from 'node:net';

/** Calls a method of supervisord's XML-RPC interface and gives the text of the response. A fault becomes an error. */
function call(socketPath, method, ...params) {
  const values = params.map((value) => `<param><value><string>${value}</string></value></param>`).join('');
  const body = `<?xml version="1.0"?><methodCall><methodName>supervisor.${method}</methodName><params>${values}</params></methodCall>`;
  return new Promise((done, failed) => {
    const request = http.request({ socketPath, method: 'POST', path: '/RPC2', agent: false,
      headers: { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more) => (text += more)).on('error', failed).on('end', () => {
        const fault = /<fault>[\s\S]*<string>([^<]*)<\/string>/.exec(text);
        if (response.statusCode === 200 && !fault) done(text);
        else failed(new Error(`supervisord: ${method} ${params}: ${fault?.[1] ?? response.statusCode}`));
      });
    });
    request.on('error', failed).end(body);
  });
}

/** The process id of a program, or 0 if it does not run. */
export async function pidOf(socketPath, program) {
  return Number(/<name>pid<\/name>\s*<value><int>(\d+)</.exec(await call(socketPath, 'getProcessInfo', program))?.[1] ?? 0);
}

/** Connects to supervisord until `answer` is there. supervisord looks at its programs once a second. A program that ends does
 *  not wake it in between, and a connection does. */
async function awake(socketPath, answer) {
  const timer = setInterval(() => {
    const socket = net.connect(socketPath, () => socket.destroy());
    socket.on('error', () => {});
  }, 50);
  try {
    return await answer;
  } finally {
    clearInterval(timer);
  }
}

/** The states of a program, or of all programs of a group (`worker:*`). */
async function statesOf(socketPath, program) {
  const [group, name] = program.includes(':') ? program.split(':') : [program, program];
  const text = await call(socketPath, 'getAllProcessInfo');
  const field = (info, key) => new RegExp(`<name>${key}</name>\\s*<value><string>([^<]*)<`).exec(info)?.[1];
  return text.split('</struct>').filter((info) => field(info, 'group') === group && (name === '*' || field(info, 'name') === name))
    .map((info) => field(info, 'statename'));
}

/** Starts or stops programs one after the other, or all programs of a group (`worker:*`). Waits until they run or have ended.
 *  It is no error if one already runs or has already ended. */
export async function control(socketPath, what, programs) {
  for (const program of programs) {
    const group = /^(.*):\*$/.exec(program)?.[1];
    do {
      const answer = call(socketPath, `${what}Process${group ? 'Group' : ''}`, group ?? program);
      await awake(socketPath, answer).catch((error) => {
        if (!/ALREADY_STARTED|NOT_RUNNING/.test(error.message)) throw error;
      });
      // supervisord does not stop a program that was killed a moment ago, and then starts it again.
    } while (what === 'stop' && (await statesOf(socketPath, program)).some((state) => !['STOPPED', 'FATAL'].includes(state)));
  }
}
