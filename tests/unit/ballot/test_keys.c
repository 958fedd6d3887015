/* Tests of keys: tokens that were not signed here are none, voters cannot be linked, receipts tell nothing.
 * SPDX-License-Identifier: MIT */
#include "ballot/keys.h"

#include "unit.h"
#include <ctype.h>
#include <sodium.h>

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* Every byte: libsodium 1.0.18 reads those from 0x80 on as the `_` of base64url, which would be a second spelling. */
#define FORGED_BYTES 256

static struct keyring *ring_of(const char *text)
{
    struct keyring *ring;
    struct errmsg err = {""};
    if (keyring_parse(text, &ring, &err) != ST_OK)
        fail_test("%s", err.text);
    return ring;
}

static int open_ring(void **state)
{
    *state = ring_of("k1:" HEX_A);
    return 0;
}

static int close_ring(void **state)
{
    keyring_free(*state);
    return 0;
}

/* --- the ring */

static void a_ring_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"", "no key"},
        {" , ,\n", "no key"},
        {"k1", "`id:64 hex digits`"},
        {":" HEX_A, "`id:64 hex digits`"},
        {"K1:" HEX_A, "`id:64 hex digits`"},
        {"k.1:" HEX_A, "`id:64 hex digits`"},
        {"abcdefghijklmnopq:" HEX_A, "`id:64 hex digits`"}, /* 17 bytes */
        {"k1:", "64 hex digits"},
        {"k1:00", "64 hex digits"},
        {"k1:" HEX_A "00", "64 hex digits"},
        {"k1:zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "64 hex digits"},
        {"k1:" HEX_A ",k1:" HEX_B, "twice"},
        {"k1:" HEX_A ",k2", "key 2"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct keyring *ring = NULL;
        struct errmsg err = {""};
        CHECK_ROW(keyring_parse(rows[i].text, &ring, &err) == ST_CONFIG, "%s", rows[i].text);
        CHECK_ROW(strstr(err.text, rows[i].reason) != NULL, "%s: %s", rows[i].text, err.text);
        CHECK_ROW(strstr(err.text, "0405") == NULL, "the secret is in: %s", err.text);
        assert_null(ring);
    }
}

static void the_first_key_of_a_ring_signs(void **state)
{
    struct keyring *ring = ring_of("new:" HEX_A ",\n old:" HEX_B "\n");
    uint8_t id[VOTER_ID] = {1};
    char token[VOTER_TOKEN_SIZE];
    assert_string_equal(keyring_newest(ring), "new");
    voter_token_make(ring, id, token);
    assert_int_equal(strncmp(token, "new.", 4), 0);
    keyring_free(ring);
}

/* --- voter tokens */

static void a_token_is_read_back(void **state)
{
    uint8_t id[VOTER_ID], read[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];

    for (int i = 0; i < 100; i++) {
        voter_id_random(id);
        voter_token_make(*state, id, token);
        assert_int_equal(strlen(token), 3 + 43);
        assert_true(voter_token_read(*state, token, strlen(token), read));
        assert_memory_equal(read, id, VOTER_ID);
    }
}

static void ids_are_random(void **state)
{
    uint8_t a[VOTER_ID], b[VOTER_ID];
    voter_id_random(a);
    voter_id_random(b);
    assert_memory_not_equal(a, b, VOTER_ID);
}

/* Draws of all sizes, across the ends of the store that they come from: no byte is left as it was, or is drawn twice.
 */
static void random_bytes_of_every_size_are_drawn_once(void **state)
{
    static uint8_t before[4096], bytes[4096 + 8];
    for (size_t len = 0; len <= 4096; len = len < 64 ? len + 1 : len * 2) {
        for (int i = 0; i < 20; i++) {
            memset(bytes, 0, sizeof(bytes));
            random_bytes(bytes, len);
            assert_int_equal(bytes[len], 0); /* not one byte more */
            if (len >= 16) {
                assert_memory_not_equal(bytes, before, 16);
                assert_null(memmem(bytes, len, "\0\0\0\0\0\0\0\0", 8));
                memcpy(before, bytes, len);
            }
        }
    }
    /* Every value comes up, about as often as the others: 2^20 bytes, 4,096 of each; 5 sigma are 320. */
    int counts[256] = {0};
    for (int i = 0; i < 256; i++) {
        random_bytes(bytes, 4096);
        for (int j = 0; j < 4096; j++)
            counts[bytes[j]]++;
    }
    for (int i = 0; i < 256; i++)
        assert_in_range(counts[i], 4096 - 400, 4096 + 400);
}

