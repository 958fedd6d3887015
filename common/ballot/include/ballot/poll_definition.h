/* poll_definition - a poll in memory.
 * SPDX-License-Identifier: MIT
 *
 * A poll does not change once it is made. Its references are counted, and any thread may retain and release it. */
#ifndef SCRUTIN_POLL_H
#define SCRUTIN_POLL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLL_ID_MAX 32          /* bytes of the id of a poll or an option */
#define POLL_OPTIONS_MAX 100    /* nobody can read a ballot with more */
#define POLL_RANKED_MAX 30      /* options of a ranked poll: see below */
#define POLL_SCORE_MAX 5        /* the highest score; the lowest is 0 */
#define POLL_TITLE_MAX 200      /* code points; people read a title on a screen in a hall */
#define POLL_TEXT_MAX 2000      /* code points of a description */
#define POLL_LABEL_MAX 200      /* code points of an option's label */
#define POLL_CODES_MAX 100000   /* voting codes of a poll */
#define POLL_KEY_ID_MAX 16      /* bytes */
#define POLL_MANAGE_HASH 32     /* bytes: SHA-256 */
#define POLL_TERM_MAX 1000      /* re-openings; each one is kept for ever */
#define BALLOT_CHOICES_MAX 4096 /* bytes of the canonical choices of a ballot */
#define VOTER_HASH 16           /* bytes */
#define CODE_HASH 16            /* bytes: keyed hash of a voting code */

/* A ranking is one choice, and the index of the tally holds a whole choice: at most 2,704 bytes with the other columns,
 * in pages of 8 KiB. Every result also has the rounds of the runoff: some 15 KiB with 30 options, over 100 KiB with 100
 * options. */
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
    bool reopenable; /* may open again after it closed */
    bool draft;      /* not yet opened or scheduled: it is in no list and takes no ballots */
    bool deleted;
    bool has_manager;
    bool expiring;         /* closed because nobody voted; deleted if nobody has voted before its fence either */
    bool made_with_key;    /* made with an API key: it has higher limits and does not expire */
    unsigned term;         /* how often it opened again */
    unsigned opening_term; /* the term that is about to begin; its gate may be in the stream; 0: none */
    int64_t opens_at_ms;   /* since 1970; 0: at once */
    int64_t closes_at_ms;  /* since 1970; 0: it has no closing time */
    enum poll_visibility visibility;
    enum poll_voter_policy voter_policy;
    unsigned voting_codes; /* how many were issued */
    char key_id[POLL_KEY_ID_MAX + 1];
    uint8_t manage_hash[POLL_MANAGE_HASH];
    int64_t created_at_ms;
    int64_t updated_at_ms; /* rises with every edit: of two definitions, the one with the higher value is newer */
    size_t n_options;
    struct poll_option *options;
};

/* A zeroed poll with one reference, which the caller owns. */
struct poll *poll_new(void);
struct poll *poll_retain(const struct poll *poll);
void poll_release(const struct poll *poll); /* NULL is fine */
/* A deep copy with one reference, which the caller owns. */
struct poll *poll_copy(const struct poll *poll);
/* Whether all fields are equal. */
bool poll_equal(const struct poll *a, const struct poll *b);
/* Whether both have the same options in the same order. */
bool poll_options_equal(const struct poll *a, const struct poll *b);

enum poll_state poll_state_at(const struct poll *poll, int64_t now_ms);
/* "draft", "scheduled", "open" or "closed". The states counting and final need the database. */
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
