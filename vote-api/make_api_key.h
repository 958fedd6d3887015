/* make_api_key - the option --make-api-key.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_MAKE_API_KEY_H
#define VOTE_API_MAKE_API_KEY_H

#include "base/service.h"

/* Prints a new API key and its entry for API_KEYS; the name is part of the entry. Returns the exit status: 2 when the
 * name is not valid. For struct service_option. */
int make_api_key(const struct service *service, const char *name);

#endif
