/* Tests of wire: what is written is read back, by us and by the generated code, and what is refused and why.
 * SPDX-License-Identifier: MIT */
#include "ballot/wire.h"

#include "ballot.pb-c.h"
#include "base/alloc.h"
#include "poll.pb-c.h"
#include "tally.pb-c.h"
#include "unit.h"

static struct ballot make_ballot(const char *poll, uint8_t voter, const char *choices)
{
    struct ballot ballot = {.choices = choices, .choices_len = strlen(choices), .cast_at_ms = 1769860800123};
    snprintf(ballot.poll, sizeof(ballot.poll), "%s", poll);
    memset(ballot.voter, voter, sizeof(ballot.voter));
    return ballot;
}

/* Decodes from memory of exactly this size, so that AddressSanitizer sees a step past it. */
static enum status decode(const void *data, size_t len, struct ballot_batch *out, struct errmsg *err)
{
    uint8_t *exact = malloc(len != 0 ? len : 1);
    if (len != 0)
        memcpy(exact, data, len);
    enum status st = wire_decode_batch(exact, len, out, err);
    free(exact);
    return st;
}

static void a_batch_is_read_back_as_it_was_written(void **state)
{
    char longest[BALLOT_CHOICES_MAX + 1];
    memset(longest, 'x', BALLOT_CHOICES_MAX);
    longest[BALLOT_CHOICES_MAX] = '\0';
    struct ballot ballots[] = {
        make_ballot("demo", 1, "cats"),
        make_ballot("abcdefghijklmnopqrstuvwxyz012345", 0xff, longest),
        make_ballot("x", 0, " !~"),
        make_ballot("ranked-1", 7, "a>b>c"),
    };
    ballots[2].cast_at_ms = 0;
    ballots[1].stands = STANDS_FIRST;
    ballots[2].stands = STANDS_LAST;
    ballots[2].term = 1;
    ballots[3].term = POLL_TERM_MAX;
    struct ballot_batch batch = {.n_ballots = COUNT_OF(ballots), .ballots = ballots}, out;
    struct bytes bytes;
    struct errmsg err;
    memset(batch.id, 0xab, sizeof(batch.id));

    wire_encode_batch(&batch, &bytes);
    assert_int_equal(decode(bytes.data, bytes.len, &out, &err), ST_OK);
    assert_memory_equal(out.id, batch.id, BATCH_ID);
    assert_string_equal(out.fence_poll, "");
    assert_int_equal(out.n_ballots, COUNT_OF(ballots));
    for (size_t i = 0; i < COUNT_OF(ballots); i++) {
        assert_string_equal(out.ballots[i].poll, ballots[i].poll);
        assert_memory_equal(out.ballots[i].voter, ballots[i].voter, VOTER_HASH);
        assert_string_equal(out.ballots[i].choices, ballots[i].choices);
        assert_int_equal(out.ballots[i].choices_len, ballots[i].choices_len);
        assert_int_equal(out.ballots[i].cast_at_ms, ballots[i].cast_at_ms);
        assert_int_equal(out.ballots[i].stands, ballots[i].stands);
        assert_int_equal(out.ballots[i].term, ballots[i].term);
    }
    ballot_batch_free(&out);
    assert_null(out.memory);
    free(bytes.data);
}

