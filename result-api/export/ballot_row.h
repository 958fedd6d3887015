/* ballot_row - writes the choices of a ballot as a line of CSV, and nothing else of the ballot. Pure.
 * SPDX-License-Identifier: MIT
 *
 * plurality  choice                     the option's id
 * approval   a column for each option   1 or 0
 * ranked     rank_1, rank_2, …          ids, the best first; empty after the ballot's last option
 * score      a column for each option   0 to 5; empty if the ballot does not score the option
 *
 * Columns of options have the order of the poll, and the id of the option is the head of its column. */
#ifndef SCRUTIN_BALLOT_ROW_H
#define SCRUTIN_BALLOT_ROW_H

#include "ballot/poll_definition.h"
#include "tally/option_index.h"
#include <stdio.h>

void ballot_row_write_header(const struct poll *poll, FILE *to);
/* choices has the form that proto/PROTOCOL.md defines. Options that the poll does not have are left out, as they are in
 * the results. */
void ballot_row_write(const struct option_index *options, const char *choices, FILE *to);

#endif
