/* codes - the jobs' thread makes, hashes and stores voting codes. Only the answer ever shows them.
 * SPDX-License-Identifier: MIT */
#include "codes/codes.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codes/code_sheet.h"
#include "codes/code_watch.h"
#include "jobs.h"
#include "polls/poll_edit.h"
#include "polls/poll_store.h"
#include "refusals.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#include <sodium.h>
#include <stdio.h>

#define COUNT_TRIES 10 /* other requests may change the poll at the same time */
#define RUN_ID 8       /* bytes */

struct codes_job {
    struct job job;
    const struct vote_api *api;
    struct http_ticket *ticket;
    struct poll *poll; /* as the directory has it; after success with the new number of codes */
    size_t n;
    enum code_format format;
    char run[2 * RUN_ID + 1]; /* random, part of this job's keys in the bucket */
    struct http_taken taken;  /* from the address's quota; given back if no codes were issued */
    struct bytes body;
    char csp[CODE_SHEET_CSP];
    enum status status;
    bool has_no_room; /* with ST_INVALID: the limit is CODES_MAX, else that of the poll */
    struct errmsg err;
};

/* --- on the jobs' thread */

/* Two people with the same code would share a ballot. The probability is below 10^-8 for a poll, so it is not checked.
 * Returns false if the key of the poll is missing. */
static bool make_codes(const struct codes_job *job, char (*codes)[CODE_SYMBOLS], uint8_t *hashes)
{
    for (size_t i = 0; i < job->n; i++) {
        code_random(codes[i]);
        if (!keyring_hash_code(job->api->keyring, job->poll->key_id, job->poll->id, codes[i], hashes + i * CODE_HASH))
            return false;
    }
    return true;
}

static enum status store_chunks(struct codes_job *job, const uint8_t *hashes)
{
    enum status st = ST_OK;
    char key[POLL_ID_MAX + sizeof(job->run) + 24];

    for (size_t done = 0; done < job->n && st == ST_OK; done += CODES_CHUNK) {
        struct code_chunk chunk = {.hashes = hashes + done * CODE_HASH,
                                   .n = job->n - done < CODES_CHUNK ? job->n - done : CODES_CHUNK};
        struct bytes bytes;
        memcpy(chunk.poll, job->poll->id, sizeof(chunk.poll));
        snprintf(key, sizeof(key), "%s.%s.%zu", job->poll->id, job->run, done / CODES_CHUNK);
        wire_encode_codes(&chunk, &bytes);
        st = wire_check_codes(&bytes, &chunk, &job->err);
        if (st == ST_OK)
            st = bus_bucket_put(job->api->bus, BUS_BUCKET_CODES, key, bytes.data, bytes.len, 0, &job->err);
        free(bytes.data);
    }
    return st;
}

static size_t max_codes_of(const struct poll *poll)
{
    return poll->made_with_key ? POLL_CODES_MAX : (size_t)settings.codes_without_key;
}

static bool codes_have_room(const struct vote_api *api, const struct poll *poll, size_t n)
{
    return code_book_total(api->codes->book) + n <= limits_share(settings.codes_max, poll->made_with_key);
}

/* Adds n to the number of codes in the poll's definition. only_check: checks whether it could, and changes nothing.
 *
 * ST_NOT_FOUND  the poll was deleted, or takes no voting codes any more
 * ST_INVALID    the poll would have too many codes
 * ST_CONFLICT   the definition was changed meanwhile */
static enum status count_codes(struct codes_job *job, bool only_check)
{
    struct bus_value value;
    struct poll *current = NULL;
    enum status st = bus_bucket_get(job->api->bus, BUS_BUCKET_POLLS, job->poll->id, &value, &job->err);

    if (st == ST_OK)
        st = wire_decode_poll(value.bytes.data, value.bytes.len, &current, &job->err);
    if (st == ST_OK && (current->deleted || current->voter_policy != VOTERS_CODE))
        st = ST_NOT_FOUND;
    if (st == ST_OK && current->voting_codes + job->n > max_codes_of(current)) {
        st = ST_INVALID;
        poll_release(job->poll);
        job->poll = poll_retain(current); /* the answer says how many codes there are */
    }
    if (st == ST_OK && !only_check) {
        struct poll *counted = poll_copy(current);
        counted->voting_codes += (unsigned)job->n;
        counted->expiring = false; /* a poll with new codes is in use */
        poll_edit_touch(counted, clock_wall_ms());
        st = poll_store_put(job->api, counted, value.revision, &job->err);
        poll_release(job->poll);
        job->poll = counted;
    }
    poll_release(current);
    free(value.bytes.data);
    return st;
}

/* Removes codes that were stored and not counted; nobody will see them. If it is not known whether they were counted,
 * they must stay: while fewer codes are stored than counted, code_watch_has_all never calls a code wrong. */
