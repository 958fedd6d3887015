/* keys - the keyring: signs and hashes voters, and makes and hashes voting codes.
 * SPDX-License-Identifier: MIT */
#include "keys_internal.h"

#include <stdlib.h>
#include <string.h>

#define SUBKEY_CONTEXT "scrutin1"
#define VOTER_MAC 16 /* bytes */
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static bool key_id_is_valid(const char *id, size_t len)
{
    if (len == 0 || len > POLL_KEY_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= '0' && id[i] <= '9')))
            return false;
    return true;
}

const struct key *keyring_find(const struct keyring *keyring, const char *id, size_t len)
{
    for (size_t i = 0; i < keyring->n; i++)
        if (strlen(keyring->keys[i].id) == len && memcmp(keyring->keys[i].id, id, len) == 0)
            return &keyring->keys[i];
    return NULL;
}

static enum status add_key(void *to, const char *entry, size_t len, struct errmsg *err)
{
    struct keyring *keyring = to;
    const char *colon = memchr(entry, ':', len);
    uint8_t main_key[KEY_BYTES];
    size_t got = 0;

    if (colon == NULL || !key_id_is_valid(entry, (size_t)(colon - entry)))
        return fail(err, ST_CONFIG, "key %zu is not `id:64 hex digits` with an id of [a-z0-9]{1,%d}", keyring->n + 1,
                    POLL_KEY_ID_MAX);
    size_t id_len = (size_t)(colon - entry), hex_len = len - id_len - 1;
    if (hex_len != 2 * KEY_BYTES || sodium_hex2bin(main_key, KEY_BYTES, colon + 1, hex_len, NULL, &got, NULL) != 0 ||
        got != KEY_BYTES)
        return fail(err, ST_CONFIG, "key %.*s does not have 64 hex digits", (int)id_len, entry);
    if (keyring_find(keyring, entry, id_len) != NULL)
        return fail(err, ST_CONFIG, "key %.*s appears twice", (int)id_len, entry);
    if (keyring->n == RING_MAX)
        return fail(err, ST_CONFIG, "there are more than %d keys", RING_MAX);
    struct key *key = &keyring->keys[keyring->n++];
    memcpy(key->id, entry, id_len);
    for (uint64_t purpose = 1; purpose < PURPOSES; purpose++)
        crypto_kdf_derive_from_key(key->subkey[purpose], KEY_BYTES, purpose, SUBKEY_CONTEXT, main_key);
    crypto_auth_hmacsha256_init(&key->voter_token, key->subkey[PURPOSE_VOTER_TOKEN], KEY_BYTES);
    sodium_memzero(main_key, sizeof(main_key));
    return ST_OK;
}

enum status keys_each_entry(const char *text,
                            enum status (*add)(void *to, const char *entry, size_t len, struct errmsg *err), void *to,
                            struct errmsg *err)
{
    enum status st = ST_OK;

    while (st == ST_OK) {
        text += strspn(text, ", \t\r\n");
        size_t len = strcspn(text, ", \t\r\n");
        if (len == 0)
            break;
        st = add(to, text, len, err);
        text += len;
    }
    return st;
}

enum status keyring_parse(const char *text, struct keyring **out, struct errmsg *err)
{
    struct keyring *keyring = sodium_malloc(sizeof(*keyring));
    enum status st;

    *out = NULL;
    if (keyring == NULL)
        abort();
    memset(keyring, 0, sizeof(*keyring));
    st = keys_each_entry(text, add_key, keyring, err);
    if (st == ST_OK && keyring->n == 0)
        st = fail(err, ST_CONFIG, "it has no key");
    if (st == ST_OK) {
        sodium_mprotect_readonly(keyring);
        *out = keyring;
    } else {
        keyring_free(keyring);
    }
    return st;
}

void keyring_free(struct keyring *keyring)
{
    sodium_free(keyring);
}

const char *keyring_newest(const struct keyring *keyring)
{
    return keyring->keys[0].id;
}

/* --- random bytes and text */

/* Fetches the random bytes of the kernel a page at a time. A system call for each ballot would cost as much as the
 * signature of its token. Bytes are erased when they are handed out. */
void random_bytes(void *out, size_t len)
{
    static _Thread_local struct {
        size_t left;
        uint8_t bytes[4096];
    } pool;

    if (len > pool.left) {
        randombytes_buf(pool.bytes, sizeof(pool.bytes));
        pool.left = sizeof(pool.bytes);
    }
    pool.left -= len;
    memcpy(out, pool.bytes + pool.left, len);
    sodium_memzero(pool.bytes + pool.left, len);
}

/* The result is public, so this function need not take constant time as sodium_bin2base64 does. It takes a quarter of
 * the time. */
