/* ballots - from a request to a ballot in the group, and from its result to the receipt.
 * SPDX-License-Identifier: MIT */
#include "ballots/ballots.h"

#include "ballots/selection.h"
#include "ballots/voter.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "codes/code_voter.h"
#include "polls/text_rules.h"
#include "refusals.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ballots_check_open(struct http_call *call, const struct poll *poll)
{
    char at[CLOCK_TEXT];

    switch (poll_state_at(poll, clock_wall_ms())) {
    case POLL_OPEN:
        return true;
    case POLL_DRAFT:
        http_problem(call, PROBLEM_POLL_NOT_OPEN, NULL, "The poll is a draft; whoever made it has not opened it yet.");
        return false;
    case POLL_SCHEDULED:
        clock_format_ms(poll->opens_at_ms, at);
        http_problem(call, PROBLEM_POLL_NOT_OPEN, NULL, "The poll opens at %s.", at);
        return false;
    default:
        clock_format_ms(poll->closes_at_ms, at);
        http_problem(call, PROBLEM_POLL_CLOSED, NULL, "The poll closed at %s; ballots are no longer taken.", at);
        return false;
    }
}

void ballots_reply_not_recorded(struct http_call *call, const struct group_result *result)
{
    if (result->status == ST_BUS_REFUSED && strstr(result->reason, "exceeded") != NULL)
        http_problem(call, PROBLEM_STREAM_FULL, NULL, "The ballot was not recorded. Tell the operator, and try later.");
    else
        http_problem(call, PROBLEM_NOT_RECORDED, NULL,
                     "The ballot was not confirmed as recorded. Send it again: a voter has one ballot, so a repetition "
                     "does no harm.");
}

/* A selection that does not fit the poll is one thing, a body of another shape another. */
static void refuse_body(struct http_call *call, const struct json_error *err)
{
    bool in_selection = strstr(err->pointer, "/selection") != NULL;

    http_problem_json(call, in_selection ? PROBLEM_INVALID_SELECTION : PROBLEM_INVALID_FIELD, err);
}

/* --- one ballot */

/* Lives in the request's pool while the ballot is under way. */
struct pending_ballot {
    enum poll_method method;
    struct voter voter;
};

static void make_receipt(const struct vote_api *api, const struct group_result *result, size_t i,
                         char out[RECEIPT_SIZE])
{
    struct receipt receipt = {.sequence = result->sequence, .index = result->first_index + (unsigned)i};

    memcpy(receipt.poll, result->ballots[i].poll, sizeof(receipt.poll));
    memcpy(receipt.voter, result->ballots[i].voter, VOTER_HASH);
    memcpy(receipt.batch, result->batch, BATCH_ID);
    receipt_make(api->keyring, &receipt, out);
}

static void reply_ballot(struct http_call *call, void *arg, const struct group_result *result)
{
    const struct vote_api *api = call->service;
    const struct pending_ballot *pending = arg;
    char receipt[RECEIPT_SIZE], selection[SELECTION_JSON_MAX], body[sizeof(selection) + RECEIPT_SIZE + 128];

    /* Also where the ballot was not confirmed: it may be recorded, so whoever sends it again must be the same voter. */
    if (pending->voter.is_new)
        voter_set_cookie(call, api->keyring, pending->voter.id);
    if (result->status != ST_OK) {
        ballots_reply_not_recorded(call, result);
        return;
    }
    make_receipt(api, result, 0, receipt);
    selection_write(pending->method, result->ballots[0].choices, selection);
    char *end = stpcpy(stpcpy(body, "{\"poll\":\""), result->ballots[0].poll);
    end = stpcpy(stpcpy(end, "\",\"selection\":"), selection);
    end = stpcpy(stpcpy(end, ",\"state\":\"pending\",\"receipt\":\""), receipt);
    end = stpcpy(end, "\"}");
    http_reply(call, 202, "application/json", body, (size_t)(end - body));
}

