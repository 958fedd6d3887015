/* config - environment variables, read once into one table per service.
 * SPDX-License-Identifier: MIT
 *
 * The table prints --help; a test holds it against the documentation. X_FILE reads X from a file (one trailing newline
 * is cut); both set is an error. An empty variable counts as not set. */
#ifndef SCRUTIN_CONFIG_H
#define SCRUTIN_CONFIG_H

#include "base/status.h"
#include <stdint.h>
#include <stdio.h>

enum config_type {
    CONFIG_TEXT,   /* char * */
    CONFIG_SECRET, /* char *, never printed */
    CONFIG_NUMBER, /* int64_t within min..max */
    CONFIG_FLAG,   /* bool: true/false, yes/no, on/off, 1/0 */
    CONFIG_LEVEL,  /* int: a log level */
};

struct config_entry {
    const char *name;
    enum config_type type;
    size_t offset;        /* of the field in the service's configuration struct */
    const char *fallback; /* NULL: required */
    int64_t min, max;     /* of a number */
    const char *sentence; /* unit, meaning, reason for the default */
};

/* Reads all entries into *out, whose strings live as long as the process. ST_CONFIG names the variable and says what it
 * should be. */
MUST_CHECK enum status config_load(const struct config_entry *entries, size_t n, void *out, struct errmsg *err);
void config_print_help(const struct config_entry *entries, size_t n, FILE *to);

#endif
