/* selection - from the JSON of a ballot to the choices that it adds one to, and back. Pure.
 * SPDX-License-Identifier: MIT
 *
 * plurality  ["cats"]             exactly one option
 * approval   ["cats","dogs"]      options in any order, each once
 * ranked     ["dogs","cats"]      options, the best first, each once; those left out rank behind
 * score      {"cats":5,"dogs":0}  whole numbers from 0 to POLL_SCORE_MAX; no opinion on an option left out
 *
 * All but plurality name between min_choices and max_choices options. */
#ifndef VOTE_API_SELECTION_H
#define VOTE_API_SELECTION_H

#include "ballot/poll_definition.h"
#include "base/json.h"

/* Bytes of the JSON of a selection and a NUL: what stands around a hundred options is quotes, a comma or colon. */
#define SELECTION_JSON_MAX (BALLOT_CHOICES_MAX + 3 * POLL_OPTIONS_MAX + 8)

/* Checks a selection against the poll and writes its canonical choices (see PROTOCOL.md) into out, NUL-terminated.
 * Equal selections have equal choices. Returns their length, or -1 with *err, whose pointer starts at base. */
int selection_read(const json_t *selection, const struct poll *poll, const char *base, char out[BALLOT_CHOICES_MAX + 1],
                   struct json_error *err);

/* Reads a ballot's body, {"selection":...}, and nothing else. As above. */
int selection_read_ballot(const json_t *body, const struct poll *poll, char out[BALLOT_CHOICES_MAX + 1],
                          struct json_error *err);

/* The JSON of the selection that choices came from, NUL-terminated. Returns its length. */
size_t selection_write(enum poll_method method, const char *choices, char out[SELECTION_JSON_MAX]);

#endif
