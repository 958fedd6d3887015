/* keys - everything that is signed, hashed or sealed, from one ring of instance keys.
 * SPDX-License-Identifier: MIT
 *
 * The ring is `id:64 hex digits`, comma separated; the first signs, all verify. A poll names the key that hashes its
 * voters, so a key may leave the ring only when its polls are done. Subkeys are derived per purpose (BLAKE2b, libsodium
 * crypto_kdf), so that no key serves two. All functions may be called from any thread. */
#ifndef SCRUTIN_KEYS_H
#define SCRUTIN_KEYS_H

#include "ballot/wire.h"
#include "base/status.h"
#include <stdint.h>

struct keyring;

/* ST_CONFIG says which entry is wrong. The ring lives as long as the caller wants: keyring_free. */
MUST_CHECK enum status keyring_parse(const char *text, struct keyring **out, struct errmsg *err);
void keyring_free(struct keyring *ring);
/* Id of the key that signs. */
const char *keyring_newest(const struct keyring *ring);

/* Up to 4,096 bytes from the kernel's generator, cheaply. */
void random_bytes(void *out, size_t len);

/* --- voters: an unguessable id, signed. `keyid.base64url(id 16 bytes, HMAC-SHA-256 cut to 16 bytes)`, RFC 2104. */
#define VOTER_ID 16
#define VOTER_TOKEN_SIZE (POLL_KEY_ID_MAX + 1 + 43 + 1)

void voter_id_random(uint8_t id[VOTER_ID]);
void voter_token_make(const struct keyring *ring, const uint8_t id[VOTER_ID], char out[VOTER_TOKEN_SIZE]);
/* False for anything but a token that a key of the ring signed; checked in constant time. */
bool voter_token_read(const struct keyring *ring, const char *text, size_t len, uint8_t id[VOTER_ID]);

/* How a voter is known. Names of different kinds never meet: a gateway cannot vote as a cookie. */
enum voter_kind {
    VOTER_COOKIE = 'c',  /* the id of a signed token */
    VOTER_GATEWAY = 'g', /* a name that an API key's holder vouches for */
    VOTER_CLASSIC = 'x', /* the voter_id of the classic JSON contract */
    VOTER_CODE = 'k',    /* a voting code */
};

/* What the database stores: BLAKE2b-128 of voter and poll under the poll's key. False when the ring has no key_id. */
bool keyring_hash_voter(const struct keyring *ring, const char *key_id, const char *poll, enum voter_kind kind,
                        const void *voter, size_t len, uint8_t out[VOTER_HASH]);

/* --- voting codes: 12 symbols of Crockford's base 32 (crockford.com/base32.html), 60 random bits, XXXX-XXXX-XXXX. */
#define CODE_SYMBOLS 12
#define CODE_TEXT (CODE_SYMBOLS + 2 + 1) /* bytes as people write it, with its NUL */

/* A new one, without hyphens and NUL: this is what is hashed. */
void code_random(char code[CODE_SYMBOLS]);
/* As people write it. */
void code_write(const char code[CODE_SYMBOLS], char out[CODE_TEXT]);
/* Reads what somebody typed: in any case, with or without hyphens and spaces, O for 0, I and L for 1. */
bool code_read(const char *text, size_t len, char code[CODE_SYMBOLS]);
/* What is stored of a code: BLAKE2b-128 of poll and code under the poll's key. False when the ring has no key_id. */
bool keyring_hash_code(const struct keyring *ring, const char *key_id, const char *poll, const char code[CODE_SYMBOLS],
                       uint8_t out[CODE_HASH]);

/* --- receipts: name a ballot, sealed (XChaCha20-Poly1305), without the choice. */
struct receipt {
    char poll[POLL_ID_MAX + 1];
    uint8_t voter[VOTER_HASH];
    uint8_t batch[BATCH_ID];
    uint64_t sequence; /* of the stream message */
    unsigned index;    /* of the ballot in its batch */
};
#define RECEIPT_SIZE 256 /* bytes of the text with its NUL, at most */

void receipt_make(const struct keyring *ring, const struct receipt *receipt, char out[RECEIPT_SIZE]);
/* False for anything but a receipt that a key of the ring sealed, after the same work whatever is wrong with it; *out
 * is then that of no ballot: zeroed. */
bool receipt_read(const struct keyring *ring, const char *text, size_t len, struct receipt *out);

/* --- tokens that somebody keeps: 192 random bits as base64url, stored as SHA-256 only. */
#define SECRET_TOKEN_SIZE 33
void secret_token_make(char out[SECRET_TOKEN_SIZE]);
void secret_token_hash(const char *token, size_t len, uint8_t out[POLL_MANAGE_HASH]);
/* Constant time. */
bool secret_token_matches(const char *token, size_t len, const uint8_t hash[POLL_MANAGE_HASH]);

/* --- API keys: `name:SHA-256 in hex`, comma or newline separated. A name has 1 to 32 of letters, digits, `.`, `_` and
 * `-`. Several may be valid at once: a new one is added, clients change over, the old one is taken out. */
#define API_KEY_NAME_MAX 32
struct api_keys;
bool api_key_name_is_valid(const char *name, size_t len);
/* ST_CONFIG: an entry is none, or a name or key is there twice. */
MUST_CHECK enum status api_keys_parse(const char *text, struct api_keys **out, struct errmsg *err);
void api_keys_free(struct api_keys *keys);
/* The name of the key, or NULL. */
const char *api_keys_find(const struct api_keys *keys, const char *token, size_t len);

#endif
