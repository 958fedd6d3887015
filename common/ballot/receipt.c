/* receipt - seals and opens receipts: key id, dot, base64url(nonce, sealed(version, index, sequence, voter, batch,
 * poll)).
 * SPDX-License-Identifier: MIT */
#include "keys_internal.h"

#include <string.h>

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

/* XChaCha20-Poly1305 is ChaCha20-Poly1305 with another key, which HChaCha20 makes of the key and the first 16 bytes of
 * the nonce (draft-irtf-cfrg-xchacha, 2.3). A thread keeps these 16 bytes for RECEIPTS_A_PREFIX receipts and draws only
 * the last 8 bytes for each. That saves a third of the work. The chance that two of these receipts have the same nonce
 * is 2^-33. */
#define RECEIPT_PREFIX crypto_core_hchacha20_INPUTBYTES
#define RECEIPTS_A_PREFIX 65536

struct receipt_sealer {
    unsigned left;
    uint8_t key[KEY_BYTES], prefix[RECEIPT_PREFIX], subkey[crypto_core_hchacha20_OUTPUTBYTES];
};

/* Writes the nonce and the encrypted text. */
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

void receipt_make(const struct keyring *keyring, const struct receipt *receipt, char out[RECEIPT_SIZE])
{
    const struct key *key = &keyring->keys[0];
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
    base64_encode(out + id_len + 1, sealed, RECEIPT_NONCE + RECEIPT_FIXED + poll_len + RECEIPT_TAG);
}

/* Decrypts what seal_receipt wrote. A text with a wrong seal is decrypted too, so that both take the same time. */
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

/* Decodes and decrypts every text, so that the time does not tell what is wrong with a forged receipt. */
bool receipt_read(const struct keyring *keyring, const char *text, size_t len, struct receipt *out)
{
    const char *dot = text == NULL ? NULL : memchr(text, '.', len);
    const char *digits = dot == NULL ? text : dot + 1;
    const struct key *key = dot == NULL ? NULL : keyring_find(keyring, text, (size_t)(dot - text));
    uint8_t plain[RECEIPT_FIXED + POLL_ID_MAX], sealed[RECEIPT_SEALED_MAX] = {0};
    size_t got = 0;

    bool decoded = text != NULL && base64_decode(digits, len - (size_t)(digits - text), sealed, sizeof(sealed), &got);
    bool whole = key != NULL && decoded && got >= RECEIPT_NONCE + RECEIPT_FIXED + 1 + RECEIPT_TAG;
    if (!whole) {
        key = &keyring->keys[0];
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
