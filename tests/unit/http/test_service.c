/* test_service - what a program prints and how it ends; each case is a process of its own.
 * SPDX-License-Identifier: MIT */
#include "http/http_service.h"
#include "http/http_settings.h"

#include "base/log.h"
#include "unit.h"
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    struct http_settings http;
    int level;
    char *secret;
} config;

#define FIELD(name) ((size_t)((char *)&config.name - (char *)&config))

static const struct service_option http_options[] = {HTTP_SERVICE_OPTIONS};
static const struct http_service http_service = {&config.http, NULL, 0};

static struct service make_service(void)
{
    static struct config_entry entries[] = {
        {"S_PORT", CONFIG_NUMBER, 0, "8081", 0, 65535, "port to listen on"},
        {"S_BIND", CONFIG_TEXT, 0, "127.0.0.1", 0, 0, "address to listen on"},
        {"S_LEVEL", CONFIG_LEVEL, 0, "info", 0, 0, "lowest level logged"},
        {"S_CERT", CONFIG_TEXT, 0, "", 0, 0, "certificate"},
        {"S_SECRET", CONFIG_SECRET, 0, NULL, 0, 0, "a secret"},
    };
    entries[0].offset = FIELD(http.port);
    entries[1].offset = FIELD(http.bind_address);
    entries[2].offset = FIELD(level);
    entries[3].offset = FIELD(http.tls_cert_file);
    entries[4].offset = FIELD(secret);
    return (struct service){
        .name = "sample",
        .sentence = "Does nothing, for a test.",
        .entries = entries,
        .n_entries = COUNT_OF(entries),
        .config = &config,
        .options = http_options,
        .n_options = COUNT_OF(http_options),
        .log_level = &config.level,
        .http = &http_service,
    };
}

/* --- a child that runs the service's main */

struct child {
    pid_t pid;
    int output;
    size_t len;
    char text[16384];
};

static void child_main(const struct service *service, int argc, char **argv, void (*after)(void))
{
    service_start(service, argc, argv);
    if (after != NULL)
        after();
    exit(77); /* service_start returned */
}

static void child_start_as(struct child *child, const struct service *service, const char *option, void (*after)(void))
{
    int pipes[2];
    char program[] = "sample", copy[64];

    assert_int_equal(pipe(pipes), 0);
    memset(child, 0, sizeof(*child));
    fflush(NULL);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        signal(SIGPIPE, SIG_DFL); /* unlike main */
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        char *argv[] = {program, copy, NULL};
        if (option != NULL)
            snprintf(copy, sizeof(copy), "%s", option);
        else
            argv[1] = NULL;
        child_main(service, option != NULL ? 2 : 1, argv, after);
    }
    close(pipes[1]);
    child->output = pipes[0];
}

static void child_start(struct child *child, const char *option, void (*after)(void))
{
    struct service service = make_service();
    child_start_as(child, &service, option, after);
}

/* Reads what the child prints until part is there, or to its end. */
static void child_read(struct child *child, const char *part)
{
    ssize_t n;
    while ((part == NULL || strstr(child->text, part) == NULL) && child->len < sizeof(child->text) - 1 &&
           (n = read(child->output, child->text + child->len, sizeof(child->text) - 1 - child->len)) > 0)
        child->len += (size_t)n;
}

/* Its exit code, or minus the signal that ended it. */
static int child_end(struct child *child)
{
    int status;
    child_read(child, NULL);
    close(child->output);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(struct child *child, const char *option)
{
    child_start(child, option, NULL);
    return child_end(child);
}

static int clean_environment(void **state)
{
    unsetenv("S_PORT");
    unsetenv("S_BIND");
    unsetenv("S_CERT");
    setenv("S_SECRET", "hunter2", 1);
    return 0;
}

/* --- options */

static void help_explains_options_and_variables(void **state)
{
    struct child child;
    assert_int_equal(run(&child, "--help"), 0);
    assert_contains(child.text,
                    "Usage: sample [--help | --version | --describe | --check-config | --healthcheck | --routes]\n");
    assert_contains(child.text, "Does nothing, for a test.");
    assert_contains(child.text, "--healthcheck");
    assert_contains(child.text, "S_PORT    port to listen on\n            [number 0 to 65535; default: 8081]");
    assert_lacks(child.text, "hunter2");
}

static void help_needs_no_valid_configuration(void **state)
{
    struct child child;
    unsetenv("S_SECRET");
    assert_int_equal(run(&child, "--help"), 0);
    assert_int_equal(run(&child, "--version"), 0);
}

static void version_is_one_line(void **state)
{
    struct child child;
    assert_int_equal(run(&child, "--version"), 0);
    assert_int_equal(strncmp(child.text, "sample ", 7), 0);
    assert_ptr_equal(strchr(child.text, '\n'), child.text + child.len - 1);
    assert_true(child.text[7] >= '0' && child.text[7] <= '9');
}

static void check_config_says_whether_it_is_valid(void **state)
{
    struct child child;
    assert_int_equal(run(&child, "--check-config"), 0);
    assert_string_equal(child.text, "sample: the configuration is valid\n");
    setenv("S_PORT", "eighty", 1);
    assert_int_equal(run(&child, "--check-config"), 2);
    assert_contains(child.text, "sample: S_PORT is \"eighty\"; it must be a whole number from 0 to 65535");
}

static void a_bad_option_prints_the_usage_and_ends_with_2(void **state)
{
    static const char *const rows[] = {"--helpme", "-x", "--port=3", "start", "--", "--help=yes", ""};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct child child;
        int code = run(&child, rows[i]);
        if (strcmp(rows[i], "--") == 0) { /* ends the options: there is nothing after it */
            assert_int_equal(code, 77);
            continue;
        }
        CHECK_ROW(code == 2, "%s", rows[i]);
        assert_contains(child.text, "Usage: sample");
    }
}