void base64_encode(char *out, const uint8_t *in, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (; len >= 3; in += 3, len -= 3) {
        unsigned group = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = digits[group >> 6 & 63];
        *out++ = digits[group & 63];
    }
    if (len > 0) {
        unsigned group = (unsigned)in[0] << 16 | (len > 1 ? (unsigned)in[1] << 8 : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        if (len > 1)
            *out++ = digits[group >> 6 & 63];
    }
    *out = '\0';
}

/* libsodium takes some bytes from 0x80 on as digits. A token would then have a second spelling, so they are refused. */
bool base64_decode(const char *text, size_t text_len, uint8_t *out, size_t size, size_t *len)
{
    for (size_t i = 0; i < text_len; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return sodium_base642bin(out, size, text, text_len, NULL, len, NULL, BASE64) == 0;
}

/* --- voters */

void voter_id_random(uint8_t id[VOTER_ID])
{
    random_bytes(id, VOTER_ID);
}

static void sign_voter(const struct key *key, const uint8_t id[VOTER_ID], uint8_t mac[VOTER_MAC])
{
    uint8_t full[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state = key->voter_token;

    crypto_auth_hmacsha256_update(&state, id, VOTER_ID);
    crypto_auth_hmacsha256_final(&state, full);
    memcpy(mac, full, VOTER_MAC);
}

void voter_token_make(const struct keyring *keyring, const uint8_t id[VOTER_ID], char out[VOTER_TOKEN_SIZE])
{
    const struct key *key = &keyring->keys[0];
    size_t id_len = strlen(key->id);
    uint8_t signed_id[VOTER_ID + VOTER_MAC];

    memcpy(signed_id, id, VOTER_ID);
    sign_voter(key, id, signed_id + VOTER_ID);
    memcpy(out, key->id, id_len);
    out[id_len] = '.';
    base64_encode(out + id_len + 1, signed_id, sizeof(signed_id));
}

bool voter_token_read(const struct keyring *keyring, const char *text, size_t len, uint8_t id[VOTER_ID])
{
    const char *dot = text == NULL ? NULL : memchr(text, '.', len);
    const struct key *key = dot == NULL ? NULL : keyring_find(keyring, text, (size_t)(dot - text));
    uint8_t signed_id[VOTER_ID + VOTER_MAC], mac[VOTER_MAC];
    size_t got = 0;

    if (key == NULL || !base64_decode(dot + 1, len - (size_t)(dot + 1 - text), signed_id, sizeof(signed_id), &got) ||
        got != sizeof(signed_id))
        return false;
    sign_voter(key, signed_id, mac);
    if (sodium_memcmp(mac, signed_id + VOTER_ID, VOTER_MAC) != 0)
        return false;
    memcpy(id, signed_id, VOTER_ID);
    return true;
}

bool keyring_hash_voter(const struct keyring *keyring, const char *key_id, const char *poll, enum voter_kind kind,
                        const void *voter, size_t len, uint8_t out[VOTER_HASH])
{
    const struct key *key = keyring_find(keyring, key_id, strlen(key_id));
    crypto_generichash_state state;
    uint8_t kind_byte = (uint8_t)kind;

    if (key == NULL)
        return false;
    /* The NUL of the poll and the one byte of the kind separate the three parts. */
    crypto_generichash_init(&state, key->subkey[PURPOSE_VOTER_HASH], KEY_BYTES, VOTER_HASH);
    crypto_generichash_update(&state, (const uint8_t *)poll, strlen(poll) + 1);
    crypto_generichash_update(&state, &kind_byte, 1);
    crypto_generichash_update(&state, voter, len);
    crypto_generichash_final(&state, out, VOTER_HASH);
    return true;
}

/* --- voting codes */

void code_random(char code[CODE_SYMBOLS])
{
    static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t bytes[CODE_SYMBOLS];

    random_bytes(bytes, sizeof(bytes));
    for (int i = 0; i < CODE_SYMBOLS; i++)
        code[i] = symbols[bytes[i] & 31];
}

void code_write(const char code[CODE_SYMBOLS], char out[CODE_TEXT])
{
    char *to = out;

    for (int i = 0; i < CODE_SYMBOLS; i++) {
        if (i > 0 && i % 4 == 0)
            *to++ = '-';
        *to++ = code[i];
    }
    *to = '\0';
}

/* The symbol that a character stands for, or 0. */
static char read_symbol(char c)
{
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        return '0';
    if (c == 'I' || c == 'L')
        return '1';
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z' && c != 'U') ? c : '\0';
}

bool code_read(const char *text, size_t len, char code[CODE_SYMBOLS])
{
    int n = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-' || text[i] == ' ')
            continue;
        char symbol = read_symbol(text[i]);
        if (symbol == '\0' || n == CODE_SYMBOLS)
            return false;
        code[n++] = symbol;
    }
    return n == CODE_SYMBOLS;
}

bool keyring_hash_code(const struct keyring *keyring, const char *key_id, const char *poll,
                       const char code[CODE_SYMBOLS], uint8_t out[CODE_HASH])
{
    const struct key *key = keyring_find(keyring, key_id, strlen(key_id));
    crypto_generichash_state state;

    if (key == NULL)
        return false;
    crypto_generichash_init(&state, key->subkey[PURPOSE_VOTING_CODE], KEY_BYTES, CODE_HASH);
    crypto_generichash_update(&state, (const uint8_t *)poll, strlen(poll) + 1);
    crypto_generichash_update(&state, (const uint8_t *)code, CODE_SYMBOLS);
    crypto_generichash_final(&state, out, CODE_HASH);
    return true;
}