static void put_again(struct http_call *call);

/* The voter of a ballot, from whose quota it is taken: a known one's own, or of a new one that of his address. False:
 * answered, or put_again will. */
static bool identify(struct http_call *call, const struct poll *poll, bool again, struct voter *voter,
                     uint8_t hash[VOTER_HASH])
{
    const struct vote_api *api = call->service;

    voter->is_new = false;
    if (poll->voter_policy == VOTERS_CODE)
        return code_voter_identify(call, poll, again ? NULL : put_again, hash) &&
               limits_admit_voter(call, hash, VOTER_HASH);
    *voter = voter_identify(call, api->keyring);
    if (!voter_admit(call, voter, &limit_ballots))
        return false;
    if (keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_COOKIE, voter->id, VOTER_ID, hash))
        return true;
    refuse_missing_key(call);
    return false;
}

/* Who votes comes before what: every request is in somebody's quota, whatever its body is. */
static void handle_put(struct http_call *call, bool again)
{
    struct poll *poll = find_poll_or_refuse(call, call->params[0]);
    json_t *body = NULL;
    char choices[BALLOT_CHOICES_MAX + 1];
    struct json_error err;
    struct ballot ballot = {.choices = choices};

    if (poll == NULL)
        return;
    struct pending_ballot *pending = h2o_mem_alloc_pool(&call->req->pool, sizeof(*pending));
    pending->method = poll->method;
    if (!identify(call, poll, again, &pending->voter, ballot.voter) || (body = http_read_json(call)) == NULL)
        goto out;
    int len = selection_read_ballot(body, poll, choices, &err);
    if (len < 0) {
        refuse_body(call, &err);
    } else if (ballots_check_open(call, poll)) {
        memcpy(ballot.poll, poll->id, sizeof(ballot.poll));
        ballot.choices_len = (size_t)len;
        ballot.cast_at_ms = clock_wall_ms();
        ballot.stands = ballot_stands_in(poll);
        ballot.term = poll->term;
        group_add(vote_api_loop(call)->group, call, &ballot, 1, reply_ballot, pending);
    }

out:
    json_decref(body);
    poll_release(poll);
}

void ballots_handle_put(struct http_call *call)
{
    handle_put(call, false);
}

/* A second look at a code that was wrong a second ago. */
static void put_again(struct http_call *call)
{
    handle_put(call, true);
}

/* --- many ballots */

static void reply_bulk(struct http_call *call, void *arg, const struct group_result *result)
{
    char receipt[RECEIPT_SIZE];

    if (result->status != ST_OK) {
        ballots_reply_not_recorded(call, result);
        return;
    }
    json_t *receipts = json_array();
    for (size_t i = 0; i < result->n; i++) {
        make_receipt(call->service, result, i, receipt);
        json_array_append_new(receipts, json_string(receipt));
    }
    http_reply_json(call, 202, json_pack("{s:I, s:o}", "accepted", (json_int_t)result->n, "receipts", receipts));
}

/* Reads element i of a bulk request into *ballot, but for its voter; its choices are the caller's to free. */
static bool read_bulk_ballot(const json_t *element, const struct poll *poll, size_t i, struct ballot *ballot,
                             struct json_error *err)
{
    static const char *const fields[] = {"voter", "selection", NULL};
    char pointer[JSON_POINTER_MAX], field[JSON_POINTER_MAX], choices[BALLOT_CHOICES_MAX + 1], fault[TEXT_FAULT_MAX];
    const char *voter = json_string_value(json_object_get(element, "voter"));

