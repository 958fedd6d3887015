/* keys - signing, hashing and sealing with libsodium.
 * SPDX-License-Identifier: MIT */
#include "ballot/keys.h"

#include "base/alloc.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 32
#define RING_MAX 16 /* keys: more rotations than that have no living poll */
#define SUBKEY_CONTEXT "scrutin1"
#define VOTER_MAC 16
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* What the subkeys of one instance key are for. */
enum purpose { PURPOSE_VOTER_TOKEN = 1, PURPOSE_VOTER_HASH, PURPOSE_RECEIPT, PURPOSE_VOTING_CODE, PURPOSES };

struct key {
    char id[POLL_KEY_ID_MAX + 1];
    uint8_t subkey[PURPOSES][KEY_BYTES];
    crypto_auth_hmacsha256_state voter_token; /* keyed, nothing hashed: half the work of every token */
};

struct keyring {
    size_t n;
    struct key keys[RING_MAX];
};

static bool key_id_is_valid(const char *id, size_t len)
{
    if (len == 0 || len > POLL_KEY_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= '0' && id[i] <= '9')))
            return false;
    return true;
}

static const struct key *find_key(const struct keyring *ring, const char *id, size_t len)
{
    for (size_t i = 0; i < ring->n; i++)
        if (strlen(ring->keys[i].id) == len && memcmp(ring->keys[i].id, id, len) == 0)
            return &ring->keys[i];
    return NULL;
}

static enum status add_key(struct keyring *ring, const char *entry, size_t len, struct errmsg *err)
{
    const char *colon = memchr(entry, ':', len);
    uint8_t main_key[KEY_BYTES];
    size_t got = 0;

    if (colon == NULL || !key_id_is_valid(entry, (size_t)(colon - entry)))
        return fail(err, ST_CONFIG, "key %zu is not `id:64 hex digits` with an id of [a-z0-9]{1,%d}", ring->n + 1,
                    POLL_KEY_ID_MAX);
    size_t id_len = (size_t)(colon - entry), hex_len = len - id_len - 1;
    if (hex_len != 2 * KEY_BYTES || sodium_hex2bin(main_key, KEY_BYTES, colon + 1, hex_len, NULL, &got, NULL) != 0 ||
        got != KEY_BYTES)
        return fail(err, ST_CONFIG, "key %.*s has not 64 hex digits", (int)id_len, entry);
    if (find_key(ring, entry, id_len) != NULL)
        return fail(err, ST_CONFIG, "key %.*s is there twice", (int)id_len, entry);
    if (ring->n == RING_MAX)
        return fail(err, ST_CONFIG, "there are more than %d keys", RING_MAX);
    struct key *key = &ring->keys[ring->n++];
    memcpy(key->id, entry, id_len);
    for (uint64_t purpose = 1; purpose < PURPOSES; purpose++)
        crypto_kdf_derive_from_key(key->subkey[purpose], KEY_BYTES, purpose, SUBKEY_CONTEXT, main_key);
    crypto_auth_hmacsha256_init(&key->voter_token, key->subkey[PURPOSE_VOTER_TOKEN], KEY_BYTES);
    sodium_memzero(main_key, sizeof(main_key));
    return ST_OK;
}

