// What must stand in no log. The tests' clients note here what they send and are sent, and an instance that stops
// searches its logs for it.
// SPDX-License-Identifier: MIT

const SECRET_MIN = 16; // characters: shorter ones may be ordinary words
const CHOICE_MIN = 8; // `a` and `o1` are in every log; a test that wants its selections looked for names its options so
const LOCAL = new Set(['127.0.0.1', '::1', '0.0.0.0', '::']); // where services listen

const secrets = new Map(); // a word → what it is
const addresses = new Set();
const sources = []; // functions that give more secrets as [what, text], asked once a log is searched

const wordsOf = (text) => text.match(/[\w-]+/g) ?? [];
/** Four groups of hexadecimal digits or an IPv4 address: enough to find candidates, the set decides. */
const ADDRESS = /(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.])/gi;

/** What only an error with data in it looks like, known or not. */
const SUSPECT = [
  /\b(DETAIL|CONTEXT|STATEMENT|QUERY):  /, // PostgreSQL: rows, parameters and statements
  /\bclient: [0-9a-f.:]+/, /\brequest: "/, /\breferrer: "/, // nginx
  /[?&]receipt=/, /\/v1\/receipts\/[\w.-]{16}/, /\bvoter_id=/, /\bBearer \S/i, /"selection"/,
  /\b\w+:\/\/[^\s:/@]+:[^\s:/@]+@/, // an address with a password
];
/** A limit names the address that met it. */
const MAY_NAME_ADDRESS = /"event":"requests limited"/;

/** Remembers a secret by those of its words that are long enough. */
export function noteSecret(what, text) {
  for (const word of wordsOf(text)) if (word.length >= SECRET_MIN) secrets.set(word, what);
}

export function noteAddress(text) {
  for (const address of text.match(ADDRESS) ?? []) if (!LOCAL.has(address)) addresses.add(address);
}

/** Secrets that somebody keeps anyway: `give` yields [what, text]. */
export const noteSource = (give) => sources.push(give);

function noteChoices(value) {
  if (typeof value === 'string') {
    if (value.length >= CHOICE_MIN) secrets.set(value, 'a selection');
  } else if (value && typeof value === 'object') {
    for (const each of Array.isArray(value) ? value : Object.keys(value)) noteChoices(each);
  }
}

function noteBody(text) {
  if (!/"(selection|voter|ballots)"/.test(text)) return;
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    return;
  }
  for (const { selection, voter } of [json, ...(Array.isArray(json?.ballots) ? json.ballots : [])].filter(Boolean)) {
    noteChoices(selection);
    if (typeof voter === 'string') noteSecret("a gateway's voter", voter);
  }
}

/** What a request carries. Headers by their names in lower case. */
export function noteRequest({ path = '', headers = {}, body, localAddress }) {
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value);
    if (/^authorization$/i.test(name)) noteSecret('a token', text.replace(/^\w+ /, ''));
    else if (/^cookie$/i.test(name)) noteSecret('a cookie', text);
    else if (/^scrutin-receipt$/i.test(name)) noteSecret('a receipt', text);
    else if (/^x-forwarded-for$/i.test(name)) noteAddress(text);
  }
  const [, receipt] = /(?:[?&]receipt=|\/v1\/receipts\/)([^&?#]+)/.exec(path) ?? [];
  if (receipt) noteSecret('a receipt', receipt);
  if (localAddress) noteAddress(localAddress);
  if (typeof body === 'string') noteBody(body);
}

/** What an answer carries. */
export function noteAnswer({ headers = {}, text = '' }) {
  for (const cookie of [headers['set-cookie'] ?? []].flat()) noteSecret('a cookie', cookie.split(';')[0]);
  for (const [, name, value] of text.matchAll(/"(receipt|token|manage_token)":"([^"]+)"/g)) noteSecret(`a ${name}`, value);
  for (const [code] of text.matchAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){2}\b/g)) secrets.set(code, 'a voting code');
}

/** The lines of a log that have something which they must not have, as sentences; `more` secrets are [what, text]. */
export function findLeaks(name, text, more = []) {
  for (const [what, secret] of more) noteSecret(what, secret);
  for (const give of sources) for (const [what, secret] of give()) noteSecret(what, secret);
  const found = [];
  text.split('\n').forEach((line, i) => {
    const say = (what) => found.push(`${name}:${i + 1}: ${what}: ${line.slice(0, 600)}`);
    const suspect = SUSPECT.find((pattern) => pattern.test(line));
    if (suspect) say(`looks like ${suspect}`);
    const word = wordsOf(line).find((each) => secrets.has(each));
    if (word) say(`has ${secrets.get(word)}`);
    if (MAY_NAME_ADDRESS.test(line)) return;
    const address = (line.match(ADDRESS) ?? []).find((each) => addresses.has(each));
    if (address) say(`has the address of a client, ${address}`);
  });
  return found;
}
