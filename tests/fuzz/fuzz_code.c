/* fuzz_code - what somebody types as a voting code, and the values of the bucket of codes.
 * SPDX-License-Identifier: MIT */
#include "ballot/keys.h"
#include "fuzz.h"

/* What is read is a code, and reads as itself however it is written. */
static void check_code(const char *text, size_t len)
{
    char code[CODE_SYMBOLS], written[CODE_TEXT], again[CODE_SYMBOLS];

    if (!code_read(text, len, code))
        return;
    for (size_t i = 0; i < CODE_SYMBOLS; i++)
        assert(strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", code[i]) != NULL && code[i] != '\0');
    code_write(code, written);
    assert(strlen(written) == CODE_TEXT - 1);
    assert(code_read(written, strlen(written), again) && memcmp(code, again, CODE_SYMBOLS) == 0);
}

static void check_chunk(const uint8_t *data, size_t size)
{
    struct code_chunk chunk, again;
    struct bytes bytes;
    enum status st = wire_decode_codes(data, size, &chunk, NULL);

    if (st != ST_OK)
        return;
    assert(chunk.n > 0 && chunk.n * CODE_HASH <= size);
    wire_encode_codes(&chunk, &bytes);
    st = wire_decode_codes(bytes.data, bytes.len, &again, NULL);
    assert(st == ST_OK && again.n == chunk.n && strcmp(again.poll, chunk.poll) == 0);
    assert(memcmp(again.hashes, chunk.hashes, chunk.n * CODE_HASH) == 0);
    free(again.memory);
    free(bytes.data);
    free(chunk.memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_code((const char *)data, size);
    check_chunk(data, size);
    return 0;
}