static void a_program_without_http_has_no_health_check(void **state)
{
    struct service service = make_service();
    struct child child;
    service.n_options = 0;
    child_start_as(&child, &service, "--healthcheck", NULL);
    assert_int_equal(child_end(&child), 2);
    assert_contains(child.text, "Usage: sample [--help | --version | --describe | --check-config]\n");
}

static int print_argument(const struct service *service, const char *argument)
{
    printf("for %s\n", argument);
    return strcmp(argument, "nobody") == 0 ? 3 : 0;
}

static void a_program_may_have_an_option_of_its_own(void **state)
{
    static const struct service_option own = {"make-thing", "NAME", "print a thing", print_argument, NULL, 0};
    static const struct {
        const char *option;
        int code;
        const char *text;
    } rows[] = {
        {"--make-thing=hall", 0, "for hall\n"},
        {"--make-thing=nobody", 3, "for nobody\n"},
        {"--make-thing", 2, "Usage: sample"},
        {"--help", 0, "| --make-thing NAME]\n"},
        {"--help", 0, "  --make-thing NAME  print a thing\n"},
    };
    struct service service = make_service();

    unsetenv("S_SECRET"); /* it needs no configuration */
    service.options = &own;
    service.n_options = 1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct child child;
        child_start_as(&child, &service, rows[i].option, NULL);
        CHECK_ROW(child_end(&child) == rows[i].code, "%s", rows[i].option);
        assert_contains(child.text, rows[i].text);
    }
}

/* --- start */

static void a_bad_configuration_ends_the_start_with_2(void **state)
{
    struct child child;
    unsetenv("S_SECRET");
    assert_int_equal(run(&child, NULL), 2);
    assert_contains(child.text, "sample: S_SECRET is not set");
}

static enum status look_closer(struct errmsg *err)
{
    return strlen(config.secret) < 8 ? fail(err, ST_CONFIG, "S_SECRET is too short") : ST_OK;
}

static void what_a_closer_look_refuses_counts_like_a_bad_value(void **state)
{
    static const struct {
        const char *option;
        int code;
    } rows[] = {{NULL, 2}, {"--check-config", 2}, {"--healthcheck", 1}};
    struct service service = make_service();
    service.check = look_closer;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct child child;
        child_start_as(&child, &service, rows[i].option, NULL);
        assert_int_equal(child_end(&child), rows[i].code);
        assert_string_equal(child.text, "sample: S_SECRET is too short\n");
    }
    setenv("S_SECRET", "long enough", 1);
    struct child child;
    child_start_as(&child, &service, "--check-config", NULL);
    assert_int_equal(child_end(&child), 0);
}

static void print_signals(void)
{
    sigset_t set;
    struct sigaction pipe_action;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    sigaction(SIGPIPE, NULL, &pipe_action);
    printf("term %d int %d pipe ignored %d level %d\n", sigismember(&set, SIGTERM), sigismember(&set, SIGINT),
           pipe_action.sa_handler == SIG_IGN, config.level);
}

static void a_start_logs_blocks_the_stop_signals_and_ignores_sigpipe(void **state)
{
    struct child child;
    child_start(&child, NULL, print_signals);
    assert_int_equal(child_end(&child), 77);
    assert_contains(child.text, "\"service\":\"sample\",\"event\":\"starting\"");
    assert_contains(child.text, "term 1 int 1 pipe ignored 1 level 1");
}

/* --- stop */

