/* service - reads options and handles signals.
 * SPDX-License-Identifier: MIT */
#include "base/service.h"

#include "base/alloc.h"
#include "base/log.h"
#include <assert.h>
#include <getopt.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#define EXIT_USAGE 2

static struct {
    void (*on_stop)(void *arg);
    void *arg;
} stop;

/* --- options */

/* Prints the option as it stands in the usage, if it is of this kind. */
static void print_option(const struct service_option *option, bool runs, FILE *to)
{
    const char *argument = option->argument != NULL ? option->argument : "";

    if ((option->run != NULL) != runs)
        return;
    fprintf(to, runs ? " | --%s%s%s" : " [--%s%s%s]", option->name, argument[0] != '\0' ? " " : "", argument);
}

static void print_usage(const struct service *service, FILE *to)
{
    fprintf(to, "Usage: %s [--help | --version | --describe | --check-config", service->name);
    for (size_t i = 0; i < service->n_options; i++)
        print_option(&service->options[i], true, to);
    fprintf(to, "]");
    for (size_t i = 0; i < service->n_options; i++)
        print_option(&service->options[i], false, to);
    fprintf(to, "\n");
}

static const struct {
    const char *name;
    int letter;
    const char *sentence;
} common_options[] = {
    {"help", 'h', "print this help and end"},
    {"version", 'v', "print the version and end"},
    {"describe", 'd', "print all settings and limits as JSON and end"},
    {"check-config", 'c', "read the settings, print the first error in them, and end"},
};
#define COMMON_OPTIONS (sizeof(common_options) / sizeof(common_options[0]))

static void print_help(const struct service *service)
{
    char option[40];
    int width = (int)strlen("check-config");

    for (size_t i = 0; i < service->n_options; i++) {
        const struct service_option *own = &service->options[i];
        int length = (int)strlen(own->name) + (own->argument != NULL ? 1 + (int)strlen(own->argument) : 0);
        width = length > width ? length : width;
    }
    print_usage(service, stdout);
    printf("\n%s\n\nOptions:\n", service->sentence);
    for (size_t i = 0; i < service->n_options; i++) {
        const struct service_option *own = &service->options[i];
        snprintf(option, sizeof(option), "%s%s%s", own->name, own->argument != NULL ? " " : "",
                 own->argument != NULL ? own->argument : "");
        printf("  --%-*s  %s\n", width, option, own->sentence);
    }
    for (size_t i = 0; i < COMMON_OPTIONS; i++)
        printf("  --%-*s  %s\n", width, common_options[i].name, common_options[i].sentence);
    printf("\nEnvironment variables. An empty variable counts as not set. Instead of X, you can set X_FILE to the name "
           "of a file\nthat holds the value.\n");
    config_print_help(service->entries, service->n_entries, stdout);
}

#define OWN_OPTIONS_MAX 8
#define OWN_OPTION 256 /* the value of the first option of the program itself; above every letter */

static void list_options(const struct service *service, struct option list[COMMON_OPTIONS + OWN_OPTIONS_MAX + 1])
{
    assert(service->n_options <= OWN_OPTIONS_MAX);
    memset(list, 0, (COMMON_OPTIONS + OWN_OPTIONS_MAX + 1) * sizeof(*list));
    for (size_t i = 0; i < COMMON_OPTIONS; i++)
        list[i] = (struct option){common_options[i].name, no_argument, NULL, common_options[i].letter};
    for (size_t i = 0; i < service->n_options; i++)
        list[COMMON_OPTIONS + i] = (struct option){
            service->options[i].name, service->options[i].argument != NULL ? required_argument : no_argument, NULL,
            OWN_OPTION + (int)i};
}

/* Returns the letter of an option that replaces the work of the program, OWN_OPTION or more for an option with `run`,
 * or 0. */
