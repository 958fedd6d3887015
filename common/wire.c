/* wire - protobuf messages to C values and back.
 * SPDX-License-Identifier: MIT
 *
 * Batches are the hot path, and are read and written here by hand (protobuf.dev/programming-guides/encoding): decoding
 * takes one allocation a batch, and 40 ns a ballot with all checks, where the generated code takes 70 ns without any
 * (tests/unit/measure_wire.c). Polls and doorbells are rare, and are left to the generated code; the unit tests hold
 * the two against each other. */
#include "wire.h"

#include "alloc.h"
#include "codes.pb-c.h"
#include "poll.pb-c.h"
#include "tally.pb-c.h"
#include "utf8.h"
#include <inttypes.h>

#define VERSION 1
#define TIME_MAX INT64_C(253402300799999) /* ms: 9999-12-31, the last day that RFC 3339 and PostgreSQL both write */

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

/* Every field number here is below 16: a tag is one byte. */
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
    uint8_t *to = put_varint(put_tag(out->data, BATCH_VERSION, WIRE_VARINT), VERSION);
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

/* A tag or a length: at most five bytes, as protobuf writes 32 bits, also where longer ones would say the same. */
static bool read_varint32(struct reader *reader, uint64_t *out)
{
    const uint8_t *start = reader->at;

    return read_varint(reader, out) && reader->at - start <= 5;
}

/* Reads the next field, of any number, so that unknown ones can be passed over. */
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
    default: /* groups are not of proto3 */
        return false;
    }
}

/* Whether a field is of the type that its number asks for. */
static bool is_a(const struct field *field, enum wire_type type)
{
    return field->type == type;
}

static bool copy_id(char to[POLL_ID_MAX + 1], const struct field *field)
{
    if (!is_a(field, WIRE_LEN) || !poll_id_is_valid((const char *)field->data, field->len))
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

/* Reads one ballot, whose choices go to *memory, which moves on. Returns what is wrong, or NULL. A field that stands
 * twice counts once, the last time, as protobuf says. */
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
            if (!is_a(&field, WIRE_LEN) || field.len != VOTER_HASH)
                return "has a voter that is not 16 bytes long";
            memcpy(ballot->voter, field.data, VOTER_HASH);
            has_voter = true;
            break;
        case BALLOT_CHOICES:
            if (!is_a(&field, WIRE_LEN))
                return "has choices that are no text";
            choices = field;
            break;
        case BALLOT_CAST_AT:
            if (!is_a(&field, WIRE_VARINT) || field.value > TIME_MAX)
                return "has a time out of range";
            ballot->cast_at_ms = (int64_t)field.value;
            break;
        case BALLOT_STANDS:
            if (!is_a(&field, WIRE_VARINT) || field.value > STANDS_FIRST)
                return "stands in a way that is not known";
            ballot->stands = (enum ballot_stands)field.value;
            break;
        case BALLOT_TERM:
            if (!is_a(&field, WIRE_VARINT) || field.value > POLL_TERM_MAX)
                return "has a term out of range";
            ballot->term = (unsigned)field.value;
            break;
        }
    }
    if (ballot->poll[0] == '\0')
        return "has no valid poll id";
    if (!has_voter)
        return "has no voter";
    if (choices.len == 0 || choices.len > BALLOT_CHOICES_MAX)
        return "has no choices, or too many";
    if (!is_printable(choices.data, choices.len))
        return "has choices that are not printable ASCII";
    ballot->choices = memcpy(*memory, choices.data, choices.len);
    ballot->choices_len = choices.len;
    (*memory)[choices.len] = '\0';
    *memory += choices.len + 1;
    return NULL;
}

