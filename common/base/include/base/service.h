/* service - what every main() has in common: options, configuration, signals.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_SERVICE_H
#define SCRUTIN_SERVICE_H

#include "base/config.h"

#define SERVICE_VERSION_TEXT SCRUTIN_VERSION

struct http_service;
struct service;

/* An option of one program, in addition to those that all programs have. With `run`, the option replaces the work of
 * the program: run prints something and returns the exit code. Without `run`, the option puts its argument into *value.
 */
struct service_option {
    const char *name;     /* without the dashes */
    const char *argument; /* its name in --help; NULL: the option has no argument */
    const char *sentence;
    int (*run)(const struct service *service, const char *argument);
    const char **value; /* unchanged without the option; "" when the option has no argument */
    int config_failure; /* not 0: run needs the configuration, and this is the exit code when it is not valid */
};

struct service {
    const char *name;
    const char *sentence; /* what the program does, for --help */
    const struct config_entry *entries;
    size_t n_entries;
    void *config; /* the struct that the entries fill */
    const int *log_level;
    const struct http_service *http; /* for HTTP_SERVICE_OPTIONS of http_service.h; NULL: none of these */
    /* Checks what the table cannot check, for example keys and ids. An error of it counts like one of the table. NULL
     * is fine. */
    enum status (*check)(struct errmsg *err);
    /* The program does one thing and ends. It logs to standard error, and signals end it at once. */
    bool is_command;
    const struct service_option *options;
    size_t n_options;
};

/* Call it first in main(). It handles --help, --version, --describe, --check-config and options with `run`, which end
 * the process. Otherwise it reads the configuration, starts the log, ignores SIGPIPE, and blocks SIGTERM and SIGINT in
 * this and all later threads (not in a command). An error ends the process with code 2 and a sentence on standard
 * error.
 */
void service_start(const struct service *service, int argc, char **argv);
/* Starts a thread that waits for SIGTERM or SIGINT and then calls on_stop(arg) once. A second signal ends the process
 * at once, with code 1. */
void service_on_stop(void (*on_stop)(void *arg), void *arg);
/* Logs the error and ends the process with code 1, when the program cannot continue. doing: "connect to the broker". */
_Noreturn void service_die(enum status status, const struct errmsg *err, const char *doing);

#endif
