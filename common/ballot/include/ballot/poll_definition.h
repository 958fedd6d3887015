/* poll - a poll as the services hold it in memory.
 * SPDX-License-Identifier: MIT
 *
 * A poll is immutable once made and counted by references; any thread may retain and release it. */
#ifndef SCRUTIN_POLL_H
#define SCRUTIN_POLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLL_ID_MAX 32          /* bytes of a poll's or an option's id */
#define POLL_OPTIONS_MAX 100    /* more do not fit a ballot that people can read */
#define POLL_RANKED_MAX 30      /* options of a ranked poll: see there */
#define POLL_SCORE_MAX 5        /* the best score; the worst is 0 */
#define POLL_TITLE_MAX 200      /* code points; a title is read from the last row */
#define POLL_TEXT_MAX 2000      /* code points of a description */
#define POLL_LABEL_MAX 200      /* code points of an option's label */
#define POLL_CODES_MAX 100000   /* voting codes of a poll */
#define POLL_KEY_ID_MAX 16      /* bytes */
#define POLL_MANAGE_HASH 32     /* bytes: SHA-256 */
#define POLL_TERM_MAX 1000      /* re-openings: each stays in the books for ever */
#define BALLOT_CHOICES_MAX 4096 /* bytes of a ballot's canonical choices */
#define VOTER_HASH 16           /* bytes */
#define CODE_HASH 16            /* bytes: keyed hash of a voting code */

/* A ranking is one choice, so a row of the tally's index holds it whole: 2,704 bytes with the key's other columns, in
 * pages of 8 KiB. And the rounds of the runoff are part of every result: with 30 options some 15 KiB, with 100 over
 * 100. */
_Static_assert(POLL_RANKED_MAX *(POLL_ID_MAX + 1) <= 2600, "a ranking must fit the tally's index");

enum poll_method { METHOD_PLURALITY, METHOD_APPROVAL, METHOD_RANKED, METHOD_SCORE };
enum poll_visibility { VISIBILITY_ALWAYS, VISIBILITY_AFTER_VOTE, VISIBILITY_AFTER_CLOSE };
enum poll_voter_policy { VOTERS_OPEN, VOTERS_CODE };
enum poll_state { POLL_DRAFT, POLL_SCHEDULED, POLL_OPEN, POLL_CLOSED };

struct poll_option {
    char id[POLL_ID_MAX + 1];
    char *label;
};

struct poll {
    atomic_uint refs;
    char id[POLL_ID_MAX + 1];
    char *title;
    char *description;
    enum poll_method method;
    unsigned min_choices, max_choices;
    bool revisable;
    bool reopenable; /* may be opened again after it closed */
    bool draft;      /* nobody has opened or scheduled it: in no list, takes no ballot */
    bool deleted;
    bool has_manager;
    bool expiring;         /* closed because nobody voted in it: to be deleted, if that is so behind its fence */
    bool made_with_key;    /* by the holder of an API key: it has room that strangers have not, and does not expire */
    unsigned term;         /* how often it was opened again */
    unsigned opening_term; /* the term that somebody is about to begin, whose gate may be in the stream; 0: nobody */
    int64_t opens_at_ms;   /* since 1970; 0: at once */
    int64_t closes_at_ms;  /* since 1970; 0: when somebody closes it */
    enum poll_visibility visibility;
    enum poll_voter_policy voter_policy;
    unsigned voting_codes; /* issued */
    char key_id[POLL_KEY_ID_MAX + 1];
    uint8_t manage_hash[POLL_MANAGE_HASH];
    int64_t created_at_ms;
    int64_t updated_at_ms; /* rises with every edit: the newer definition of a poll has the higher one */
    size_t n_options;
    struct poll_option *options;
};

/* A poll with no fields set, and one reference, the caller's. */
struct poll *poll_new(void);
struct poll *poll_retain(const struct poll *poll);
void poll_release(const struct poll *poll); /* NULL is fine */
/* A deep copy with one reference. */
struct poll *poll_copy(const struct poll *poll);
/* Whether both say the same in every field, and whether they have the same options in the same order. */
bool poll_equal(const struct poll *a, const struct poll *b);
bool poll_options_equal(const struct poll *a, const struct poll *b);

enum poll_state poll_state_at(const struct poll *poll, int64_t now_ms);
/* draft, scheduled, open, closed: counting and final are known to whoever reads the database. */
const char *poll_state_name(enum poll_state state);
/* The option with this id, or NULL. */
const struct poll_option *poll_find_option(const struct poll *poll, const char *id, size_t len);
/* [a-z0-9-]{1,32} */
bool poll_id_is_valid(const char *id, size_t len);

const char *poll_method_name(enum poll_method method);
const char *poll_visibility_name(enum poll_visibility visibility);
const char *poll_voter_policy_name(enum poll_voter_policy policy);
/* The enum value with this name, or -1. */
int poll_method_from_name(const char *name);
int poll_visibility_from_name(const char *name);
int poll_voter_policy_from_name(const char *name);

#endif