static void say_stop(void *arg)
{
    log_info("asked to stop", LOG_S("with", arg));
}

static void wait_for_ever(void)
{
    static char arg[] = "the argument";
    service_on_stop(say_stop, arg);
    log_info("waiting");
    for (;;)
        pause();
}

static void the_first_signal_stops_and_the_second_ends(void **state)
{
    static const int signals[][2] = {{SIGTERM, SIGTERM}, {SIGINT, SIGTERM}, {SIGTERM, SIGINT}};
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        struct child child;
        child_start(&child, NULL, wait_for_ever);
        child_read(&child, "\"waiting\"");
        kill(child.pid, signals[i][0]);
        child_read(&child, "asked to stop");
        assert_contains(child.text, "\"with\":\"the argument\"");
        kill(child.pid, signals[i][1]);
        assert_int_equal(child_end(&child), 1);
        assert_contains(child.text, "stopped by a second signal");
        assert_null(strstr(strstr(child.text, "asked to stop") + 1, "asked to stop")); /* once */
    }
}

static void die(void)
{
    struct errmsg err;
    enum status st = fail(&err, ST_DB_SCHEMA, "version 9 is newer than 4");
    service_die(st, &err, "opening the store");
}

static void dying_says_what_and_why_and_ends_with_1(void **state)
{
    struct child child;
    child_start(&child, NULL, die);
    assert_int_equal(child_end(&child), 1);
    assert_contains(child.text, "\"level\":\"error\"");
    assert_contains(child.text, "\"doing\":\"opening the store\"");
    assert_contains(child.text, "\"detail\":\"version 9 is newer than 4\"");
    assert_contains(child.text, status_text(ST_DB_SCHEMA));
}

/* --- the health check, against a server of the test's own */

static int listen_on(int family, uint16_t *port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_four = family == AF_INET;
    struct sockaddr *address = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t len = is_four ? sizeof(four) : sizeof(six);
    int fd = socket(family, SOCK_STREAM, 0);

    *port = 0;
    if (fd < 0 || bind(fd, address, len) != 0 || listen(fd, 8) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    getsockname(fd, address, &len);
    *port = ntohs(is_four ? four.sin_port : six.sin6_port);
    return fd;
}

static void set_port(uint16_t port)
{
    char text[8];
    snprintf(text, sizeof(text), "%u", port);
    setenv("S_PORT", text, 1);
}

/* Starts the health check, answers it, returns its exit code. request gets what it sent. */
static int ask(struct child *child, int server, const char *reply, char request[512])
{
    child_start(child, "--healthcheck", NULL);
    int fd = accept(server, NULL, NULL);
    assert_true(fd >= 0);
    size_t len = 0;
    ssize_t n;
    memset(request, 0, 512);
    while (strstr(request, "\r\n\r\n") == NULL && (n = read(fd, request + len, 511 - len)) > 0)
        len += (size_t)n;
    assert_int_equal(send(fd, reply, strlen(reply), MSG_NOSIGNAL), strlen(reply));
    close(fd);
    return child_end(child);
}

static void the_health_check_follows_readyz(void **state)
{
    static const struct {
        const char *reply;
        int code;
        const char *says;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", 0, ""},
        {"HTTP/1.0 200 OK\r\n\r\n", 0, ""},
        {"HTTP/1.1 503 Service Unavailable\r\n\r\nbroker: no connection", 1, "not ready (503): broker: no connection"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 1, "not ready (204)"},
        {"HTTP/1.1 404 Not Found\r\n\r\n", 1, "not ready (404)"},
        {"SSH-2.0-OpenSSH_9.2\r\n", 1, "not HTTP"},
        {"", 1, "not HTTP"},
    };
    uint16_t port;
    int server = listen_on(AF_INET, &port);
    assert_true(server >= 0);
    set_port(port);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct child child;
        char request[512];
        CHECK_ROW(ask(&child, server, rows[i].reply, request) == rows[i].code, "%s", rows[i].reply);
        assert_int_equal(strncmp(request, "GET /readyz HTTP/1.0\r\n", 22), 0);
        CHECK_ROW(strstr(child.text, rows[i].says) != NULL, "%s: %s", rows[i].reply, child.text);
        CHECK_ROW((child.len == 0) == (rows[i].code == 0), "%s", child.text);
    }
    close(server);
}

