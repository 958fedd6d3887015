/* http_service - the options of a program that serves HTTP: --healthcheck and --routes.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_SERVICE_H
#define SCRUTIN_HTTP_SERVICE_H

#include "base/service.h"

struct http_route;
struct http_settings;

/* What the options want to know of the program; a service's `http` points at one. */
struct http_service {
    const struct http_settings *settings; /* a port of 0: it serves no HTTP here; no bind_address: the loopback */
    const struct http_route *routes;      /* beside the routes of every service */
    size_t n_routes;
};

/* To a container engine, 1 is "unhealthy" and 2 is reserved. */
#define HTTP_SERVICE_OPTIONS                                                                                           \
    {.name = "healthcheck",                                                                                            \
     .sentence = "ask the running service whether it is ready: 0 yes, 1 no",                                           \
     .run = http_service_check_health,                                                                                 \
     .config_failure = 1},                                                                                             \
    {                                                                                                                  \
        .name = "routes", .sentence = "print what it answers to, `METHOD path` a line, and end",                       \
        .run = http_service_print_routes                                                                               \
    }

/* For the options above. Asks /readyz of the service that runs with this configuration, for three seconds at most, and
 * says on standard error why it is not ready. */
int http_service_check_health(const struct service *service, const char *argument);
int http_service_print_routes(const struct service *service, const char *argument);

#endif
