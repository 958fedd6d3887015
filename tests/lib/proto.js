// Decodes the batches of ballots in the stream (proto/ballot.proto), and encodes valid and invalid ones.
// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { asUuid } from './identity.js';

function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length) throw new Error('the message ends within a number');
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    if ((tag & 7) === 0) {
      yield [number, varint()];
    } else if ((tag & 7) === 2) {
      const length = Number(varint());
      yield [number, bytes.subarray(at, at + length)];
      at += length;
    } else {
      throw new Error(`wire type ${tag & 7} is not used here`);
    }
  }
}

function decodeBallot(bytes) {
  const ballot = { poll: '', voter: '', choices: '' };
  for (const [number, value] of fields(bytes)) {
    if (number === 1) ballot.poll = value.toString('utf8');
    if (number === 2) ballot.voter = asUuid(value);
    if (number === 3) ballot.choices = value.toString('utf8');
    if (number === 4) ballot.castAt = Number(value);
    if (number === 6) ballot.term = Number(value);
    if (number === 5) ballot.stands = ['by poll', 'last', 'first'][Number(value)];
  }
  return ballot;
}

/** {version, id, ballots, fencePoll, gatePoll, term} */
export function decodeBatch(data) {
  const batch = { version: 0, id: '', ballots: [], fencePoll: '', gatePoll: '', term: 0 };
  for (const [number, value] of fields(Buffer.from(data))) {
    if (number === 1) batch.version = Number(value);
    if (number === 2) batch.id = asUuid(value);
    if (number === 3) batch.ballots.push(decodeBallot(value));
    if (number === 4) batch.fencePoll = value.toString('utf8');
    if (number === 5) batch.gatePoll = value.toString('utf8');
    if (number === 6) batch.term = Number(value);
  }
  return batch;
}

function encodeVarint(value) {
  const bytes = [];
  let left = BigInt(value);
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left ? low | 0x80 : low);
  } while (left);
  return Buffer.from(bytes);
}
const encodeNumber = (number, value) => Buffer.concat([encodeVarint(number << 3), encodeVarint(value)]);
const encodeBytes = (number, value) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([encodeVarint((number << 3) | 2), encodeVarint(bytes.length), bytes]);
};

/** Bytes to append to a definition in the bucket. They announce a reopening, because the last occurrence of a field is valid. */
export const announceTerm = (term) => Buffer.concat([encodeNumber(23, term), encodeNumber(17, Date.now())]);

/** Encodes a batch as vote-api does. `ballots` are {poll, voter (16 bytes), choices, castAt, term}. */
export function encodeBatch({ version = 1, id = randomBytes(16), ballots = [], fencePoll, gatePoll, term }) {
  return Buffer.concat([
    encodeNumber(1, version),
    encodeBytes(2, id),
    ...ballots.map((ballot) =>
      encodeBytes(3, Buffer.concat([
        encodeBytes(1, ballot.poll),
        encodeBytes(2, ballot.voter),
        encodeBytes(3, ballot.choices),
        encodeNumber(4, ballot.castAt ?? Date.now()),
        ...(ballot.term ? [encodeNumber(6, ballot.term)] : []),
      ])),
    ),
    ...(fencePoll ? [encodeBytes(4, fencePoll)] : []),
    ...(gatePoll ? [encodeBytes(5, gatePoll)] : []),
    ...(term ? [encodeNumber(6, term)] : []),
  ]);
}
