/* result_api - what the handlers of result-api share: the running service.
 * SPDX-License-Identifier: MIT */
#ifndef RESULT_API_H
#define RESULT_API_H

#include "board.h"
#include "bus.h"
#include "directory.h"
#include "feed.h"
#include "http.h"
#include "keys.h"
#include "refresher.h"
#include "tail.h"

/* Made by main, there until the process ends. */
struct result_api {
    struct keyring *ring;
    struct directory *polls;
    atomic_bool polls_known; /* the bucket was read once as a whole */
    struct board *board;
    struct bus *bus;
    struct tail *tail;
    struct feeds *feeds;
    struct refresher *refresher;
};

#endif
