/* make_api_key - the key goes to its user, the hash into the settings.
 * SPDX-License-Identifier: MIT */
#include "make_api_key.h"

#include "ballot/keys.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

int make_api_key(const struct service *service, const char *name)
{
    char key[SECRET_TOKEN_SIZE], hex[2 * POLL_MANAGE_HASH + 1];
    uint8_t hash[POLL_MANAGE_HASH];

    if (!api_key_name_is_valid(name, strlen(name))) {
        fprintf(stderr, "the name of a key must have 1 to %d letters, digits, '.', '_' or '-'\n", API_KEY_NAME_MAX);
        return 2;
    }
    secret_token_make(key);
    secret_token_hash(key, strlen(key), hash);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    printf("key:      %s\nAPI_KEYS: %s:%s\n", key, name, hex);
    return 0;
}
