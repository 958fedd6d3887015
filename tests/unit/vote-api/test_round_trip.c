/* Whatever is accepted must survive its own encoding and decoding: random polls, edits, ballots, codes, receipts and
 * tokens, each as large as the limits allow and each compared with what came back.
 * SPDX-License-Identifier: MIT
 *
 * The seed is printed; SEED=... repeats a run. */
#include "ballot/keys.h"
#include "ballot/ordinal.h"
#include "ballots/ballots.h"
#include "ballots/selection.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "codes/codes.h"
#include "polls/poll_edit.h"
#include "polls/poll_form.h"
#include "polls/polls.h"
#include "unit.h"
#include <sodium.h>

#define ROUNDS 400
#define NOW_MS INT64_C(1769860800000)
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* --- what chance makes */

static uint64_t state_of_chance;

static uint64_t chance(uint64_t below)
{
    state_of_chance ^= state_of_chance << 13, state_of_chance ^= state_of_chance >> 7,
        state_of_chance ^= state_of_chance << 17;
    return state_of_chance % below;
}

/* Of numbers up to max the ends are the interesting ones. */
static size_t pick_size(size_t min, size_t max)
{
    switch (chance(4)) {
    case 0:
        return min;
    case 1:
        return max;
    default:
        return min + chance(max - min + 1);
    }
}

static bool with_controls; /* in a few bodies: with thousands of characters, almost none would be accepted */

static const char *pick_character(void)
{
    static const char *const characters[] = {
        "a",
        "Z",
        "0",
        "\"",
        "\\",
        "/",
        "<",
        "=",
        " ",
        "e\xcc\x81", /* e and an accent */
        "\xc3\x9f",
        "\xc4\xb0",
        "\xce\xa3",
        "\xd7\xa9",
        "\xd9\x85", /* sharp s, dotted I, sigma, shin, mim */
        "\xe2\x80\x8c",
        "\xe2\x80\x8d",
        "\xe2\x80\x8b",
        "\xc2\xad", /* ZWNJ, ZWJ, zero-width space, soft hyphen */
        "\xc2\xa0",
        "\xe3\x80\x80",
        "\xef\xbc\xa1",
        "\xef\xac\x81", /* no-break and ideographic space, full-width A, fi */
        "\xf0\x9f\x90\x88",
        "\xf0\x9f\x91\xa9",
        "\xf4\x8f\xbf\xbf", /* cat, woman, the last code point */
        "\xef\xbf\xbf",
        "\xee\x80\x80",
        "\xed\x9f\xbf",
        "\x7f",
        "\n", /* U+FFFF, private use, before the surrogates */
    };
    return characters[chance(COUNT_OF(characters) - (with_controls ? 0 : 2))];
}

/* Up to max code points; *len of them are written. */
static void make_text(char *out, size_t max, size_t min)
{
    size_t want = pick_size(min, max), n = 0;
    const char *only = chance(4) == 0 ? "\xf0\x9f\x90\x88" : NULL; /* as many bytes as there can be */

    while (n < want) {
        const char *character = only != NULL ? only : pick_character();
        size_t more = json_count_code_points(character);
        if (n + more > want)
            character = "x", more = 1;
        out = stpcpy(out, character);
        n += more;
    }
    *out = '\0';
}

static void make_id(char out[POLL_ID_MAX + 1], size_t number)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = pick_size(3, POLL_ID_MAX);

    snprintf(out, POLL_ID_MAX + 1, "%02zu-", number);
    for (size_t i = 3; i < len; i++)
        out[i] = digits[chance(sizeof(digits) - 1)];
    out[len] = '\0';
}

/* The ends of what can be written, and whatever chance says. */
static json_t *make_time(bool late)
{
    static const char *const edges[] = {"1970-01-01T00:00:00.001Z",      "9999-12-31T23:59:59.998Z",
                                        "9999-12-31T23:59:59.999Z",      "9999-12-31T22:59:59.999-01:00",
                                        "9999-12-31T23:59:60Z",          "9999-12-31T23:59:59-23:59",
                                        "9999-12-31T23:59:59.999-00:01", "9999-12-31T00:00:00+23:59"};
    char text[64];

    if (chance(3) == 0)
        return json_null();
    if (chance(3) == 0)
        return json_string(edges[late ? 1 + chance(COUNT_OF(edges) - 1) : 0]);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d",
             (late ? 2027 : 1970) + (int)chance(late ? 7973 : 58), 1 + (int)chance(12), 1 + (int)chance(31),
             (int)chance(24), (int)chance(60), (int)chance(61), (int)chance(1000), chance(2) ? '+' : '-',
             (int)chance(24), (int)chance(60));
    return json_string(text);
}

