// Sends one HTTP request at a time over HTTP/1.1 or HTTP/2, for tests that check the details of a response.
// SPDX-License-Identifier: MIT
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { noteAnswer, noteRequest } from './leaks.js';
import { until } from './wait.js';

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'];

/** A response. If the server ended the request without one, `reset` is the reason. */
function answer(status, headers, chunks, reset) {
  const body = Buffer.concat(chunks);
  const text = body.toString('utf8');
  noteAnswer({ headers, text });
  return {
    status,
    headers,
    body,
    text,
    reset,
    get json() {
      return JSON.parse(text);
    },
  };
}

function requestHttp1(origin, { method = 'GET', path = '/', headers = {}, body, timeout = 30_000, tls = {} }) {
  return new Promise((resolve, reject) => {
    const all = { ...headers };
    if (body !== undefined && !Object.keys(all).some((name) => /^(content-length|transfer-encoding)$/i.test(name))) {
      all['content-length'] = Buffer.byteLength(body);
    }
    const url = new URL(origin);
    let got;
    const chunks = [];
    const req = (url.protocol === 'https:' ? https : http).request({ host: url.hostname, port: url.port, method, path, headers: all, agent: false, ...tls });
    const timer = setTimeout(() => req.destroy(new Error(`no answer in ${timeout} ms`)), timeout);
    const end = (reset) => {
      clearTimeout(timer);
      resolve(answer(got?.statusCode, got?.headers ?? {}, chunks, reset));
      req.destroy();
    };
    req.on('response', (res) => {
      got = res;
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('end', () => end(undefined));
      res.on('error', (error) => end(error.code ?? error.message));
    });
    req.on('error', (error) => {
      clearTimeout(timer);
      // A server that refuses a large body may respond and close before it has received all of it.
      if (got) return;
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end(error.code);
      else reject(error);
    });
    req.end(body);
  });
}

function requestHttp2(origin, { method = 'GET', path = '/', headers = {}, body, timeout = 30_000, tls = {} }) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(origin, tls);
    let status;
    let got = {};
    const chunks = [];
    let over = false;
    const end = (reset) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      session.destroy();
      resolve(answer(status, got, chunks, reset));
    };
    const timer = setTimeout(() => {
      over = true;
      session.destroy();
      reject(new Error(`no answer in ${timeout} ms`));
    }, timeout);
    session.on('error', (error) => {
      if (error.code === 'ECONNREFUSED') {
        over = true;
        clearTimeout(timer);
        reject(error);
      } else end(error.code ?? error.message);
    });
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined });
    stream.on('response', (fields) => {
      status = fields[':status'];
      got = fields;
    });
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      if (status !== undefined) end(undefined);
    });
    stream.on('error', (error) => end(error.code ?? error.message));
    stream.on('close', () => end(stream.rstCode ? `RST_STREAM ${stream.rstCode}` : undefined));
    if (body !== undefined) stream.end(body);
  });
}

/** Sends one request on a new connection. */
export function request(origin, options = {}, protocol = 'HTTP/1.1') {
  noteRequest({ ...options, localAddress: options.tls?.localAddress });
  return protocol === 'HTTP/2' ? requestHttp2(origin, options) : requestHttp1(origin, options);
}

/** Repeats a request until the response is not 503, because a slow broker is not the fault of what is tested. Only for requests
 *  that may be repeated. */
export function patiently(ask) {
  return until('the broker answers in time', async () => {
    const answer = await ask();
    return answer.status !== 503 && answer;
  });
}

/** Sends JSON and reads JSON. */
export function requestJson(origin, method, path, value, headers = {}, protocol = 'HTTP/1.1') {
  return request(
    origin,
    { method, path, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) },
    protocol,
  );
}
