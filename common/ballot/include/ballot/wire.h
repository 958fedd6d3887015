/* wire - encodes and decodes the protobuf messages of proto/. Only wire*.c know protobuf. Any thread.
 * SPDX-License-Identifier: MIT
 *
 * Decoders check every length and range that the database or the ordinal relies on, so a decoded value is safe to
 * store.
 */
#ifndef SCRUTIN_WIRE_H
#define SCRUTIN_WIRE_H

#include "ballot/poll_definition.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"

#define WIRE_VERSION 1             /* of batches, polls and codes */
#define BATCH_ID 16                /* bytes */
#define BATCH_BALLOTS_MAX 4096     /* the range of the index in an ordinal */
#define WIRE_TIME_MAX CLOCK_MAX_MS /* ms since 1970 */

/* Which of a voter's ballots in a poll stands; see proto/ballot.proto. */
enum ballot_stands { STANDS_BY_POLL, STANDS_LAST, STANDS_FIRST };

struct ballot {
    char poll[POLL_ID_MAX + 1];
    uint8_t voter[VOTER_HASH];
    const char *choices; /* NUL-terminated, 1..BALLOT_CHOICES_MAX bytes */
    size_t choices_len;
    int64_t cast_at_ms;
    enum ballot_stands stands;
    unsigned term; /* of the poll when it took the ballot, up to POLL_TERM_MAX */
};

/* The value that vote-api writes into a ballot of this poll. */
static inline enum ballot_stands ballot_stands_in(const struct poll *poll)
{
    return poll->revisable ? STANDS_LAST : STANDS_FIRST;
}

/* Whether the last ballot of the voter stands. by_poll is the rule of the poll's definition, for a ballot that does not
 * say it. */
static inline bool ballot_is_revisable(const struct ballot *ballot, bool by_poll)
{
    return ballot->stands == STANDS_BY_POLL ? by_poll : ballot->stands == STANDS_LAST;
}

/* One message of the stream: ballots, or a mark. A mark names a poll that closed (fence) or opened again (gate). */
struct ballot_batch {
    uint8_t id[BATCH_ID];
    size_t n_ballots;
    struct ballot *ballots;
    char fence_poll[POLL_ID_MAX + 1]; /* "": the batch is not a fence */
    char gate_poll[POLL_ID_MAX + 1];  /* "": the batch is not a gate */
    unsigned term;                    /* of the mark, up to POLL_TERM_MAX */
    void *memory;                     /* holds the ballots and their choices */
};

/* The caller of an encoder frees out->data. */
void wire_encode_batch(const struct ballot_batch *batch, struct bytes *out);
/* ST_DECODE: the bytes are not protobuf, the version is unknown, or a field is out of range. On ST_OK the caller frees
 * *out with ballot_batch_free. *out does not point into data. */
MUST_CHECK enum status wire_decode_batch(const void *data, size_t len, struct ballot_batch *out, struct errmsg *err);
void ballot_batch_free(struct ballot_batch *batch);
/* Why the decoder would refuse a batch with this ballot; NULL: it would not. Ask before the ballot is acknowledged. */
const char *wire_find_ballot_fault(const struct ballot *ballot);

/* --- checks: decode what was just encoded, before it is stored. ST_DECODE: the result differs, which is an error of
 * this program. */
MUST_CHECK enum status wire_check_batch(const struct bytes *bytes, const struct ballot_batch *batch,
                                        struct errmsg *err);
MUST_CHECK enum status wire_check_poll(const struct bytes *bytes, const struct poll *poll, struct errmsg *err);

void wire_encode_poll(const struct poll *poll, struct bytes *out);
MUST_CHECK enum status wire_decode_poll(const void *data, size_t len, struct poll **out, struct errmsg *err);

/* Hashes of voting codes of one poll: a value of the bucket `codes`. */
struct code_chunk {
    char poll[POLL_ID_MAX + 1];
    size_t n;
    const uint8_t *hashes; /* n times CODE_HASH bytes */
    void *memory;          /* of a decoded chunk: holds the hashes; the caller frees it */
};

void wire_encode_codes(const struct code_chunk *chunk, struct bytes *out);
MUST_CHECK enum status wire_check_codes(const struct bytes *bytes, const struct code_chunk *chunk, struct errmsg *err);
MUST_CHECK enum status wire_decode_codes(const void *data, size_t len, struct code_chunk *out, struct errmsg *err);

void wire_encode_tally_changed(const char *const *polls, size_t n, struct bytes *out);
/* Calls on_poll for each poll that the message names. Ids that are not valid are left out. */
MUST_CHECK enum status wire_decode_tally_changed(const void *data, size_t len,
                                                 void (*on_poll)(void *arg, const char *poll), void *arg,
                                                 struct errmsg *err);

#endif