static void the_longest_key_id_fits_a_token(void **state)
{
    struct keyring *ring = ring_of("abcdefghijklmnop:" HEX_A);
    uint8_t id[VOTER_ID] = {7}, read[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];
    voter_token_make(ring, id, token);
    assert_int_equal(strlen(token), VOTER_TOKEN_SIZE - 1);
    assert_true(voter_token_read(ring, token, strlen(token), read));
    keyring_free(ring);
}

/* Every single changed character, for every other character there is. */
static void a_forged_token_is_none(void **state)
{
    uint8_t id[VOTER_ID] = {1, 2, 3}, read[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];

    voter_token_make(*state, id, token);
    size_t len = strlen(token);
    for (size_t at = 0; at < len; at++) {
        char right = token[at];
        for (int c = 0; c < FORGED_BYTES; c++) {
            token[at] = (char)c;
            if (token[at] != right && voter_token_read(*state, token, len, read))
                fail_test("byte %zu may be %02x", at, (unsigned)c);
        }
        token[at] = right;
    }
    assert_true(voter_token_read(*state, token, len, read));
}

static void a_truncated_or_extended_token_is_none(void **state)
{
    uint8_t id[VOTER_ID] = {9}, read[VOTER_ID];
    char token[VOTER_TOKEN_SIZE + 8];

    voter_token_make(*state, id, token);
    size_t len = strlen(token);
    for (size_t cut = 0; cut < len; cut++) {
        char *exact = malloc(cut != 0 ? cut : 1);
        memcpy(exact, token, cut);
        CHECK_ROW(!voter_token_read(*state, exact, cut, read), "%zu", cut);
        free(exact);
    }
    static const char *const tails[] = {"=", "A", ".", " ", "\n", "AAAA"};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        strcpy(token + len, tails[i]);
        CHECK_ROW(!voter_token_read(*state, token, strlen(token), read), "%s", token);
    }
    assert_false(voter_token_read(*state, NULL, 0, read));
}

static void a_token_of_another_instance_is_none(void **state)
{
    struct keyring *foreign = ring_of("k1:" HEX_B); /* even of the same key id */
    uint8_t id[VOTER_ID] = {1}, read[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];
    voter_token_make(foreign, id, token);
    assert_false(voter_token_read(*state, token, strlen(token), read));
    keyring_free(foreign);
}

static void tokens_survive_a_rotation_until_their_key_leaves(void **state)
{
    struct keyring *both = ring_of("k2:" HEX_B ",k1:" HEX_A);
    struct keyring *after = ring_of("k2:" HEX_B);
    uint8_t id[VOTER_ID] = {5}, read[VOTER_ID];
    char token[VOTER_TOKEN_SIZE];

    voter_token_make(*state, id, token);
    assert_true(voter_token_read(both, token, strlen(token), read));
    assert_memory_equal(read, id, VOTER_ID);
    assert_false(voter_token_read(after, token, strlen(token), read));
    voter_token_make(both, id, token);
    assert_true(voter_token_read(after, token, strlen(token), read));
    assert_false(voter_token_read(*state, token, strlen(token), read));
    keyring_free(both);
    keyring_free(after);
}

/* --- voter hashes */

static void the_same_voter_has_the_same_hash_in_a_poll(void **state)
{
    uint8_t a[VOTER_HASH], b[VOTER_HASH];
    assert_true(keyring_hash_voter(*state, "k1", "demo", VOTER_COOKIE, "0123456789abcdef", 16, a));
    assert_true(keyring_hash_voter(*state, "k1", "demo", VOTER_COOKIE, "0123456789abcdef", 16, b));
    assert_memory_equal(a, b, VOTER_HASH);
}

