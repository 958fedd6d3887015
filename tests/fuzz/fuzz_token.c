/* fuzz_token - what comes as cookie, bearer token or receipt.
 * SPDX-License-Identifier: MIT */
#include "ballot/keys.h"
#include "fuzz.h"
#include "sample_poll.h"
#include <sodium.h>

static struct keyring *ring;
static struct api_keys *keys;

static void open_ring(void)
{
    enum status st;
    int started = sodium_init();
    assert(started >= 0);
    st = keyring_parse(SAMPLE_RING, &ring, NULL);
    assert(st == ST_OK);
    st = api_keys_parse("hall:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &keys, NULL);
    assert(st == ST_OK);
}

/* Nobody guesses a signature: what is read is what the ring itself writes for this id. */
static void check_token(const char *text, size_t len)
{
    uint8_t id[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];

    if (!voter_token_read(ring, text, len, id))
        return;
    voter_token_make(ring, id, token);
    assert(strlen(token) == len);
    assert(memcmp(token, text, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct receipt receipt;

    if (ring == NULL)
        open_ring();
    check_token(text, size);
    if (receipt_read(ring, text, size, &receipt))
        assert(memchr(receipt.poll, '\0', sizeof(receipt.poll)) != NULL && receipt.index < BATCH_BALLOTS_MAX);
    const char *name = api_keys_find(keys, text, size);
    assert((name != NULL) == (size == 3 && memcmp(text, "abc", 3) == 0));
    return 0;
}
