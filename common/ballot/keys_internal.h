/* keys_internal - the keyring, for the files that use its subkeys: keys.c, receipt.c and api_keys.c.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_KEYS_INTERNAL_H
#define SCRUTIN_KEYS_INTERNAL_H

#include "ballot/keys.h"
#include <sodium.h>

#define KEY_BYTES 32
#define RING_MAX 16 /* keys: the polls of older keys are over by then */

/* What the subkeys of one instance key are for. */
enum purpose { PURPOSE_VOTER_TOKEN = 1, PURPOSE_VOTER_HASH, PURPOSE_RECEIPT, PURPOSE_VOTING_CODE, PURPOSES };

struct key {
    char id[POLL_KEY_ID_MAX + 1];
    uint8_t subkey[PURPOSES][KEY_BYTES];
    crypto_auth_hmacsha256_state voter_token; /* with the key, before any data: this saves half the work of a token */
};

struct keyring {
    size_t n;
    struct key keys[RING_MAX];
};

/* The key with this id, or NULL. */
const struct key *keyring_find(const struct keyring *keyring, const char *id, size_t len);

/* Calls add for each entry of a list. Commas, spaces or line ends separate the entries. */
MUST_CHECK enum status keys_each_entry(const char *text,
                                       enum status (*add)(void *to, const char *entry, size_t len, struct errmsg *err),
                                       void *to, struct errmsg *err);

/* base64url without padding (RFC 4648, section 5), with a NUL behind it. What it writes is public. */
void base64_encode(char *out, const uint8_t *in, size_t len);
/* Into at most size bytes. False: the text is not base64url, or too long. */
bool base64_decode(const char *text, size_t text_len, uint8_t *out, size_t size, size_t *len);

#endif
