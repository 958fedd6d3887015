/* selection - from the JSON of a ballot to the choices that it adds one to. Pure.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_SELECTION_H
#define VOTE_API_SELECTION_H

#include "json.h"
#include "poll.h"

/* Checks a selection against the poll and writes its canonical choices (see PROTOCOL.md) into out, NUL-terminated.
 * plurality: an array of exactly one option id. Returns their length, or -1 with *err, whose pointer starts at base. */
int selection_read(const json_t *selection, const struct poll *poll, const char *base, char out[BALLOT_CHOICES_MAX + 1],
                   struct json_error *err);

/* Reads a ballot's body, {"selection":[...]}, and nothing else. As above. */
int selection_read_ballot(const json_t *body, const struct poll *poll, char out[BALLOT_CHOICES_MAX + 1],
                          struct json_error *err);

/* The choices as the JSON array of a selection again; the caller decrefs. */
json_t *selection_write(const struct poll *poll, const char *choices);

#endif