static void an_address_of_everything_is_asked_on_the_loopback(void **state)
{
    static const struct {
        const char *bind;
        int family;
    } rows[] = {{"0.0.0.0", AF_INET}, {"::", AF_INET6}, {"::1", AF_INET6}, {"127.0.0.1", AF_INET}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct child child;
        char request[512];
        uint16_t port;
        int server = listen_on(rows[i].family, &port);
        if (server < 0)
            continue; /* a machine without IPv6 */
        set_port(port);
        setenv("S_BIND", rows[i].bind, 1);
        CHECK_ROW(ask(&child, server, "HTTP/1.1 200 OK\r\n\r\n", request) == 0, "%s", rows[i].bind);
        close(server);
    }
}

static void nothing_listening_is_not_ready(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* keeps the port from everybody else */
    struct child child;

    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    set_port(ntohs(address.sin_port));
    assert_int_equal(run(&child, "--healthcheck"), 1);
    assert_contains(child.text, "nothing listens on 127.0.0.1 port");
    close(fd);
}

static void a_service_that_never_answers_is_not_ready_after_3_seconds(void **state)
{
    struct child child;
    uint16_t port;
    int server = listen_on(AF_INET, &port); /* the kernel connects, nobody accepts */
    set_port(port);
    assert_int_equal(run(&child, "--healthcheck"), 1);
    assert_contains(child.text, "no answer within 3 seconds");
    close(server);
}

static void a_port_of_0_or_a_bad_configuration_is_not_ready(void **state)
{
    struct child child;
    setenv("S_PORT", "0", 1);
    assert_int_equal(run(&child, "--healthcheck"), 1);
    assert_contains(child.text, "no HTTP port");
    setenv("S_PORT", "x", 1);
    assert_int_equal(run(&child, "--healthcheck"), 1);
    assert_contains(child.text, "S_PORT is \"x\"");
}

/* A context with a certificate that nobody signed but itself. */
static SSL_CTX *make_tls(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}

static void a_service_with_a_certificate_is_asked_over_tls(void **state)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct child child;
    char request[512] = "";
    uint16_t port;
    int server = listen_on(AF_INET, &port), n;
    SSL_CTX *context = make_tls();

    set_port(port);
    setenv("S_CERT", "/etc/some/cert.pem", 1);
    child_start(&child, "--healthcheck", NULL);
    int fd = accept(server, NULL, NULL);
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    assert_int_equal(SSL_accept(tls), 1);
    n = SSL_read(tls, request, sizeof(request) - 1);
    assert_true(n > 0);
    assert_contains(request, "GET /readyz");
    assert_int_equal(SSL_write(tls, reply, sizeof(reply) - 1), sizeof(reply) - 1);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(fd);
    assert_int_equal(child_end(&child), 0);
    SSL_CTX_free(context);
    close(server);
}

static void a_broken_handshake_is_not_ready(void **state)
{
    struct child child;
    char request[512];
    uint16_t port;
    int server = listen_on(AF_INET, &port);
    set_port(port);
    setenv("S_CERT", "/etc/some/cert.pem", 1);
    child_start(&child, "--healthcheck", NULL);
    int fd = accept(server, NULL, NULL);
    assert_true(read(fd, request, sizeof(request)) > 0);
    assert_true(send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL) > 0);
    close(fd);
    assert_int_equal(child_end(&child), 1);
    assert_contains(child.text, "the TLS handshake failed");
    close(server);
}

#define FROM_CLEAN(name) cmocka_unit_test_setup(name, clean_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_CLEAN(help_explains_options_and_variables),
        FROM_CLEAN(help_needs_no_valid_configuration),
        FROM_CLEAN(version_is_one_line),
        FROM_CLEAN(check_config_says_whether_it_is_valid),
        FROM_CLEAN(a_bad_option_prints_the_usage_and_ends_with_2),
        FROM_CLEAN(a_program_without_http_has_no_health_check),
        FROM_CLEAN(a_program_may_have_an_option_of_its_own),
        FROM_CLEAN(a_bad_configuration_ends_the_start_with_2),
        FROM_CLEAN(what_a_closer_look_refuses_counts_like_a_bad_value),
        FROM_CLEAN(a_start_logs_blocks_the_stop_signals_and_ignores_sigpipe),
        FROM_CLEAN(the_first_signal_stops_and_the_second_ends),
        FROM_CLEAN(dying_says_what_and_why_and_ends_with_1),
        FROM_CLEAN(the_health_check_follows_readyz),
        FROM_CLEAN(an_address_of_everything_is_asked_on_the_loopback),
        FROM_CLEAN(nothing_listening_is_not_ready),
        FROM_CLEAN(a_service_that_never_answers_is_not_ready_after_3_seconds),
        FROM_CLEAN(a_port_of_0_or_a_bad_configuration_is_not_ready),
        FROM_CLEAN(a_service_with_a_certificate_is_asked_over_tls),
        FROM_CLEAN(a_broken_handshake_is_not_ready),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
