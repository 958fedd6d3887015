/* api_keys - secret tokens, and the keys of gateways and managers, which are such tokens.
 * SPDX-License-Identifier: MIT */
#include "keys_internal.h"

#include "base/alloc.h"
#include <string.h>

void secret_token_make(char out[SECRET_TOKEN_SIZE])
{
    uint8_t bytes[24];

    randombytes_buf(bytes, sizeof(bytes));
    base64_encode(out, bytes, sizeof(bytes));
}

void secret_token_hash(const char *token, size_t len, uint8_t out[POLL_MANAGE_HASH])
{
    crypto_hash_sha256(out, (const uint8_t *)token, len);
}

bool secret_token_matches(const char *token, size_t len, const uint8_t hash[POLL_MANAGE_HASH])
{
    uint8_t got[POLL_MANAGE_HASH];

    secret_token_hash(token, len, got);
    return sodium_memcmp(got, hash, POLL_MANAGE_HASH) == 0;
}

/* --- API keys */

struct api_key {
    struct api_key *next;
    uint8_t hash[POLL_MANAGE_HASH];
    char name[];
};

struct api_keys {
    struct api_key *first;
};

bool api_key_name_is_valid(const char *name, size_t len)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return len > 0 && len <= API_KEY_NAME_MAX && strspn(name, allowed) >= len;
}

static enum status add_api_key(void *to, const char *entry, size_t len, struct errmsg *err)
{
    struct api_keys *keys = to;
    const char *colon = memchr(entry, ':', len);
    uint8_t hash[POLL_MANAGE_HASH];
    size_t got = 0;

    if (colon == NULL || !api_key_name_is_valid(entry, (size_t)(colon - entry)))
        return fail(err, ST_CONFIG, "an entry is not `name:SHA-256 of the key in hex`");
    size_t name_len = (size_t)(colon - entry);
    if (len - name_len - 1 != 2 * sizeof(hash) ||
        sodium_hex2bin(hash, sizeof(hash), colon + 1, 2 * sizeof(hash), NULL, &got, NULL) != 0 || got != sizeof(hash))
        return fail(err, ST_CONFIG, "the key of %.*s is not a SHA-256 in 64 hex digits", (int)name_len, entry);
    for (const struct api_key *other = keys->first; other != NULL; other = other->next)
        if ((strlen(other->name) == name_len && memcmp(other->name, entry, name_len) == 0) ||
            memcmp(other->hash, hash, sizeof(hash)) == 0)
            return fail(err, ST_CONFIG, "%.*s has the name or the key of another entry", (int)name_len, entry);
    struct api_key *key = alloc_items(1, sizeof(*key) + name_len + 1);
    memcpy(key->name, entry, name_len);
    memcpy(key->hash, hash, sizeof(hash));
    key->next = keys->first;
    keys->first = key;
    return ST_OK;
}

enum status api_keys_parse(const char *text, struct api_keys **out, struct errmsg *err)
{
    struct api_keys *keys = alloc_items(1, sizeof(*keys));

    *out = NULL;
    enum status st = keys_each_entry(text, add_api_key, keys, err);
    if (st == ST_OK)
        *out = keys;
    else
        api_keys_free(keys);
    return st;
}

void api_keys_free(struct api_keys *keys)
{
    if (keys == NULL)
        return;
    while (keys->first != NULL) {
        struct api_key *key = keys->first;
        keys->first = key->next;
        free(key);
    }
    free(keys);
}

const char *api_keys_find(const struct api_keys *keys, const char *token, size_t len)
{
    const char *found = NULL;

    if (token == NULL || len == 0)
        return NULL;
    for (const struct api_key *key = keys->first; key != NULL; key = key->next)
        if (secret_token_matches(token, len, key->hash))
            found = key->name;
    return found;
}
