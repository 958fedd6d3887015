/* code_voter - identifies the voters of a poll with voting codes. The code is the voter.
 * SPDX-License-Identifier: MIT
 *
 * A right code costs two hashes and one lookup in a table. The answer to a wrong code waits CODE_VOTER_DELAY_MS, which
 * makes guessing slow. Then the code is looked up again, because another vote-api may have issued it a moment ago. */
#ifndef VOTE_API_CODE_VOTER_H
#define VOTE_API_CODE_VOTER_H

#include "ballot/poll_definition.h"
#include "http/http.h"

#define CODE_VOTER_DELAY_MS 1000 /* libh2o has a timer for one second on every loop */
#define CODE_VOTER_SLOW_PART 4   /* 1/4 of MAX_IN_FLIGHT may be wrong codes that wait; one more is answered 429 */

/* Call it once, before the first request. */
void code_voter_metrics_init(void);

/* Writes the voter's hash and returns true if the request carries a code of this poll. Else it returns false, and the
 * request was answered; or the code is wrong, retry is not NULL, and retry will be called after the delay and answers.
 */
bool code_voter_identify_or_refuse(struct http_call *call, const struct poll *poll,
                                   void (*retry)(struct http_call *call), uint8_t voter[VOTER_HASH]);

#endif
