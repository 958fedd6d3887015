/* result_api - what the handlers of result-api share: the running service.
 * SPDX-License-Identifier: MIT */
#ifndef RESULT_API_H
#define RESULT_API_H

#include "ballot_files.h"
#include "board.h"
#include "bus.h"
#include "feed.h"
#include "http.h"
#include "keys.h"
#include "poll_watch.h"
#include "refresher.h"
#include "share.h"
#include "tail.h"
#include "timelines.h"

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
