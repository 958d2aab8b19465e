// What features hold, as arrays of an npz file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "cli/offline_job.h"
#include "worker/npz/npz_writer.h"

namespace capstan {

// The keys of n examples, users or items: NAME.keys and NAME.offsets [n + 1]: those of number i are
// keys[offsets[i]] up to keys[offsets[i + 1]]. NAME.weights beside the keys, when they are not all 1.
// offsets empty: one key each.
Status add_keys(NpzWriter& writer, const std::string& name, std::span<const std::uint64_t> keys,
                std::span<const std::uint64_t> offsets, std::span<const float> weights);

// users.txt and users.npz, items.txt and items.npz, where the data have them: an id a line, and in the same
// order the keys of each feature of users or items, NAME.numbers [n, 1] of one without keys. The features of
// an example's user and item are these. Gives what was written, in words.
Result<std::string> write_sides(OfflineJob& job, const std::string& folder);

}  // namespace capstan
