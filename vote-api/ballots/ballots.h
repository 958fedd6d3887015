/* ballots - the routes that accept ballots as JSON, and what all routes of ballots share.
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

/* Answers 409 and returns true unless the poll accepts ballots now. */
bool ballots_refuse_unless_open(struct http_call *call, const struct poll *poll);
/* Answers 503: the broker did not confirm the ballots of this request. */
void ballots_refuse_unrecorded(struct http_call *call, const struct group_result *result);
/* Sets what every ballot takes from its poll, and the time at which it is cast. Voter and choices are the caller's to
 * set. */
void ballots_fill(struct ballot *ballot, const struct poll *poll);

#endif
