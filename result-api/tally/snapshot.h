/* snapshot - the whole result of a poll at one time, as it is sent.
 * SPDX-License-Identifier: MIT
 *
 * A snapshot never changes, and its references are counted. Any thread may retain and release it. All subscribers of a
 * poll share the bytes of one snapshot.
 *
 * The version of a snapshot is the time at which its content was new, in microseconds since 1970. It is raised if
 * necessary, so that versions always rise. So it says which of two snapshots is newer, also after a restart, and also
 * between several result-apis whose clocks agree. It cannot be computed from the numbers in the snapshot,
 * because some of them fall (`pending`) and an edit changes others (the title). A subscriber may bring a version that
 * is ahead of ours, from a result-api whose clock is ahead. It gets the result of the next read, under a version above
 * its own. */
#ifndef SCRUTIN_SNAPSHOT_H
#define SCRUTIN_SNAPSHOT_H

#include "ballot/poll_definition.h"
#include "tally/outcome.h"
#include "tally/tally.h"

#define SNAPSHOT_ETAG 24 /* bytes of a version in quotes and a NUL */

enum result_state { RESULT_DRAFT, RESULT_SCHEDULED, RESULT_OPEN, RESULT_COUNTING, RESULT_FINAL };

struct snapshot {
    atomic_uint refs;
    const struct poll *poll; /* a reference */
    enum result_state state;
    bool is_public;  /* everybody may see it */
    int64_t pending; /* -1: not known */
    int64_t version;
    int64_t updated_at_ms; /* since 1970: when the content was new */
    char etag[SNAPSHOT_ETAG];
    struct outcome outcome;
    char *event; /* "id: …\ndata: {…}\n\n" */
    size_t event_len;
    const char *body; /* the JSON in the event */
    size_t body_len;
};

/* A snapshot is made from these. */
struct snapshot_facts {
    const struct poll *poll;
    const struct tally *tally;
    const struct ranked *ranked; /* the rounds, if the tally has no choices; NULL: it has them */
    int64_t pending;             /* ballots; -1: not known */
    bool fence_passed;           /* all ballots before the tally's fence are applied */
    bool is_public;
    int64_t now_us; /* since 1970 */
    int64_t above;  /* the version must be higher than this */
};

/* Returns a snapshot with one reference. Returns NULL if `last` (NULL: there is none) has the same content and a
 * version above facts->above. A result that was final stays final in its term. */
struct snapshot *snapshot_make(const struct snapshot_facts *facts, const struct snapshot *last);
struct snapshot *snapshot_retain(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot); /* NULL is fine */

/* Returns CSV, as csv.h writes it. The header line begins with option,label,count. The caller frees the text. */
char *snapshot_render_csv(const struct snapshot *snapshot, size_t *len);

const char *result_state_name(enum result_state state);

#endif