/* First pass: everything but the ballots themselves, which are counted and measured. */
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
            if (!is_a(&field, WIRE_VARINT))
                return fail(err, ST_DECODE, "the batch has a version that is no number");
            version = field.value;
            break;
        case BATCH_ID_FIELD:
            if (!is_a(&field, WIRE_LEN) || field.len != BATCH_ID)
                return fail(err, ST_DECODE, "the batch has no id of 16 bytes");
            memcpy(out->id, field.data, BATCH_ID);
            has_id = true;
            break;
        case BATCH_BALLOTS:
            if (!is_a(&field, WIRE_LEN))
                return fail(err, ST_DECODE, "the batch is not protobuf");
            out->n_ballots++;
            *ballot_bytes += field.len;
            break;
        case BATCH_FENCE:
            has_fence = true;
            if (!copy_id(out->fence_poll, &field))
                return fail(err, ST_DECODE, "the batch is a fence of no valid poll id");
            break;
        case BATCH_GATE:
            has_gate = true;
            if (!copy_id(out->gate_poll, &field))
                return fail(err, ST_DECODE, "the batch is a gate of no valid poll id");
            break;
        case BATCH_TERM:
            if (!is_a(&field, WIRE_VARINT) || field.value > POLL_TERM_MAX)
                return fail(err, ST_DECODE, "the batch has a term out of range");
            out->term = (unsigned)field.value;
            break;
        }
    }
    if (version != VERSION)
        return fail(err, ST_DECODE, "the batch has version %" PRIu64 ", and only version %d is known", version,
                    VERSION);
    if (!has_id)
        return fail(err, ST_DECODE, "the batch has no id of 16 bytes");
    if (out->n_ballots > BATCH_BALLOTS_MAX)
        return fail(err, ST_DECODE, "the batch has %zu ballots, and %d is the most", out->n_ballots, BATCH_BALLOTS_MAX);
    if (has_fence + has_gate + (out->n_ballots != 0) != 1)
        return fail(err, ST_DECODE, "the batch must hold ballots, or a fence, or a gate");
    if (has_gate && out->term == 0)
        return fail(err, ST_DECODE, "the batch is a gate of no term");
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

    /* A ballot's choices and their NUL are shorter than the ballot: tag and length of the choices take two bytes. */
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
    return ST_OK;
}

void ballot_batch_free(struct ballot_batch *batch)
{
    free(batch->memory);
    memset(batch, 0, sizeof(*batch));
}

/* --- polls */

void wire_encode_poll(const struct poll *poll, struct bytes *out)
{
    Scrutin__Poll message = SCRUTIN__POLL__INIT;
    Scrutin__PollOption *options = alloc_items(poll->n_options, sizeof(*options));
    Scrutin__PollOption **list = alloc_items(poll->n_options, sizeof(Scrutin__PollOption *));

    message.version = VERSION;
    message.id = (char *)(uintptr_t)poll->id;
    message.title = poll->title;
    message.description = poll->description;
    message.method = (Scrutin__Method)poll->method;
    message.min_choices = poll->min_choices;
    message.max_choices = poll->max_choices;
    message.revisable = poll->revisable;
    message.opens_at_ms = poll->opens_at_ms;
    message.closes_at_ms = poll->closes_at_ms;
    message.results_visibility = (Scrutin__ResultsVisibility)poll->visibility;
    message.voter_policy = (Scrutin__VoterPolicy)poll->voter_policy;
    message.voting_codes = poll->voting_codes;
    message.key_id = (char *)(uintptr_t)poll->key_id;
    if (poll->has_manager) {
        message.manage_hash.data = (uint8_t *)(uintptr_t)poll->manage_hash;
        message.manage_hash.len = POLL_MANAGE_HASH;
    }
    message.created_at_ms = poll->created_at_ms;
    message.updated_at_ms = poll->updated_at_ms;
    message.deleted = poll->deleted;
    message.reopenable = poll->reopenable;
    message.draft = poll->draft;
    message.term = poll->term;
    message.opening_term = poll->opening_term;
    for (size_t i = 0; i < poll->n_options; i++) {
        scrutin__poll_option__init(&options[i]);
        options[i].id = poll->options[i].id;
        options[i].label = poll->options[i].label;
        list[i] = &options[i];
    }
    message.n_options = poll->n_options;
    message.options = list;

    out->len = scrutin__poll__get_packed_size(&message);
    out->data = alloc_bytes(out->len);
    scrutin__poll__pack(&message, out->data);
    free(list);
    free(options);
}

static bool is_time(int64_t ms)
{
    return ms >= 0 && ms <= TIME_MAX;
}