    snprintf(pointer, sizeof(pointer), "/ballots/%zu", i);
    if (!json_is_object(element)) {
        json_error_set(err, pointer, "A ballot is an object with voter and selection.");
        return false;
    }
    if (!json_check_fields(element, pointer, fields, err))
        return false;
    json_pointer_append(field, pointer, "voter");
    if (voter == NULL || voter[0] == '\0' || json_count_code_points(voter) > BULK_VOTER_MAX) {
        json_error_set(err, field, "A voter is named by a string of 1 to %d characters.", BULK_VOTER_MAX);
        return false;
    }
    if (!text_check(voter, TEXT_LINE, field + 1, fault)) {
        json_error_set(err, field, "%s", fault);
        return false;
    }
    json_pointer_append(field, pointer, "selection");
    int len = selection_read(json_object_get(element, "selection"), poll, field, choices, err);
    if (len < 0)
        return false;
    memcpy(ballot->poll, poll->id, sizeof(ballot->poll));
    ballot->stands = ballot_stands_in(poll);
    ballot->term = poll->term;
    ballot->choices_len = (size_t)len;
    ballot->choices = alloc_text(choices, (size_t)len);
    ballot->cast_at_ms = clock_wall_ms();
    return true;
}

/* False: the key of the poll's voters is missing. */
static bool hash_bulk_voters(const struct vote_api *api, const json_t *list, const struct poll *poll,
                             struct ballot *ballots)
{
    bool known = true;

    for (size_t i = 0; i < json_array_size(list) && known; i++) {
        const json_t *voter = json_object_get(json_array_get(list, i), "voter");
        known = keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_GATEWAY, json_string_value(voter),
                                   json_string_length(voter), ballots[i].voter);
    }
    return known;
}

static void accept_bulk(struct http_call *call, const struct poll *poll, const json_t *list)
{
    size_t n = json_array_size(list), read = 0;
    struct ballot *ballots = alloc_items(n, sizeof(*ballots));
    struct json_error err;

    while (read < n && read_bulk_ballot(json_array_get(list, read), poll, read, &ballots[read], &err))
        read++;
    if (read < n)
        refuse_body(call, &err);
    else if (!hash_bulk_voters(call->service, list, poll, ballots))
        refuse_missing_key(call);
    else
        group_add(vote_api_loop(call)->group, call, ballots, n, reply_bulk, NULL);
    for (size_t i = 0; i < read; i++)
        free((char *)ballots[i].choices);
    free(ballots);
}

void ballots_handle_bulk(struct http_call *call)
{
    static const char *const fields[] = {"ballots", NULL};
    const struct vote_api *api = call->service;
    h2o_iovec_t token = http_bearer(call);
    struct poll *poll = NULL;
    json_t *body = NULL;
    struct json_error err;

    if (api_keys_find(api->api_keys, token.base, token.len) == NULL) {
        http_add_header(call, "www-authenticate", "Bearer");
        http_problem(call, PROBLEM_UNAUTHORIZED, NULL, "Send an API key as Authorization: Bearer.");
        return;
    }
    poll = find_poll_or_refuse(call, call->params[0]);
    if (poll != NULL && poll->voter_policy == VOTERS_CODE) {
        http_problem(call, PROBLEM_FORBIDDEN, NULL,
                     "A gateway cannot vote for the holders of voting codes; send each ballot with its code.");
        goto out;
    }
    if (poll == NULL || (body = http_read_json(call)) == NULL)
        goto out;
    const json_t *list = json_object_get(body, "ballots");
    if (!json_check_fields(body, "", fields, &err)) {
        http_problem_json(call, PROBLEM_INVALID_FIELD, &err);
    } else if (!json_is_array(list) || json_array_size(list) == 0 ||
               json_array_size(list) > (size_t)settings.bulk_ballots) {
        http_problem(call, PROBLEM_INVALID_FIELD, "/ballots", "Send an array of 1 to %lld ballots.",
                     (long long)settings.bulk_ballots);
    } else if (group_is_full(vote_api_loop(call)->group)) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Many ballots wait for the broker; try again in a second.");
    } else if (ballots_check_open(call, poll)) {
        accept_bulk(call, poll, list);
    }

out:
    json_decref(body);
    poll_release(poll);
}
