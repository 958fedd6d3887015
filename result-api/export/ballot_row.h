/* ballot_row - a ballot as a line of CSV: its choices, each in a column of its own, and nothing else. Pure.
 * SPDX-License-Identifier: MIT
 *
 * plurality  choice                     the option's id
 * approval   a column for each option   1 or 0
 * ranked     rank_1, rank_2, …          ids, the best first; empty where the ballot names no more
 * score      a column for each option   0 to 5; empty where the ballot does not score it
 *
 * The columns of options stand in the poll's order and are headed by their ids. */
#ifndef SCRUTIN_BALLOT_ROW_H
#define SCRUTIN_BALLOT_ROW_H

#include "ballot/poll_definition.h"
#include "tally/option_index.h"
#include <stdio.h>

void ballot_row_write_header(const struct poll *poll, FILE *to);
/* choices as a ballot carries them (proto/PROTOCOL.md). An option that the poll does not have is left out, as in the
 * results. */
void ballot_row_write(const struct option_index *options, const char *choices, FILE *to);

#endif
