/* receipts - opens the receipt, lets the refresher look its ballot up, and answers.
 * SPDX-License-Identifier: MIT */
#include "receipts.h"

#include "access.h"
#include "base/alloc.h"
#include "http/share.h"
#include "read/refresh_queue.h"
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

/* A request whose receipt is being looked up. */
struct receipt_request {
    struct receipt_question question;
    struct http_ticket *ticket;
    atomic_uint *share; /* of its address */
};

/* Frees the request. Returns its call, or NULL if the client has left. */
static struct http_call *end_wait(struct receipt_request *request)
{
    struct http_call *call = request->ticket->call;

    http_ticket_free(request->ticket);
    share_give_back(request->share);
    free(request);
    return call;
}

static void on_answer(void *arg)
{
    const struct receipt_question *question = arg;
    bool authentic = question->authentic;
    enum receipt_fate fate = question->fate;
    struct http_call *call = end_wait(question->arg);

    if (call != NULL && fate == RECEIPT_UNANSWERED)
        http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                     "Receipts cannot be looked up now, but the ballot is safe. Try again later.");
    else if (call != NULL && !authentic)
        http_problem(call, PROBLEM_RECEIPT_NOT_FOUND, NULL,
                     "Send the whole receipt, as it stands in the answer to the ballot.");
    else if (call != NULL)
        reply_fate(call, fate);
}

/* A forged receipt is looked up in the database too, so that the time of the answer does not show what is wrong. */
static void answer_receipt(struct http_call *call, h2o_iovec_t text)
{
    const struct result_api *api = call->service;
    const struct address client = http_client_address(call);
    atomic_uint *share = share_take(api->waiting, &client);

    if (share == NULL) {
        http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
        return;
    }
    struct receipt_request *request = alloc_items(1, sizeof(*request));
    struct receipt_question *question = &request->question;
    request->ticket = http_call_wait(call);
    request->share = share;
    *question = (struct receipt_question){.loop = call->loop, .done = on_answer, .arg = request};
    question->authentic = receipt_read(api->keyring, text.base, text.len, &question->receipt);
    if (refresh_queue_add_question(api->queue, question))
        return;
    end_wait(request);
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
}

void receipts_answer_header(struct http_call *call)
{
    h2o_iovec_t text = http_header(call, ACCESS_RECEIPT_HEADER);

    http_add_header(call, "vary", "Scrutin-Receipt");
    answer_receipt(call, text.base != NULL ? text : h2o_iovec_init(H2O_STRLIT("")));
}

void receipts_answer_path(struct http_call *call)
{
    answer_receipt(call, call->params[0]);
}
