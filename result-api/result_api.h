/* result_api - the parts of the running service. main.c makes them, and the handlers of requests use them.
 * SPDX-License-Identifier: MIT
 *
 * A handler finds this struct in http_call.service. The file of a handler includes only the headers of the parts
 * that it uses. */
#ifndef RESULT_API_H
#define RESULT_API_H

#include "ballot/poll_watch.h"

/* All parts live until the process ends. */
struct result_api {
    struct keyring *keyring;
    struct address_list *trusted_proxies;
    struct poll_watch watch; /* the directory of polls */
    struct refresh_queue *queue;
    struct share *waiting; /* counts, for each address, the requests and receipts that wait for the database */
    struct bus *bus;
    struct backlog_reader *backlog_reader;
    struct feeds *feeds;
    struct refresher *refresher;
    struct timelines *timelines;
    struct ballot_files *ballot_files;
};

#endif
