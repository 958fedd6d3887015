/* classic - turns a request of the classic contract into a ballot.
 * SPDX-License-Identifier: MIT */
#include "ballots/classic.h"

#include "ballots/ballots.h"
#include "ballots/voter.h"
#include "polls/text_rules.h"
#include "refusals.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#include <string.h>
#include <unistd.h>

#define CLASSIC_VOTER_MAX 128 /* characters of a voter_id in JSON */

/* Lives in the request's pool. */
struct classic_vote {
    h2o_iovec_t option;
    h2o_iovec_t voter_id; /* from the JSON; empty: the cookie identifies the voter */
    struct voter voter;
};

static void answer_classic(struct http_call *call, void *arg, const struct group_result *result)
{
    const struct vote_api *api = call->service;
    const struct classic_vote *vote = arg;
    char hostname[256] = "", token[VOTER_TOKEN_SIZE];

    if (vote->voter.is_new) /* after a failure too, as in answer_ballot */
        voter_set_cookie(call, api->keyring, vote->voter.id);
    if (result->status != ST_OK) {
        ballots_refuse_unrecorded(call, result);
        return;
    }
    gethostname(hostname, sizeof(hostname) - 1);
    if (vote->voter_id.len == 0)
        voter_token_make(api->keyring, vote->voter.id, token);
    http_reply_json(call, 200,
                    vote->voter_id.len > 0 ? json_pack("{s:s, s:s%}", "hostname", hostname, "voter_id",
                                                       vote->voter_id.base, vote->voter_id.len)
                                           : json_pack("{s:s, s:s}", "hostname", hostname, "voter_id", token));
}

static h2o_iovec_t copy_to_pool(struct http_call *call, const json_t *string)
{
    return h2o_strdup(&call->req->pool, json_string_value(string), json_string_length(string));
}

static bool read_json_vote_or_refuse(struct http_call *call, struct classic_vote *vote)
{
    static const char *const fields[] = {"vote", "voter_id", NULL};
    struct json_error err;
    char fault[TEXT_FAULT_MAX];
    json_t *body = http_read_json(call);
    const json_t *option = json_object_get(body, "vote"), *voter = json_object_get(body, "voter_id");
    bool ok = false;

    if (body == NULL)
        return false;
    if (!json_check_fields(body, "", fields, &err)) {
        http_problem_json(call, PROBLEM_INVALID_FIELD, &err);
    } else if (!json_is_string(option)) {
        http_problem(call, PROBLEM_INVALID_FIELD, "/vote", "Send the id of an option, which is a string.");
    } else if (voter != NULL && (!json_is_string(voter) || json_string_length(voter) == 0 ||
                                 json_count_code_points(json_string_value(voter)) > CLASSIC_VOTER_MAX)) {
        http_problem(call, PROBLEM_INVALID_FIELD, "/voter_id", "Send a string of 1 to %d characters.",
                     CLASSIC_VOTER_MAX);
    } else if (voter != NULL && !text_check(json_string_value(voter), TEXT_LINE, "voter_id", fault)) {
        http_problem(call, PROBLEM_INVALID_FIELD, "/voter_id", "%s", fault);
    } else {
        vote->option = copy_to_pool(call, option);
        if (voter != NULL)
            vote->voter_id = copy_to_pool(call, voter);
        ok = true;
    }
    json_decref(body);
    return ok;
}

static bool read_vote_or_refuse(struct http_call *call, struct classic_vote *vote)
{
    if (!http_content_is(call, "application/x-www-form-urlencoded"))
        return read_json_vote_or_refuse(call, vote);
    vote->option = http_form_value(&call->req->pool, call->req->entity, "vote");
    if (vote->option.base != NULL)
        return true;
    http_problem(call, PROBLEM_INVALID_FIELD, "/vote", "Send the form field vote with the id of an option.");
    return false;
}

static void add_vote_or_refuse(struct http_call *call, struct classic_vote *vote, const struct poll *poll,
                               const struct poll_option *option)
{
    const struct vote_api *api = call->service;
    struct ballot ballot = {.choices = option->id, .choices_len = strlen(option->id)};
    bool known;

    ballots_fill(&ballot, poll);
    if (vote->voter_id.len > 0) {
        vote->voter.is_new = false; /* the voter_id votes, so the answer sets no cookie */
        known = keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_CLASSIC, vote->voter_id.base,
                                   vote->voter_id.len, ballot.voter);
    } else {
        known = keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_COOKIE, vote->voter.id, VOTER_ID,
                                   ballot.voter);
    }
    if (!known)
        refuse_missing_key(call);
    else if (vote->voter_id.len == 0 || voter_admit_or_refuse(call, ballot.voter, VOTER_HASH))
        group_add_or_refuse(vote_api_loop(call)->group, call, &ballot, 1, answer_classic, vote);
}

void classic_handle_post(struct http_call *call)
{
    const struct vote_api *api = call->service;
    struct classic_vote *vote = h2o_mem_alloc_pool(&call->req->pool, sizeof(*vote));
    struct poll *poll = find_poll_or_refuse(call, h2o_iovec_init(settings.default_poll, strlen(settings.default_poll)));

    memset(vote, 0, sizeof(*vote));
    if (poll == NULL || !voter_identify_or_refuse(call, api->keyring, &limit_classic, &vote->voter) ||
        !read_vote_or_refuse(call, vote))
        goto out;
    /* Anyone can make up a voter_id, so it counts against the address's quota, as a new voter does. The cookie beside
     * it makes no difference. */
    if (vote->voter_id.len > 0 && !vote->voter.is_new && !http_limit_admit(call, &limit_classic))
        goto out;
    const struct poll_option *option = poll_find_option(poll, vote->option.base, vote->option.len);
    if (option == NULL || poll->method != METHOD_PLURALITY)
        http_problem(call, PROBLEM_INVALID_SELECTION, "/vote",
                     "The poll has no such option. GET /v1/polls/%s lists the options.", poll->id);
    else if (poll->voter_policy == VOTERS_CODE)
        http_problem(call, PROBLEM_VOTING_CODE_NEEDED, NULL, "Send PUT /v1/polls/%s/ballot with a voting code.",
                     poll->id);
    else if (!ballots_refuse_unless_open(call, poll))
        add_vote_or_refuse(call, vote, poll, option);

out:
    poll_release(poll);
}
