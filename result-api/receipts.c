/* receipts - opens the receipt, has the refresher look it up, answers.
 * SPDX-License-Identifier: MIT */
#include "receipts.h"

#include "access.h"
#include "base/alloc.h"
#include "result_api.h"

static void reply_fate(struct http_call *call, enum receipt_fate fate)
{
    static const struct {
        const char *state, *reason, *sentence;
    } table[] = {
#define FATE_ROW(number, name, state, reason, sentence) [number] = {state, reason, sentence},
        RECEIPT_FATE_TABLE(FATE_ROW)
#undef FATE_ROW
    };
    char body[256];
    int len;

    if (table[fate].reason == NULL)
        len = snprintf(body, sizeof(body), "{\"state\":\"%s\"}", table[fate].state);
    else
        len = snprintf(body, sizeof(body), "{\"state\":\"%s\",\"reason\":\"%s\",\"detail\":\"%s\"}", table[fate].state,
                       table[fate].reason, table[fate].sentence);
    http_add_header(call, "cache-control", "no-store");
    http_reply(call, 200, "application/json", body, (size_t)len);
}

/* A receipt that is being looked up for a request. */
struct lookup {
    struct receipt_question question;
    struct http_ticket *ticket;
    atomic_uint *place; /* in the address's share */
};

/* The request, or NULL where its client has left. */
static struct http_call *end_wait(struct lookup *lookup)
{
    struct http_call *call = lookup->ticket->call;

    http_ticket_free(lookup->ticket);
    share_give_back(lookup->place);
    return call;
}

static void on_done(void *arg)
{
    struct receipt_question *question = arg;
    struct lookup *lookup = question->arg;
    struct http_call *call = end_wait(lookup);

    if (call != NULL && question->fate == RECEIPT_UNANSWERED)
        http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                     "A receipt cannot be looked up now; its ballot is safe. Try again later.");
    else if (call != NULL && !question->authentic)
        http_problem(call, PROBLEM_RECEIPT_NOT_FOUND, NULL,
                     "Send the whole receipt, as the answer to the ballot had it.");
    else if (call != NULL)
        reply_fate(call, question->fate);
    free(lookup);
}

/* A forged receipt goes the way of every other, to the database and back, and so takes as long. */
static void look_up(struct http_call *call, h2o_iovec_t receipt)
{
    const struct result_api *api = call->service;
    const struct address client = http_client_address(call);
    atomic_uint *place = share_take(api->waiting, &client);

    if (place == NULL) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
        return;
    }
    struct lookup *lookup = alloc_items(1, sizeof(*lookup));
    struct receipt_question *question = &lookup->question;
    lookup->ticket = http_call_wait(call);
    lookup->place = place;
    *question = (struct receipt_question){.loop = call->loop, .done = on_done, .arg = lookup};
    question->authentic = receipt_read(api->ring, receipt.base, receipt.len, &question->receipt);
    if (refresh_queue_add_question(api->queue, question))
        return;
    end_wait(lookup);
    free(lookup);
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
}

void receipts_handle_get(struct http_call *call)
{
    h2o_iovec_t receipt = http_header(call, ACCESS_RECEIPT_HEADER);

    http_add_header(call, "vary", "Scrutin-Receipt");
    look_up(call, receipt.base != NULL ? receipt : h2o_iovec_init(H2O_STRLIT("")));
}

void receipts_handle_get_by_path(struct http_call *call)
{
    look_up(call, call->params[0]);
}