static json_t *make_options(size_t n, bool whole_labels)
{
    json_t *options = json_array();
    char id[POLL_ID_MAX + 1], label[4 * POLL_LABEL_MAX + 8];

    for (size_t i = 0; i < n; i++) {
        make_id(id, i);
        snprintf(label, sizeof(label), "%02zu.", i); /* so that labels differ */
        make_text(label + 3, POLL_LABEL_MAX - 3, whole_labels ? POLL_LABEL_MAX - 3 : 0);
        json_array_append_new(options,
                              chance(2) ? json_pack("{s:s,s:s}", "id", id, "label", label) : json_string(label));
    }
    return options;
}

/* The body of POST or, with some fields left out, of PATCH. */
static json_t *make_body(bool patch)
{
    static const char *const methods[] = {"plurality", "approval", "ranked", "score"};
    static const char *const visibilities[] = {"always", "after_vote", "after_close"};
    static const char *const states[] = {"draft", "scheduled", "open", "closed"};
    char title[4 * POLL_TITLE_MAX + 1], text[4 * POLL_TEXT_MAX + 1];
    size_t method = chance(4), n = pick_size(2, method == 2 ? POLL_RANKED_MAX : POLL_OPTIONS_MAX);
    size_t most = method == 0 ? 1 : n, min = pick_size(1, most);
    json_t *body = json_object();

    with_controls = chance(16) == 0;
    make_text(title, POLL_TITLE_MAX, 1);
    make_text(text, POLL_TEXT_MAX, 0);
#define SET(name, value)                                                                                               \
    if (!patch || chance(4) == 0)                                                                                      \
    json_object_set_new(body, name, value)
    SET("title", json_string(title));
    SET("options", make_options(n, chance(4) == 0));
    SET("method", json_string(methods[method]));
    if (patch || chance(4) == 0)
        SET("state", json_string(states[patch ? chance(COUNT_OF(states)) : 0]));
    patch = true; /* the rest may be left out by either */
    SET("description", json_string(text));
    SET("min_choices", json_integer((json_int_t)min));
    SET("max_choices", json_integer((json_int_t)pick_size(min, most)));
    SET("revisable", json_boolean(chance(2)));
    SET("reopenable", json_boolean(chance(2)));
    SET("opens_at", make_time(chance(8) == 0));
    SET("closes_at", make_time(chance(8) != 0));
    SET("results_visibility", json_string(visibilities[chance(COUNT_OF(visibilities))]));
    SET("voter_policy", json_string(chance(2) ? "open" : "code"));
#undef SET
    return body;
}

/* What vote-api adds to an accepted poll. */
static void complete(struct poll *poll)
{
    make_id(poll->id, chance(100));
    memset(poll->key_id, 'k', pick_size(1, POLL_KEY_ID_MAX));
    poll->has_manager = chance(2);
    for (size_t i = 0; i < POLL_MANAGE_HASH; i++)
        poll->manage_hash[i] = (uint8_t)chance(256);
    if (poll->voter_policy == VOTERS_CODE)
        poll->voting_codes = (unsigned)pick_size(0, POLL_CODES_MAX);
}

/* --- what must hold */

static void survives_the_wire(const struct poll *poll)
{
    struct bytes bytes;
    struct poll *read = NULL;
    struct errmsg err = {""};

    wire_encode_poll(poll, &bytes);
    enum status st = wire_decode_poll(bytes.data, bytes.len, &read, &err);
    CHECK_ROW(st == ST_OK, "%s", err.text);
    assert_true(poll_equal(poll, read));
    poll_release(read);
    free(bytes.data);
}

