/* result_api - what the handlers of result-api share: the running service.
 * SPDX-License-Identifier: MIT */
#ifndef RESULT_API_H
#define RESULT_API_H

#include "ballot/keys.h"
#include "ballot/poll_watch.h"
#include "bus/bus.h"
#include "export/ballot_files.h"
#include "export/timelines.h"
#include "http/http.h"
#include "http/share.h"
#include "live/feed.h"
#include "read/backlog_reader.h"
#include "read/refresh_queue.h"
#include "read/refresher.h"

/* Made by main, there until the process ends. */
struct result_api {
    struct keyring *ring;
    struct address_list *trusted_proxies;
    struct poll_watch watch; /* the directory of polls */
    struct refresh_queue *queue;
    struct share *waiting; /* requests and receipts that wait for the database, by address */
    struct bus *bus;
    struct backlog_reader *backlog_reader;
    struct feeds *feeds;
    struct refresher *refresher;
    struct timelines *timelines;
    struct ballot_files *ballot_files;
};

#endif
