/* wire_poll - encodes and decodes polls, voting codes and doorbells.
 * SPDX-License-Identifier: MIT */
#include "ballot/wire.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "codes.pb-c.h"
#include "poll.pb-c.h"
#include "tally.pb-c.h"
#include <inttypes.h>

/* The generated code answers NULL without memory, as it does to bytes that are not protobuf. So its memory comes from
 * base/alloc, which aborts. */
static void *alloc_message(void *unused, size_t size)
{
    return alloc_bytes(size);
}

static void free_message(void *unused, void *memory)
{
    free(memory);
}

static ProtobufCAllocator allocator = {alloc_message, free_message, NULL};

/* --- polls */

void wire_encode_poll(const struct poll *poll, struct bytes *out)
{
    Scrutin__Poll message = SCRUTIN__POLL__INIT;
    Scrutin__PollOption *options = alloc_items(poll->n_options, sizeof(*options));
    Scrutin__PollOption **list = alloc_items(poll->n_options, sizeof(Scrutin__PollOption *));

    message.version = WIRE_VERSION;
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
    message.made_with_key = poll->made_with_key;
    message.expiring = poll->expiring;
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
    return ms >= 0 && ms <= WIRE_TIME_MAX;
}

static enum status check_poll(const Scrutin__Poll *message, struct errmsg *err)
{
    if (message->version != WIRE_VERSION)
        return fail(err, ST_DECODE, "the poll has version %" PRIu32 "; this program knows only version %d",
                    message->version, WIRE_VERSION);
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
    poll->made_with_key = message->made_with_key;
    poll->expiring = message->expiring;
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
    Scrutin__Poll *message = scrutin__poll__unpack(&allocator, len, data);
    if (message == NULL)
        return fail(err, ST_DECODE, "the poll is not protobuf");

    enum status st = check_poll(message, err);
    if (st == ST_OK)
        *out = make_poll(message);
    scrutin__poll__free_unpacked(message, &allocator);
    return st;
}

enum status wire_check_poll(const struct bytes *bytes, const struct poll *poll, struct errmsg *err)
{
    struct poll *read;
    enum status st = wire_decode_poll(bytes->data, bytes->len, &read, err);

    if (st == ST_OK && !poll_equal(poll, read))
        st = fail(err, ST_DECODE, "the poll that was encoded differs from the poll that is decoded");
    poll_release(read);
    return st;
}

/* --- voting codes */

void wire_encode_codes(const struct code_chunk *chunk, struct bytes *out)
{
    Scrutin__VotingCodes message = SCRUTIN__VOTING_CODES__INIT;

    message.version = WIRE_VERSION;
    message.poll = (char *)(uintptr_t)chunk->poll;
    message.hashes.data = (uint8_t *)(uintptr_t)chunk->hashes;
    message.hashes.len = chunk->n * CODE_HASH;
    out->len = scrutin__voting_codes__get_packed_size(&message);
    out->data = alloc_bytes(out->len);
    scrutin__voting_codes__pack(&message, out->data);
}

enum status wire_decode_codes(const void *data, size_t len, struct code_chunk *out, struct errmsg *err)
{
    Scrutin__VotingCodes *message = scrutin__voting_codes__unpack(&allocator, len, data);
    enum status st = ST_OK;

    memset(out, 0, sizeof(*out));
    if (message == NULL)
        return fail(err, ST_DECODE, "the message is not a VotingCodes");
    if (message->version != WIRE_VERSION)
        st = fail(err, ST_DECODE, "the codes have version %" PRIu32 "; this program knows only version %d",
                  message->version, WIRE_VERSION);
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
    scrutin__voting_codes__free_unpacked(message, &allocator);
    return st;
}

enum status wire_check_codes(const struct bytes *bytes, const struct code_chunk *chunk, struct errmsg *err)
{
    struct code_chunk read;
    enum status st = wire_decode_codes(bytes->data, bytes->len, &read, err);

    if (st != ST_OK)
        return st;
    bool same = strcmp(read.poll, chunk->poll) == 0 && read.n == chunk->n && read.hashes != NULL &&
                memcmp(read.hashes, chunk->hashes, chunk->n * CODE_HASH) == 0;
    free(read.memory);
    return same ? ST_OK : fail(err, ST_DECODE, "the codes that were encoded differ from the codes that are decoded");
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
    Scrutin__TallyChanged *message = scrutin__tally_changed__unpack(&allocator, len, data);
    if (message == NULL)
        return fail(err, ST_DECODE, "the message is not a TallyChanged");
    for (size_t i = 0; i < message->n_polls; i++)
        if (poll_id_is_valid(message->polls[i], strlen(message->polls[i])))
            on_poll(arg, message->polls[i]);
    scrutin__tally_changed__free_unpacked(message, &allocator);
    return ST_OK;
}