/* What is shown may be sent again, by a client that copies a poll, and makes the same one. */
static void survives_its_json(const struct poll *poll)
{
    static const char *const not_sent[] = {"id", "state", "created_at", "updated_at", "voting_codes"};
    struct json_error err = {"", ""};
    json_t *shown = poll_form_write(poll, NOW_MS);

    assert_non_null(shown);
    for (size_t i = 0; i < COUNT_OF(not_sent); i++)
        json_object_del(shown, not_sent[i]);
    char *text = json_dumps(shown, JSON_COMPACT);
    CHECK_ROW(strlen(text) <= POLL_BODY_MAX, "%zu bytes", strlen(text));
    json_t *again = json_parse_object(text, strlen(text), &err);
    CHECK_ROW(again != NULL, "%s", err.text);
    struct poll *copy = poll_form_create(again, poll->created_at_ms, &err);
    CHECK_ROW(copy != NULL, "%s: %s in %s", err.pointer, err.text, text);
    memcpy(copy->id, poll->id, sizeof(copy->id));
    memcpy(copy->key_id, poll->key_id, sizeof(copy->key_id));
    memcpy(copy->manage_hash, poll->manage_hash, sizeof(copy->manage_hash));
    copy->has_manager = poll->has_manager;
    copy->voting_codes = poll->voting_codes;
    copy->draft = poll->draft;
    assert_true(poll_equal(poll, copy));
    poll_release(copy);
    json_decref(again);
    json_decref(shown);
    free(text);
}

static json_t *make_selection(const struct poll *poll)
{
    json_t *selection = poll->method == METHOD_SCORE ? json_object() : json_array();
    size_t n = pick_size(poll->min_choices, poll->max_choices), first = chance(poll->n_options);

    for (size_t i = 0; i < n; i++) {
        const char *id = poll->options[(first + i * (poll->n_options - 1)) % poll->n_options].id; /* backwards */
        if (poll->method == METHOD_SCORE)
            json_object_set_new(selection, id, json_integer((json_int_t)chance(POLL_SCORE_MAX + 1)));
        else
            json_array_append_new(selection, json_string(id));
    }
    return selection;
}

static void its_ballots_survive(const struct poll *poll)
{
    char choices[BALLOT_CHOICES_MAX + 1], again[BALLOT_CHOICES_MAX + 1], text[SELECTION_JSON_MAX];
    struct json_error err = {"", ""};
    struct errmsg wrong = {""};
    json_t *selection = make_selection(poll), *body = json_pack("{s:O}", "selection", selection);
    char *sent = json_dumps(body, JSON_COMPACT);

    CHECK_ROW(strlen(sent) <= BALLOT_BODY_MAX, "%zu bytes", strlen(sent));
    enum problem problem;
    int len = selection_read_ballot(body, poll, choices, &problem, &err);
    CHECK_ROW(len > 0, "%s: %s in %s", err.pointer, err.text, sent);
    struct ballot ballot = {.choices = choices,
                            .choices_len = (size_t)len,
                            .cast_at_ms = (int64_t)chance((uint64_t)WIRE_TIME_MAX + 1),
                            .stands = ballot_stands_in(poll),
                            .term = (unsigned)pick_size(0, POLL_TERM_MAX)};
    memcpy(ballot.poll, poll->id, sizeof(ballot.poll));
    struct ballot_batch batch = {.n_ballots = 1, .ballots = &ballot}, read;
    struct bytes bytes;
    wire_encode_batch(&batch, &bytes);
    CHECK_ROW(wire_decode_batch(bytes.data, bytes.len, &read, &wrong) == ST_OK, "%s", wrong.text);
    assert_string_equal(read.ballots[0].poll, ballot.poll);
    assert_string_equal(read.ballots[0].choices, choices);
    assert_int_equal(read.ballots[0].cast_at_ms, ballot.cast_at_ms);
    assert_int_equal(read.ballots[0].stands, ballot.stands);
    assert_int_equal(read.ballots[0].term, ballot.term);
    ballot_batch_free(&read);
    free(bytes.data);

    selection_write(poll->method, choices, text);
    json_t *written = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    CHECK_ROW(selection_read(written, poll, "", again, &err) == len && strcmp(choices, again) == 0, "%s", text);
    json_decref(written);
    free(sent);
    json_decref(body);
    json_decref(selection);
}

