/* fuzz - what every fuzz target includes.
 * SPDX-License-Identifier: MIT
 *
 * A target is one function that libFuzzer calls with made-up bytes. What must hold whatever they are is asserted; what
 * must not happen at all, AddressSanitizer and UndefinedBehaviorSanitizer see. */
#ifndef SCRUTIN_FUZZ_H
#define SCRUTIN_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