static void nothing_links_hashes_of_other_polls_kinds_voters_or_keys(void **state)
{
    static const struct {
        const char *key, *poll;
        enum voter_kind kind;
        const char *voter;
        size_t len;
    } rows[] = {
        {"k1", "demo", VOTER_COOKIE, "alice", 5},
        {"k1", "demo2", VOTER_COOKIE, "alice", 5},
        {"k1", "demo", VOTER_GATEWAY, "alice", 5},
        {"k1", "demo", VOTER_CLASSIC, "alice", 5},
        {"k1", "demo", VOTER_CODE, "alice", 5},
        {"k1", "demo", VOTER_COOKIE, "bob", 3},
        {"k1", "demo", VOTER_COOKIE, "alice\0", 6},
        {"k1", "demo", VOTER_COOKIE, "", 0},
        {"k2", "demo", VOTER_COOKIE, "alice", 5},
        /* what would meet if the parts were only put one after the other */
        {"k1", "dem", VOTER_COOKIE, "oalice", 6},
        {"k1", "democ", VOTER_COOKIE, "alice", 5},
        {"k1", "demo", VOTER_COOKIE, "calice", 6},
    };
    struct keyring *ring = ring_of("k1:" HEX_A ",k2:" HEX_B);
    uint8_t hashes[COUNT_OF(rows)][VOTER_HASH];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(
            keyring_hash_voter(ring, rows[i].key, rows[i].poll, rows[i].kind, rows[i].voter, rows[i].len, hashes[i]));
        for (size_t j = 0; j < i; j++)
            CHECK_ROW(memcmp(hashes[i], hashes[j], VOTER_HASH) != 0, "%zu and %zu", i, j);
    }
    keyring_free(ring);
}

static void a_hash_does_not_depend_on_the_rest_of_the_ring(void **state)
{
    struct keyring *rotated = ring_of("k9:" HEX_B ",k1:" HEX_A);
    uint8_t a[VOTER_HASH], b[VOTER_HASH];
    assert_true(keyring_hash_voter(*state, "k1", "demo", VOTER_COOKIE, "alice", 5, a));
    assert_true(keyring_hash_voter(rotated, "k1", "demo", VOTER_COOKIE, "alice", 5, b));
    assert_memory_equal(a, b, VOTER_HASH);
    keyring_free(rotated);
}

static void a_key_that_is_not_in_the_ring_hashes_nobody(void **state)
{
    uint8_t hash[VOTER_HASH];
    assert_false(keyring_hash_voter(*state, "k2", "demo", VOTER_COOKIE, "alice", 5, hash));
    assert_false(keyring_hash_voter(*state, "", "demo", VOTER_COOKIE, "alice", 5, hash));
}

/* --- voting codes */

