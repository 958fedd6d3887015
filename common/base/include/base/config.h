/* config - a program's table of environment variables and limits.
 * SPDX-License-Identifier: MIT
 *
 * The variables are read once, at start. --help prints them, and docs/tables.py writes docs/CONFIGURATION.md and
 * docs/LIMITS.md from the same table, so each row is written only once. If X_FILE is set, X is read from the file that
 * it names, without the last newline; setting both is an error. An empty variable counts as not set. */
#ifndef SCRUTIN_CONFIG_H
#define SCRUTIN_CONFIG_H

#include "base/status.h"
#include <stdint.h>
#include <stdio.h>

enum config_type {
    CONFIG_TEXT,     /* char * */
    CONFIG_SECRET,   /* char *, never printed */
    CONFIG_NUMBER,   /* int64_t within min..max */
    CONFIG_FLAG,     /* bool: true/false, yes/no, on/off, 1/0 */
    CONFIG_LEVEL,    /* int: a log level */
    CONFIG_HEADING,  /* no variable: the title of the rows below it */
    CONFIG_CONSTANT, /* no variable: a limit of the code, min = max = its value */
};

struct config_entry {
    const char *name;
    enum config_type type;
    size_t offset;        /* of the field in the service's configuration struct */
    const char *fallback; /* NULL: required */
    int64_t min, max;     /* of a number */
    const char *sentence; /* unit, meaning, reason for the default */
};

/* Rows below a heading that begins with "Limits" are in docs/LIMITS.md too. */
#define CONFIG_SECTION(title)                                                                                          \
    {                                                                                                                  \
        .name = (title), .type = CONFIG_HEADING                                                                        \
    }
#define CONFIG_LIMIT(constant, sentence)                                                                               \
    {                                                                                                                  \
#constant, CONFIG_CONSTANT, 0, NULL, constant, constant, sentence                                              \
    }

/* Reads all variables into *out, whose strings live as long as the process. ST_CONFIG names the variable and says what
 * it should be. */
MUST_CHECK enum status config_load(const struct config_entry *entries, size_t n, void *out, struct errmsg *err);
/* All rows as a JSON array: section, name, type, default, min, max, sentence. */
void config_print_json(const struct config_entry *entries, size_t n, FILE *to);
void config_print_help(const struct config_entry *entries, size_t n, FILE *to);

#endif
