/* service - what the main() of every service has in common: options, configuration, signals.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_SERVICE_H
#define SCRUTIN_SERVICE_H

#include "base/config.h"

#define SERVICE_VERSION_TEXT SCRUTIN_VERSION

struct http_service;
struct service;

/* An option beside those that all programs have. One with `run` is done instead of the program's work: it prints
 * something and returns the code that the process ends with. Others leave what was given in *value. */
struct service_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what --help calls it; NULL: it has none */
    const char *sentence;
    int (*run)(const struct service *service, const char *argument);
    const char **value; /* stays as it is when the option is not given; "" when it has no argument */
    int config_failure; /* not 0: run wants the configuration, and the process ends with this code where it is bad */
};

struct service {
    const char *name;
    const char *sentence; /* what it does, for --help */
    const struct config_entry *entries;
    size_t n_entries;
    void *config; /* what the entries fill */
    const int *log_level;
    const struct http_service *http; /* for HTTP_SERVICE_OPTIONS of http_service.h; NULL: it has none of these */
    /* Looks closer at what was read: keys, ids. NULL is fine; its error counts like one of the table's. */
    enum status (*check)(struct errmsg *err);
    /* A program that does one thing and ends: it logs to standard error, and signals end it as they end any command. */
    bool is_command;
    const struct service_option *options;
    size_t n_options;
};

/* Handles --help, --version, --describe, --check-config and options with `run` (these end the process), reads the
 * configuration, starts the log, ignores SIGPIPE and blocks SIGTERM and SIGINT in this and all later threads. Errors
 * end the process with code 2 and a sentence on standard error. */
void service_start(const struct service *service, int argc, char **argv);
/* Waits for SIGTERM or SIGINT, on a thread of its own, and calls on_stop(arg) once; a second signal ends the process.
 */
void service_on_stop(void (*on_stop)(void *arg), void *arg);
/* Logs and ends the process with code 1: for what cannot go on. */
_Noreturn void service_die(enum status status, const struct errmsg *err, const char *doing);

#endif
