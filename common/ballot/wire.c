/* wire - encodes and decodes batches of ballots.
 * SPDX-License-Identifier: MIT
 *
 * Batches are on the way of every ballot, so this code is written by hand (protobuf.dev/programming-guides/encoding).
 * Decoding takes one allocation for a batch, and 40 ns for a ballot with all checks. The generated code takes 70 ns
 * without checks (tests/unit/ballot/measure_wire.c). Other messages are rare, and wire_poll.c uses generated code for
 * them. The unit tests compare both. */
#include "ballot/wire.h"

#include "base/alloc.h"
#include <assert.h>
#include <inttypes.h>

/* Field numbers of proto/ballot.proto */
enum { BALLOT_POLL = 1, BALLOT_VOTER = 2, BALLOT_CHOICES = 3, BALLOT_CAST_AT = 4, BALLOT_STANDS = 5, BALLOT_TERM = 6 };
enum { BATCH_VERSION = 1, BATCH_ID_FIELD = 2, BATCH_BALLOTS = 3, BATCH_FENCE = 4, BATCH_GATE = 5, BATCH_TERM = 6 };
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LEN = 2, WIRE_FIXED32 = 5 };

/* --- writing */

static size_t varint_size(uint64_t value)
{
    size_t n = 1;
    while (value >= 0x80) {
        value >>= 7;
        n++;
    }
    return n;
}

