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
#include "read/board.h"
#include "read/refresher.h"
#include "read/tail.h"

/* Made by main, there until the process ends. */
struct result_api {
    struct keyring *ring;
    struct address_list *trusted_proxies;
    struct poll_watch watch; /* the directory of polls */
    struct board *board;
    struct share *waiting; /* requests and receipts that wait for the database, by address */
    struct bus *bus;
    struct tail *tail;
    struct feeds *feeds;
    struct refresher *refresher;
    struct timelines *timelines;
    struct ballot_files *ballot_files;
};

#endif
