/* ballots - a request becomes a ballot in the loop's group, and the group's result becomes the receipt.
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

bool ballots_refuse_unless_open(struct http_call *call, const struct poll *poll)
{
    char at[CLOCK_TEXT];

    switch (poll_state_at(poll, clock_wall_ms())) {
    case POLL_OPEN:
        return false;
    case POLL_DRAFT:
        http_problem(call, PROBLEM_POLL_NOT_OPEN, NULL, "The poll is a draft. Wait until its manager opens it.");
        break;
    case POLL_SCHEDULED:
        clock_format_ms(poll->opens_at_ms, at);
        http_problem(call, PROBLEM_POLL_NOT_OPEN, NULL, "The poll opens at %s. Send the ballot then.", at);
        break;
    default:
        clock_format_ms(poll->closes_at_ms, at);
        http_problem(call, PROBLEM_POLL_CLOSED, NULL, "The poll closed at %s. It accepts no more ballots.", at);
    }
    return true;
}

void ballots_refuse_unrecorded(struct http_call *call, const struct group_result *result)
{
    if (result->status == ST_BUS_FULL)
        http_problem(call, PROBLEM_STREAM_FULL, NULL,
                     "The ballot was not recorded. Tell the operator, and try again later.");
    else
        http_problem(call, PROBLEM_NOT_RECORDED, NULL,
                     "The broker did not confirm the ballot. Send it again: a repetition does no harm, because a voter "
                     "has only one ballot in a poll.");
}

void ballots_fill(struct ballot *ballot, const struct poll *poll)
{
    memcpy(ballot->poll, poll->id, sizeof(ballot->poll));
    ballot->cast_at_ms = clock_wall_ms();
    ballot->stands = ballot_stands_in(poll);
    ballot->term = poll->term;
}

/* --- one ballot */

/* Lives in the request's pool while the ballot is under way. */
struct pending_ballot {
    enum poll_method method;
    struct voter voter;
};

static void make_ballot_receipt(const struct vote_api *api, const struct group_result *result, size_t i,
                                char out[RECEIPT_SIZE])
{
    struct receipt receipt = {.sequence = result->sequence, .index = result->first_index + (unsigned)i};

    memcpy(receipt.poll, result->ballots[i].poll, sizeof(receipt.poll));
    memcpy(receipt.voter, result->ballots[i].voter, VOTER_HASH);
    memcpy(receipt.batch, result->batch, BATCH_ID);
    receipt_make(api->keyring, &receipt, out);
}

static void answer_ballot(struct http_call *call, void *arg, const struct group_result *result)
{
    const struct vote_api *api = call->service;
    const struct pending_ballot *pending = arg;
    char receipt[RECEIPT_SIZE], selection[SELECTION_JSON_MAX], body[sizeof(selection) + RECEIPT_SIZE + 128];

    /* A failure needs the cookie too: the stream may hold the ballot, so a retry must come from the same voter. */
    if (pending->voter.is_new)
        voter_set_cookie(call, api->keyring, pending->voter.id);
    if (result->status != ST_OK) {
        ballots_refuse_unrecorded(call, result);
        return;
    }
    make_ballot_receipt(api, result, 0, receipt);
    selection_write(pending->method, result->ballots[0].choices, selection);
    char *end = stpcpy(stpcpy(body, "{\"poll\":\""), result->ballots[0].poll);
    end = stpcpy(stpcpy(end, "\",\"selection\":"), selection);
    end = stpcpy(stpcpy(end, ",\"state\":\"pending\",\"receipt\":\""), receipt);
    end = stpcpy(end, "\"}");
    http_reply(call, 202, "application/json", body, (size_t)(end - body));
}

static void retry_put(struct http_call *call);

/* Finds out who votes and takes the ballot from the quota of that voter, or of the address when the voter is new.
 * False: the request was answered, or its voting code was wrong and retry_put will be called. */
static bool identify_or_refuse(struct http_call *call, const struct poll *poll, bool is_retry, struct voter *voter,
                               uint8_t hash[VOTER_HASH])
{
    const struct vote_api *api = call->service;

    voter->is_new = false;
    if (poll->voter_policy == VOTERS_CODE)
        return code_voter_identify_or_refuse(call, poll, is_retry ? NULL : retry_put, hash) &&
               voter_admit_or_refuse(call, hash, VOTER_HASH);
    if (!voter_identify_or_refuse(call, api->keyring, &limit_ballots, voter))
        return false;
    if (keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_COOKIE, voter->id, VOTER_ID, hash))
        return true;
    refuse_missing_key(call);
    return false;
}

