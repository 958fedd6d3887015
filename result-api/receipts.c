/* receipts - opens the receipt, has the refresher look it up, answers.
 * SPDX-License-Identifier: MIT */
#include "receipts.h"

#include "alloc.h"
#include "result_api.h"

static void on_done(void *arg)
{
    static const char *const answers[] = {
        [RECEIPT_PENDING] = "{\"state\":\"pending\"}",
        [RECEIPT_COUNTED] = "{\"state\":\"counted\"}",
        [RECEIPT_SUPERSEDED] = "{\"state\":\"superseded\"}",
        [RECEIPT_REJECTED] = "{\"state\":\"rejected\"}",
    };
    struct receipt_question *question = arg;
    struct http_ticket *ticket = question->arg;
    struct http_call *call = ticket->call;

    http_ticket_free(ticket);
    if (call != NULL && question->state == RECEIPT_UNANSWERED) {
        http_problem(call, PROBLEM_UNAVAILABLE, NULL,
                     "Your ballot is safe, but cannot be looked up now; try again later.");
    } else if (call != NULL) {
        const char *answer = answers[question->state];
        http_add_header(call, "cache-control", "no-store");
        http_reply(call, 200, "application/json", answer, strlen(answer));
    }
    free(question);
}

void receipts_handle_get(struct http_call *call)
{
    const struct result_api *api = call->service;
    struct receipt_question *question = alloc_items(1, sizeof(*question));

    question->loop = call->loop;
    question->done = on_done;
    if (!receipt_read(api->ring, call->params[0].base, call->params[0].len, &question->receipt)) {
        http_problem(call, PROBLEM_RECEIPT_NOT_FOUND, NULL,
                     "Send the whole receipt, as the answer to the ballot had it.");
        free(question);
        return;
    }
    struct http_ticket *ticket = http_call_wait(call);
    question->arg = ticket;
    if (board_ask(api->board, question))
        return;
    http_ticket_free(ticket);
    free(question);
    http_problem(call, PROBLEM_OVERLOADED, NULL, "Try again in a second.");
}
