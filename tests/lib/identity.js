// Computes a voter's uuid in the database, the keyed hash of ballot/keys.h, without the code of the services.
// SPDX-License-Identifier: MIT
import { blake2b } from '@noble/hashes/blake2b';

const PURPOSE_VOTER_HASH = 2;
const padded = (bytes, size) => Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);
const subkeys = new Map();

/** The subkey of an instance key that hashes voters (libsodium's crypto_kdf). */
function subkey(mainHex) {
  let key = subkeys.get(mainHex);
  if (!key) {
    const number = Buffer.alloc(8);
    number.writeBigUInt64LE(BigInt(PURPOSE_VOTER_HASH));
    key = blake2b(new Uint8Array(0), {
      key: Buffer.from(mainHex, 'hex'),
      dkLen: 32,
      salt: padded(number, 16),
      personalization: padded(Buffer.from('scrutin1'), 16),
    });
    subkeys.set(mainHex, key);
  }
  return key;
}

export const asUuid = (bytes) =>
  Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** The uuid in ballots.voter of a voter. The kind is 'c' for cookie or token, 'g' for gateway, 'x' for classic. */
export function hashVoter(secretKeys, poll, kind, voter) {
  const [, mainHex] = secretKeys.trim().split(/[,\s]+/)[0].split(':');
  const message = Buffer.concat([Buffer.from(`${poll}\0${kind}`), Buffer.from(voter)]);
  return asUuid(blake2b(message, { key: subkey(mainHex), dkLen: 16 }));
}

/** The 16 bytes of the identifier in a signed voter token. */
export const idOfToken = (token) => Buffer.from(token.slice(token.indexOf('.') + 1), 'base64url').subarray(0, 16);

/** The uuid in ballots.voter of the holder of a token. */
export const voterKey = (secretKeys, poll, token) => hashVoter(secretKeys, poll, 'c', idOfToken(token));
