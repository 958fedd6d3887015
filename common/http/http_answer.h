/* http_answer - answers and problems; their functions are in http/http.h. For http_*.c only.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_HTTP_ANSWER_H
#define SCRUTIN_HTTP_ANSWER_H

/* Once for all servers, before the first answer: the metrics of answers. */
void http_answers_init(void);

#endif