static void remove_chunks(const struct codes_job *job)
{
    char pattern[POLL_ID_MAX + sizeof(job->run) + 4];
    struct errmsg err;

    snprintf(pattern, sizeof(pattern), "%s.%s.>", job->poll->id, job->run);
    if (bus_bucket_purge(job->api->bus, BUS_BUCKET_CODES, pattern, &err) != ST_OK)
        log_warn("unused voting codes not removed", LOG_S("poll", job->poll->id), LOG_S("error", err.text));
}

/* Stores the codes, then counts them in the poll. */
static void store_and_count_codes(struct codes_job *job, const uint8_t *hashes)
{
    job->status = store_chunks(job, hashes);
    bool stored = job->status == ST_OK;
    if (stored)
        job->status = ST_CONFLICT;
    for (int i = 0; i < COUNT_TRIES && job->status == ST_CONFLICT; i++)
        job->status = count_codes(job, false);
    if (job->status == ST_OK)
        code_book_add(job->api->codes->book, job->poll->id, hashes, job->n);
    else if (!stored || job->status == ST_CONFLICT || job->status == ST_INVALID || job->status == ST_NOT_FOUND ||
             job->status == ST_DECODE)
        remove_chunks(job);
}

/* The limits are checked here again, on the only thread that issues codes, because many requests may have found room at
 * the same time. They are checked before anything is stored, because other vote-apis keep stored codes in memory even
 * after they were removed. Codes that other vote-apis issue at this moment are not known yet, so n vote-apis can exceed
 * the limit by (n - 1) * POLL_CODES_MAX codes. */
static void run_codes_job(struct job *super)
{
    struct codes_job *job = H2O_STRUCT_FROM_MEMBER(struct codes_job, job, super);
    uint8_t run[RUN_ID];

    job->has_no_room = !codes_have_room(job->api, job->poll, job->n);
    job->status = job->has_no_room ? ST_INVALID : count_codes(job, true);
    if (job->status != ST_OK)
        return;
    char(*codes)[CODE_SYMBOLS] = alloc_items(job->n, CODE_SYMBOLS);
    uint8_t *hashes = alloc_items(job->n, CODE_HASH);
    randombytes_buf(run, sizeof(run));
    sodium_bin2hex(job->run, sizeof(job->run), run, sizeof(run));
    if (make_codes(job, codes, hashes))
        store_and_count_codes(job, hashes);
    else
        job->status = fail(&job->err, ST_CONFIG, "the poll's key is not configured");
    if (job->status == ST_OK) {
        const struct code_sheet sheet = {job->poll, (const char(*)[CODE_SYMBOLS])codes, job->n,
                                         job->poll->voting_codes};
        code_sheet_write(&sheet, job->format, &job->body, job->csp);
    }
    sodium_memzero(codes, job->n * CODE_SYMBOLS);
    free(codes);
    free(hashes);
}

/* --- on the loop */

static void answer_codes(struct http_call *call, const struct codes_job *job)
{
    char name[POLL_ID_MAX + 64];

    http_add_header(call, "cache-control", "no-store");
    http_add_header(call, "referrer-policy", "no-referrer");
    if (job->format == CODES_HTML)
        http_add_header(call, "content-security-policy", job->csp);
    if (job->format == CODES_CSV) {
        snprintf(name, sizeof(name), "attachment; filename=\"codes-%s.csv\"", job->poll->id);
        http_add_header(call, "content-disposition", name);
    }
    http_reply(call, 201, code_format_type(job->format), (const char *)job->body.data, job->body.len);
}

static void refuse_too_many_for_poll(struct http_call *call, const struct poll *poll)
{
    if (!poll->made_with_key && settings.codes_without_key < POLL_CODES_MAX)
        http_problem(call, PROBLEM_API_KEY_NEEDED, "/count",
                     "A poll that was made without an API key may have at most %lld codes. This one has %u.",
                     (long long)settings.codes_without_key, poll->voting_codes);
    else
        http_problem(call, PROBLEM_INVALID_FIELD, "/count",
                     "Ask for fewer codes: a poll may have at most %d, and this one has %u.", POLL_CODES_MAX,
                     poll->voting_codes);
}

/* Whether the quota of an address is ever large enough for n codes. If not, a later request could not succeed either.
 */
static bool fits_quota(const struct poll *poll, size_t n)
{
    return poll->made_with_key || limit_codes.rate == NULL || n <= limit_codes.quota.quota;
}

static void refuse_too_many_at_once(struct http_call *call)
{
    http_problem(call, PROBLEM_API_KEY_NEEDED, "/count",
                 "The poll was made without an API key, so an address gets at most %u codes at once. Ask for fewer.",
                 (unsigned)limit_codes.quota.quota);
}

static void refuse_full_server(struct http_call *call)
{
    http_problem(call, PROBLEM_OVERLOADED, NULL,
                 "This server holds as many voting codes as CODES_MAX allows. The last quarter is for polls that were "
                 "made with an API key.");
}

