/* snapshot - the whole result of a poll at one moment, as it is sent.
 * SPDX-License-Identifier: MIT
 *
 * A snapshot is immutable and counted by references; any thread may retain and release it. However many subscribers a
 * poll has, they all send the bytes of one snapshot.
 *
 * The version of a snapshot is the time when its content came to be, in microseconds since 1970, pushed up where needed
 * so that it always rises: it says which of two snapshots is the newer one, also after a restart and also between
 * several result-apis whose clocks agree. It could not be derived from the numbers shown, because not all of them only
 * rise (`pending` falls, an edit changes the title). A subscriber that resumes with a version that is ahead of ours was
 * with a result-api whose clock is ahead, and gets the next look at the database, with a version above its own. */
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
    bool is_public;  /* everybody may see it; otherwise who holds the manage token */
    int64_t pending; /* -1: not known */
    int64_t version;
    int64_t updated_at_ms; /* wall clock, when the content came to be */
    char etag[SNAPSHOT_ETAG];
    struct outcome outcome;
    char *event; /* "id: …\ndata: {…}\n\n" */
    size_t event_len;
    const char *body; /* the JSON in it */
    size_t body_len;
};

/* What a snapshot is made of. */
struct snapshot_facts {
    const struct poll *poll;
    const struct tally *tally;
    const struct ranked *ranked; /* of a large tally; NULL: its choices say it */
    int64_t pending;             /* ballots; -1: not known */
    bool fence_passed;           /* all before the tally's fence is applied */
    bool is_public;
    int64_t now_us; /* since 1970 */
    int64_t above;  /* the version must be higher than this */
};

/* The result of the facts, with one reference; or NULL where it is what `last` (NULL: none) already says and last is
 * above the version asked for. What was final stays final. */
struct snapshot *snapshot_make(const struct snapshot_facts *facts, const struct snapshot *last);
struct snapshot *snapshot_retain(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot); /* NULL is fine */

/* As csv.h writes it, with a header line that begins option,label,count. The caller frees it. */
char *snapshot_render_csv(const struct snapshot *snapshot, size_t *len);

const char *result_state_name(enum result_state state);

#endif
