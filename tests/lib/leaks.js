// Finds in logs what must not be there. The clients of the tests record here what they send and receive. When an instance
// stops, it searches its logs for these secrets.
// SPDX-License-Identifier: MIT

const SECRET_MIN = 16; // characters; shorter secrets may be ordinary words
const CHOICE_MIN = 8; // characters; `a` and `o1` are in every log. A test whose selections matter needs longer option ids
const LOCAL = new Set(['127.0.0.1', '::1', '0.0.0.0', '::']); // services log these addresses when they listen

const secrets = new Map(); // a word → its description
const addresses = new Set();
const sources = []; // functions that give more secrets as [description, text] when a log is searched

const wordsOf = (text) => text.match(/[\w-]+/g) ?? [];
/** Finds candidates for addresses, roughly. The set of known addresses decides. */
const ADDRESS = /(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.])/gi;

/** Patterns of log lines that contain data of a request or a statement, also data that nobody recorded here. */
const SUSPECT = [
  /\b(DETAIL|CONTEXT|STATEMENT|QUERY):  /, // PostgreSQL: rows, parameters and statements
  /\bclient: [0-9a-f.:]+/, /\brequest: "/, /\breferrer: "/, // nginx
  /[?&]receipt=/, /\/v1\/receipts\/[\w.-]{16}/, /\bvoter_id=/, /\bBearer \S/i, /"selection"/,
  /\b\w+:\/\/[^\s:/@]+:[^\s:/@]+@/, // a URL with a password
];
/** The message about a limit may name the address that reached it. */
const MAY_NAME_ADDRESS = /"event":"requests limited"/;

/** Records those words of a secret that are long enough. */
export function noteSecret(what, text) {
  for (const word of wordsOf(text)) if (word.length >= SECRET_MIN) secrets.set(word, what);
}

export function noteAddress(text) {
  for (const address of text.match(ADDRESS) ?? []) if (!LOCAL.has(address)) addresses.add(address);
}

/** Adds a source of secrets that something else already keeps. `give` yields [description, text]. */
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

/** Records the secrets of a request. The names of headers are in lower case. */
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

/** Records the secrets of a response. */
export function noteAnswer({ headers = {}, text = '' }) {
  for (const cookie of [headers['set-cookie'] ?? []].flat()) noteSecret('a cookie', cookie.split(';')[0]);
  for (const [, name, value] of text.matchAll(/"(receipt|token|manage_token)":"([^"]+)"/g)) noteSecret(`a ${name}`, value);
  for (const [code] of text.matchAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){2}\b/g)) secrets.set(code, 'a voting code');
}

/** Gives a sentence for each line of a log that contains a secret. `more` has further secrets as [description, text]. */
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
