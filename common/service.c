/* service - options, signals and the health check of a program.
 * SPDX-License-Identifier: MIT */
#include "service.h"

#include "alloc.h"
#include "http.h"
#include "log.h"
#include <assert.h>
#include <getopt.h>
#include <jansson.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define HEALTH_LIMIT_S 3

static struct {
    void (*on_stop)(void *arg);
    void *arg;
} stop;

/* --- the health check: a process of its own that asks the service's /readyz */

struct health {
    int fd;
    SSL_CTX *context;
    SSL *tls; /* NULL where the service speaks plain HTTP */
};

static void on_health_limit(int signal)
{
    static const char text[] = "no answer within 3 seconds\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    (void)signal;
    _exit(1);
}

/* An address that listens on everything is asked on the loopback. */
static const char *health_address(const struct service *service)
{
    const char *address = service->bind_address != NULL ? *service->bind_address : "";
    if (strcmp(address, "") == 0 || strcmp(address, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(address, "::") == 0 ? "::1" : address;
}

static bool health_connect(struct health *health, const char *address, int64_t port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char port_text[24];
    bool connected = false;

    snprintf(port_text, sizeof(port_text), "%lld", (long long)port);
    int code = getaddrinfo(address, port_text, &hints, &found);
    if (code != 0) {
        fprintf(stderr, "%s is no address to ask: %s\n", address, gai_strerror(code));
        return false;
    }
    for (const struct addrinfo *at = found; at != NULL && !connected; at = at->ai_next) {
        health->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (health->fd < 0)
            continue;
        connected = connect(health->fd, at->ai_addr, at->ai_addrlen) == 0;
        if (!connected) {
            close(health->fd);
            health->fd = -1;
        }
    }
    freeaddrinfo(found);
    if (!connected)
        fprintf(stderr, "nothing listens on %s port %s\n", address, port_text);
    return connected;
}

/* The certificate is not verified: its name is the public one, and the address asked is the machine's own. */
static bool health_start_tls(struct health *health)
{
    health->context = SSL_CTX_new(TLS_client_method());
    health->tls = health->context != NULL ? SSL_new(health->context) : NULL;
    if (health->tls == NULL || SSL_set_fd(health->tls, health->fd) != 1 || SSL_connect(health->tls) != 1) {
        fprintf(stderr, "the TLS handshake failed\n");
        return false;
    }
    return true;
}

static ssize_t health_read(struct health *health, char *to, size_t size)
{
    if (health->tls != NULL)
        return SSL_read(health->tls, to, (int)size);
    return read(health->fd, to, size);
}

static bool health_write(struct health *health, const char *data, size_t len)
{
    if (health->tls != NULL)
        return SSL_write(health->tls, data, (int)len) == (int)len;
    return send(health->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Sends the request and reads the reply until its end or the end of the buffer; false where it is not a 200. */
static bool health_ask(struct health *health)
{
    static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char reply[4096];
    size_t len = 0;
    ssize_t n;
    int code = 0;

    if (!health_write(health, request, sizeof(request) - 1)) {
        fprintf(stderr, "the request could not be sent\n");
        return false;
    }
    while (len < sizeof(reply) - 1 && (n = health_read(health, reply + len, sizeof(reply) - 1 - len)) > 0)
        len += (size_t)n;
    reply[len] = '\0';
    if (sscanf(reply, "HTTP/%*d.%*d %d", &code) != 1) {
        fprintf(stderr, "the answer is not HTTP\n");
        return false;
    }
    if (code == 200)
        return true;
    const char *body = strstr(reply, "\r\n\r\n");
    fprintf(stderr, "not ready (%d): %s\n", code, body != NULL ? body + 4 : "");
    return false;
}

_Noreturn static void check_health(const struct service *service)
{
    struct health health = {.fd = -1};
    bool ready = false;

    if (service->port == NULL || *service->port == 0) {
        fprintf(stderr, "%s serves no HTTP here: there is no port to ask\n", service->name);
        exit(1);
    }
    /* One limit for all steps; the process has nothing else to do. */
    signal(SIGALRM, on_health_limit);
    alarm(HEALTH_LIMIT_S);
    bool tls = service->tls_cert_file != NULL && *service->tls_cert_file != NULL && **service->tls_cert_file != '\0';
    if (health_connect(&health, health_address(service), *service->port) && (!tls || health_start_tls(&health)))
        ready = health_ask(&health);
    SSL_free(health.tls);
    SSL_CTX_free(health.context);
    if (health.fd >= 0)
        close(health.fd);
    exit(ready ? 0 : 1);
}

/* --- options */

/* As the usage has it, if it is of the one kind. */
static void print_option(const struct service_option *option, bool runs, FILE *to)
{
    const char *argument = option->argument != NULL ? option->argument : "";

    if ((option->run != NULL) != runs)
        return;
    fprintf(to, runs ? " | --%s%s%s" : " [--%s%s%s]", option->name, argument[0] != '\0' ? " " : "", argument);
}

static void print_usage(const struct service *service, FILE *to)
{
    fprintf(to, "Usage: %s [--help | --version | --check-config%s", service->name,
            service->port != NULL ? " | --healthcheck | --routes" : "");
    for (size_t i = 0; i < service->n_options; i++)
        print_option(&service->options[i], true, to);
    fprintf(to, "]");
    for (size_t i = 0; i < service->n_options; i++)
        print_option(&service->options[i], false, to);
    fprintf(to, "\n");
}

static void print_help(const struct service *service)
{
    char option[40];

    print_usage(service, stdout);
    printf("\n%s\n\nOptions:\n", service->sentence);
    for (size_t i = 0; i < service->n_options; i++) {
        const struct service_option *own = &service->options[i];
        snprintf(option, sizeof(option), "%s%s%s", own->name, own->argument != NULL ? " " : "",
                 own->argument != NULL ? own->argument : "");
        printf("  --%-12s  %s\n", option, own->sentence);
    }
    printf("  --help          print this and end\n");
    printf("  --version       print the version and end\n");
    printf("  --check-config  read the configuration, say what is wrong with it, and end\n");
    if (service->port != NULL) {
        printf("  --healthcheck   ask the running service whether it is ready: 0 yes, 1 no\n");
        printf("  --routes        print what it answers to, `METHOD path` a line, and end\n");
    }
    printf("\nEnvironment variables (an empty one counts as not set; X_FILE names a file that holds X):\n");
    config_print_help(service->entries, service->n_entries, stdout);
}

#define COMMON_OPTIONS 5
#define OWN_OPTIONS_MAX 8
#define OWN_OPTION 256 /* above every letter: the value of the program's first own option */

static void list_options(const struct service *service, struct option list[COMMON_OPTIONS + OWN_OPTIONS_MAX + 1])
{
    static const struct option common[COMMON_OPTIONS] = {
        {"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'v'},
        {"check-config", no_argument, NULL, 'c'}, {"healthcheck", no_argument, NULL, 'y'},
        {"routes", no_argument, NULL, 'r'},
    };

    assert(service->n_options <= OWN_OPTIONS_MAX);
    memset(list, 0, (COMMON_OPTIONS + OWN_OPTIONS_MAX + 1) * sizeof(*list));
    memcpy(list, common, sizeof(common));
    for (size_t i = 0; i < service->n_options; i++)
        list[COMMON_OPTIONS + i] = (struct option){
            service->options[i].name, service->options[i].argument != NULL ? required_argument : no_argument, NULL,
            OWN_OPTION + (int)i};
}

/* The letter of what the program is to do instead of its work, or 0; OWN_OPTION and above: an option with `run`. */
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
        if (option == '?' || chosen != 0 || ((option == 'y' || option == 'r') && service->port == NULL)) {
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

    if (sodium_init() < 0) {
        fprintf(stderr, "%s: libsodium does not start\n", service->name);
        exit(EXIT_USAGE);
    }
    int chosen = parse_option(service, argc, argv, &argument);
    if (chosen >= OWN_OPTION)
        exit(service->options[chosen - OWN_OPTION].run(argument));
    switch (chosen) {
    case 'h':
        print_help(service);
        exit(0);
    case 'v':
        printf("%s %s\n", service->name, SERVICE_VERSION_TEXT);
        exit(0);
    case 'r':
        http_print_routes(service->routes, service->n_routes, stdout);
        exit(0);
    case 'c':
        load_config(service, EXIT_USAGE);
        printf("%s: the configuration is valid\n", service->name);
        exit(0);
    case 'y':
        load_config(service, 1); /* to a container engine, 1 is "unhealthy" and 2 is reserved */
        check_health(service);
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
    json_object_seed(0); /* 0: from the system's random numbers */
    log_info("starting", LOG_S("version", SERVICE_VERSION_TEXT));
}

_Noreturn void service_die(enum status status, const struct errmsg *err, const char *doing)
{
    log_error("cannot go on", LOG_S("doing", doing), LOG_S("status", status_text(status)),
              LOG_S("detail", err != NULL ? err->text : ""));
    /* Not exit(): other threads still run, and would use what its handlers take down. */
    _exit(1);
}