/* --- the tests */

static void an_accepted_poll_its_edits_and_its_ballots_survive(void **state)
{
    size_t made = 0, edited = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct json_error err;
        json_t *body = make_body(false);
        struct poll *poll = poll_form_create(body, NOW_MS, &err);
        json_decref(body);
        if (poll == NULL)
            continue;
        made++;
        complete(poll);
        survives_the_wire(poll);
        survives_its_json(poll);
        its_ballots_survive(poll);
        for (int k = 0; k < 8; k++) {
            enum problem problem;
            json_t *patch = make_body(true);
            struct poll *changed = poll_edit(poll, patch, NOW_MS + (int64_t)chance(1000), &problem, &err);
            json_decref(patch);
            if (changed == NULL)
                continue;
            edited++;
            survives_the_wire(changed);
            its_ballots_survive(changed);
            poll_release(poll);
            poll = changed;
        }
        poll_release(poll);
    }
    print_message("# %zu polls, %zu edits\n", made, edited);
    CHECK_ROW(made > ROUNDS / 3 && edited > ROUNDS / 3, "only %zu polls and %zu edits were accepted", made, edited);
}

/* Everything at its limit at once, in four bytes a character. */
static void the_largest_poll_and_its_largest_ballots_survive(void **state)
{
    static const char *const methods[] = {"approval", "score"};
    char label[4 * POLL_LABEL_MAX + 1], text[4 * POLL_TEXT_MAX + 1], id[POLL_ID_MAX + 1];
    struct json_error err = {"", ""};

    for (size_t m = 0; m < COUNT_OF(methods); m++) {
        json_t *options = json_array();
        for (size_t i = 0; i < POLL_OPTIONS_MAX; i++) {
            for (size_t k = 0; k < POLL_LABEL_MAX; k++)
                memcpy(label + 4 * k, k == i ? "\xf0\x9f\x90\x95" : "\xf0\x9f\x90\x88", 4);
            label[4 * POLL_LABEL_MAX] = '\0';
            snprintf(id, sizeof(id), "%032zu", i);
            json_array_append_new(options, json_pack("{s:s,s:s}", "id", id, "label", label));
        }
        for (size_t k = 0; k < POLL_TEXT_MAX; k++)
            memcpy(text + 4 * k, "\xf0\x9f\x90\x88", 4);
        text[4 * POLL_TEXT_MAX] = '\0';
        json_t *body = json_pack("{s:s,s:s,s:o,s:s,s:i,s:s,s:s}", "title", label, "description", text, "options",
                                 options, "method", methods[m], "min_choices", POLL_OPTIONS_MAX, "opens_at",
                                 "9999-12-31T23:59:59.998Z", "closes_at", "9999-12-31T23:59:59.999Z");
        struct poll *poll = poll_form_create(body, NOW_MS, &err);
        CHECK_ROW(poll != NULL, "%s: %s", err.pointer, err.text);
        strcpy(poll->id, "abcdefghijklmnopqrstuvwxyz012345");
        survives_the_wire(poll);
        survives_its_json(poll);
        its_ballots_survive(poll);
        poll_release(poll);
        json_decref(body);
    }
}