static void on_codes_job_done(struct job *super)
{
    struct codes_job *job = H2O_STRUCT_FROM_MEMBER(struct codes_job, job, super);
    struct http_call *call = job->ticket->call;

    if (call != NULL && super->is_late)
        jobs_refuse(call);
    else if (call != NULL && job->status == ST_OK)
        answer_codes(call, job);
    else if (call != NULL && job->has_no_room)
        refuse_full_server(call);
    else if (call != NULL && job->status == ST_INVALID)
        refuse_too_many_for_poll(call, job->poll);
    else if (call != NULL && job->status == ST_NOT_FOUND)
        http_problem(call, PROBLEM_POLL_CHANGED, NULL, "Read the poll again. It does not take voting codes any more.");
    else if (call != NULL && job->status == ST_CONFLICT)
        http_problem(call, PROBLEM_POLL_CHANGED, NULL, "The poll is being changed. Ask for the codes again.");
    else if (call != NULL && job->status == ST_DECODE)
        refuse_unreadable(call, "codes", job->poll->id, job->err.text);
    else if (call != NULL)
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The codes were not stored: %s. Try again.",
                     status_text(job->status));
    if (super->is_late || job->status != ST_OK)
        http_limit_give_back(&job->taken);
    http_ticket_free(job->ticket);
    poll_release(job->poll);
    if (job->body.data != NULL)
        sodium_memzero(job->body.data, job->body.len);
    free(job->body.data);
    free(job);
}

/* Takes over poll. */
static void submit_codes_job(struct http_call *call, struct poll *poll, size_t n, const struct http_taken *taken)
{
    const struct vote_api *api = call->service;
    h2o_iovec_t accept = http_header(call, "accept");
    struct codes_job *job = alloc_items(1, sizeof(*job));

    job->job = (struct job){.run = run_codes_job, .done = on_codes_job_done, .loop = call->loop};
    job->api = api;
    job->poll = poll;
    job->n = n;
    job->taken = *taken;
    job->format = code_format_of(accept.base, accept.len);
    job->ticket = http_call_wait(call);
    if (!jobs_submit(api->jobs, &job->job)) {
        jobs_refuse(call);
        http_limit_give_back(taken);
        http_ticket_free(job->ticket);
        poll_release(poll);
        free(job);
    }
}

/* Returns a reference to the poll of the path, or NULL after it answered: the poll is not known or has no voting codes,
 * or the request may not manage it. */
static struct poll *find_code_poll_or_refuse(struct http_call *call)
{
    struct poll *poll = find_poll_or_refuse(call, call->params[0]);

    if (poll == NULL)
        return NULL;
    if (refuse_unless_manager(call, poll))
        goto refused;
    if (poll->voter_policy != VOTERS_CODE) {
        http_problem(call, PROBLEM_NO_VOTING_CODES, NULL,
                     "Only a poll with the voter_policy \"code\" has voting codes.");
        goto refused;
    }
    return poll;

refused:
    poll_release(poll);
    return NULL;
}

void codes_handle_create(struct http_call *call)
{
    static const char *const fields[] = {"count", NULL};
    const struct vote_api *api = call->service;
    struct poll *poll = find_code_poll_or_refuse(call);
    struct http_taken taken = {.n = 0};
    json_t *body = NULL;
    struct json_error err;

    if (poll == NULL || (body = http_read_json(call)) == NULL)
        goto out;
    const json_t *count = json_object_get(body, "count");
    json_int_t n;
    if (!json_check_fields(body, "", fields, &err)) {
        http_problem_json(call, PROBLEM_INVALID_FIELD, &err);
    } else if (!json_read_whole(count, 1, POLL_CODES_MAX, &n)) {
        http_problem(call, PROBLEM_INVALID_FIELD, "/count", "Send a whole number from 1 to %d.", POLL_CODES_MAX);
    } else if (poll->voting_codes + (size_t)n > max_codes_of(poll)) {
        refuse_too_many_for_poll(call, poll);
    } else if (!fits_quota(poll, (size_t)n)) {
        refuse_too_many_at_once(call);
    } else if (!codes_have_room(api, poll, (size_t)n)) { /* an early answer; the job checks again */
        refuse_full_server(call);
    } else if (poll->made_with_key || http_limit_admit_n(call, &limit_codes, (uint32_t)n, &taken)) {
        submit_codes_job(call, poll, (size_t)n, &taken);
        poll = NULL; /* the job owns it now */
    }

out:
    json_decref(body);
    poll_release(poll);
}

void codes_handle_count(struct http_call *call)
{
    struct poll *poll = find_code_poll_or_refuse(call);

    if (poll == NULL)
        return;
    http_add_header(call, "cache-control", "no-store");
    http_reply_json(call, 200, json_pack("{s:i}", "issued", (int)poll->voting_codes));
    poll_release(poll);
}
