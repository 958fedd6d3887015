/* code_sheet - JSON for programs, CSV for spreadsheets, HTML for paper.
 * SPDX-License-Identifier: MIT */
#include "codes/code_sheet.h"

#include "base/grow.h"
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

/* --- which format */

static const char *const media_types[] = {
    [CODES_JSON] = "application/json", [CODES_CSV] = "text/csv", [CODES_HTML] = "text/html"};

enum code_format code_format_of(const char *accept, size_t len)
{
    for (const char *p = accept, *end = accept + len; p < end;) {
        while (p < end && (*p == ' ' || *p == ',' || *p == '\t'))
            p++;
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t part = (size_t)((comma != NULL ? comma : end) - p);
        for (int i = 0; i <= CODES_HTML; i++) {
            size_t type = strlen(media_types[i]);
            if (part >= type && strncasecmp(p, media_types[i], type) == 0 &&
                (part == type || p[type] == ';' || p[type] == ' '))
                return (enum code_format)i;
        }
        p += part;
    }
    return CODES_JSON;
}

const char *code_format_type(enum code_format format)
{
    static const char *const full[] = {[CODES_JSON] = "application/json",
                                       [CODES_CSV] = "text/csv; charset=utf-8; header=present",
                                       [CODES_HTML] = "text/html; charset=utf-8"};
    return full[format];
}

/* --- text that grows */

struct text {
    char *at;
    size_t len, room;
};

static char *make_room(struct text *text, size_t more)
{
    GROW(text->at, text->room, text->len + more);
    return text->at + text->len;
}

static void add_text(struct text *text, const char *part)
{
    size_t len = strlen(part);

    memcpy(make_room(text, len), part, len);
    text->len += len;
}

static void add_code(struct text *text, const char *before, const char code[CODE_SYMBOLS], const char *behind)
{
    char written[CODE_TEXT];

    code_write(code, written);
    add_text(text, before);
    add_text(text, written);
    add_text(text, behind);
}

static void add_number(struct text *text, size_t number)
{
    char written[24];

    snprintf(written, sizeof(written), "%zu", number);
    add_text(text, written);
}

/* Adds a poll's text to HTML. */
static void add_escaped(struct text *text, const char *plain)
{
    for (; *plain != '\0'; plain++) {
        const char one[2] = {*plain, '\0'};
        add_text(text, *plain == '<'    ? "&lt;"
                       : *plain == '>'  ? "&gt;"
                       : *plain == '&'  ? "&amp;"
                       : *plain == '"'  ? "&quot;"
                       : *plain == '\'' ? "&#39;"
                                        : one);
    }
}

/* Adds a poll's text to a string in CSS. Escapes every character that could end the string or the style (CSS Syntax
 * Level 3, 4.3.7). */
static void add_css(struct text *text, const char *plain)
{
    for (; *plain != '\0'; plain++) {
        unsigned char c = (unsigned char)*plain;
        bool is_safe = c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == ' ';
        char part[8];
        snprintf(part, sizeof(part), is_safe ? "%c" : "\\%x ", c);
        add_text(text, part);
    }
}

/* --- the formats */

static void write_json(const struct code_sheet *sheet, struct text *text)
{
    add_text(text, "{\"codes\":[");
    for (size_t i = 0; i < sheet->n; i++)
        add_code(text, i == 0 ? "\"" : ",\"", sheet->codes[i], "\"");
    add_text(text, "],\"issued\":");
    add_number(text, sheet->issued);
    add_text(text, "}");
}

/* RFC 4180 */
static void write_csv(const struct code_sheet *sheet, struct text *text)
{
    add_text(text, "code\r\n");
    for (size_t i = 0; i < sheet->n; i++)
        add_code(text, "", sheet->codes[i], "\r\n");
}

/* The title is in the style once. So it is printed beside each of up to 100,000 codes, and the page stays small. */
static void write_style(const struct poll *poll, struct text *text)
{
    add_text(text, "body{font:16px system-ui,sans-serif;margin:1rem;color:#000;background:#fff}"
                   "ol{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));padding:0;margin:0;"
                   "list-style:none}"
                   "li{border:1px dashed #666;margin:-1px 0 0 -1px;padding:1rem;text-align:center;break-inside:avoid;"
                   "font:bold 1.25rem ui-monospace,monospace;overflow-wrap:anywhere}"
                   "li::before,li::after{display:block;font:.8rem system-ui,sans-serif}"
                   "li::before{content:\"");
    add_css(text, poll->title);
    add_text(text, "\"}li::after{content:\"Poll ");
    add_css(text, poll->id);
    add_text(text, "\"}@media print{header{break-after:page}}");
}

static void write_csp(const char *style, size_t len, char csp[CODE_SHEET_CSP])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char text[64];

    crypto_hash_sha256(hash, (const uint8_t *)style, len);
    sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
    snprintf(csp, CODE_SHEET_CSP,
             "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             text);
}

static void write_html(const struct code_sheet *sheet, struct text *text, char csp[CODE_SHEET_CSP])
{
    add_text(text, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width\"><title>Voting codes: ");
    add_escaped(text, sheet->poll->title);
    add_text(text, "</title><style>");
    size_t style = text->len;
    write_style(sheet->poll, text);
    if (csp != NULL)
        write_csp(text->at + style, text->len - style, csp);
    add_text(text, "</style></head>\n<body><header><h1>");
    add_escaped(text, sheet->poll->title);
    add_text(text, "</h1><p>Poll ");
    add_text(text, sheet->poll->id);
    add_text(text, ": ");
    add_number(text, sheet->n);
    add_text(text,
             " voting codes. They are shown only once, so print or save this page now. Each code is one vote for the "
             "person who holds it. Cut along the lines and give one code to each voter.</p></header>\n<main><ol>\n");
    for (size_t i = 0; i < sheet->n; i++)
        add_code(text, "<li>", sheet->codes[i], "\n");
    add_text(text, "</ol></main></body></html>\n");
}

void code_sheet_write(const struct code_sheet *sheet, enum code_format format, struct bytes *out,
                      char csp[CODE_SHEET_CSP])
{
    struct text text = {NULL, 0, 0};

    make_room(&text, 4096 + sheet->n * 20);
    if (format == CODES_HTML)
        write_html(sheet, &text, csp);
    else if (format == CODES_CSV)
        write_csv(sheet, &text);
    else
        write_json(sheet, &text);
    *out = (struct bytes){(uint8_t *)text.at, text.len};
}