/* A ballot that is acknowledged is one that the workers can read, and the other way round. */
static void what_no_worker_could_read_is_not_acknowledged(void **state)
{
    static const char *const ids[] = {"demo", "abcdefghijklmnopqrstuvwxyz012345", "", "Demo", "a b"};
    static const int64_t times[] = {0, NOW_MS, CLOCK_MAX_MS, CLOCK_MAX_MS + 1, -1, INT64_MAX, INT64_MIN};
    static const unsigned terms[] = {0, POLL_TERM_MAX, POLL_TERM_MAX + 1, UINT32_MAX};
    static const size_t sizes[] = {1, BALLOT_CHOICES_MAX, 0, BALLOT_CHOICES_MAX + 1};
    char choices[BALLOT_CHOICES_MAX + 2];
    size_t refused = 0;

    for (int i = 0; i < 10 * ROUNDS; i++) {
        memset(choices, 'x', sizeof(choices));
        struct ballot ballot = {.choices = choices,
                                .choices_len = sizes[chance(3) ? chance(2) : chance(COUNT_OF(sizes))],
                                .cast_at_ms = times[chance(3) ? chance(3) : chance(COUNT_OF(times))],
                                .stands = (enum ballot_stands)(chance(3) ? chance(3) : chance(5)),
                                .term = terms[chance(3) ? chance(2) : chance(COUNT_OF(terms))]};
        strcpy(ballot.poll, ids[chance(3) ? chance(2) : chance(COUNT_OF(ids))]);
        if (chance(3) == 0)
            choices[chance(ballot.choices_len + 1)] = "\x1f\x7f ~"[chance(4)];
        struct ballot_batch batch = {.n_ballots = 1, .ballots = &ballot};
        struct bytes bytes;
        struct errmsg err = {"none"};
        const char *fault = wire_find_ballot_fault(&ballot);
        wire_encode_batch(&batch, &bytes);
        enum status st = wire_check_batch(&bytes, &batch, &err);
        CHECK_ROW((fault == NULL) == (st == ST_OK), "%s; %s", fault != NULL ? fault : "no fault", err.text);
        refused += st != ST_OK;
        free(bytes.data);
    }
    assert_in_range(refused, ROUNDS, 9 * ROUNDS);
}

/* Bytes that are those of something else are not taken for what was meant to be stored. */
static void what_is_read_back_as_another_is_not_stored(void **state)
{
    struct ballot ballot = {.poll = "demo", .choices = "a", .choices_len = 1};
    struct ballot_batch batch = {.n_ballots = 1, .ballots = &ballot};
    const uint8_t hashes[2 * CODE_HASH] = {1};
    struct code_chunk chunk = {.poll = "demo", .n = 2, .hashes = hashes};
    struct poll *poll = poll_new();
    struct bytes bytes;
    struct errmsg err;

    strcpy(poll->id, "demo");
    poll->options = alloc_items(1, sizeof(*poll->options));
    poll->n_options = 1;
    strcpy(poll->options[0].id, "a");
    wire_encode_poll(poll, &bytes);
    assert_int_equal(wire_check_poll(&bytes, poll, &err), ST_OK);
    poll->term = 1;
    assert_int_equal(wire_check_poll(&bytes, poll, &err), ST_DECODE);
    assert_string_equal(err.text, "the poll that was encoded differs from the poll that is decoded");
    free(bytes.data);
    poll->closes_at_ms = CLOCK_MAX_MS + 1;
    wire_encode_poll(poll, &bytes);
    assert_int_equal(wire_check_poll(&bytes, poll, &err), ST_DECODE);
    assert_string_equal(err.text, "the poll has a time out of range");
    free(bytes.data);
    poll_release(poll);

    wire_encode_batch(&batch, &bytes);
    assert_int_equal(wire_check_batch(&bytes, &batch, &err), ST_OK);
    ballot.choices = "b";
    assert_int_equal(wire_check_batch(&bytes, &batch, &err), ST_DECODE);
    assert_string_equal(err.text, "the batch that was encoded differs from the batch that is decoded");
    free(bytes.data);

    wire_encode_codes(&chunk, &bytes);
    assert_int_equal(wire_check_codes(&bytes, &chunk, &err), ST_OK);
    chunk.n = 1;
    assert_int_equal(wire_check_codes(&bytes, &chunk, &err), ST_DECODE);
    assert_string_equal(err.text, "the codes that were encoded differ from the codes that are decoded");
    free(bytes.data);
}

static void marks_survive(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ballot_batch mark = {.term = (unsigned)pick_size(1, POLL_TERM_MAX)}, read;
        struct bytes bytes;
        make_id(i % 2 ? mark.fence_poll : mark.gate_poll, chance(100));
        voter_id_random(mark.id);
        wire_encode_batch(&mark, &bytes);
        assert_int_equal(wire_decode_batch(bytes.data, bytes.len, &read, NULL), ST_OK);
        assert_string_equal(read.fence_poll, mark.fence_poll);
        assert_string_equal(read.gate_poll, mark.gate_poll);
        assert_int_equal(read.term, mark.term);
        assert_memory_equal(read.id, mark.id, BATCH_ID);
        free(bytes.data);
    }
}