static enum status check_poll(const Scrutin__Poll *message, struct errmsg *err)
{
    if (message->version != VERSION)
        return fail(err, ST_DECODE, "the poll has version %" PRIu32 ", and only version %d is known", message->version,
                    VERSION);
    if (!poll_id_is_valid(message->id, strlen(message->id)))
        return fail(err, ST_DECODE, "the poll has no valid id");
    if (!utf8_is_valid(message->title, strlen(message->title), POLL_TITLE_MAX))
        return fail(err, ST_DECODE, "the poll's title is too long or not UTF-8");
    if (!utf8_is_valid(message->description, strlen(message->description), POLL_TEXT_MAX))
        return fail(err, ST_DECODE, "the poll's description is too long or not UTF-8");
    if ((unsigned)message->method > METHOD_SCORE)
        return fail(err, ST_DECODE, "the poll has the unknown method %d", (int)message->method);
    if ((unsigned)message->results_visibility > VISIBILITY_AFTER_CLOSE)
        return fail(err, ST_DECODE, "the poll has the unknown visibility %d", (int)message->results_visibility);
    if ((unsigned)message->voter_policy > VOTERS_CODE)
        return fail(err, ST_DECODE, "the poll has the unknown voter policy %d", (int)message->voter_policy);
    if (!is_time(message->opens_at_ms) || !is_time(message->closes_at_ms) || !is_time(message->created_at_ms) ||
        !is_time(message->updated_at_ms))
        return fail(err, ST_DECODE, "the poll has a time out of range");
    if (message->term > POLL_TERM_MAX || message->opening_term > POLL_TERM_MAX)
        return fail(err, ST_DECODE, "the poll has a term out of range");
    if (strlen(message->key_id) > POLL_KEY_ID_MAX)
        return fail(err, ST_DECODE, "the poll's key id is too long");
    if (message->manage_hash.len != 0 && message->manage_hash.len != POLL_MANAGE_HASH)
        return fail(err, ST_DECODE, "the poll's manage hash is not %d bytes long", POLL_MANAGE_HASH);
    if (message->n_options == 0 || message->n_options > POLL_OPTIONS_MAX)
        return fail(err, ST_DECODE, "the poll has %zu options, and 1 to %d are allowed", message->n_options,
                    POLL_OPTIONS_MAX);
    if (message->min_choices > message->max_choices || message->max_choices > message->n_options)
        return fail(err, ST_DECODE, "the poll asks for %" PRIu32 " to %" PRIu32 " of %zu options", message->min_choices,
                    message->max_choices, message->n_options);
    for (size_t i = 0; i < message->n_options; i++) {
        const Scrutin__PollOption *option = message->options[i];
        if (!poll_id_is_valid(option->id, strlen(option->id)))
            return fail(err, ST_DECODE, "option %zu of the poll has no valid id", i);
        if (!utf8_is_valid(option->label, strlen(option->label), POLL_LABEL_MAX))
            return fail(err, ST_DECODE, "the label of option %s is too long or not UTF-8", option->id);
        for (size_t j = 0; j < i; j++)
            if (strcmp(option->id, message->options[j]->id) == 0)
                return fail(err, ST_DECODE, "the poll has option %s twice", option->id);
    }
    return ST_OK;
}

static struct poll *make_poll(const Scrutin__Poll *message)
{
    struct poll *poll = poll_new();

    strcpy(poll->id, message->id);
    poll->title = alloc_copy(message->title);
    poll->description = alloc_copy(message->description);
    poll->method = (enum poll_method)message->method;
    poll->min_choices = message->min_choices;
    poll->max_choices = message->max_choices;
    poll->revisable = message->revisable;
    poll->opens_at_ms = message->opens_at_ms;
    poll->closes_at_ms = message->closes_at_ms;
    poll->visibility = (enum poll_visibility)message->results_visibility;
    poll->voter_policy = (enum poll_voter_policy)message->voter_policy;
    poll->voting_codes = message->voting_codes;
    strcpy(poll->key_id, message->key_id);
    poll->has_manager = message->manage_hash.len != 0;
    if (poll->has_manager)
        memcpy(poll->manage_hash, message->manage_hash.data, POLL_MANAGE_HASH);
    poll->created_at_ms = message->created_at_ms;
    poll->updated_at_ms = message->updated_at_ms;
    poll->deleted = message->deleted;
    poll->reopenable = message->reopenable;
    poll->draft = message->draft;
    poll->term = message->term;
    poll->opening_term = message->opening_term;
    poll->n_options = message->n_options;
    poll->options = alloc_items(message->n_options, sizeof(*poll->options));
    for (size_t i = 0; i < message->n_options; i++) {
        strcpy(poll->options[i].id, message->options[i]->id);
        poll->options[i].label = alloc_copy(message->options[i]->label);
    }
    return poll;
}

