/* ballots - the routes that take ballots as JSON.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_BALLOTS_H
#define VOTE_API_BALLOTS_H

#include "ballot/poll_definition.h"
#include "ballots/group.h"
#include "http/http.h"

#define BALLOT_BODY_MAX 4096       /* bytes: a score for each of 100 options fits */
#define BULK_BODY_MAX (256 * 1024) /* bytes: 1,000 ballots of up to 260 bytes */
#define BULK_VOTER_MAX 128         /* characters of a voter's name in a bulk request */

/* PUT /v1/polls/{poll}/ballot */
void ballots_handle_put(struct http_call *call);
/* POST /v1/polls/{poll}/ballots */
void ballots_handle_bulk(struct http_call *call);

/* Answers 409 and returns false unless the poll takes ballots now. */
bool ballots_check_open(struct http_call *call, const struct poll *poll);
/* Answers a ballot that did not become durable. */
void ballots_reply_not_recorded(struct http_call *call, const struct group_result *result);

#endif
