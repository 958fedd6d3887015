/* keys - signs, hashes and seals with one keyring, the keys of the instance.
 * SPDX-License-Identifier: MIT
 *
 * The keyring is a list of `id:64 hex digits`, separated by commas. The first key signs, and all keys verify. A poll
 * names the key that hashes its voters, so a key may leave the keyring only when all polls that name it are over. Each
 * purpose has a subkey of its own (BLAKE2b, crypto_kdf of libsodium). Any thread. */
#ifndef SCRUTIN_KEYS_H
#define SCRUTIN_KEYS_H

#include "ballot/wire.h"
#include "base/status.h"
#include <stdint.h>

struct keyring;

/* ST_CONFIG: an entry is not valid; the detail names it. The caller frees the keyring with keyring_free. */
MUST_CHECK enum status keyring_parse(const char *text, struct keyring **out, struct errmsg *err);
void keyring_free(struct keyring *keyring);
/* The id of the key that signs. */
const char *keyring_newest(const struct keyring *keyring);

/* Up to 4,096 random bytes of the kernel, without a system call for each call. */
void random_bytes(void *out, size_t len);

/* --- voter tokens: a random id with a signature, `keyid.base64url(id of 16 bytes, HMAC-SHA-256 cut to 16 bytes)`
 * (RFC 2104). */
#define VOTER_ID 16
#define VOTER_TOKEN_SIZE (POLL_KEY_ID_MAX + 1 + 43 + 1)

void voter_id_random(uint8_t id[VOTER_ID]);
void voter_token_make(const struct keyring *keyring, const uint8_t id[VOTER_ID], char out[VOTER_TOKEN_SIZE]);
/* False: no key of the keyring has signed this text. The signature is compared in constant time. */
bool voter_token_read(const struct keyring *keyring, const char *text, size_t len, uint8_t id[VOTER_ID]);

/* How a voter is identified. The kind is part of the hash, so a gateway cannot vote as the holder of a cookie. */
enum voter_kind {
    VOTER_COOKIE = 'c',  /* the id of a signed token */
    VOTER_GATEWAY = 'g', /* a name that a gateway sends, with its API key */
    VOTER_CLASSIC = 'x', /* the voter_id of the classic JSON contract */
    VOTER_CODE = 'k',    /* a voting code */
};

/* The hash of a voter that the database stores: BLAKE2b-128 of voter and poll, under the key of the poll. False: the
 * keyring has no key_id. */
bool keyring_hash_voter(const struct keyring *keyring, const char *key_id, const char *poll, enum voter_kind kind,
                        const void *voter, size_t len, uint8_t out[VOTER_HASH]);

/* --- voting codes: 60 random bits as 12 symbols of Crockford's base 32 (crockford.com/base32.html), XXXX-XXXX-XXXX. */
#define CODE_SYMBOLS 12
#define CODE_TEXT (CODE_SYMBOLS + 2 + 1) /* bytes of a code as people write it, with its NUL */

/* A new code, without hyphens and NUL. This form is hashed. */
void code_random(char code[CODE_SYMBOLS]);
/* Writes a code with hyphens and a NUL. */
void code_write(const char code[CODE_SYMBOLS], char out[CODE_TEXT]);
/* Reads a code that a person typed, in upper or lower case, with or without hyphens and spaces. O counts as 0, and
 * both I and L count as 1. False: it is not a code. */
bool code_read(const char *text, size_t len, char code[CODE_SYMBOLS]);
/* The hash of a code that is stored: BLAKE2b-128 of poll and code, under the key of the poll. False: the keyring has no
 * key_id. */
bool keyring_hash_code(const struct keyring *keyring, const char *key_id, const char *poll,
                       const char code[CODE_SYMBOLS], uint8_t out[CODE_HASH]);

/* --- receipts: a receipt names a ballot without its choices. It is encrypted (XChaCha20-Poly1305). */
struct receipt {
    char poll[POLL_ID_MAX + 1];
    uint8_t voter[VOTER_HASH];
    uint8_t batch[BATCH_ID];
    uint64_t sequence; /* of the message in the stream */
    unsigned index;    /* of the ballot in its batch */
};
#define RECEIPT_SIZE 256 /* bytes of the text with its NUL, at most */

void receipt_make(const struct keyring *keyring, const struct receipt *receipt, char out[RECEIPT_SIZE]);
/* False: no key of the keyring has sealed this text; *out is then zeroed. The work is the same for every text, so the
 * time does not tell what is wrong with a forged receipt. */
bool receipt_read(const struct keyring *keyring, const char *text, size_t len, struct receipt *out);

/* --- secret tokens, which clients keep: 192 random bits as base64url. Only their SHA-256 is stored. */
#define SECRET_TOKEN_SIZE 33
void secret_token_make(char out[SECRET_TOKEN_SIZE]);
void secret_token_hash(const char *token, size_t len, uint8_t out[POLL_MANAGE_HASH]);
/* In constant time. */
bool secret_token_matches(const char *token, size_t len, const uint8_t hash[POLL_MANAGE_HASH]);

/* --- API keys: a list of `name:SHA-256 in hex`, separated by commas or line ends. A name has 1 to 32 letters, digits,
 * `.`, `_` or `-`. Several keys may be valid at the same time, so that clients can change to a new one. */
#define API_KEY_NAME_MAX 32
struct api_keys;
bool api_key_name_is_valid(const char *name, size_t len);
/* ST_CONFIG: an entry is not valid, or a name or a key appears twice. */
MUST_CHECK enum status api_keys_parse(const char *text, struct api_keys **out, struct errmsg *err);
void api_keys_free(struct api_keys *keys);
/* The name of the key that token is, or NULL. */
const char *api_keys_find(const struct api_keys *keys, const char *token, size_t len);

#endif