static void a_code_is_read_as_people_type_it(void **state)
{
    static const struct {
        const char *text, *code; /* NULL: it is none */
    } rows[] = {
        {"0123-4567-89AB", "0123456789AB"},
        {"0123456789AB", "0123456789AB"},
        {"cdef-ghjk-mnpq", "CDEFGHJKMNPQ"},
        {" rstv wxyz 0000 ", "RSTVWXYZ0000"},
        {"oOiI-lL11-00ZZ", "0011111100ZZ"},
        {"0-1-2-3-4-5-6-7-8-9-A-B", "0123456789AB"},
        {"", NULL},
        {"-- -", NULL},
        {"0123-4567-89A", NULL},
        {"0123-4567-89ABC", NULL},
        {"0123-4567-89AU", NULL}, /* U is no symbol */
        {"0123_4567_89AB", NULL},
        {"0123-4567-89A\xc3\x89", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char code[CODE_SYMBOLS];
        bool ok = code_read(rows[i].text, strlen(rows[i].text), code);
        CHECK_ROW(ok == (rows[i].code != NULL), "%s", rows[i].text);
        CHECK_ROW(!ok || memcmp(code, rows[i].code, CODE_SYMBOLS) == 0, "%s", rows[i].text);
    }
}

static void a_code_is_written_in_groups_and_read_back(void **state)
{
    for (int i = 0; i < 1000; i++) {
        char code[CODE_SYMBOLS], read[CODE_SYMBOLS], text[CODE_TEXT];
        code_random(code);
        code_write(code, text);
        assert_int_equal(strlen(text), CODE_TEXT - 1);
        assert_true(text[4] == '-' && text[9] == '-');
        assert_int_equal(strcspn(text, "ILOU_"), CODE_TEXT - 1);
        assert_true(code_read(text, strlen(text), read));
        assert_memory_equal(read, code, CODE_SYMBOLS);
    }
}

/* 60 random bits: every symbol stands at every place. */
static void codes_use_every_symbol_everywhere(void **state)
{
    uint32_t seen[CODE_SYMBOLS] = {0};
    const char *symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    for (int i = 0; i < 2000; i++) { /* one of 32 is missed with 32 * (31/32)^2000 < 1e-25 */
        char code[CODE_SYMBOLS];
        code_random(code);
        for (int k = 0; k < CODE_SYMBOLS; k++)
            seen[k] |= UINT32_C(1) << (strchr(symbols, code[k]) - symbols);
    }
    for (int k = 0; k < CODE_SYMBOLS; k++)
        assert_int_equal(seen[k], UINT32_MAX);
}

static void a_codes_hash_is_of_its_poll_and_key_alone(void **state)
{
    struct keyring *ring = ring_of("k1:" HEX_A ",k2:" HEX_B);
    uint8_t hashes[4][CODE_HASH], again[CODE_HASH], voter[VOTER_HASH];

    assert_true(keyring_hash_code(ring, "k1", "poll", "0123456789AB", hashes[0]));
    assert_true(keyring_hash_code(ring, "k1", "poll", "0123456789AC", hashes[1]));
    assert_true(keyring_hash_code(ring, "k1", "pol", "0123456789AB", hashes[2]));
    assert_true(keyring_hash_code(ring, "k2", "poll", "0123456789AB", hashes[3]));
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(hashes[i], hashes[j], CODE_HASH);
    assert_true(keyring_hash_code(ring, "k1", "poll", "0123456789AB", again));
    assert_memory_equal(again, hashes[0], CODE_HASH);
    /* What the bucket holds does not lead to the row of the ballot. */
    assert_true(keyring_hash_voter(ring, "k1", "poll", VOTER_CODE, "0123456789AB", CODE_SYMBOLS, voter));
    assert_memory_not_equal(voter, hashes[0], CODE_HASH);
    assert_false(keyring_hash_code(ring, "k3", "poll", "0123456789AB", again));
    keyring_free(ring);
}

/* --- receipts */

static struct receipt make_receipt(void)
{
    struct receipt receipt = {.poll = "demo", .sequence = 1099511627775, .index = 4095};
    memset(receipt.voter, 'V', VOTER_HASH);
    memset(receipt.batch, 'B', BATCH_ID);
    return receipt;
}

static void a_receipt_is_read_back(void **state)
{
    static const char *const polls[] = {"x", "demo", "abcdefghijklmnopqrstuvwxyz012345"};
    struct keyring *ring = ring_of("abcdefghijklmnop:" HEX_A); /* the longest text there is */
    for (size_t i = 0; i < COUNT_OF(polls); i++) {
        struct receipt receipt = make_receipt(), read;
        char text[RECEIPT_SIZE];
        strcpy(receipt.poll, polls[i]);
        receipt_make(ring, &receipt, text);
        assert_true(strlen(text) < RECEIPT_SIZE);
        assert_true(receipt_read(ring, text, strlen(text), &read));
        assert_string_equal(read.poll, polls[i]);
        assert_memory_equal(read.voter, receipt.voter, VOTER_HASH);
        assert_memory_equal(read.batch, receipt.batch, BATCH_ID);
        assert_int_equal(read.sequence, receipt.sequence);
        assert_int_equal(read.index, 4095);
    }
    keyring_free(ring);
}

/* What the text shows to somebody without the key: nothing of the ballot, not even that two are the same. */
static void a_receipt_is_sealed(void **state)
{
    struct receipt receipt = make_receipt();
    char a[RECEIPT_SIZE], b[RECEIPT_SIZE];
    uint8_t bytes[RECEIPT_SIZE];
    size_t len;

    receipt_make(*state, &receipt, a);
    receipt_make(*state, &receipt, b);
    assert_string_not_equal(a, b);
    assert_int_equal(sodium_base642bin(bytes, sizeof(bytes), strchr(a, '.') + 1, strlen(strchr(a, '.') + 1), NULL, &len,
                                       NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    assert_null(memmem(bytes, len, "demo", 4));
    assert_null(memmem(bytes, len, "VVVV", 4));
    assert_null(memmem(bytes, len, "BBBB", 4));
}

static void a_receipt_fits_a_url(void **state)
{
    struct receipt receipt = make_receipt();
    char text[RECEIPT_SIZE];
    receipt_make(*state, &receipt, text);
    for (const char *c = text; *c != '\0'; c++)
        assert_true(isalnum((unsigned char)*c) || strchr("-_.", *c) != NULL); /* RFC 3986: unreserved */
}

static void a_forged_truncated_or_foreign_receipt_is_none(void **state)
{
    struct receipt receipt = make_receipt(), read;
    struct keyring *foreign = ring_of("k1:" HEX_B);
    char text[RECEIPT_SIZE + 8];

    receipt_make(*state, &receipt, text);
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at++) {
        char right = text[at];
        for (int c = 0; c < FORGED_BYTES; c++) {
            text[at] = (char)c;
            if (text[at] != right && receipt_read(*state, text, len, &read))
                fail_test("byte %zu may be %02x", at, (unsigned)c);
        }
        text[at] = right;
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_false(receipt_read(*state, text, cut, &read));
    assert_false(receipt_read(foreign, text, len, &read));
    assert_true(receipt_read(*state, text, len, &read));
    strcpy(text + len, "AAAA");
    assert_false(receipt_read(*state, text, len + 4, &read));
    assert_false(receipt_read(*state, NULL, 0, &read));
    keyring_free(foreign);
}

/* Tokens and receipts have keys of their own: one never passes for the other. */
static void a_voter_token_is_no_receipt(void **state)
{
    struct receipt receipt = make_receipt();
    uint8_t id[VOTER_ID] = {1};
    char token[VOTER_TOKEN_SIZE], text[RECEIPT_SIZE];
    voter_token_make(*state, id, token);
    receipt_make(*state, &receipt, text);
    assert_false(receipt_read(*state, token, strlen(token), &receipt));
    assert_false(voter_token_read(*state, text, strlen(text), id));
}

/* --- secret tokens and API keys */

static void a_secret_token_matches_its_hash_only(void **state)
{
    char a[SECRET_TOKEN_SIZE], b[SECRET_TOKEN_SIZE];
    uint8_t hash[POLL_MANAGE_HASH];

    secret_token_make(a);
    secret_token_make(b);
    assert_int_equal(strlen(a), SECRET_TOKEN_SIZE - 1);
    assert_string_not_equal(a, b);
    secret_token_hash(a, strlen(a), hash);
    assert_true(secret_token_matches(a, strlen(a), hash));
    assert_false(secret_token_matches(b, strlen(b), hash));
    assert_false(secret_token_matches(a, strlen(a) - 1, hash));
    assert_false(secret_token_matches("", 0, hash));
}

#define SHA_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* FIPS 180-2, appendix B.1 */
#define SHA_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void an_api_key_is_found_by_its_token(void **state)
{
    struct api_keys *keys;
    assert_int_equal(api_keys_parse("hall:" SHA_ABC ",\nnobody:" SHA_EMPTY "\n", &keys, NULL), ST_OK);
    assert_string_equal(api_keys_find(keys, "abc", 3), "hall");
    assert_string_equal(api_keys_find(keys, "abcd", 3), "hall"); /* the length counts */
    assert_null(api_keys_find(keys, "abd", 3));
    assert_null(api_keys_find(keys, "ab", 2));
    assert_null(api_keys_find(keys, "", 0)); /* even where somebody hashed the empty text */
    assert_null(api_keys_find(keys, NULL, 0));
    assert_null(api_keys_find(keys, SHA_ABC, 64)); /* the hash is no key */
    api_keys_free(keys);
}

static void several_api_keys_are_valid_at_once(void **state)
{
    char tokens[3][SECRET_TOKEN_SIZE], text[512] = "";
    static const char *const names[] = {"hall", "hall.2027", "School_1"};
    struct api_keys *keys;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        uint8_t hash[POLL_MANAGE_HASH];
        char hex[2 * POLL_MANAGE_HASH + 1];
        secret_token_make(tokens[i]);
        secret_token_hash(tokens[i], strlen(tokens[i]), hash);
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s:%s\n", names[i], hex);
    }
    assert_int_equal(api_keys_parse(text, &keys, NULL), ST_OK);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(api_keys_find(keys, tokens[i], strlen(tokens[i])), names[i]);
    assert_null(api_keys_find(keys, "hall", 4));
    api_keys_free(keys);
}

static void no_api_keys_let_nobody_in(void **state)
{
    struct api_keys *keys;
    assert_int_equal(api_keys_parse("", &keys, NULL), ST_OK);
    assert_null(api_keys_find(keys, "abc", 3));
    api_keys_free(keys);
    api_keys_free(NULL);
}

static void api_keys_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"hall", "`name:SHA-256 of the key in hex`"},
        {":" SHA_ABC, "`name:SHA-256 of the key in hex`"},
        {"hall:abc", "the key of hall is not a SHA-256"},
        {"hall:" SHA_ABC "00", "the key of hall is not a SHA-256"},
        {"ok:" SHA_ABC ",hall:" SHA_ABC "zz", "the key of hall"},
        {"hall:" SHA_ABC ",hall:" SHA_EMPTY, "of another entry"},
        {"hall:" SHA_ABC ",school:" SHA_ABC, "of another entry"},
        {"a/b:" SHA_ABC, "`name:SHA-256 of the key in hex`"},
        {"abcdefghijklmnopqrstuvwxyz-1234567:" SHA_ABC, "`name:SHA-256 of the key in hex`"}, /* 34 bytes */
        {"hall:xx7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "the key of hall"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct api_keys *keys = NULL;
        struct errmsg err = {""};
        CHECK_ROW(api_keys_parse(rows[i].text, &keys, &err) == ST_CONFIG, "%s", rows[i].text);
        CHECK_ROW(strstr(err.text, rows[i].reason) != NULL, "%s: %s", rows[i].text, err.text);
        assert_null(keys);
    }
}

