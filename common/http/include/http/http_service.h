/* http_service - the options of a program that serves HTTP: --healthcheck and --routes.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_SERVICE_H
#define SCRUTIN_HTTP_SERVICE_H

#include "base/service.h"

struct http_route;
struct http_settings;

/* What the options need to know about the program. The `http` of a struct service points at one. */
struct http_service {
    const struct http_settings *settings; /* port 0: it serves no HTTP; no bind_address: the loopback */
    const struct http_route *routes;      /* without the routes that every service has */
    size_t n_routes;
};

/* A container engine takes the exit code 1 for "unhealthy", and 2 is reserved. */
#define HTTP_SERVICE_OPTIONS                                                                                           \
    {.name = "healthcheck",                                                                                            \
     .sentence = "ask the running service whether it is ready, and end with exit code 0 (yes) or 1 (no)",              \
     .run = http_service_check_health,                                                                                 \
     .config_failure = 1},                                                                                             \
    {                                                                                                                  \
        .name = "routes", .sentence = "print the routes of the service, one `METHOD path` per line, and end",          \
        .run = http_service_print_routes                                                                               \
    }

/* Asks the service that runs with this configuration for /readyz. Takes at most 3 seconds. Returns 0: it is ready; 1:
 * it is not, and standard error says why. */
int http_service_check_health(const struct service *service, const char *argument);
int http_service_print_routes(const struct service *service, const char *argument);

#endif