/* The voter comes before the selection, so that every request counts against a quota, even one with a bad body. */
static void put_ballot(struct http_call *call, bool is_retry)
{
    struct poll *poll = find_poll_or_refuse(call, call->params[0]);
    json_t *body = NULL;
    char choices[BALLOT_CHOICES_MAX + 1];
    enum problem problem;
    struct json_error err;
    struct ballot ballot = {.choices = choices};

    if (poll == NULL)
        return;
    struct pending_ballot *pending = h2o_mem_alloc_pool(&call->req->pool, sizeof(*pending));
    pending->method = poll->method;
    if (!identify_or_refuse(call, poll, is_retry, &pending->voter, ballot.voter) ||
        (body = http_read_json(call)) == NULL)
        goto out;
    int len = selection_read_ballot(body, poll, choices, &problem, &err);
    if (len < 0) {
        http_problem_json(call, problem, &err);
    } else if (!ballots_refuse_unless_open(call, poll)) {
        ballots_fill(&ballot, poll);
        ballot.choices_len = (size_t)len;
        group_add_or_refuse(vote_api_loop(call)->group, call, &ballot, 1, answer_ballot, pending);
    }

out:
    json_decref(body);
    poll_release(poll);
}

void ballots_handle_put(struct http_call *call)
{
    put_ballot(call, false);
}

/* The voting code was wrong a second ago. By now this process may know it. */
static void retry_put(struct http_call *call)
{
    put_ballot(call, true);
}

/* --- many ballots */

static void answer_bulk(struct http_call *call, void *arg, const struct group_result *result)
{
    char receipt[RECEIPT_SIZE];

    if (result->status != ST_OK) {
        ballots_refuse_unrecorded(call, result);
        return;
    }
    json_t *receipts = json_array();
    for (size_t i = 0; i < result->n; i++) {
        make_ballot_receipt(call->service, result, i, receipt);
        json_array_append_new(receipts, json_string(receipt));
    }
    http_reply_json(call, 202, json_pack("{s:I, s:o}", "accepted", (json_int_t)result->n, "receipts", receipts));
}

/* Reads element i of a bulk request into *ballot, without the voter. The caller frees the choices. False with *problem
 * and *err. */
static bool read_bulk_ballot(const json_t *element, const struct poll *poll, size_t i, struct ballot *ballot,
                             enum problem *problem, struct json_error *err)
{
    static const char *const fields[] = {"voter", "selection", NULL};
    char pointer[JSON_POINTER_MAX], field[JSON_POINTER_MAX], choices[BALLOT_CHOICES_MAX + 1], fault[TEXT_FAULT_MAX];
    const char *voter = json_string_value(json_object_get(element, "voter"));

    *problem = PROBLEM_INVALID_FIELD;
    snprintf(pointer, sizeof(pointer), "/ballots/%zu", i);
    if (!json_is_object(element)) {
        json_error_set(err, pointer, "Send an object with voter and selection.");
        return false;
    }
    if (!json_check_fields(element, pointer, fields, err))
        return false;
    json_pointer_append(field, pointer, "voter");
    if (voter == NULL || voter[0] == '\0' || json_count_code_points(voter) > BULK_VOTER_MAX) {
        json_error_set(err, field, "Send a string of 1 to %d characters that names the voter.", BULK_VOTER_MAX);
        return false;
    }
    if (!text_check(voter, TEXT_LINE, field + 1, fault)) {
        json_error_set(err, field, "%s", fault);
        return false;
    }
    *problem = PROBLEM_INVALID_SELECTION;
    json_pointer_append(field, pointer, "selection");
    int len = selection_read(json_object_get(element, "selection"), poll, field, choices, err);
    if (len < 0)
        return false;
    ballots_fill(ballot, poll);
    ballot->choices_len = (size_t)len;
    ballot->choices = alloc_text(choices, (size_t)len);
    return true;
}

/* False: the instance key of this poll is missing. */
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

static void add_bulk_or_refuse(struct http_call *call, const struct poll *poll, const json_t *list)
{
    size_t n = json_array_size(list), n_read = 0;
    struct ballot *ballots = alloc_items(n, sizeof(*ballots));
    enum problem problem;
    struct json_error err;

    while (n_read < n && read_bulk_ballot(json_array_get(list, n_read), poll, n_read, &ballots[n_read], &problem, &err))
        n_read++;
    if (n_read < n)
        http_problem_json(call, problem, &err);
    else if (!hash_bulk_voters(call->service, list, poll, ballots))
        refuse_missing_key(call);
    else
        group_add_or_refuse(vote_api_loop(call)->group, call, ballots, n, answer_bulk, NULL);
    for (size_t i = 0; i < n_read; i++)
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
                     "A bulk request cannot vote in a poll with voting codes. Send each ballot alone, with its code.");
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
        http_problem(call, PROBLEM_OVERLOADED, NULL,
                     "Too many ballots are waiting for the broker. Try again in a second.");
    } else if (!ballots_refuse_unless_open(call, poll)) {
        add_bulk_or_refuse(call, poll, list);
    }

out:
    json_decref(body);
    poll_release(poll);
}