#define WITH_RING(name) cmocka_unit_test_setup_teardown(name, open_ring, close_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_that_is_none_is_refused),
        cmocka_unit_test(the_first_key_of_a_ring_signs),
        WITH_RING(a_token_is_read_back),
        cmocka_unit_test(ids_are_random),
        cmocka_unit_test(random_bytes_of_every_size_are_drawn_once),
        cmocka_unit_test(the_longest_key_id_fits_a_token),
        WITH_RING(a_forged_token_is_none),
        WITH_RING(a_truncated_or_extended_token_is_none),
        WITH_RING(a_token_of_another_instance_is_none),
        WITH_RING(tokens_survive_a_rotation_until_their_key_leaves),
        WITH_RING(the_same_voter_has_the_same_hash_in_a_poll),
        cmocka_unit_test(nothing_links_hashes_of_other_polls_kinds_voters_or_keys),
        WITH_RING(a_hash_does_not_depend_on_the_rest_of_the_ring),
        WITH_RING(a_key_that_is_not_in_the_ring_hashes_nobody),
        cmocka_unit_test(a_code_is_read_as_people_type_it),
        cmocka_unit_test(a_code_is_written_in_groups_and_read_back),
        cmocka_unit_test(codes_use_every_symbol_everywhere),
        cmocka_unit_test(a_codes_hash_is_of_its_poll_and_key_alone),
        cmocka_unit_test(a_receipt_is_read_back),
        WITH_RING(a_receipt_is_sealed),
        WITH_RING(a_receipt_fits_a_url),
        WITH_RING(a_forged_truncated_or_foreign_receipt_is_none),
        WITH_RING(a_voter_token_is_no_receipt),
        cmocka_unit_test(a_secret_token_matches_its_hash_only),
        cmocka_unit_test(an_api_key_is_found_by_its_token),
        cmocka_unit_test(several_api_keys_are_valid_at_once),
        cmocka_unit_test(no_api_keys_let_nobody_in),
        cmocka_unit_test(api_keys_that_are_none_are_refused),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
