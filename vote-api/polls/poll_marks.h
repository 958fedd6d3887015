/* poll_marks - publishes fences and gates into the stream of ballots.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_POLL_MARKS_H
#define VOTE_API_POLL_MARKS_H

#include "bus/bus.h"

/* Both return when the broker has recorded the mark. They block, so they must not run on a loop. Any thread. */

/* The poll closes here in this term: workers reject its ballots behind the fence. */
MUST_CHECK enum status poll_marks_publish_fence(struct bus *bus, const char *poll, unsigned term, struct errmsg *err);
/* The poll is open again from here on, in this term. */
MUST_CHECK enum status poll_marks_publish_gate(struct bus *bus, const char *poll, unsigned term, struct errmsg *err);

#endif