static uint8_t *put_varint(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

/* Every field number here is below 16, so a tag is one byte. */
static uint8_t *put_tag(uint8_t *to, unsigned number, enum wire_type type)
{
    *to++ = (uint8_t)(number << 3 | (unsigned)type);
    return to;
}

static uint8_t *put_bytes(uint8_t *to, unsigned number, const void *data, size_t len)
{
    to = put_varint(put_tag(to, number, WIRE_LEN), len);
    memcpy(to, data, len);
    return to + len;
}

static size_t bytes_size(size_t len)
{
    return 1 + varint_size(len) + len;
}

static size_t ballot_size(const struct ballot *ballot)
{
    return bytes_size(strlen(ballot->poll)) + bytes_size(VOTER_HASH) + bytes_size(ballot->choices_len) + 1 +
           varint_size((uint64_t)ballot->cast_at_ms) + (ballot->stands != STANDS_BY_POLL ? 2 : 0) +
           (ballot->term != 0 ? 1 + varint_size(ballot->term) : 0);
}

void wire_encode_batch(const struct ballot_batch *batch, struct bytes *out)
{
    size_t size = 2 + bytes_size(BATCH_ID);
    size_t fence_len = strlen(batch->fence_poll), gate_len = strlen(batch->gate_poll);

    if (fence_len != 0)
        size += bytes_size(fence_len);
    if (gate_len != 0)
        size += bytes_size(gate_len);
    if (batch->term != 0)
        size += 1 + varint_size(batch->term);
    for (size_t i = 0; i < batch->n_ballots; i++)
        size += bytes_size(ballot_size(&batch->ballots[i]));

    out->data = alloc_bytes(size);
    out->len = size;
    uint8_t *to = put_varint(put_tag(out->data, BATCH_VERSION, WIRE_VARINT), WIRE_VERSION);
    to = put_bytes(to, BATCH_ID_FIELD, batch->id, BATCH_ID);
    for (size_t i = 0; i < batch->n_ballots; i++) {
        const struct ballot *ballot = &batch->ballots[i];
        to = put_varint(put_tag(to, BATCH_BALLOTS, WIRE_LEN), ballot_size(ballot));
        to = put_bytes(to, BALLOT_POLL, ballot->poll, strlen(ballot->poll));
        to = put_bytes(to, BALLOT_VOTER, ballot->voter, VOTER_HASH);
        to = put_bytes(to, BALLOT_CHOICES, ballot->choices, ballot->choices_len);
        to = put_varint(put_tag(to, BALLOT_CAST_AT, WIRE_VARINT), (uint64_t)ballot->cast_at_ms);
        if (ballot->stands != STANDS_BY_POLL)
            to = put_varint(put_tag(to, BALLOT_STANDS, WIRE_VARINT), ballot->stands);
        if (ballot->term != 0)
            to = put_varint(put_tag(to, BALLOT_TERM, WIRE_VARINT), ballot->term);
    }
    if (fence_len != 0)
        to = put_bytes(to, BATCH_FENCE, batch->fence_poll, fence_len);
    if (gate_len != 0)
        to = put_bytes(to, BATCH_GATE, batch->gate_poll, gate_len);
    if (batch->term != 0)
        put_varint(put_tag(to, BATCH_TERM, WIRE_VARINT), batch->term);
}

/* --- reading */

struct reader {
    const uint8_t *at, *end;
};

struct field {
    unsigned number;
    enum wire_type type;
    uint64_t value;      /* of a varint */
    const uint8_t *data; /* of a field with a length */
    size_t len;
};

static bool read_varint(struct reader *reader, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end)
            return false;
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* A tag or a length has 32 bits, so protobuf allows at most five bytes for it. */
static bool read_varint32(struct reader *reader, uint64_t *out)
{
    const uint8_t *start = reader->at;

    return read_varint(reader, out) && reader->at - start <= 5;
}

/* Reads the next field, whatever its number is: the caller passes over unknown fields. */
static bool read_field(struct reader *reader, struct field *out)
{
    uint64_t tag, len;

    if (!read_varint32(reader, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return false;
    out->number = (unsigned)(tag >> 3);
    out->type = (enum wire_type)(tag & 7);
    size_t left = (size_t)(reader->end - reader->at);
    switch (out->type) {
    case WIRE_VARINT:
        return read_varint(reader, &out->value);
    case WIRE_LEN:
        if (!read_varint32(reader, &len) || len > (uint64_t)(reader->end - reader->at))
            return false;
        out->data = reader->at;
        out->len = (size_t)len;
        reader->at += len;
        return true;
    case WIRE_FIXED64:
    case WIRE_FIXED32:
        if (left < (out->type == WIRE_FIXED64 ? 8u : 4u))
            return false;
        reader->at += out->type == WIRE_FIXED64 ? 8 : 4;
        return true;
    default: /* proto3 has no groups */
        return false;
    }
}

static bool has_type(const struct field *field, enum wire_type type)
{
    return field->type == type;
}

static bool copy_id(char to[POLL_ID_MAX + 1], const struct field *field)
{
    if (!has_type(field, WIRE_LEN) || !poll_id_is_valid((const char *)field->data, field->len))
        return false;
    memcpy(to, field->data, field->len);
    to[field->len] = '\0';
    return true;
}

static bool is_printable(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

static const char *find_choices_fault(const uint8_t *choices, size_t len)
{
    if (len == 0 || len > BALLOT_CHOICES_MAX)
        return "has no choices, or too many";
    return is_printable(choices, len) ? NULL : "has choices that are not printable ASCII";
}

/* Reads one ballot and copies its choices to *memory, which then points behind them. Returns what is wrong, or NULL. If
 * a field appears twice, the last one counts, as in protobuf. */
static const char *decode_ballot(struct reader reader, struct ballot *ballot, char **memory)
{
    struct field field = {.number = 0};
    struct field choices = {.number = 0};
    bool has_voter = false;

    *ballot = (struct ballot){.cast_at_ms = 0};
    while (reader.at != reader.end) {
        if (!read_field(&reader, &field))
            return "is not protobuf";
        switch (field.number) {
        case BALLOT_POLL:
            if (!copy_id(ballot->poll, &field))
                return "has no valid poll id";
            break;
        case BALLOT_VOTER:
            if (!has_type(&field, WIRE_LEN) || field.len != VOTER_HASH)
                return "has a voter that is not 16 bytes long";
            memcpy(ballot->voter, field.data, VOTER_HASH);
            has_voter = true;
            break;
        case BALLOT_CHOICES:
            if (!has_type(&field, WIRE_LEN))
                return "has choices that are not text";
            choices = field;
            break;
        case BALLOT_CAST_AT:
            if (!has_type(&field, WIRE_VARINT) || field.value > WIRE_TIME_MAX)
                return "has a time out of range";
            ballot->cast_at_ms = (int64_t)field.value;
            break;
        case BALLOT_STANDS:
            if (!has_type(&field, WIRE_VARINT) || field.value > STANDS_FIRST)
                return "has an unknown rule for which ballot stands";
            ballot->stands = (enum ballot_stands)field.value;
            break;
        case BALLOT_TERM:
            if (!has_type(&field, WIRE_VARINT) || field.value > POLL_TERM_MAX)
                return "has a term out of range";
            ballot->term = (unsigned)field.value;
            break;
        }
    }
    if (ballot->poll[0] == '\0')
        return "has no valid poll id";
    if (!has_voter)
        return "has no voter";
    const char *fault = find_choices_fault(choices.data, choices.len);
    if (fault != NULL)
        return fault;
    ballot->choices = memcpy(*memory, choices.data, choices.len);
    ballot->choices_len = choices.len;
    (*memory)[choices.len] = '\0';
    *memory += choices.len + 1;
    return NULL;
}

/* The first pass reads everything but the ballots. It counts them and adds up their bytes. */
static enum status decode_frame(struct reader reader, struct ballot_batch *out, size_t *ballot_bytes,
                                struct errmsg *err)
{
    struct field field = {.number = 0};
    uint64_t version = 0;
    bool has_id = false, has_fence = false, has_gate = false;

    while (reader.at != reader.end) {
        if (!read_field(&reader, &field))
            return fail(err, ST_DECODE, "the batch is not protobuf");
        switch (field.number) {
        case BATCH_VERSION:
            if (!has_type(&field, WIRE_VARINT))
                return fail(err, ST_DECODE, "the version of the batch is not a number");
            version = field.value;
            break;
        case BATCH_ID_FIELD:
            if (!has_type(&field, WIRE_LEN) || field.len != BATCH_ID)
                return fail(err, ST_DECODE, "the batch has no id of 16 bytes");
            memcpy(out->id, field.data, BATCH_ID);
            has_id = true;
            break;
        case BATCH_BALLOTS:
            if (!has_type(&field, WIRE_LEN))
                return fail(err, ST_DECODE, "the batch is not protobuf");
            out->n_ballots++;
            *ballot_bytes += field.len;
            break;
        case BATCH_FENCE:
            has_fence = true;
            if (!copy_id(out->fence_poll, &field))
                return fail(err, ST_DECODE, "the batch is a fence without a valid poll id");
            break;
        case BATCH_GATE:
            has_gate = true;
            if (!copy_id(out->gate_poll, &field))
                return fail(err, ST_DECODE, "the batch is a gate without a valid poll id");
            break;
        case BATCH_TERM:
            if (!has_type(&field, WIRE_VARINT) || field.value > POLL_TERM_MAX)
                return fail(err, ST_DECODE, "the batch has a term out of range");
            out->term = (unsigned)field.value;
            break;
        }
    }
    if (version != WIRE_VERSION)
        return fail(err, ST_DECODE, "the batch has version %" PRIu64 "; this program knows only version %d", version,
                    WIRE_VERSION);
    if (!has_id)
        return fail(err, ST_DECODE, "the batch has no id of 16 bytes");
    if (out->n_ballots > BATCH_BALLOTS_MAX)
        return fail(err, ST_DECODE, "the batch has %zu ballots; at most %d are allowed", out->n_ballots,
                    BATCH_BALLOTS_MAX);
    if (has_fence + has_gate + (out->n_ballots != 0) != 1)
        return fail(err, ST_DECODE, "the batch must hold ballots, or a fence, or a gate");
    if (has_gate && out->term == 0)
        return fail(err, ST_DECODE, "the batch is a gate without a term");
    return ST_OK;
}

enum status wire_decode_batch(const void *data, size_t len, struct ballot_batch *out, struct errmsg *err)
{
    struct reader reader = {data, (const uint8_t *)data + len};
    struct field field = {.number = 0};
    size_t ballot_bytes = 0, n = 0;

    memset(out, 0, sizeof(*out));
    enum status st = decode_frame(reader, out, &ballot_bytes, err);
    if (st != ST_OK || out->n_ballots == 0)
        return st;

    /* The choices of a ballot and their NUL take fewer bytes than the encoded ballot, where their tag and length alone
     * take two bytes. */
    size_t array = out->n_ballots * sizeof(struct ballot);
    out->memory = alloc_bytes(array + ballot_bytes);
    out->ballots = out->memory;
    char *memory = (char *)out->memory + array;

    while (reader.at != reader.end && read_field(&reader, &field)) {
        if (field.number != BATCH_BALLOTS)
            continue;
        struct reader inner = {field.data, field.data + field.len};
        const char *wrong = decode_ballot(inner, &out->ballots[n], &memory);
        if (wrong != NULL) {
            ballot_batch_free(out);
            return fail(err, ST_DECODE, "ballot %zu of the batch %s", n, wrong);
        }
        n++;
    }
    assert(n == out->n_ballots); /* both passes read the same fields */
    return ST_OK;
}

const char *wire_find_ballot_fault(const struct ballot *ballot)
{
    if (!poll_id_is_valid(ballot->poll, strnlen(ballot->poll, sizeof(ballot->poll))))
        return "has no valid poll id";
    if (ballot->cast_at_ms < 0 || ballot->cast_at_ms > WIRE_TIME_MAX)
        return "has a time out of range";
    if ((unsigned)ballot->stands > STANDS_FIRST)
        return "has an unknown rule for which ballot stands";
    if (ballot->term > POLL_TERM_MAX)
        return "has a term out of range";
    return find_choices_fault((const uint8_t *)ballot->choices, ballot->choices_len);
}

static bool ballot_equal(const struct ballot *a, const struct ballot *b)
{
    return strcmp(a->poll, b->poll) == 0 && memcmp(a->voter, b->voter, VOTER_HASH) == 0 &&
           a->choices_len == b->choices_len && memcmp(a->choices, b->choices, a->choices_len) == 0 &&
           a->cast_at_ms == b->cast_at_ms && a->stands == b->stands && a->term == b->term;
}

enum status wire_check_batch(const struct bytes *bytes, const struct ballot_batch *batch, struct errmsg *err)
{
    struct ballot_batch read;
    enum status st = wire_decode_batch(bytes->data, bytes->len, &read, err);

    if (st != ST_OK)
        return st;
    bool same = memcmp(read.id, batch->id, BATCH_ID) == 0 && read.n_ballots == batch->n_ballots &&
                strcmp(read.fence_poll, batch->fence_poll) == 0 && strcmp(read.gate_poll, batch->gate_poll) == 0 &&
                read.term == batch->term;
    for (size_t i = 0; i < batch->n_ballots && same; i++)
        same = ballot_equal(&read.ballots[i], &batch->ballots[i]);
    ballot_batch_free(&read);
    return same ? ST_OK : fail(err, ST_DECODE, "the batch that was encoded differs from the batch that is decoded");
}

void ballot_batch_free(struct ballot_batch *batch)
{
    free(batch->memory);
    memset(batch, 0, sizeof(*batch));
}