static void voting_codes_survive(void **state)
{
    uint8_t *hashes = alloc_items(CODES_CHUNK, CODE_HASH);

    for (int i = 0; i < ROUNDS; i++) {
        struct code_chunk chunk = {.n = pick_size(1, i == 0 ? CODES_CHUNK : 100), .hashes = hashes}, read;
        char code[CODE_SYMBOLS], written[CODE_TEXT], again[CODE_SYMBOLS];
        struct bytes bytes;
        make_id(chunk.poll, chance(100));
        random_bytes(hashes, CODE_HASH);
        wire_encode_codes(&chunk, &bytes);
        assert_int_equal(wire_decode_codes(bytes.data, bytes.len, &read, NULL), ST_OK);
        assert_string_equal(read.poll, chunk.poll);
        assert_int_equal(read.n, chunk.n);
        assert_memory_equal(read.hashes, hashes, chunk.n * CODE_HASH);
        free(read.memory);
        free(bytes.data);

        code_random(code);
        code_write(code, written);
        assert_true(code_read(written, strlen(written), again));
        assert_memory_equal(again, code, CODE_SYMBOLS);
    }
    free(hashes);
}

/* And both stay within what a URL or a cookie takes, as the API describes them: letters, digits and -_. */
static void receipts_and_tokens_survive(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct receipt receipt = {.sequence = chance(2) ? ORDINAL_SEQUENCE_MAX : chance(ORDINAL_SEQUENCE_MAX) + 1,
                                  .index = (unsigned)pick_size(0, ORDINAL_INDEX_MAX)},
                       read;
        char keys[POLL_KEY_ID_MAX + sizeof(":" HEX)] = "", text[RECEIPT_SIZE], token[VOTER_TOKEN_SIZE];
        uint8_t id[VOTER_ID], read_id[VOTER_ID];
        struct keyring *ring = NULL;

        memset(keys, 'k', pick_size(1, POLL_KEY_ID_MAX));
        strcat(keys, ":" HEX);
        assert_int_equal(keyring_parse(keys, &ring, NULL), ST_OK);
        make_id(receipt.poll, chance(100));
        random_bytes(receipt.voter, VOTER_HASH);
        random_bytes(receipt.batch, BATCH_ID);
        receipt_make(ring, &receipt, text);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),
                         strlen(text));
        assert_true(strlen(text) < RECEIPT_SIZE);
        assert_true(receipt_read(ring, text, strlen(text), &read));
        assert_string_equal(read.poll, receipt.poll);
        assert_memory_equal(read.voter, receipt.voter, VOTER_HASH);
        assert_memory_equal(read.batch, receipt.batch, BATCH_ID);
        assert_true(read.sequence == receipt.sequence && read.index == receipt.index);
        assert_true(ordinal_sequence(ordinal_make(1, read.sequence, read.index)) == receipt.sequence);

        voter_id_random(id);
        voter_token_make(ring, id, token);
        assert_true(voter_token_read(ring, token, strlen(token), read_id));
        assert_memory_equal(id, read_id, VOTER_ID);
        keyring_free(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_poll_its_edits_and_its_ballots_survive),
        cmocka_unit_test(the_largest_poll_and_its_largest_ballots_survive),
        cmocka_unit_test(what_no_worker_could_read_is_not_acknowledged),
        cmocka_unit_test(what_is_read_back_as_another_is_not_stored),
        cmocka_unit_test(marks_survive),
        cmocka_unit_test(voting_codes_survive),
        cmocka_unit_test(receipts_and_tokens_survive),
    };
    const char *seed = getenv("SEED");

    if (sodium_init() < 0)
        return 1;
    state_of_chance = seed != NULL ? strtoull(seed, NULL, 10) : 0;
    while (state_of_chance == 0)
        random_bytes(&state_of_chance, sizeof(state_of_chance));
    print_message("# SEED=%llu\n", (unsigned long long)state_of_chance);
    return cmocka_run_group_tests_name("round_trip", tests, NULL, NULL);
}
