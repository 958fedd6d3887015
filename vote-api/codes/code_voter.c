/* code_voter - right codes pass, wrong ones wait.
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

static struct metric *wrong;
static atomic_int waiting; /* wrong codes, on all loops */

static double read_waiting(void *arg)
{
    return atomic_load(&waiting);
}

void code_voter_metrics_init(void)
{
    wrong = metric_counter("voting_codes_wrong_total", "", "Ballots refused for a wrong voting code.");
    metric_gauge_from("voting_codes_wrong_waiting", "", "Wrong voting codes that wait for their answer.", read_waiting,
                      NULL);
}

/* --- wrong codes wait */

struct slow {
    h2o_timeout_entry_t timer;
    struct http_ticket *ticket;
    void (*retry)(struct http_call *call);
};

static void on_time(h2o_timeout_entry_t *timer)
{
    struct slow *slow = H2O_STRUCT_FROM_MEMBER(struct slow, timer, timer);
    struct http_call *call = slow->ticket->call;
    void (*retry)(struct http_call * call) = slow->retry;

    http_ticket_free(slow->ticket);
    free(slow);
    atomic_fetch_sub(&waiting, 1);
    if (call != NULL)
        retry(call);
}

static void slow_down(struct http_call *call, void (*retry)(struct http_call *call))
{
    h2o_context_t *context = http_loop_context(call->loop);

    if (atomic_fetch_add(&waiting, 1) >= settings.max_in_flight / CODE_VOTER_SLOW_PART) {
        atomic_fetch_sub(&waiting, 1);
        http_problem(call, PROBLEM_TOO_MANY_REQUESTS, NULL, "Too many wrong voting codes arrive; try again.");
        return;
    }
    struct slow *slow = alloc_bytes(sizeof(*slow));
    *slow = (struct slow){.timer = {.cb = on_time}, .ticket = http_call_wait(call), .retry = retry};
    h2o_timeout_link(context->loop, &context->one_sec_timeout, &slow->timer);
}

static void refuse(struct http_call *call, enum problem problem, const char *detail)
{
    http_add_header(call, "www-authenticate", "Bearer");
    http_problem(call, problem, NULL, "%s", detail);
}

static void handle_wrong(struct http_call *call, void (*retry)(struct http_call *call))
{
    if (retry != NULL) {
        if (http_limit_admit(call, &limit_wrong_codes))
            slow_down(call, retry);
        return;
    }
    metric_add(wrong, 1);
    refuse(call, PROBLEM_VOTING_CODE_WRONG, "Check the code: letters and digits, without the letters I, L, O and U.");
}

bool code_voter_identify(struct http_call *call, const struct poll *poll, void (*retry)(struct http_call *call),
                         uint8_t voter[VOTER_HASH])
{
    const struct vote_api *api = call->service;
    h2o_iovec_t token = http_bearer(call);
    char code[CODE_SYMBOLS];
    uint8_t hash[CODE_HASH], voter_id[VOTER_ID];

    if (token.len == 0 || voter_token_read(api->keyring, token.base, token.len, voter_id)) {
        refuse(call, PROBLEM_VOTING_CODE_NEEDED, "Send a voting code of this poll as Authorization: Bearer.");
        return false;
    }
    if (!code_read(token.base, token.len, code)) {
        handle_wrong(call, retry);
        return false;
    }
    if (!keyring_hash_code(api->keyring, poll->key_id, poll->id, code, hash)) {
        refuse_missing_key(call);
        return false;
    }
    if (code_book_has(api->codes->book, poll->id, hash))
        return keyring_hash_voter(api->keyring, poll->key_id, poll->id, VOTER_CODE, code, sizeof(code), voter);
    if (code_watch_has_all(api->codes, poll))
        handle_wrong(call, retry);
    else
        http_problem(call, PROBLEM_UNAVAILABLE, NULL, "The poll's voting codes are still being read; try again.");
    return false;
}
