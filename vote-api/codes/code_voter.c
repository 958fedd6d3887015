/* code_voter - a right code passes at once, a wrong one waits.
 * SPDX-License-Identifier: MIT */
#include "codes/code_voter.h"

#include "ballot/keys.h"
#include "base/alloc.h"
#include "base/metrics.h"
#include "codes/code_watch.h"
#include "refusals.h"
#include "request_limits.h"
#include "settings.h"
#include "vote_api.h"
#include <stdatomic.h>
#include <stdlib.h>

static struct metric *wrong_codes;
static atomic_int delayed_requests; /* on all loops */

static double read_delayed_requests(void *arg)
{
    return atomic_load(&delayed_requests);
}

void code_voter_metrics_init(void)
{
    wrong_codes = metric_counter("voting_codes_wrong_total", "", "Ballots refused for a wrong voting code.");
    metric_gauge_from("voting_codes_wrong_waiting", "", "Wrong voting codes that wait for their answer.",
                      read_delayed_requests, NULL);
}

/* --- wrong codes wait */

struct delayed_request {
    h2o_timeout_entry_t timer;
    struct http_ticket *ticket;
    void (*retry)(struct http_call *call);
};

static void on_delay_end(h2o_timeout_entry_t *timer)
{
    struct delayed_request *delayed = H2O_STRUCT_FROM_MEMBER(struct delayed_request, timer, timer);
    struct http_call *call = delayed->ticket->call;
    void (*retry)(struct http_call * call) = delayed->retry;

    http_ticket_free(delayed->ticket);
    free(delayed);
    atomic_fetch_sub(&delayed_requests, 1);
    if (call != NULL)
        retry(call);
}

static void delay_or_refuse(struct http_call *call, void (*retry)(struct http_call *call))
{
    h2o_context_t *context = http_loop_context(call->loop);

    if (atomic_fetch_add(&delayed_requests, 1) >= settings.max_in_flight / CODE_VOTER_SLOW_PART) {
        atomic_fetch_sub(&delayed_requests, 1);
        http_problem(call, PROBLEM_TOO_MANY_REQUESTS, NULL,
                     "Too many requests with wrong voting codes are waiting. Try again in a second.");
        return;
    }
    struct delayed_request *delayed = alloc_bytes(sizeof(*delayed));
    *delayed = (struct delayed_request){.timer = {.cb = on_delay_end}, .ticket = http_call_wait(call), .retry = retry};
    h2o_timeout_link(context->loop, &context->one_sec_timeout, &delayed->timer);
}

static void refuse_code(struct http_call *call, enum problem problem, const char *detail)
{
    http_add_header(call, "www-authenticate", "Bearer");
    http_problem(call, problem, NULL, "%s", detail);
}

static void delay_or_refuse_wrong(struct http_call *call, void (*retry)(struct http_call *call))
{
    if (retry == NULL) {
        metric_add(wrong_codes, 1);
        refuse_code(call, PROBLEM_VOTING_CODE_WRONG,
                    "Check the code. It has letters and digits, without the letters I, L, O and U.");
    } else if (http_limit_admit(call, &limit_wrong_codes)) {
        delay_or_refuse(call, retry);
    }
}

bool code_voter_identify_or_refuse(struct http_call *call, const struct poll *poll,
                                   void (*retry)(struct http_call *call), uint8_t voter[VOTER_HASH])
{
    const struct vote_api *api = call->service;
    h2o_iovec_t token = http_bearer(call);
    char code[CODE_SYMBOLS];
    uint8_t hash[CODE_HASH], voter_id[VOTER_ID];

    /* A voter token is no guess at a code, so this answer does not wait. */
    if (token.len == 0 || voter_token_read(api->keyring, token.base, token.len, voter_id)) {
        refuse_code(call, PROBLEM_VOTING_CODE_NEEDED, "Send a voting code of this poll as Authorization: Bearer.");
        return false;
    }
    if (!code_read(token.base, token.len, code)) {
        delay_or_refuse_wrong(call, retry);
        return false;
    }
    if (!keyring_hash_code(api->keyring, poll->key_id, poll->id, code, hash)) {
        refuse_missing_key(call);
        return false;
    }
    if (code_book_has(api->codes->book, poll->id, hash))
        return keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_CODE, code, sizeof(code), voter);
    if (code_watch_has_all(api->codes, poll))
        delay_or_refuse_wrong(call, retry);
    else
        http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                     "This server is still reading the voting codes of this poll. Try again in a second.");
    return false;
}
