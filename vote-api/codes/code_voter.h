/* code_voter - who votes in a poll of voting codes: the code.
 * SPDX-License-Identifier: MIT
 *
 * A right code costs two hashes and a look into a table. A wrong one waits CODE_VOTER_DELAY_MS for its answer, and is
 * looked for once more before: it may have been issued a moment ago by another instance. */
#ifndef VOTE_API_CODE_VOTER_H
#define VOTE_API_CODE_VOTER_H

#include "ballot/poll_definition.h"
#include "http/http.h"

#define CODE_VOTER_DELAY_MS 1000 /* libh2o has a timer of it on every loop */
#define CODE_VOTER_SLOW_PART 4   /* so much of MAX_IN_FLIGHT may be wrong codes that wait; one more is answered 429 */

/* Once, before the first request. */
void code_voter_metrics_init(void);

/* Whether the request carries a code of this poll; the voter's hash is then in *voter. False: answered; or, where retry
 * is not NULL and the code is wrong, that is called later and answers. */
bool code_voter_identify(struct http_call *call, const struct poll *poll, void (*retry)(struct http_call *call),
                         uint8_t voter[VOTER_HASH]);

#endif