/* Calls add for each entry of a list that commas, spaces or line ends separate. */
static enum status each_entry(const char *text,
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

static enum status add_key_entry(void *to, const char *entry, size_t len, struct errmsg *err)
{
    return add_key(to, entry, len, err);
}

enum status keyring_parse(const char *text, struct keyring **out, struct errmsg *err)
{
    struct keyring *ring = sodium_malloc(sizeof(*ring));
    enum status st;

    *out = NULL;
    if (ring == NULL)
        abort();
    memset(ring, 0, sizeof(*ring));
    st = each_entry(text, add_key_entry, ring, err);
    if (st == ST_OK && ring->n == 0)
        st = fail(err, ST_CONFIG, "there is no key in it");
    if (st == ST_OK) {
        sodium_mprotect_readonly(ring);
        *out = ring;
    } else {
        keyring_free(ring);
    }
    return st;
}

void keyring_free(struct keyring *ring)
{
    sodium_free(ring);
}

const char *keyring_newest(const struct keyring *ring)
{
    return ring->keys[0].id;
}

/* --- random bytes and text */

/* The kernel's random bytes, fetched a page at a time: a system call for each ballot would cost as much as its
 * signature. Bytes are wiped as they are handed out. */
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

/* base64url without padding (RFC 4648, 5). What it writes is public, so unlike sodium_bin2base64 it needs no constant
 * time, and takes a quarter of it. */
static void encode_base64(char *out, const uint8_t *in, size_t len)
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

/* Into at most size bytes. libsodium takes bytes from 0x80 on for digits: a second spelling, so none passes. */
static bool decode_base64(const char *text, size_t text_len, uint8_t *out, size_t size, size_t *len)
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

void voter_token_make(const struct keyring *ring, const uint8_t id[VOTER_ID], char out[VOTER_TOKEN_SIZE])
{
    const struct key *key = &ring->keys[0];
    size_t id_len = strlen(key->id);
    uint8_t signed_id[VOTER_ID + VOTER_MAC];

    memcpy(signed_id, id, VOTER_ID);
    sign_voter(key, id, signed_id + VOTER_ID);
    memcpy(out, key->id, id_len);
    out[id_len] = '.';
    encode_base64(out + id_len + 1, signed_id, sizeof(signed_id));
}

bool voter_token_read(const struct keyring *ring, const char *text, size_t len, uint8_t id[VOTER_ID])
{
    const char *dot = text == NULL ? NULL : memchr(text, '.', len);
    const struct key *key = dot == NULL ? NULL : find_key(ring, text, (size_t)(dot - text));
    uint8_t signed_id[VOTER_ID + VOTER_MAC], mac[VOTER_MAC];
    size_t got = 0;

    if (key == NULL || !decode_base64(dot + 1, len - (size_t)(dot + 1 - text), signed_id, sizeof(signed_id), &got) ||
        got != sizeof(signed_id))
        return false;
    sign_voter(key, signed_id, mac);
    if (sodium_memcmp(mac, signed_id + VOTER_ID, VOTER_MAC) != 0)
        return false;
    memcpy(id, signed_id, VOTER_ID);
    return true;
}

bool keyring_hash_voter(const struct keyring *ring, const char *key_id, const char *poll, enum voter_kind kind,
                        const void *voter, size_t len, uint8_t out[VOTER_HASH])
{
    const struct key *key = find_key(ring, key_id, strlen(key_id));
    crypto_generichash_state state;
    uint8_t kind_byte = (uint8_t)kind;

    if (key == NULL)
        return false;
    /* The poll's NUL and the kind's one byte keep the three parts apart. */
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

/* The symbol that a character is read as, or 0. */
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

bool keyring_hash_code(const struct keyring *ring, const char *key_id, const char *poll, const char code[CODE_SYMBOLS],
                       uint8_t out[CODE_HASH])
{
    const struct key *key = find_key(ring, key_id, strlen(key_id));
    crypto_generichash_state state;

    if (key == NULL)
        return false;
    crypto_generichash_init(&state, key->subkey[PURPOSE_VOTING_CODE], KEY_BYTES, CODE_HASH);
    crypto_generichash_update(&state, (const uint8_t *)poll, strlen(poll) + 1);
    crypto_generichash_update(&state, (const uint8_t *)code, CODE_SYMBOLS);
    crypto_generichash_final(&state, out, CODE_HASH);
    return true;
}

/* --- receipts: key id, dot, base64url(nonce, sealed(version, index, sequence, voter, batch, poll)) */

#define RECEIPT_VERSION 1
#define RECEIPT_FIXED (1 + 2 + 8 + VOTER_HASH + BATCH_ID)
#define RECEIPT_NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define RECEIPT_TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define RECEIPT_SEALED_MAX (RECEIPT_NONCE + RECEIPT_FIXED + POLL_ID_MAX + RECEIPT_TAG)

static void put_big_endian(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static uint64_t get_big_endian(const uint8_t *from, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

/* XChaCha20-Poly1305 is ChaCha20-Poly1305 under a key that HChaCha20 makes of the key and the nonce's first 16 bytes
 * (draft-irtf-cfrg-xchacha, 2.3). A thread keeps these for a while and draws the last 8 anew for each receipt: a third
 * less work, and the chance that two of RECEIPTS_A_PREFIX meet is 2^-33. */
#define RECEIPT_PREFIX crypto_core_hchacha20_INPUTBYTES
#define RECEIPTS_A_PREFIX 65536

struct receipt_sealer {
    unsigned left;
    uint8_t key[KEY_BYTES], prefix[RECEIPT_PREFIX], subkey[crypto_core_hchacha20_OUTPUTBYTES];
};

/* Writes the nonce and what it seals. */
static void seal_receipt(const struct key *key, const uint8_t *plain, size_t len, uint8_t *out)
{
    static _Thread_local struct receipt_sealer sealer;
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0};

    if (sealer.left == 0 || memcmp(sealer.key, key->subkey[PURPOSE_RECEIPT], KEY_BYTES) != 0) {
        memcpy(sealer.key, key->subkey[PURPOSE_RECEIPT], KEY_BYTES);
        sealer.left = RECEIPTS_A_PREFIX;
        random_bytes(sealer.prefix, sizeof(sealer.prefix));
        crypto_core_hchacha20(sealer.subkey, sealer.prefix, key->subkey[PURPOSE_RECEIPT], NULL);
    }
    sealer.left--;
    memcpy(out, sealer.prefix, RECEIPT_PREFIX);
    random_bytes(out + RECEIPT_PREFIX, RECEIPT_NONCE - RECEIPT_PREFIX);
    memcpy(nonce + 4, out + RECEIPT_PREFIX, RECEIPT_NONCE - RECEIPT_PREFIX);
    crypto_aead_chacha20poly1305_ietf_encrypt(out + RECEIPT_NONCE, NULL, plain, len, NULL, 0, NULL, nonce,
                                              sealer.subkey);
}

void receipt_make(const struct keyring *ring, const struct receipt *receipt, char out[RECEIPT_SIZE])
{
    const struct key *key = &ring->keys[0];
    size_t poll_len = strlen(receipt->poll), id_len = strlen(key->id);
    uint8_t plain[RECEIPT_FIXED + POLL_ID_MAX], sealed[RECEIPT_SEALED_MAX];

    plain[0] = RECEIPT_VERSION;
    put_big_endian(plain + 1, receipt->index, 2);
    put_big_endian(plain + 3, receipt->sequence, 8);
    memcpy(plain + 11, receipt->voter, VOTER_HASH);
    memcpy(plain + 11 + VOTER_HASH, receipt->batch, BATCH_ID);
    memcpy(plain + RECEIPT_FIXED, receipt->poll, poll_len);
    seal_receipt(key, plain, RECEIPT_FIXED + poll_len, sealed);
    memcpy(out, key->id, id_len);
    out[id_len] = '.';
    encode_base64(out + id_len + 1, sealed, RECEIPT_NONCE + RECEIPT_FIXED + poll_len + RECEIPT_TAG);
}

/* Opens what seal_receipt wrote, and decrypts it where the seal is not ours, too: both take as long. */
static bool open_receipt(const struct key *key, const uint8_t *sealed, size_t len, uint8_t *plain)
{
    const uint8_t *text = sealed + RECEIPT_NONCE;
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {0}, subkey[crypto_core_hchacha20_OUTPUTBYTES];

    crypto_core_hchacha20(subkey, sealed, key->subkey[PURPOSE_RECEIPT], NULL);
    memcpy(nonce + 4, sealed + RECEIPT_PREFIX, RECEIPT_NONCE - RECEIPT_PREFIX);
    bool opened = crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, text, len - RECEIPT_NONCE, NULL, 0,
                                                            nonce, subkey) == 0;
    if (!opened)
        crypto_stream_chacha20_ietf_xor_ic(plain, text, len - RECEIPT_NONCE - RECEIPT_TAG, nonce, 1, subkey);
    sodium_memzero(subkey, sizeof(subkey));
    return opened;
}

/* Whatever the text is, it is decoded and a seal is opened: how long the answer takes does not tell what is wrong with
 * a forged one. */
bool receipt_read(const struct keyring *ring, const char *text, size_t len, struct receipt *out)
{
    const char *dot = text == NULL ? NULL : memchr(text, '.', len);
    const char *digits = dot == NULL ? text : dot + 1;
    const struct key *key = dot == NULL ? NULL : find_key(ring, text, (size_t)(dot - text));
    uint8_t plain[RECEIPT_FIXED + POLL_ID_MAX], sealed[RECEIPT_SEALED_MAX] = {0};
    size_t got = 0;

    bool decoded = text != NULL && decode_base64(digits, len - (size_t)(digits - text), sealed, sizeof(sealed), &got);
    bool whole = key != NULL && decoded && got >= RECEIPT_NONCE + RECEIPT_FIXED + 1 + RECEIPT_TAG;
    if (!whole) {
        key = &ring->keys[0];
        got = sizeof(sealed);
    }
    bool opened = open_receipt(key, sealed, got, plain);
    *out = (struct receipt){.sequence = 0};
    if (!whole || !opened || plain[0] != RECEIPT_VERSION)
        return false;
    out->index = (unsigned)get_big_endian(plain + 1, 2);
    out->sequence = get_big_endian(plain + 3, 8);
    memcpy(out->voter, plain + 11, VOTER_HASH);
    memcpy(out->batch, plain + 11 + VOTER_HASH, BATCH_ID);
    memcpy(out->poll, plain + RECEIPT_FIXED, got - RECEIPT_NONCE - RECEIPT_TAG - RECEIPT_FIXED);
    return true;
}

/* --- tokens that somebody keeps */

void secret_token_make(char out[SECRET_TOKEN_SIZE])
{
    uint8_t bytes[24];

    randombytes_buf(bytes, sizeof(bytes));
    encode_base64(out, bytes, sizeof(bytes));
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
    enum status st = each_entry(text, add_api_key, keys, err);
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