static int parse_option(const struct service *service, int argc, char **argv, const char **argument)
{
    struct option list[COMMON_OPTIONS + OWN_OPTIONS_MAX + 1];
    int chosen = 0, option;

    list_options(service, list);
    while ((option = getopt_long(argc, argv, "", list, NULL)) != -1) {
        const struct service_option *own = option >= OWN_OPTION ? &service->options[option - OWN_OPTION] : NULL;
        if (own != NULL && own->run == NULL) {
            *own->value = optarg != NULL ? optarg : "";
            continue;
        }
        if (option == '?' || chosen != 0) {
            print_usage(service, stderr);
            exit(EXIT_USAGE);
        }
        chosen = option;
        *argument = optarg;
    }
    if (optind < argc) {
        fprintf(stderr, "%s: \"%s\" is not an option\n", service->name, argv[optind]);
        print_usage(service, stderr);
        exit(EXIT_USAGE);
    }
    return chosen;
}

static void load_config(const struct service *service, int exit_code)
{
    struct errmsg err;
    enum status st = config_load(service->entries, service->n_entries, service->config, &err);
    if (st == ST_OK && service->check != NULL)
        st = service->check(&err);
    if (st == ST_OK)
        return;
    fprintf(stderr, "%s: %s\n", service->name, err.text);
    exit(exit_code);
}

_Noreturn static void run_option(const struct service *service, const struct service_option *option,
                                 const char *argument)
{
    if (option->config_failure != 0)
        load_config(service, option->config_failure);
    exit(option->run(service, argument));
}

/* --- signals */

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

static void *wait_for_signals(void *arg)
{
    sigset_t set;
    int number;

    stop_signals(&set);
    while (sigwait(&set, &number) != 0)
        ;
    log_info("stopping", LOG_S("signal", strsignal(number)));
    stop.on_stop(stop.arg);
    while (sigwait(&set, &number) != 0)
        ;
    log_warn("stopped by a second signal", LOG_S("signal", strsignal(number)));
    _exit(1);
    return arg;
}

void service_on_stop(void (*on_stop)(void *arg), void *arg)
{
    pthread_t thread;

    stop.on_stop = on_stop;
    stop.arg = arg;
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) != 0)
        abort();
    pthread_detach(thread);
}

void service_start(const struct service *service, int argc, char **argv)
{
    const char *argument = NULL;
    sigset_t set;

    json_set_alloc_funcs(alloc_bytes, free); /* without memory jansson aborts, as we do */
    if (sodium_init() < 0) {
        fprintf(stderr, "%s: libsodium does not start\n", service->name);
        exit(EXIT_USAGE);
    }
    int chosen = parse_option(service, argc, argv, &argument);
    if (chosen >= OWN_OPTION)
        run_option(service, &service->options[chosen - OWN_OPTION], argument);
    switch (chosen) {
    case 'h':
        print_help(service);
        exit(0);
    case 'v':
        printf("%s %s\n", service->name, SERVICE_VERSION_TEXT);
        exit(0);
    case 'd':
        config_print_json(service->entries, service->n_entries, stdout);
        exit(0);
    case 'c':
        load_config(service, EXIT_USAGE);
        printf("%s: the configuration is valid\n", service->name);
        exit(0);
    }

    load_config(service, EXIT_USAGE);
    log_init(service->name, service->log_level != NULL ? (enum log_level) * service->log_level : LOG_INFO);
    signal(SIGPIPE, SIG_IGN);
    if (service->is_command) {
        log_to(STDERR_FILENO);
    } else {
        stop_signals(&set);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    json_object_seed(0); /* 0: a random seed of the system */
    log_info("starting", LOG_S("version", SERVICE_VERSION_TEXT));
}

_Noreturn void service_die(enum status status, const struct errmsg *err, const char *doing)
{
    log_error("the program cannot continue", LOG_S("doing", doing), LOG_S("status", status_text(status)),
              LOG_S("detail", err != NULL ? err->text : ""));
    /* Not exit(): its handlers destroy what other threads still use. */
    _exit(1);
}