static void marks_are_read_back_as_they_were_written(void **state)
{
    struct ballot_batch batches[] = {
        {.fence_poll = "demo"},
        {.fence_poll = "demo", .term = 1},
        {.gate_poll = "demo", .term = 2},
        {.gate_poll = "d", .term = POLL_TERM_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(batches); i++) {
        struct ballot_batch *batch = &batches[i], out;
        struct bytes bytes;
        memset(batch->id, 1, sizeof(batch->id));
        wire_encode_batch(batch, &bytes);
        assert_int_equal(decode(bytes.data, bytes.len, &out, NULL), ST_OK);
        assert_string_equal(out.fence_poll, batch->fence_poll);
        assert_string_equal(out.gate_poll, batch->gate_poll);
        assert_int_equal(out.term, batch->term);
        assert_int_equal(out.n_ballots, 0);
        ballot_batch_free(&out);

        Scrutin__BallotBatch *message = scrutin__ballot_batch__unpack(NULL, bytes.len, bytes.data);
        assert_non_null(message);
        assert_string_equal(message->fence_poll, batch->fence_poll);
        assert_string_equal(message->gate_poll, batch->gate_poll);
        assert_int_equal(message->term, batch->term);
        assert_int_equal(scrutin__ballot_batch__get_packed_size(message), bytes.len);
        scrutin__ballot_batch__free_unpacked(message, NULL);
        free(bytes.data);
    }
}

static void a_full_batch_is_read_back(void **state)
{
    struct ballot *ballots = alloc_items(BATCH_BALLOTS_MAX, sizeof(*ballots));
    struct ballot_batch batch = {.n_ballots = BATCH_BALLOTS_MAX, .ballots = ballots}, out;
    struct bytes bytes;

    for (size_t i = 0; i < BATCH_BALLOTS_MAX; i++)
        ballots[i] = make_ballot("demo", (uint8_t)i, i % 2 == 0 ? "cats" : "dogs");
    wire_encode_batch(&batch, &bytes);
    assert_int_equal(decode(bytes.data, bytes.len, &out, NULL), ST_OK);
    assert_int_equal(out.n_ballots, BATCH_BALLOTS_MAX);
    assert_string_equal(out.ballots[BATCH_BALLOTS_MAX - 1].choices, "dogs");
    ballot_batch_free(&out);
    free(bytes.data);
    free(ballots);
}

/* --- against the generated code */

static void the_generated_code_reads_what_we_write(void **state)
{
    struct ballot ballots[] = {make_ballot("demo", 1, "cats dogs"), make_ballot("other", 2, "b")};
    struct ballot_batch batch = {.n_ballots = 2, .ballots = ballots};
    struct bytes bytes;
    memset(batch.id, 9, sizeof(batch.id));

    wire_encode_batch(&batch, &bytes);
    Scrutin__BallotBatch *message = scrutin__ballot_batch__unpack(NULL, bytes.len, bytes.data);
    assert_non_null(message);
    assert_int_equal(message->version, 1);
    assert_int_equal(message->id.len, BATCH_ID);
    assert_memory_equal(message->id.data, batch.id, BATCH_ID);
    assert_int_equal(message->n_ballots, 2);
    assert_string_equal(message->ballots[0]->poll, "demo");
    assert_int_equal(message->ballots[0]->voter.len, VOTER_HASH);
    assert_string_equal(message->ballots[0]->choices, "cats dogs");
    assert_int_equal(message->ballots[0]->cast_at_ms, 1769860800123);
    assert_string_equal(message->ballots[1]->poll, "other");
    assert_string_equal(message->fence_poll, "");
    assert_int_equal(scrutin__ballot_batch__get_packed_size(message), bytes.len);
    scrutin__ballot_batch__free_unpacked(message, NULL);
    free(bytes.data);
}

/* A valid message, of which a test spoils one thing, in the generated code's terms. */
struct sample {
    Scrutin__BallotBatch batch;
    Scrutin__Ballot ballots[2];
    Scrutin__Ballot *list[2];
    uint8_t id[BATCH_ID + 1], voter[VOTER_HASH + 1];
    char text[BALLOT_CHOICES_MAX + 2];
    char fence[POLL_ID_MAX + 2];
};

static void sample_init(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    scrutin__ballot_batch__init(&sample->batch);
    sample->batch.version = 1;
    sample->batch.id = (ProtobufCBinaryData){BATCH_ID, sample->id};
    for (int i = 0; i < 2; i++) {
        scrutin__ballot__init(&sample->ballots[i]);
        sample->ballots[i].poll = (char *)(uintptr_t) "demo";
        sample->ballots[i].voter = (ProtobufCBinaryData){VOTER_HASH, sample->voter};
        sample->ballots[i].choices = (char *)(uintptr_t) "cats";
        sample->ballots[i].cast_at_ms = 5;
        sample->list[i] = &sample->ballots[i];
    }
    sample->batch.n_ballots = 2;
    sample->batch.ballots = sample->list;
}

static enum status sample_decode(const struct sample *sample, struct ballot_batch *out, struct errmsg *err)
{
    size_t len = scrutin__ballot_batch__get_packed_size(&sample->batch);
    uint8_t *data = malloc(len);
    scrutin__ballot_batch__pack(&sample->batch, data);
    enum status st = decode(data, len, out, err);
    free(data);
    return st;
}

static void we_read_what_the_generated_code_writes(void **state)
{
    struct sample sample;
    struct ballot_batch out;

    sample_init(&sample);
    sample.ballots[1].cast_at_ms = 0; /* proto3 leaves zeros out */
    assert_int_equal(sample_decode(&sample, &out, NULL), ST_OK);
    assert_int_equal(out.n_ballots, 2);
    assert_string_equal(out.ballots[0].poll, "demo");
    assert_string_equal(out.ballots[1].choices, "cats");
    assert_int_equal(out.ballots[0].cast_at_ms, 5);
    assert_int_equal(out.ballots[1].cast_at_ms, 0);
    ballot_batch_free(&out);
}

#define TEXT(value) ((char *)(uintptr_t)(value))

static void spoil_version_0(struct sample *s)
{
    s->batch.version = 0;
}
static void spoil_version_2(struct sample *s)
{
    s->batch.version = 2;
}
static void spoil_id_missing(struct sample *s)
{
    s->batch.id.len = 0;
}
static void spoil_id_short(struct sample *s)
{
    s->batch.id.len = BATCH_ID - 1;
}
static void spoil_id_long(struct sample *s)
{
    s->batch.id.len = BATCH_ID + 1;
}
static void spoil_empty(struct sample *s)
{
    s->batch.n_ballots = 0;
}
static void spoil_both(struct sample *s)
{
    s->batch.fence_poll = TEXT("demo");
}
static void spoil_fence(struct sample *s)
{
    s->batch.n_ballots = 0;
    s->batch.fence_poll = TEXT("no such id!");
}
static void spoil_fence_long(struct sample *s)
{
    s->batch.n_ballots = 0;
    memset(s->fence, 'a', POLL_ID_MAX + 1);
    s->batch.fence_poll = s->fence;
}
static void spoil_two_marks(struct sample *s)
{
    s->batch.n_ballots = 0;
    s->batch.fence_poll = s->batch.gate_poll = TEXT("demo");
    s->batch.term = 1;
}
static void spoil_gate(struct sample *s)
{
    s->batch.n_ballots = 0;
    s->batch.gate_poll = TEXT("No");
    s->batch.term = 1;
}
static void spoil_gate_term(struct sample *s)
{
    s->batch.n_ballots = 0;
    s->batch.gate_poll = TEXT("demo");
}
static void spoil_term(struct sample *s)
{
    s->batch.n_ballots = 0;
    s->batch.fence_poll = TEXT("demo");
    s->batch.term = POLL_TERM_MAX + 1;
}
static void spoil_poll_missing(struct sample *s)
{
    s->ballots[1].poll = TEXT("");
}
static void spoil_poll(struct sample *s)
{
    s->ballots[1].poll = TEXT("Demo");
}
static void spoil_voter_missing(struct sample *s)
{
    s->ballots[1].voter.len = 0;
}
static void spoil_voter_short(struct sample *s)
{
    s->ballots[1].voter.len = VOTER_HASH - 1;
}
static void spoil_voter_long(struct sample *s)
{
    s->ballots[1].voter.len = VOTER_HASH + 1;
}
static void spoil_choices_missing(struct sample *s)
{
    s->ballots[1].choices = TEXT("");
}
static void spoil_choices_long(struct sample *s)
{
    memset(s->text, 'a', BALLOT_CHOICES_MAX + 1);
    s->ballots[1].choices = s->text;
}
static void spoil_choices_tab(struct sample *s)
{
    s->ballots[1].choices = TEXT("a\tb");
}
static void spoil_choices_del(struct sample *s)
{
    s->ballots[1].choices = TEXT("a\x7f");
}
static void spoil_choices_utf8(struct sample *s)
{
    s->ballots[1].choices = TEXT("caf\xc3\xa9");
}
static void spoil_time_negative(struct sample *s)
{
    s->ballots[1].cast_at_ms = -1;
}
static void spoil_ballot_term(struct sample *s)
{
    s->ballots[0].term = POLL_TERM_MAX + 1;
}
static void spoil_stands(struct sample *s)
{
    s->ballots[1].stands = (Scrutin__Stands)3;
}
static void spoil_time_late(struct sample *s)
{
    s->ballots[1].cast_at_ms = INT64_C(253402300800000);
}

static void a_batch_out_of_range_is_refused_with_its_reason(void **state)
{
    static const struct {
        void (*spoil)(struct sample *sample);
        const char *reason;
    } rows[] = {
        {spoil_version_0, "version 0"},
        {spoil_version_2, "version 2"},
        {spoil_id_missing, "no id of 16 bytes"},
        {spoil_id_short, "no id of 16 bytes"},
        {spoil_id_long, "no id of 16 bytes"},
        {spoil_empty, "ballots, or a fence, or a gate"},
        {spoil_both, "ballots, or a fence, or a gate"},
        {spoil_two_marks, "ballots, or a fence, or a gate"},
        {spoil_gate, "gate without a valid poll id"},
        {spoil_gate_term, "gate without a term"},
        {spoil_term, "term out of range"},
        {spoil_fence, "fence without a valid poll id"},
        {spoil_fence_long, "fence without a valid poll id"},
        {spoil_poll_missing, "ballot 1 of the batch has no valid poll id"},
        {spoil_poll, "ballot 1 of the batch has no valid poll id"},
        {spoil_voter_missing, "ballot 1 of the batch has no voter"},
        {spoil_voter_short, "ballot 1 of the batch has a voter that is not 16 bytes long"},
        {spoil_voter_long, "ballot 1 of the batch has a voter that is not 16 bytes long"},
        {spoil_choices_missing, "ballot 1 of the batch has no choices"},
        {spoil_choices_long, "ballot 1 of the batch has no choices, or too many"},
        {spoil_choices_tab, "ballot 1 of the batch has choices that are not printable ASCII"},
        {spoil_choices_del, "ballot 1 of the batch has choices that are not printable ASCII"},
        {spoil_choices_utf8, "ballot 1 of the batch has choices that are not printable ASCII"},
        {spoil_time_negative, "ballot 1 of the batch has a time out of range"},
        {spoil_time_late, "ballot 1 of the batch has a time out of range"},
        {spoil_stands, "an unknown rule for which ballot stands"},
        {spoil_ballot_term, "term out of range"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sample sample;
        struct ballot_batch out;
        struct errmsg err = {""};
        sample_init(&sample);
        rows[i].spoil(&sample);
        CHECK_ROW(sample_decode(&sample, &out, &err) == ST_DECODE, "%s", rows[i].reason);
        CHECK_ROW(strstr(err.text, rows[i].reason) != NULL, "%s: %s", rows[i].reason, err.text);
        ballot_batch_free(&out); /* harmless after a refusal */
    }
}

static void one_ballot_too_many_is_refused(void **state)
{
    enum { N = BATCH_BALLOTS_MAX + 1 };
    struct ballot *ballots = alloc_items(N, sizeof(*ballots));
    struct ballot_batch batch = {.n_ballots = N, .ballots = ballots}, out;
    struct bytes bytes;
    struct errmsg err;

    for (size_t i = 0; i < N; i++)
        ballots[i] = make_ballot("demo", (uint8_t)i, "a");
    wire_encode_batch(&batch, &bytes);
    assert_int_equal(decode(bytes.data, bytes.len, &out, &err), ST_DECODE);
    assert_contains(err.text, "4097 ballots");
    free(bytes.data);
    free(ballots);
}

/* --- bytes that no encoder writes. Head is version 1 and an id; BALLOT is one whole ballot. */
#define HEAD "\x08\x01\x12\x10IIIIIIIIIIIIIIII"
#define BALLOT_BODY                                                                                                    \
    "\x0a\x04"                                                                                                         \
    "demo\x12\x10VVVVVVVVVVVVVVVV\x1a\x04"                                                                             \
    "cats"
#define BALLOT "\x1a\x1e" BALLOT_BODY

static void unusual_but_valid_bytes_are_read(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } rows[] = {
#define ROW(text) {text, sizeof(text) - 1}
        ROW(HEAD BALLOT),
        ROW(BALLOT HEAD),            /* fields in any order */
        ROW("\x08\x07" HEAD BALLOT), /* the last version counts */
        ROW(HEAD BALLOT "\x38\x05"), /* unknown fields: a varint, */
        ROW(HEAD BALLOT "\x3a\x03"
                        "xyz"), /* bytes, */
        ROW(HEAD BALLOT "\x3d"
                        "1234"), /* 32 bits, */
        ROW(HEAD BALLOT "\x39"
                        "12345678"),                                    /* 64 bits, */
        ROW(HEAD BALLOT "\xf8\xff\xff\xff\x0f\x01"),                    /* of the highest number */
        ROW(HEAD "\x1a\x20\x30\x05" BALLOT_BODY),                       /* and inside a ballot */
        ROW("\x08\x81\x80\x80\x80\x00\x12\x10IIIIIIIIIIIIIIII" BALLOT), /* a varint with spare bytes */
        ROW(HEAD "\x1a\x23\x1a\x03"
                 "abc" BALLOT_BODY), /* the last choices count */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ballot_batch out;
        struct errmsg err = {""};
        CHECK_ROW(decode(rows[i].data, rows[i].len, &out, &err) == ST_OK, "%zu: %s", i, err.text);
        assert_int_equal(out.n_ballots, 1);
        assert_string_equal(out.ballots[0].choices, "cats");
        assert_string_equal(out.ballots[0].poll, "demo");
        ballot_batch_free(&out);
        /* and the generated code agrees that it is valid */
        Scrutin__BallotBatch *message = scrutin__ballot_batch__unpack(NULL, rows[i].len, (const uint8_t *)rows[i].data);
        CHECK_ROW(message != NULL, "%zu", i);
        scrutin__ballot_batch__free_unpacked(message, NULL);
    }
}

static void broken_bytes_are_refused(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } rows[] = {
        ROW(""),
        ROW("garbage on ballots.>"),
        ROW("{\"version\":1}"),
        ROW("\x08"),
        ROW("\x08\x80"),
        ROW(HEAD),
        ROW(HEAD "\x1a"),
        ROW(HEAD "\x1a\x00"), /* an empty ballot */
        ROW(HEAD "\x1a\x05\x0a\x04"
                 "dem"), /* past the end */
        ROW(HEAD BALLOT "\x3a\x04"
                        "xyz"),                                          /* one byte past the end */
        ROW(HEAD "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),        /* a length of 2^64-1 */
        ROW(HEAD "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),            /* of 2^63-1 */
        ROW(HEAD BALLOT "\x00"),                                         /* field number 0 */
        ROW(HEAD BALLOT "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* a varint of 11 bytes */
        ROW(HEAD BALLOT "\x3b\x3c"),                                     /* a group */
        ROW(HEAD BALLOT "\x3e"),                                         /* wire types 6 and 7 */
        ROW(HEAD BALLOT "\x3f"),
        ROW(HEAD BALLOT "\x39"
                        "1234567"), /* 64 bits that are 56 */
        ROW(HEAD BALLOT "\x3d"
                        "123"), /* 32 that are 24 */
        ROW(HEAD "\x18\x01"),   /* a ballot that is a number */
        ROW("\x0a\x01"
            "1"
            "\x12\x10IIIIIIIIIIIIIIII" BALLOT), /* a version that is a text */
        ROW("\x08\x01\x10\x10" BALLOT),         /* an id that is a number */
        ROW(HEAD "\x20\x01"),                   /* a fence that is a number */
        ROW(HEAD "\x22\x00"),                   /* a fence of nothing */
        ROW(HEAD "\x28\x01\x30\x01"),           /* a gate that is a number */
        ROW(HEAD "\x2a\x04"
                 "demo\x32\x01"
                 "1"), /* a term that is a text */
        ROW(HEAD "\x1a\x1e\x08\x04"
                 "demo\x12\x10VVVVVVVVVVVVVVVV\x1a\x04"
                 "cats"), /* a poll that is a number */
        ROW(HEAD "\x1a\x1e\x0a\x04"
                 "de\0o\x12\x10VVVVVVVVVVVVVVVV\x1a\x04"
                 "cats"), /* NUL in an id */
        ROW(HEAD "\x1a\x1e\x0a\x04"
                 "demo\x12\x10VVVVVVVVVVVVVVVV\x1a\x04"
                 "ca\0s"),                           /* NUL in choices */
        ROW(HEAD "\x1a\x20" BALLOT_BODY "\x10\x05"), /* a voter that is a number */
        ROW(HEAD "\x1a\x20" BALLOT_BODY "\x18\x05"), /* choices that are a number */
        ROW(HEAD "\x1a\x21" BALLOT_BODY "\x22\x01"
                 "5"), /* a time that is a text */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ballot_batch out;
        struct errmsg err = {""};
        CHECK_ROW(decode(rows[i].data, rows[i].len, &out, &err) == ST_DECODE, "%zu", i);
        CHECK_ROW(err.text[0] != '\0', "%zu", i);
        assert_null(out.memory);
    }
}

static void a_batch_cut_anywhere_is_never_taken_for_the_whole(void **state)
{
    struct ballot ballots[] = {make_ballot("demo", 1, "cats"), make_ballot("demo", 2, "dogs")};
    struct ballot_batch batch = {.n_ballots = 2, .ballots = ballots}, out;
    struct bytes bytes;

    wire_encode_batch(&batch, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        if (decode(bytes.data, len, &out, NULL) == ST_OK) {
            assert_int_equal(out.n_ballots, 1); /* cut just between the two: protobuf has no end mark */
            ballot_batch_free(&out);
        }
    }
    free(bytes.data);
}

/* Whatever a changed byte does, the decoder and the generated code agree on whether it is protobuf, and what passes
 * is in range. */
static void a_changed_byte_is_refused_or_still_in_range(void **state)
{
    static const char valid[] = HEAD BALLOT BALLOT;
    enum { LEN = sizeof(valid) - 1 };
    unsigned passed = 0;

    for (size_t at = 0; at < LEN; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t data[LEN];
            struct ballot_batch out;
            memcpy(data, valid, LEN);
            data[at] = (uint8_t)value;
            if (decode(data, LEN, &out, NULL) != ST_OK)
                continue;
            passed++;
            for (size_t i = 0; i < out.n_ballots; i++) {
                const struct ballot *ballot = &out.ballots[i];
                assert_true(poll_id_is_valid(ballot->poll, strlen(ballot->poll)));
                assert_int_equal(strlen(ballot->choices), ballot->choices_len);
                assert_in_range(ballot->choices_len, 1, BALLOT_CHOICES_MAX);
            }
            ballot_batch_free(&out);
            Scrutin__BallotBatch *message = scrutin__ballot_batch__unpack(NULL, LEN, data);
            CHECK_ROW(message != NULL, "byte %zu is %02x", at, value);
            scrutin__ballot_batch__free_unpacked(message, NULL);
        }
    }
    assert_true(passed > 16 * 256); /* the ids and voters at least */
}

/* --- polls */

static struct poll *make_poll(void)
{
    struct poll *poll = poll_new();
    strcpy(poll->id, "demo");
    poll->title = alloc_copy("Cats or dogs? \xf0\x9f\x90\x88");
    poll->description = alloc_copy("");
    poll->method = METHOD_SCORE;
    poll->min_choices = 1;
    poll->max_choices = 2;
    poll->revisable = true;
    poll->has_manager = poll->reopenable = poll->draft = true;
    poll->term = 3;
    poll->opening_term = 4;
    poll->made_with_key = poll->expiring = true;
    poll->opens_at_ms = 1;
    poll->closes_at_ms = 2;
    poll->visibility = VISIBILITY_AFTER_VOTE;
    poll->voter_policy = VOTERS_CODE;
    poll->voting_codes = 100000;
    strcpy(poll->key_id, "0123456789abcdef");
    memset(poll->manage_hash, 0xfe, sizeof(poll->manage_hash));
    poll->created_at_ms = 3;
    poll->updated_at_ms = 4;
    poll->deleted = true;
    poll->n_options = 2;
    poll->options = alloc_items(2, sizeof(*poll->options));
    strcpy(poll->options[0].id, "cats");
    poll->options[0].label = alloc_copy("Cats");
    strcpy(poll->options[1].id, "dogs");
    poll->options[1].label = alloc_copy("Dogs");
    return poll;
}

static void a_poll_is_read_back_as_it_was_written(void **state)
{
    struct poll *poll = make_poll(), *out;
    struct bytes bytes;

    wire_encode_poll(poll, &bytes);
    assert_int_equal(wire_decode_poll(bytes.data, bytes.len, &out, NULL), ST_OK);
    assert_string_equal(out->id, poll->id);
    assert_string_equal(out->title, poll->title);
    assert_string_equal(out->description, "");
    assert_int_equal(out->method, METHOD_SCORE);
    assert_int_equal(out->min_choices, 1);
    assert_int_equal(out->max_choices, 2);
    assert_true(out->revisable);
    assert_true(out->deleted);
    assert_true(out->has_manager);
    assert_int_equal(out->opens_at_ms, 1);
    assert_int_equal(out->closes_at_ms, 2);
    assert_int_equal(out->visibility, VISIBILITY_AFTER_VOTE);
    assert_int_equal(out->voter_policy, VOTERS_CODE);
    assert_int_equal(out->voting_codes, 100000);
    assert_string_equal(out->key_id, poll->key_id);
    assert_memory_equal(out->manage_hash, poll->manage_hash, POLL_MANAGE_HASH);
    assert_int_equal(out->reopenable, poll->reopenable);
    assert_int_equal(out->draft, poll->draft);
    assert_int_equal(out->term, poll->term);
    assert_int_equal(out->opening_term, poll->opening_term);
    assert_int_equal(out->made_with_key, poll->made_with_key);
    assert_int_equal(out->expiring, poll->expiring);
    assert_int_equal(out->created_at_ms, 3);
    assert_int_equal(out->updated_at_ms, 4);
    assert_int_equal(out->n_options, 2);
    assert_string_equal(out->options[0].id, "cats");
    assert_string_equal(out->options[1].label, "Dogs");
    poll_release(out);
    poll_release(poll);
    free(bytes.data);
}

static void a_poll_without_a_manager_has_none_when_read_back(void **state)
{
    struct poll *poll = make_poll(), *out;
    struct bytes bytes;

    poll->has_manager = false;
    wire_encode_poll(poll, &bytes);
    assert_int_equal(wire_decode_poll(bytes.data, bytes.len, &out, NULL), ST_OK);
    assert_false(out->has_manager);
    poll_release(out);
    poll_release(poll);
    free(bytes.data);
}

/* Decodes what the generated code wrote, spoiled. */
static void check_poll_refusal(void (*spoil)(Scrutin__Poll *message), const char *reason)
{
    struct poll *poll = make_poll(), *out = poll;
    struct bytes bytes;
    struct errmsg err = {""};

    wire_encode_poll(poll, &bytes);
    Scrutin__Poll *valid = scrutin__poll__unpack(NULL, bytes.len, bytes.data);
    assert_non_null(valid);
    Scrutin__Poll message = *valid;
    spoil(&message);
    size_t len = scrutin__poll__get_packed_size(&message);
    uint8_t *data = malloc(len);
    scrutin__poll__pack(&message, data);

    CHECK_ROW(wire_decode_poll(data, len, &out, &err) == ST_DECODE, "%s", reason);
    CHECK_ROW(strstr(err.text, reason) != NULL, "%s: %s", reason, err.text);
    assert_null(out);

    free(data);
    scrutin__poll__free_unpacked(valid, NULL);
    free(bytes.data);
    poll_release(poll);
}

static char long_text[POLL_TEXT_MAX + 2];
static char *repeat(size_t n)
{
    memset(long_text, 'x', n);
    long_text[n] = '\0';
    return long_text;
}

static void spoil_poll_version(Scrutin__Poll *m)
{
    m->version = 2;
}
static void spoil_poll_id(Scrutin__Poll *m)
{
    m->id = TEXT("De mo");
}
static void spoil_poll_no_id(Scrutin__Poll *m)
{
    m->id = TEXT("");
}
static void spoil_poll_title(Scrutin__Poll *m)
{
    m->title = repeat(POLL_TITLE_MAX + 1);
}
static void spoil_poll_title_utf8(Scrutin__Poll *m)
{
    m->title = TEXT("caf\xe9");
}
static void spoil_poll_text(Scrutin__Poll *m)
{
    m->description = repeat(POLL_TEXT_MAX + 1);
}
static void spoil_poll_method(Scrutin__Poll *m)
{
    m->method = (Scrutin__Method)4;
}
static void spoil_poll_method_negative(Scrutin__Poll *m)
{
    m->method = (Scrutin__Method)-1;
}
static void spoil_poll_visibility(Scrutin__Poll *m)
{
    m->results_visibility = (Scrutin__ResultsVisibility)3;
}
static void spoil_poll_policy(Scrutin__Poll *m)
{
    m->voter_policy = (Scrutin__VoterPolicy)2;
}
static void spoil_poll_opens(Scrutin__Poll *m)
{
    m->opens_at_ms = -1;
}
static void spoil_poll_closes(Scrutin__Poll *m)
{
    m->closes_at_ms = INT64_C(253402300800000);
}
static void spoil_poll_created(Scrutin__Poll *m)
{
    m->created_at_ms = INT64_MIN;
}
static void spoil_poll_updated(Scrutin__Poll *m)
{
    m->updated_at_ms = INT64_MAX;
}
static void spoil_poll_term(Scrutin__Poll *m)
{
    m->term = POLL_TERM_MAX + 1;
}
static void spoil_poll_opening_term(Scrutin__Poll *m)
{
    m->opening_term = POLL_TERM_MAX + 1;
}
static void spoil_poll_key(Scrutin__Poll *m)
{
    m->key_id = repeat(POLL_KEY_ID_MAX + 1);
}
static void spoil_poll_hash(Scrutin__Poll *m)
{
    m->manage_hash.len = POLL_MANAGE_HASH - 1;
}
static void spoil_poll_no_options(Scrutin__Poll *m)
{
    m->n_options = 0;
}
static void spoil_poll_options(Scrutin__Poll *m)
{
    static Scrutin__PollOption *many[POLL_OPTIONS_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = m->options[0];
    m->options = many;
    m->n_options = COUNT_OF(many);
}
static void spoil_poll_min(Scrutin__Poll *m)
{
    m->min_choices = 3;
}
static void spoil_poll_max(Scrutin__Poll *m)
{
    m->max_choices = 3;
}
static void replace_option(Scrutin__Poll *m, const char *id, char *label)
{
    static Scrutin__PollOption other;
    static Scrutin__PollOption *list[2];
    scrutin__poll_option__init(&other);
    other.id = TEXT(id);
    other.label = label;
    list[0] = m->options[0];
    list[1] = &other;
    m->options = list;
}
static void spoil_option_id(Scrutin__Poll *m)
{
    replace_option(m, "d ogs", TEXT("Dogs"));
}
static void spoil_option_twice(Scrutin__Poll *m)
{
    replace_option(m, "cats", TEXT("Dogs"));
}
static void spoil_option_label(Scrutin__Poll *m)
{
    replace_option(m, "dogs", repeat(POLL_LABEL_MAX + 1));
}
static void spoil_option_utf8(Scrutin__Poll *m)
{
    replace_option(m, "dogs", TEXT("\xff"));
}

static void a_poll_out_of_range_is_refused_with_its_reason(void **state)
{
    static const struct {
        void (*spoil)(Scrutin__Poll *message);
        const char *reason;
    } rows[] = {
        {spoil_poll_version, "version 2"},
        {spoil_poll_id, "no valid id"},
        {spoil_poll_no_id, "no valid id"},
        {spoil_poll_title, "title is too long"},
        {spoil_poll_title_utf8, "title is too long or not UTF-8"},
        {spoil_poll_text, "description is too long"},
        {spoil_poll_method, "unknown method 4"},
        {spoil_poll_method_negative, "unknown method -1"},
        {spoil_poll_visibility, "unknown visibility 3"},
        {spoil_poll_policy, "unknown voter policy 2"},
        {spoil_poll_opens, "time out of range"},
        {spoil_poll_closes, "time out of range"},
        {spoil_poll_created, "time out of range"},
        {spoil_poll_updated, "time out of range"},
        {spoil_poll_term, "term out of range"},
        {spoil_poll_opening_term, "term out of range"},
        {spoil_poll_key, "key id is too long"},
        {spoil_poll_hash, "manage hash is not 32 bytes"},
        {spoil_poll_no_options, "0 options"},
        {spoil_poll_options, "101 options"},
        {spoil_poll_min, "asks for 3 to 2"},
        {spoil_poll_max, "asks for 1 to 3 of 2"},
        {spoil_option_id, "option 1 of the poll has no valid id"},
        {spoil_option_twice, "option cats twice"},
        {spoil_option_label, "label of option dogs is too long"},
        {spoil_option_utf8, "label of option dogs is too long or not UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_poll_refusal(rows[i].spoil, rows[i].reason);
}

static void a_poll_that_is_no_protobuf_is_refused(void **state)
{
    struct poll *out;
    struct errmsg err;
    assert_int_equal(wire_decode_poll("\xff\xff\xff", 3, &out, &err), ST_DECODE);
    assert_contains(err.text, "not protobuf");
    assert_int_equal(wire_decode_poll("", 0, &out, &err), ST_DECODE);
    assert_contains(err.text, "version 0");
}

/* --- doorbells */

static void collect(void *arg, const char *poll)
{
    char *text = arg;
    strcat(text, poll);
    strcat(text, ";");
}

static void a_doorbell_names_the_polls_that_were_rung(void **state)
{
    static const char *const polls[] = {"demo", "No Id", "other", "", "a-b-c"};
    char text[128] = "";
    struct bytes bytes;

    wire_encode_tally_changed(polls, COUNT_OF(polls), &bytes);
    assert_int_equal(wire_decode_tally_changed(bytes.data, bytes.len, collect, text, NULL), ST_OK);
    assert_string_equal(text, "demo;other;a-b-c;");
    free(bytes.data);
}

static void garbage_rings_no_bell(void **state)
{
    char text[128] = "";
    struct errmsg err;
    assert_int_equal(wire_decode_tally_changed("\xff\xff", 2, collect, text, &err), ST_DECODE);
    assert_contains(err.text, "TallyChanged");
    assert_int_equal(wire_decode_tally_changed("", 0, collect, text, &err), ST_OK);
    assert_string_equal(text, "");
}

/* --- voting codes */

static void codes_are_read_back(void **state)
{
    uint8_t hashes[3 * CODE_HASH];
    struct code_chunk chunk = {.poll = "abc", .n = 3, .hashes = hashes}, out;
    struct bytes bytes;

    for (size_t i = 0; i < sizeof(hashes); i++)
        hashes[i] = (uint8_t)i;
    wire_encode_codes(&chunk, &bytes);
    assert_int_equal(wire_decode_codes(bytes.data, bytes.len, &out, NULL), ST_OK);
    assert_string_equal(out.poll, "abc");
    assert_int_equal(out.n, 3);
    assert_memory_equal(out.hashes, hashes, sizeof(hashes));
    free(out.memory);
    free(bytes.data);
}

static void codes_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *data;
        size_t len;
        const char *reason;
    } rows[] = {
        {"\xff\xff", 2, "VotingCodes"},
        {"", 0, "version 0"},
        {"\x08\x02", 2, "version 2"},
        {"\x08\x01\x12\x01_", 5, "poll id"},
        {"\x08\x01\x12\x01"
         "a",
         5, "16 bytes"},
        {"\x08\x01\x12\x01"
         "a\x1a\x02xy",
         9, "16 bytes"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct code_chunk out;
        struct errmsg err = {""};
        CHECK_ROW(wire_decode_codes(rows[i].data, rows[i].len, &out, &err) == ST_DECODE, "%zu", i);
        assert_contains(err.text, rows[i].reason);
        assert_null(out.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_read_back_as_it_was_written),
        cmocka_unit_test(marks_are_read_back_as_they_were_written),
        cmocka_unit_test(a_full_batch_is_read_back),
        cmocka_unit_test(the_generated_code_reads_what_we_write),
        cmocka_unit_test(we_read_what_the_generated_code_writes),
        cmocka_unit_test(a_batch_out_of_range_is_refused_with_its_reason),
        cmocka_unit_test(one_ballot_too_many_is_refused),
        cmocka_unit_test(unusual_but_valid_bytes_are_read),
        cmocka_unit_test(broken_bytes_are_refused),
        cmocka_unit_test(a_batch_cut_anywhere_is_never_taken_for_the_whole),
        cmocka_unit_test(a_changed_byte_is_refused_or_still_in_range),
        cmocka_unit_test(a_poll_is_read_back_as_it_was_written),
        cmocka_unit_test(a_poll_without_a_manager_has_none_when_read_back),
        cmocka_unit_test(a_poll_out_of_range_is_refused_with_its_reason),
        cmocka_unit_test(a_poll_that_is_no_protobuf_is_refused),
        cmocka_unit_test(a_doorbell_names_the_polls_that_were_rung),
        cmocka_unit_test(garbage_rings_no_bell),
        cmocka_unit_test(codes_are_read_back),
        cmocka_unit_test(codes_that_are_none_are_refused),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
