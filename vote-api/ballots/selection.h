/* selection - turns the JSON of a selection into choices, and choices into JSON. Pure.
 * SPDX-License-Identifier: MIT
 *
 * plurality  ["cats"]             exactly one option
 * approval   ["cats","dogs"]      options in any order, each once
 * ranked     ["dogs","cats"]      options, the best first, each once; options left out rank behind the others
 * score      {"cats":5,"dogs":0}  whole numbers from 0 to POLL_SCORE_MAX; an option left out gets no score
 *
 * With all methods but plurality, a selection names between min_choices and max_choices options. */
#ifndef VOTE_API_SELECTION_H
#define VOTE_API_SELECTION_H

#include "ballot/poll_definition.h"
#include "base/json.h"
#include "http/problem.h"

/* Bytes of the JSON of a selection with its NUL: each option adds two quotes and a comma or colon. */
#define SELECTION_JSON_MAX (BALLOT_CHOICES_MAX + 3 * POLL_OPTIONS_MAX + 8)

/* Checks a selection against the poll and writes its canonical choices (see PROTOCOL.md) into out, NUL-terminated.
 * Equal selections have equal choices. Returns their length, or -1 with *err: the selection does not fit the poll. base
 * is the JSON pointer to the selection. */
int selection_read(const json_t *selection, const struct poll *poll, const char *base, char out[BALLOT_CHOICES_MAX + 1],
                   struct json_error *err);

/* Reads the body of a ballot, {"selection":...}, which has no other field. As above, and -1 with *problem:
 *
 * INVALID_FIELD      the body has another field
 * INVALID_SELECTION  the selection is missing or does not fit the poll */
int selection_read_ballot(const json_t *body, const struct poll *poll, char out[BALLOT_CHOICES_MAX + 1],
                          enum problem *problem, struct json_error *err);

/* Writes the JSON of the selection that the choices came from, NUL-terminated. Returns its length. */
size_t selection_write(enum poll_method method, const char *choices, char out[SELECTION_JSON_MAX]);

#endif