enum status wire_decode_poll(const void *data, size_t len, struct poll **out, struct errmsg *err)
{
    *out = NULL;
    Scrutin__Poll *message = scrutin__poll__unpack(NULL, len, data);
    if (message == NULL)
        return fail(err, ST_DECODE, "the poll is not protobuf");

    enum status st = check_poll(message, err);
    if (st == ST_OK)
        *out = make_poll(message);
    scrutin__poll__free_unpacked(message, NULL);
    return st;
}

/* --- voting codes */

void wire_encode_codes(const struct code_chunk *chunk, struct bytes *out)
{
    Scrutin__VotingCodes message = SCRUTIN__VOTING_CODES__INIT;

    message.version = VERSION;
    message.poll = (char *)(uintptr_t)chunk->poll;
    message.hashes.data = (uint8_t *)(uintptr_t)chunk->hashes;
    message.hashes.len = chunk->n * CODE_HASH;
    out->len = scrutin__voting_codes__get_packed_size(&message);
    out->data = alloc_bytes(out->len);
    scrutin__voting_codes__pack(&message, out->data);
}

enum status wire_decode_codes(const void *data, size_t len, struct code_chunk *out, struct errmsg *err)
{
    Scrutin__VotingCodes *message = scrutin__voting_codes__unpack(NULL, len, data);
    enum status st = ST_OK;

    memset(out, 0, sizeof(*out));
    if (message == NULL)
        return fail(err, ST_DECODE, "the message is no VotingCodes");
    if (message->version != VERSION)
        st = fail(err, ST_DECODE, "the codes have version %" PRIu32 ", and only version %d is known", message->version,
                  VERSION);
    else if (!poll_id_is_valid(message->poll, strlen(message->poll)))
        st = fail(err, ST_DECODE, "the codes have no valid poll id");
    else if (message->hashes.len == 0 || message->hashes.len % CODE_HASH != 0)
        st = fail(err, ST_DECODE, "the codes are not hashes of %d bytes each", CODE_HASH);
    if (st == ST_OK) {
        strcpy(out->poll, message->poll);
        out->n = message->hashes.len / CODE_HASH;
        out->memory = alloc_bytes(message->hashes.len);
        memcpy(out->memory, message->hashes.data, message->hashes.len);
        out->hashes = out->memory;
    }
    scrutin__voting_codes__free_unpacked(message, NULL);
    return st;
}

/* --- doorbells */

void wire_encode_tally_changed(const char *const *polls, size_t n, struct bytes *out)
{
    Scrutin__TallyChanged message = SCRUTIN__TALLY_CHANGED__INIT;

    message.n_polls = n;
    message.polls = (char **)(uintptr_t)polls;
    out->len = scrutin__tally_changed__get_packed_size(&message);
    out->data = alloc_bytes(out->len);
    scrutin__tally_changed__pack(&message, out->data);
}

enum status wire_decode_tally_changed(const void *data, size_t len, void (*on_poll)(void *arg, const char *poll),
                                      void *arg, struct errmsg *err)
{
    Scrutin__TallyChanged *message = scrutin__tally_changed__unpack(NULL, len, data);
    if (message == NULL)
        return fail(err, ST_DECODE, "the message is no TallyChanged");
    for (size_t i = 0; i < message->n_polls; i++)
        if (poll_id_is_valid(message->polls[i], strlen(message->polls[i])))
            on_poll(arg, message->polls[i]);
    scrutin__tally_changed__free_unpacked(message, NULL);
    return ST_OK;
}
